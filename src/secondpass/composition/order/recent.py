"""Recent documents first, where they are about as relevant."""

import math
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from secondpass.composition.members import member_of
from secondpass.composition.order.relevance import Boosting, Boosts, metadata_of
from secondpass.loading import RerankerLike
from secondpass.types import Document
from secondpass.validation import NOT_NEGATIVE, Function, Number, Text, check

__all__ = ["RecentReranker"]

_DAY_S = 86_400
_LAST_S = 253_402_300_800  # the end of the year 9999, the last of a datetime; 1.7e12 are milliseconds, and no date


class RecentReranker(Boosting):
    """Adds to a document's relevance for being recent: ``weight * 0.5 ** (age / half_life)``.

    Relevance is the wrapped reranker's probability, or its score between the lowest (0) and the highest (1) of the
    request. So with a weight of 0.2 a document of today overtakes an old one that is up to 0.2 more relevant. The
    scores are ordinal.

    A date is an ISO 8601 text ("2026-11-29", "2026-11-29T12:00:00Z"), a ``datetime``, a ``date``, or seconds since
    1970 (not milliseconds); without a time zone it is UTC. What lies in the future counts as of today. A document
    without a date that can be read gets nothing added, and is counted under ``undated``.

    Explanations: ``recency``, what was added, ``age_days`` (None if undated), and ``reranker_score``.

    Args:
        wrapped: any reranker.
        field: the name of the date in a document's ``metadata``.
        half_life_days: after how many days half of the boost is left.
        weight: the boost of a document of today, at least 0.
        clock: a function that returns the seconds since 1970; for tests.

    Raises:
        ConfigError: a setting is out of range.
    """

    registry_name: ClassVar[str] = "recent"

    def __init__(
        self,
        wrapped: RerankerLike,
        *,
        field: str = "date",
        half_life_days: float = 30.0,
        weight: float = 0.2,
        clock: Callable[[], float] = time.time,
    ) -> None:
        wrapped = member_of(self, wrapped)
        self.wrapped, self.field, self.half_life_days = wrapped, field, half_life_days
        self.weight, self.clock = weight, clock
        check(
            self,
            field=Text(),
            half_life_days=Number(above=0, unit="days"),
            weight=NOT_NEGATIVE,
            clock=Function("that returns the seconds since 1970"),
        )

    def _boosts(self, documents: Sequence[Document]) -> Boosts:
        now_s = self.clock()
        dates_s = [_seconds(metadata_of(document).get(self.field)) for document in documents]
        ages = [None if date_s is None else max(0.0, (now_s - date_s) / _DAY_S) for date_s in dates_s]
        values = np.array([0.0 if age is None else self.weight * 0.5 ** (age / self.half_life_days) for age in ages])
        undated = ages.count(None)
        notes = (f"{undated} of {len(ages)} documents have no date under {self.field!r}",) if undated else ()
        return Boosts(values, {"recency": values.tolist(), "age_days": ages}, {"undated": undated}, notes)

    def __repr__(self) -> str:
        return f"RecentReranker({self.wrapped!r}, half_life_days={self.half_life_days}, weight={self.weight})"


def _seconds(value: Any) -> float | None:
    """Return a date in seconds since 1970; None if it is not one."""
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value.strip())
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day, tzinfo=UTC)
        if isinstance(value, datetime):
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
        seconds = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    return seconds if abs(seconds) < _LAST_S else None
