"""A queue of calls from threads and tasks, and the thread that answers them in batches."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, TypeVar

from secondpass.cancellation import WorkCancelledError, check_cancelled, stops_when, wait_wanted
from secondpass.composition.attempts import attempts
from secondpass.errors import ScoringError
from secondpass.interruptible import Future

__all__ = ["Answered", "Batcher", "CallFuture"]

_log = logging.getLogger(__name__)

_LOOK_AGAIN_S = 0.002  # a task, at a full queue

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Answered(Generic[Result]):
    """The results of one call.

    Attributes:
        results: one for each of its items, in order.
        others: how many other calls were in its batch.
        failed_with: how many other calls were in a batch that failed, so that this one was answered alone; 0 if none
            failed.
    """

    results: list[Result]
    others: int
    failed_with: int = 0


class CallFuture(Future[Result]):
    """A future that remembers that nobody waits for it, also where its call is being answered already."""

    given_up = False

    def give_up(self) -> None:
        """Leave the queue; it takes no lock, so that a second interrupt can't leave one taken."""
        self.given_up = True

    def cancel(self) -> bool:
        """Leave the queue, as `asyncio` wants it."""
        self.give_up()
        return super().cancel()


@dataclass(frozen=True, slots=True, eq=False)
class _Call(Generic[Item, Result]):
    items: Sequence[Item]
    size: int
    arrived_s: float = field(default_factory=time.monotonic)
    future: "CallFuture[Answered[Result]]" = field(default_factory=CallFuture)


class Batcher(Generic[Item, Result]):
    """A queue of calls and the thread that answers them; the thread starts with the first call.

    A call that arrives alone is answered at once. Only after a batch of several does the next one wait until as many
    have arrived again, for ``max_wait_s`` at most. If a batch fails, its calls are answered one by one. Once all of its
    calls were given up, the work stops at its next step.

    Args:
        work: answers items, one result for each; called in the thread only.
        size: how much of ``max_size`` an item takes.
        max_wait_s: how long a call may wait for company.
        max_size: the most in a batch. A call is never split; a larger one is a batch of its own.
        max_queue: calls that may wait.
        owner: what errors call it.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result]],
        *,
        size: Callable[[Item], int],
        max_wait_s: float,
        max_size: int,
        max_queue: int,
        owner: str,
    ) -> None:
        self._work, self._size, self._owner = work, size, owner
        self._max_wait_s, self._max_size, self._max_queue = max_wait_s, max_size, max_queue
        self._calls: deque[_Call[Item, Result]] = deque()
        self._queued = 0  # the size of all that is in the queue
        self._lock = threading.RLock()  # reentrant: the garbage collector may close a batcher from anywhere
        self._room, self._arrived = threading.Condition(self._lock), threading.Condition(self._lock)
        self._expected = 1  # calls that are worth waiting for: as many as the last batch had
        self._wanted = 1  # calls that the thread sleeps for
        self._closed = False
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        """Return how many calls wait."""
        return len(self._calls)

    def submit(self, items: Sequence[Item], timeout_s: float | None = None) -> "CallFuture[Answered[Result]]":
        """Queue a call; while the queue is full, wait.

        Raises:
            ScoringError: the queue stayed full for ``timeout_s``, or the batcher is closed.
        """
        with self._lock:
            if not wait_wanted(lambda left_s: self._room.wait_for(self._has_room, left_s), timeout_s):
                raise self._stayed_full(timeout_s or 0.0)
            return self._put(items)

    async def asubmit(self, items: Sequence[Item], timeout_s: float | None = None) -> "CallFuture[Answered[Result]]":
        """Queue a call from a task; while the queue is full, the task waits and takes no thread.

        Raises:
            ScoringError: the queue stayed full for ``timeout_s``, or the batcher is closed.
        """
        from asyncio import sleep

        give_up_s = time.monotonic() + (timeout_s or 0.0)
        # Looking again now and then blocks no thread, and a cancelled task leaves nothing behind.
        while (future := self._try_put(items)) is None:
            if timeout_s is not None and time.monotonic() >= give_up_s:
                raise self._stayed_full(timeout_s)
            await sleep(_LOOK_AGAIN_S)
        return future

    def _try_put(self, items: Sequence[Item]) -> "CallFuture[Answered[Result]] | None":
        with self._lock:
            return self._put(items) if self._has_room() else None

    def _stayed_full(self, waited_s: float) -> ScoringError:
        return ScoringError(
            f"the queue of {self._max_queue} calls stayed full for {waited_s:g} s, because requests arrive faster than "
            f"the reranker can score them; send fewer, or set a larger max_queue or queue_timeout_s"
        )

    def _has_room(self) -> bool:
        return self._closed or len(self._calls) < self._max_queue

    def _put(self, items: Sequence[Item]) -> "CallFuture[Answered[Result]]":
        if self._closed:
            raise ScoringError(f"this {self._owner} is closed; create a new one")
        if self._thread is None:
            # A daemon, so that the end of the program is not held up; the owner closes it before that.
            thread = threading.Thread(target=self._run_batches, name="secondpass-coalescing", daemon=True)
            try:
                thread.start()
            except RuntimeError as exc:
                raise ScoringError(f"the thread that scores can't be started: {exc}") from exc
            self._thread = thread
        call: _Call[Item, Result] = _Call(items, sum(map(self._size, items)))
        self._calls.append(call)
        self._queued += call.size
        if len(self._calls) >= self._wanted or self._queued >= self._max_size:
            self._arrived.notify()
        return call.future

    def close(self) -> None:
        """Take no more calls, answer those that wait, and end the thread."""
        with self._lock:
            self._closed = True
            self._arrived.notify_all()
            self._room.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _run_batches(self) -> None:
        while self._run_next():
            pass

    def _run_next(self) -> bool:
        # A method of its own, so that no variable keeps a batch's texts while the thread sleeps.
        batch = self._next_batch()
        if batch:
            self._run(batch)
        return batch is not None

    def _next_batch(self) -> list[_Call[Item, Result]] | None:
        """Wait for a batch; None when the worker is closed and nothing is left to do."""
        with self._lock:
            while not self._is_due():
                if self._closed and not self._calls:
                    return None
            batch: list[_Call[Item, Result]] = []
            size = n_taken = 0
            while self._calls and (not batch or size + self._calls[0].size <= self._max_size):
                call = self._calls.popleft()
                self._queued -= call.size
                n_taken += 1
                if not call.future.given_up and call.future.set_running_or_notify_cancel():  # else its caller has gone
                    batch.append(call)
                    size += call.size
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
        enough = len(self._calls) >= min(self._expected, self._max_queue) or self._queued >= self._max_size
        if enough or left_s <= 0 or self._closed:
            return True
        self._wanted = min(self._expected, self._max_queue)
        self._arrived.wait(left_s)
        return False

    def _run(self, batch: list[_Call[Item, Result]]) -> None:
        others, failed_with = len(batch) - 1, 0

        def failed(exc: BaseException) -> None:
            nonlocal others, failed_with
            if others and not isinstance(exc, WorkCancelledError):
                # What the error says is the business of its caller, and may quote a text.
                _log.warning("a batch of %d calls failed (%s), so each is scored alone", len(batch), type(exc).__name__)
                others, failed_with = 0, others

        # Whatever the error is, it is the caller's, and the thread must go on. The calls have nothing to do with each
        # other, so two that fail say nothing about a third.
        outcomes = attempts(self._worked, batch, catch=BaseException, on_failure=failed, give_up=False, reraise=())
        for call, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                call.future.set_exception(outcome)
            else:
                call.future.set_result(Answered(outcome, others, failed_with))

    def _worked(self, batch: Sequence[_Call[Item, Result]]) -> list[list[Result]]:
        with stops_when(lambda: all(call.future.given_up for call in batch)):
            check_cancelled()
            results = iter(self._work([item for call in batch for item in call.items]))
        return [list(islice(results, len(call.items))) for call in batch]
