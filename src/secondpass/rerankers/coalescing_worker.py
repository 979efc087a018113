"""The thread that gathers the calls of many threads into batches."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from secondpass.errors import ScoringError
from secondpass.types import Request, Scores

__all__ = ["Worker"]

_log = logging.getLogger(__name__)

Results = list[Scores]


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    requests: Sequence[Request]
    n_pairs: int
    arrived_s: float = field(default_factory=time.monotonic)
    future: "Future[Results]" = field(default_factory=Future)


class Worker:
    """A queue of calls and the thread that answers them; the thread starts with the first call.

    Args:
        score_many: scores requests; called in the thread only.
        max_wait_s: how long a call may wait for company.
        max_pairs: documents in a batch; a larger call is a batch of its own.
        max_queue: calls that may wait.
    """

    def __init__(
        self,
        score_many: Callable[[Sequence[Request]], Results],
        max_wait_s: float,
        max_pairs: int,
        max_queue: int,
    ) -> None:
        self._score_many = score_many
        self._max_wait_s, self._max_pairs, self._max_queue = max_wait_s, max_pairs, max_queue
        self._calls: deque[_Call] = deque()
        self._n_pairs = 0  # in the queue
        lock = threading.RLock()  # reentrant: the garbage collector may close a worker from anywhere
        self._room, self._arrived = threading.Condition(lock), threading.Condition(lock)
        self._expected = 1  # calls that are worth waiting for: as many as the last batch had
        self._wanted = 1  # calls that the thread sleeps for
        self._closed = False
        self._thread: threading.Thread | None = None

    def submit(self, requests: Sequence[Request], timeout_s: float | None) -> "Future[Results]":
        """Queue a call; while the queue is full, wait.

        Raises:
            ScoringError: the queue stayed full for ``timeout_s``, or the worker is closed.
        """
        with self._room:
            if not self._room.wait_for(self._has_room, timeout_s):
                raise self.stayed_full(timeout_s or 0.0)
            return self._put(requests)

    def try_submit(self, requests: Sequence[Request]) -> "Future[Results] | None":
        """Queue a call; while the queue is full, return None.

        Raises:
            ScoringError: the worker is closed.
        """
        with self._room:
            return self._put(requests) if self._has_room() else None

    def stayed_full(self, waited_s: float) -> ScoringError:
        """Return the error for a call that found no room in that time."""
        return ScoringError(
            f"the queue of {self._max_queue} calls stayed full for {waited_s:g} s: its callers ask for more "
            f"than the reranker can do; send less, or set a larger max_queue or queue_timeout_s"
        )

    def _has_room(self) -> bool:
        return self._closed or len(self._calls) < self._max_queue

    def _put(self, requests: Sequence[Request]) -> "Future[Results]":
        if self._closed:
            raise ScoringError("this CoalescingReranker is closed; make another one")
        if self._thread is None:
            # A daemon, so that the end of the program is not held up; the owner closes it before that.
            thread = threading.Thread(target=self._work, name="secondpass-coalescing", daemon=True)
            thread.start()
            self._thread = thread
        call = _Call(requests, sum(len(request) for request in requests))
        self._calls.append(call)
        self._n_pairs += call.n_pairs
        if len(self._calls) >= self._wanted or self._n_pairs >= self._max_pairs:
            self._arrived.notify()
        return call.future

    def close(self) -> None:
        """Take no more calls, answer those that wait, and end the thread."""
        with self._arrived:
            self._closed = True
            self._arrived.notify_all()
            self._room.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _work(self) -> None:
        while self._serve():
            pass

    def _serve(self) -> bool:
        # A method of its own, so that no variable keeps a batch's texts while the thread sleeps.
        batch = self._next_batch()
        if batch:
            self._run(batch)
        return batch is not None

    def _next_batch(self) -> list[_Call] | None:
        """Wait for a batch; None when the worker is closed and nothing is left to do."""
        with self._arrived:
            while not self._is_due():
                if self._closed:
                    return None
            batch: list[_Call] = []
            n_pairs = n_taken = 0
            while self._calls and (not batch or n_pairs + self._calls[0].n_pairs <= self._max_pairs):
                call = self._calls.popleft()
                self._n_pairs -= call.n_pairs
                n_taken += 1
                if call.future.set_running_or_notify_cancel():  # else its caller has gone
                    batch.append(call)
                    n_pairs += call.n_pairs
            self._room.notify(n_taken)
            self._expected = max(1, len(batch))
            return batch

    def _is_due(self) -> bool:
        """Return whether the calls in the queue shall be taken now; if not, sleep until that may have changed."""
        if not self._calls:
            self._wanted = 1
            if not self._closed:
                self._arrived.wait()
            return False
        left_s = self._calls[0].arrived_s + self._max_wait_s - time.monotonic()
        # Waiting pays only while callers that the last batch held are on their way back. Who comes alone goes at once.
        enough = len(self._calls) >= min(self._expected, self._max_queue) or self._n_pairs >= self._max_pairs
        if enough or left_s <= 0 or self._closed:
            return True
        self._wanted = min(self._expected, self._max_queue)
        self._arrived.wait(left_s)
        return False

    def _run(self, batch: list[_Call]) -> None:
        try:
            results = self._score_many([request for call in batch for request in call.requests])
        except BaseException as exc:  # whatever it is, it is the caller's, and the thread must go on
            if len(batch) == 1:
                batch[0].future.set_exception(exc)
                return
            _log.warning("a batch of %d calls failed, so each is scored alone: %s", len(batch), exc)
            note = f"a batch shared with {len(batch) - 1} other calls failed, so this one was scored alone"
        else:
            self._answer(batch, results)
            return
        for call in batch:
            try:
                results = self._score_many(call.requests)
            except BaseException as exc:
                call.future.set_exception(exc)
            else:
                self._answer([call], results, {"retried": 1}, (note,))

    def _answer(
        self,
        batch: list[_Call],
        results: Results,
        counts: dict[str, int] | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        counts = {"coalesced": len(batch) - 1} | (counts or {})
        start = 0
        for call in batch:
            own = results[start : start + len(call.requests)]
            start += len(call.requests)
            call.future.set_result([scores.rescored(scores.values, counts=counts, notes=notes) for scores in own])
