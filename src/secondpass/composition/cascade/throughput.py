"""How fast a cascade's stages are: learnt while they run, so that a budget can be spent well."""

from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from secondpass.forking import reset_after_fork
from secondpass.types import Request

__all__ = ["ThroughputEstimate", "work_of"]

Work = npt.NDArray[np.float64]

_MEMORY = 0.8  # what an observation's weight is multiplied by with each later one
_OVERHEAD = 100  # characters that a pair costs beyond its own


def work_of(request: Request, indices: Sequence[int]) -> list[int]:
    """Return what scoring each of the documents takes, in characters: a measure that every stage shares."""
    return [len(request.query) + len(request.texts[index]) + _OVERHEAD for index in indices]


class ThroughputEstimate:
    """The seconds that one stage takes for a character, and the share of documents that it lets go on.

    Both are exponentially weighted: ratios of decayed sums, in which a long slice counts for more than a
    short one. It may be shared between threads; a copy in another process starts anew.
    """

    def __init__(self) -> None:
        self._renew_lock()
        reset_after_fork(self, ThroughputEstimate._renew_lock)
        self._seconds = self._work = 0.0
        self._kept = self._seen = 0.0

    def _renew_lock(self) -> None:
        self._lock = Lock()

    @property
    def rate(self) -> float | None:
        """Seconds per character; None before anything was observed."""
        with self._lock:
            return self._seconds / self._work if self._work else None

    @property
    def share(self) -> float:
        """The share of the documents that went on; 1 before anything was observed."""
        with self._lock:
            return self._kept / self._seen if self._seen else 1.0

    def learn(self, seconds: float, work: float) -> None:
        """Take note of one call."""
        with self._lock:
            self._seconds = _MEMORY * self._seconds + seconds
            self._work = _MEMORY * self._work + work

    def learn_share(self, kept: int, seen: int) -> None:
        """Take note of how many documents went on."""
        with self._lock:
            self._kept = _MEMORY * self._kept + kept
            self._seen = _MEMORY * self._seen + seen

    def relax(self) -> None:
        """Lower the seconds per character by a tenth, so that a stage that was too slow is tried again.

        Without it, one slow call (a model that was still loading) would shut the stage out for good.
        """
        with self._lock:
            self._seconds *= 0.9

    def fitting(self, work: Work, seconds: float, unknown: int) -> int:
        """Return how many of the documents can be scored in the time.

        Args:
            work: of each document, in the order in which they would be scored.
            seconds: the time that there is.
            unknown: what to return while no rate is known.
        """
        if seconds <= 0:
            return 0
        rate = self.rate
        if rate is None:
            return min(unknown, len(work))
        return int(np.searchsorted(np.cumsum(work) * rate, seconds, side="right"))

    def __reduce__(self) -> tuple[Any, ...]:
        return (ThroughputEstimate, ())
