"""The last events in memory, in numbers that a person or a dashboard reads."""

import csv
import json
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

import numpy as np

from secondpass.forking import reset_after_fork
from secondpass.monitor.event import Event
from secondpass.monitor.sink import Sink
from secondpass.types import Scale
from secondpass.validation import SECONDS, THRESHOLD, Function, Whole, check

__all__ = ["Summary", "WindowSink", "summarize"]


@dataclass(frozen=True, slots=True)
class Summary:
    """What the events of a window have in common. What can't be told, as there is nothing to tell it from, is None.

    Attributes:
        count: events, failed ones included.
        error_rate: the share of them that failed.
        mean_latency_s: the mean of their seconds; the rest of the latencies likewise.
        median_latency_s: half of them took longer.
        p95_latency_s: one in twenty took longer.
        p99_latency_s: one in a hundred took longer.
        mean_top_score: the mean of the best scores, unless they are ordinal.
        low_confidence_rate: the share of events whose best score, of a verifier the lowest, did not reach the
            threshold; events whose scores are ordinal, or that have none, don't count.
        mean_candidates: candidates for an event.
        mean_tokens: tokens for an event.
        truncation_rate: truncated documents, as a share of the candidates.
        cache_hit_rate: documents whose scores were in a cache, as a share of those that were looked for.
        fallback_rate: the share of events with a fallback.
        escalation_rate: the share of events with an escalation.
        passed_rate: the share of verified answers that passed.
    """

    count: int
    error_rate: float | None
    mean_latency_s: float | None
    median_latency_s: float | None
    p95_latency_s: float | None
    p99_latency_s: float | None
    mean_top_score: float | None
    low_confidence_rate: float | None
    mean_candidates: float | None
    mean_tokens: float | None
    truncation_rate: float | None
    cache_hit_rate: float | None
    fallback_rate: float | None
    escalation_rate: float | None
    passed_rate: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return asdict(self)


class WindowSink(Sink):
    """Keeps the last events in memory.

    Args:
        max_events: how many, at most; some 2 KB each.
        max_age_s: how old they may be when they are read; None for any age.
        low_confidence: the best score below which an event counts as one of low confidence, on the scale of the
            scores; by default a probability of 0.5, a logit of 0.
        clock: a function that returns the seconds since 1970; for tests.
    """

    registry_name: ClassVar[str] = "window"

    def __init__(
        self,
        *,
        max_events: int = 10_000,
        max_age_s: float | None = None,
        low_confidence: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.max_events, self.max_age_s, self.low_confidence, self.clock = max_events, max_age_s, low_confidence, clock
        check(
            self,
            max_events=Whole(at_least=1, unit="events"),
            max_age_s=SECONDS | None,
            low_confidence=THRESHOLD,
            clock=Function("that returns the seconds since 1970"),
        )
        self._events: deque[Event] = deque(maxlen=max_events)
        self._renew_lock()
        reset_after_fork(self, WindowSink._renew_lock)

    def _renew_lock(self) -> None:
        self._lock = Lock()

    def __call__(self, event: Event) -> None:
        """Keep the event, and let go of the oldest one if there are too many."""
        with self._lock:
            self._events.append(event)

    def events(self) -> list[Event]:
        """Return the events that are young enough, oldest first."""
        with self._lock:
            kept = list(self._events)
        if self.max_age_s is None:
            return kept
        oldest_s = self.clock() - self.max_age_s
        return [event for event in kept if event.time_s + event.latency_s >= oldest_s]

    def summary(self) -> Summary:
        """Return the events in a few numbers."""
        return summarize(self.events(), self.low_confidence)

    def top_scores(self) -> list[float]:
        """Return the best score of each event, oldest first; of those that have none, or ordinal ones, nothing."""
        return top_scores(self.events())

    def clear(self) -> None:
        """Let go of all events."""
        with self._lock:
            self._events.clear()

    def to_json(self, path: str | os.PathLike[str]) -> None:
        """Write the summary and the events to a file, as one JSON object."""
        events = self.events()
        data = {
            "summary": summarize(events, self.low_confidence).to_dict(),
            "events": [event.to_dict() for event in events],
        }
        Path(path).expanduser().write_text(json.dumps(data, default=str, indent=1), encoding="utf-8")

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write a row for each event to a file; a count and a stage have a column each. Texts are left out."""
        rows = [_row(event) for event in self.events()]
        columns = dict.fromkeys(name for row in rows for name in row)
        with Path(path).expanduser().open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(columns), restval="")
            writer.writeheader()
            writer.writerows(rows)

    def __len__(self) -> int:
        return len(self._events)


def summarize(events: Sequence[Event], low_confidence: float | None = None) -> Summary:
    """Return events in a few numbers.

    Args:
        events: any.
        low_confidence: as for `WindowSink`.
    """
    latencies = np.array([event.latency_s for event in events])
    p50, p95, p99 = np.percentile(latencies, (50, 95, 99)).tolist() if len(events) else (None, None, None)
    confident = [event.is_confident(low_confidence) for event in events]
    told = [each for each in confident if each is not None]
    candidates = sum(event.candidates for event in events)
    hits, misses = sum(event.cache_hits for event in events), sum(event.cache_misses for event in events)
    passed = [event.passed for event in events if event.passed is not None]
    return Summary(
        count=len(events),
        error_rate=_mean([event.failed for event in events]),
        mean_latency_s=_mean(latencies.tolist()),
        median_latency_s=p50,
        p95_latency_s=p95,
        p99_latency_s=p99,
        mean_top_score=_mean(top_scores(events)),
        low_confidence_rate=_mean([not each for each in told]),
        mean_candidates=_mean([event.candidates for event in events]),
        mean_tokens=_mean([event.tokens for event in events]),
        truncation_rate=sum(event.truncated for event in events) / candidates if candidates else None,
        cache_hit_rate=hits / (hits + misses) if hits + misses else None,
        fallback_rate=_mean([event.fallbacks > 0 for event in events]),
        escalation_rate=_mean([event.escalated > 0 for event in events]),
        passed_rate=_mean(passed),
    )


def top_scores(events: Sequence[Event]) -> list[float]:
    """Return the best score of each event that has scores which can be compared with those of another event."""
    return [event.scores.top for event in events if event.scores is not None and event.scale is not Scale.ORDINAL]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _row(event: Event) -> dict[str, Any]:
    plain = event.to_dict()
    nested = {name: plain.pop(name) or {} for name in ("scores", "counts", "stages")}
    for name in ("query", "error_message", "texts"):
        plain.pop(name, None)
    return plain | {f"{name}.{key}": value for name, cells in nested.items() for key, value in cells.items()}
