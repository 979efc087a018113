"""Whether scores still come from the distribution that they used to come from."""

import os
from collections.abc import Sequence
from typing import ClassVar, Literal, Unpack

import numpy as np
import numpy.typing as npt

from secondpass.counts import counted
from secondpass.errors import ConfigError
from secondpass.monitor.event import Event
from secondpass.monitor.jsonl import read_events
from secondpass.monitor.rules import Rule, WatchSettings
from secondpass.monitor.window import top_scores
from secondpass.validation import Number, OneOf, must_be

__all__ = ["ScoreDriftRule", "kolmogorov_smirnov", "population_stability"]

Vector = npt.NDArray[np.float64]

_LEAST = 50  # scores, of fewer of which the distribution is not known
_LIMITS = {"psi": 0.25, "ks": 0.2}
_BINS = 10


class ScoreDriftRule(Rule):
    """Fires when the best scores of calls are distributed otherwise than they were.

    The best score of each call counts, as those of one call are not independent of each other. What drifts may be the
    traffic (other questions, another language), the documents, or the model (another file, a sigmoid too many).

    Args:
        reference: at least 50 best scores of a time when all was well (`WindowSink.top_scores`), or the path of a
            file of a `JSONLinesSink` that has them.
        statistic: ``psi``, the population stability index over tenths of the reference, where 0.1 is a small and 0.25
            a large change; or ``ks``, the Kolmogorov-Smirnov statistic, the largest difference between the two
            distribution functions, which needs no bins. Without drift, PSI is about ``11 * (1/n + 1/m)`` for n scores
            in the window and m in the reference, so 0.06 with 200 and 1,000, and fewer would often look like drift.
        limit: 0.25 for PSI and 0.2 for KS by default.
        watch: see `WatchSettings`; here ``window`` is 500 and ``min_events`` 200 by default.

    Raises:
        ConfigError: a setting is out of range, or the reference has too few scores.
        InputError: a line of the file is not an event.
    """

    registry_name: ClassVar[str] = "score-drift"
    usual_window: ClassVar[int] = 500
    usual_min_events: ClassVar[int] = 200

    def __init__(
        self,
        reference: Sequence[float] | str | os.PathLike[str],
        *,
        statistic: Literal["psi", "ks"] = "psi",
        limit: float | None = None,
        **watch: Unpack[WatchSettings],
    ) -> None:
        OneOf(*_LIMITS).checked(statistic, "ScoreDriftRule: statistic")
        self.statistic = statistic
        super().__init__(_LIMITS[statistic] if limit is None else limit, **watch)
        self.reference = os.fspath(reference) if isinstance(reference, os.PathLike) else reference
        self._reference = _scores(self.reference)

    def measure(self, events: Sequence[Event]) -> float | None:
        """Return how far the best scores have drifted."""
        scores = np.array(top_scores(events))
        if len(scores) < self._min_events:
            return None
        measure = population_stability if self.statistic == "psi" else kolmogorov_smirnov
        return measure(self._reference, scores)

    def __repr__(self) -> str:
        return (
            f"ScoreDriftRule({counted(len(self._reference), 'score')}, statistic={self.statistic!r}, "
            f"limit={self.limit})"
        )


def population_stability(reference: Vector, scores: Vector) -> float:
    """Return the population stability index of scores against a reference; 0 if they are distributed alike.

    The bins are tenths of the reference, one for what lies below it and one for what lies above. Half a score is
    added to each bin, so that an empty one does not give infinity.
    """
    tenths = np.unique(np.quantile(reference, np.linspace(0, 1, _BINS + 1)))
    edges = np.concatenate([[np.nextafter(tenths[0], -np.inf)], tenths])
    expected, found = (_shares(values, edges) for values in (reference, scores))
    return float(((found - expected) * np.log(found / expected)).sum())


def kolmogorov_smirnov(reference: Vector, scores: Vector) -> float:
    """Return the largest difference between the distribution functions of the two, in [0, 1]."""
    everywhere = np.concatenate([reference, scores])
    first, second = (
        np.searchsorted(np.sort(values), everywhere, side="right") / len(values) for values in (reference, scores)
    )
    return float(np.abs(first - second).max())


def _shares(values: Vector, edges: Vector) -> Vector:
    counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1) + 0.5
    return np.asarray(counts / counts.sum())


def _scores(reference: object) -> Vector:
    takes = f"at least {_LEAST} finite scores, or the path of a file of a JSONLinesSink that has as many"
    if isinstance(reference, str):
        scores: Sequence[float] = top_scores(list(read_events(reference)))
    elif isinstance(reference, Sequence | np.ndarray):
        scores = [Number().checked(each, "ScoreDriftRule: each score of the reference") for each in reference]
    else:
        raise ConfigError(must_be("ScoreDriftRule: reference", takes, reference))
    if len(scores) < _LEAST:
        raise ConfigError(f"ScoreDriftRule: reference must be {takes}; it has {len(scores)}")
    return np.array(scores, dtype=np.float64)
