"""A reranker that is watched: an event for each request, to as many sinks as you like."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from secondpass.base import Reranker
from secondpass.calibration.ready import ReadyCalibration
from secondpass.composition.members import member_of
from secondpass.loading import RerankerLike
from secondpass.monitor.event import ScoredText, ScoreSummary
from secondpass.monitor.record import of_trace
from secondpass.monitor.sink import SinkLike
from secondpass.monitor.watched import Watched
from secondpass.secret import Secret
from secondpass.types import Request, Scores

__all__ = ["MonitoredReranker"]


class MonitoredReranker(Watched, Reranker):
    """Tells sinks of each request that another reranker answers, or fails at: see `secondpass.monitor.Event`.

    Scores, explanations, trace and fingerprint are those of the wrapped reranker. Requests without documents have an
    event as well; input that is refused, before any reranker sees it, has none. Put it around everything else, and
    the event has the stages of all that it wraps; around a member of a composition, and it has that member's.

    Sinks are called in the caller's thread, in their order, and can't break a call: what one raises is warned of once,
    and counted in ``failures``.

    Args:
        wrapped: the reranker.
        sinks: functions of an `Event`, such as a `Sink`; names (``"logging"``); or configurations
            (``{"type": "jsonl", "path": "events.jsonl"}``).
        name: what the events call the reranker; by default its class.
        texts: put the query, the documents and what errors say into the events. They are left out by default.
        salt: a secret that keys the hash of the query, so that nobody can check a guess; by default that of the
            environment variable ``SECONDPASS_MONITOR_SALT``. It is kept out of configurations.

    Raises:
        ConfigError: a sink or a setting can't be used.
        MissingExtraError: a sink needs a package that is not installed.
    """

    registry_name: ClassVar[str] = "monitored"
    wrapped: Reranker
    plain_settings: ClassVar[frozenset[str]] = frozenset({"sinks"})

    def __init__(
        self,
        wrapped: RerankerLike,
        sinks: Sequence[SinkLike] = ("logging",),
        *,
        name: str | None = None,
        texts: bool = False,
        salt: str | Secret | None = None,
    ) -> None:
        wrapped = member_of(self, wrapped)
        self._watch("rerank", wrapped, sinks, name, texts, salt)
        self.scale, self.pointwise, self.log_odds = wrapped.scale, wrapped.pointwise, wrapped.log_odds

    @property
    def calibration(self) -> ReadyCalibration | None:
        """That of the wrapped reranker: being watched changes no score."""
        return self.wrapped.calibration

    def score_many(self, requests: Sequence[Request]) -> list[Scores]:
        """Score checked requests, and emit an event for each: see `Reranker.score_many`."""
        inherited = super().score_many

        def describe(at: int, scores: Scores | None) -> dict[str, Any]:
            return self._fields(requests[at], scores)

        asked = [request.query for request in requests]
        return self._recorder.call(lambda: inherited(requests), asked, describe)

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        return self.wrapped.score_many(requests)

    def _fields(self, request: Request, scores: Scores | None) -> dict[str, Any]:
        fields: dict[str, Any] = {"fingerprint": self.fingerprint, "scale": self.scale}
        fields |= {"candidates": len(request), "k": request.k}
        if scores is None:
            return fields
        # Blank documents are scored by no model.
        values = scores.values if not any(request.blank) else scores.values[~np.array(request.blank)]
        fields |= {"scores": ScoreSummary.of(values), **of_trace(scores.trace)}
        if self.texts:
            order = np.argsort(-scores.values, kind="stable")
            fields["texts"] = tuple(_scored_text(request, int(at), float(scores.values[at])) for at in order)
        return fields


def _scored_text(request: Request, at: int, score: float) -> ScoredText:
    document = request.documents[at]
    return ScoredText(at, request.texts[at], score, None if isinstance(document, str) else document.get("id"))
