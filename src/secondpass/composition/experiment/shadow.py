"""A treatment beside the control: it gets what the control got, after that has answered, and nobody waits for it."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from secondpass.base import Reranker
from secondpass.composition.experiment.process import ProcessReranker
from secondpass.types import Request

__all__ = ["Shadow", "ShadowResult"]

_log = logging.getLogger("secondpass.experiment")

_DEPTH = 10
_PIECE_S = 0.02  # how long, at most, work of a treatment goes on beside a call of the control that has just come


@dataclass(frozen=True, slots=True)
class ShadowResult:
    """How a treatment would have answered a request that the control answered.

    Attributes:
        arm: the treatment.
        unit: the unit's hash.
        documents: how many there were.
        latency_s: seconds of the treatment, without the time in which it let the control go first.
        control_latency_s: seconds of the control, for all requests of its call.
        overlap: the share of the control's ten best documents that are among the treatment's; None if it failed.
        same_top: whether both have the same document at the top; None if it failed.
        error: the class of the error that ended it; empty if there was none.
    """

    arm: str
    unit: str
    documents: int
    latency_s: float
    control_latency_s: float
    overlap: float | None = None
    same_top: bool | None = None
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What a treatment is asked.

    Attributes:
        arm: its name.
        reranker: the treatment.
        unit: the unit's hash.
        request: for all documents.
        values: the control's scores, shape (n_documents,).
        control_latency_s: seconds of the control.
        done: called with the result, in the thread of the shadow.
    """

    arm: str
    reranker: Reranker
    unit: str
    request: Request
    values: npt.NDArray[np.float64]
    control_latency_s: float
    done: Callable[[ShadowResult], object]


class Shadow:
    """A bounded queue, and a thread that works on it while no call of the control is under way.

    What a pointwise treatment is asked is scored in pieces of some 20 ms, and a call of the control that comes holds up
    the next piece. So a control call never waits for a treatment, and shares the processor with a piece at most; a
    treatment with a process of its own (`ProcessReranker`) is stopped in the midst of its piece. The thread has no
    lower priority than others: it would hold up all of them where it holds the interpreter's lock and gets no
    processor.

    Args:
        max_waiting: how many requests may wait; further ones are dropped.
    """

    def __init__(self, max_waiting: int) -> None:
        self._jobs: deque[Job] = deque()
        self._max_waiting = max_waiting
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._busy = 0  # calls of the control under way
        self._asked: ProcessReranker | None = None  # what is at a piece now and can be stopped in its midst
        self._paused_at = self._paused_s = 0.0
        self._working = self._closed = False
        self._dropped = 0
        self._seconds_a_document: dict[str, float] = {}
        self._thread: threading.Thread | None = None

    @property
    def dropped(self) -> int:
        """How many requests were dropped, as too many waited."""
        return self._dropped

    @contextmanager
    def control(self) -> Iterator[None]:
        """Let a call of the control go first."""
        is_counted = False  # an interrupt may come at any time
        try:
            with self._lock:
                self._busy += 1
                is_counted = True
                if self._busy == 1 and self._asked is not None:
                    self._asked.pause()
                    self._paused_at = time.perf_counter()
            yield
        finally:
            with self._lock:
                self._busy -= is_counted
                if not self._busy:
                    self._go_on()
                    self._changed.notify_all()

    def _go_on(self) -> None:
        if self._asked is not None and self._paused_at:
            self._asked.resume()
            self._paused_s += time.perf_counter() - self._paused_at
        self._paused_at = 0.0

    def submit(self, job: Job) -> None:
        """Put a job into the queue, or count it as dropped."""
        with self._lock:
            if self._closed or len(self._jobs) >= self._max_waiting or not self._has_thread():
                self._dropped += 1
                return
            self._jobs.append(job)
            self._changed.notify_all()

    def _has_thread(self) -> bool:
        if self._thread is None:
            # A daemon, so that the end of the program is not held up.
            thread = threading.Thread(target=self._work, name="secondpass-shadow", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the program ends, or has too many
                return False
            self._thread = thread
        return True

    def drain(self, timeout_s: float | None) -> bool:
        """Wait until nothing waits; return whether that came within the time."""
        with self._lock:
            return self._changed.wait_for(lambda: not (self._jobs or self._working), timeout_s)

    def close(self) -> None:
        """Drop what waits, and end the thread after the piece that it works on."""
        with self._lock:
            self._closed = True
            self._dropped += len(self._jobs)
            self._jobs.clear()
            self._changed.notify_all()

    def _work(self) -> None:
        while self._serve():
            pass

    def _serve(self) -> bool:
        # A method of its own, so that no variable keeps a request's texts while the thread sleeps.
        with self._lock:
            self._changed.wait_for(lambda: self._jobs or self._closed)
            if self._closed:
                return False
            job, self._working = self._jobs.popleft(), True
        try:
            result = self._result(job)
            if result is not None:
                job.done(result)
        except Exception:  # a warning that was made an error, or a filter of logs; what waits must not wait for ever
            _log.exception("what the arm %r did in the shadow could not be counted", job.arm)
        finally:
            with self._lock:
                self._working = False
                self._changed.notify_all()
        return True

    def _result(self, job: Job) -> ShadowResult | None:
        known = (job.arm, job.unit, len(job.request))
        start, spent_s = time.perf_counter(), 0.0
        try:
            pieces: list[npt.NDArray[np.float64]] = []
            scored = 0
            while scored < len(job.request):
                n = self._piece(job, scored)
                part = job.request if n == len(job.request) else job.request.subset(range(scored, scored + n))
                if not self._begins(job.reranker):
                    return None
                start = time.perf_counter()
                try:
                    pieces.append(job.reranker.score_many([part])[0].values)
                finally:
                    paused_s = self._ended()
                took_s = time.perf_counter() - start - paused_s
                self._seconds_a_document[job.arm] = took_s / n
                spent_s, scored = spent_s + took_s, scored + n
            values = np.concatenate(pieces)
        except Exception as exc:  # a treatment may be anyone's, and fail in any way
            if self._closed:  # perhaps just by that
                return None
            _log.debug("the arm %r failed in the shadow", job.arm, exc_info=exc)
            spent_s += time.perf_counter() - start
            return ShadowResult(*known, spent_s, job.control_latency_s, error=type(exc).__name__)
        first, second = _top(job.values), _top(values)
        overlap = len(set(first) & set(second)) / len(first)
        return ShadowResult(*known, spent_s, job.control_latency_s, overlap, first[0] == second[0])

    def _begins(self, reranker: Reranker) -> bool:
        """Wait until no call of the control is under way; return whether there is still something to do."""
        with self._lock:
            self._changed.wait_for(lambda: self._closed or not self._busy)
            if not self._closed:
                self._asked, self._paused_s = (reranker if isinstance(reranker, ProcessReranker) else None), 0.0
            return not self._closed

    def _ended(self) -> float:
        """Note that a piece has ended; return the seconds for which it was stopped."""
        with self._lock:
            self._go_on()  # it may have answered before it was stopped
            self._asked = None
            return self._paused_s

    def _piece(self, job: Job, scored: int) -> int:
        left = len(job.request) - scored
        if not job.reranker.pointwise:
            return left
        seconds = self._seconds_a_document.get(job.arm)
        return min(left, max(1, int(_PIECE_S / seconds) if seconds else 1))


def _top(values: npt.NDArray[np.float64]) -> Sequence[int]:
    found: list[int] = np.argsort(-values, kind="stable")[:_DEPTH].tolist()
    return found
