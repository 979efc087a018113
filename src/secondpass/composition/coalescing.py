"""Share batches between concurrent calls of threads and tasks."""

import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, ClassVar, Self

from secondpass.base import RequestLike, Reranker, as_requests
from secondpass.calibration.ready import ReadyCalibration
from secondpass.composition.attempts import attempts
from secondpass.errors import ScoringError
from secondpass.forking import reset_after_fork
from secondpass.types import Ranking, Request, Scores
from secondpass.validation import Number, Whole, check

__all__ = ["CoalescingReranker"]

_log = logging.getLogger(__name__)

_LOOK_AGAIN_S = 0.002  # a task, at a full queue


class CoalescingReranker(Reranker):
    """Gathers concurrent calls into batches for the wrapped reranker, as inference servers do.

    A single thread calls the wrapped reranker. Callers are queued, and each gets the scores that it would have got
    alone. Calls that arrive while a batch is running make up the next one, so batches grow with the load. A call that
    arrives alone is scored at once; only after a batch of several calls does the next one wait until as many have
    arrived again, for ``max_wait_ms`` at most.

    If a batch fails, its calls are scored again one by one, so that only the call that fails gets the error. A call
    that is given up (its task was cancelled, or its thread interrupted) leaves the queue without affecting others.
    Tasks need no threads: any number of them can wait in one event loop.

    The reranker can be shared between threads and event loops, pickled, and used after a fork; each copy has a queue
    of its own. The thread starts with the first call. It ends when `close` is called, at the end of a ``with`` block,
    when nothing refers to the reranker any more, or when the program ends; calls that are waiting are answered first,
    and later ones get a `ScoringError`.

    In the trace, ``coalesced`` is the number of other calls in the batch, and ``retried`` is 1 for a call that
    was scored again after its batch had failed.

    Args:
        wrapped: a reranker whose scores don't depend on what else is in the batch. That holds for all of ours except
            an int8 model with ``batch_tokens``, whose scores vary slightly.
        max_wait_ms: how long a call waits for others.
        max_pairs: the most documents in a batch. A call is never split; a larger one is a batch of its own.
        max_queue: the most calls that may wait; further callers are held back until there is room.
        queue_timeout_s: how long a caller is held back before it gets a `ScoringError`; None for no limit.

    Raises:
        CompositionError: ``wrapped`` is not a reranker.
        ConfigError: a setting is out of range.
    """

    registry_name: ClassVar[str] = "coalescing"

    def __init__(
        self,
        wrapped: Reranker,
        *,
        max_wait_ms: float = 2.0,
        max_pairs: int = 256,
        max_queue: int = 1024,
        queue_timeout_s: float | None = None,
    ) -> None:
        self.require_traits(wrapped)
        self.wrapped = wrapped
        self.scale, self.pointwise = wrapped.scale, wrapped.pointwise
        self.max_wait_ms, self.max_pairs, self.max_queue = max_wait_ms, max_pairs, max_queue
        self.queue_timeout_s = queue_timeout_s
        check(
            self,
            max_wait_ms=Number(at_least=0, unit="milliseconds"),
            max_pairs=Whole(at_least=1),
            max_queue=Whole(at_least=1),
            queue_timeout_s=Number(at_least=0, unit="seconds") | None,
        )
        self._start_anew()
        reset_after_fork(self, CoalescingReranker._forget_parent)

    def _start_anew(self) -> None:
        self._worker = _Worker(self.wrapped.score_many, self.max_wait_ms / 1000, self.max_pairs, self.max_queue)
        self._finalizer = weakref.finalize(self, self._worker.close)

    def _forget_parent(self) -> None:
        # What waits in the queue is the parent's, and the thread that would answer it does not exist here.
        self._finalizer.detach()
        self._start_anew()

    @property
    def fingerprint(self) -> str:
        """The wrapped one's: sharing batches changes no score."""
        return self.wrapped.fingerprint

    @property
    def calibration(self) -> ReadyCalibration | None:
        """That of the wrapped reranker: sharing batches changes no score."""
        return self.wrapped.calibration

    def close(self) -> None:
        """Take no more calls, answer those that wait, and end the thread; a second time does nothing."""
        self._worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        future = self._worker.submit(requests, self.queue_timeout_s)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # an interrupt in this thread; what nobody waits for needs no scoring
            raise

    async def arerank_many(self, requests: Iterable[RequestLike], *, k: int | None = None) -> list[Ranking]:
        """Async version of `rerank_many` that takes no thread; a cancelled task leaves the queue."""
        from asyncio import wrap_future

        checked = as_requests(requests, k)
        filled = [request for request in checked if len(request)]
        start = time.perf_counter()
        results = await wrap_future(await self._asubmit(filled)) if filled else []
        return self._rankings(checked, self._finished(checked, results, time.perf_counter() - start))

    async def _asubmit(self, requests: Sequence[Request]) -> "Future[list[Scores]]":
        from asyncio import sleep

        worker, give_up_s = self._worker, time.monotonic() + (self.queue_timeout_s or 0.0)
        # Looking again now and then blocks no thread, and a cancelled task leaves nothing behind.
        while (future := worker.try_submit(requests)) is None:
            if self.queue_timeout_s is not None and time.monotonic() >= give_up_s:
                raise worker.stayed_full(self.queue_timeout_s)
            await sleep(_LOOK_AGAIN_S)
        return future

    def __getstate__(self) -> dict[str, Any]:
        names = ("wrapped", "max_wait_ms", "max_pairs", "max_queue", "queue_timeout_s")
        return {name: getattr(self, name) for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        CoalescingReranker.__init__(self, **state)

    def __repr__(self) -> str:
        return f"CoalescingReranker({self.wrapped!r})"


Results = list[Scores]


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    requests: Sequence[Request]
    n_pairs: int
    arrived_s: float = field(default_factory=time.monotonic)
    future: "Future[Results]" = field(default_factory=Future)


class _Worker:
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
            f"the queue of {self._max_queue} calls stayed full for {waited_s:g} s, because requests arrive faster than "
            f"the reranker can score them; send fewer, or set a larger max_queue or queue_timeout_s"
        )

    def _has_room(self) -> bool:
        return self._closed or len(self._calls) < self._max_queue

    def _put(self, requests: Sequence[Request]) -> "Future[Results]":
        if self._closed:
            raise ScoringError("this CoalescingReranker is closed; create a new one")
        if self._thread is None:
            # A daemon, so that the end of the program is not held up; the owner closes it before that.
            thread = threading.Thread(target=self._work, name="secondpass-coalescing", daemon=True)
            try:
                thread.start()
            except RuntimeError as exc:
                raise ScoringError(f"the thread that scores can't be started: {exc}") from exc
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
                if self._closed and not self._calls:
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
        counts: dict[str, int] = {"coalesced": len(batch) - 1}
        notes: tuple[str, ...] = ()

        def failed(exc: BaseException) -> None:
            nonlocal counts, notes
            if len(batch) > 1:
                _log.warning("a batch of %d calls failed, so each is scored alone: %s", len(batch), exc)
                counts = {"coalesced": 0, "retried": 1}
                notes = (f"a batch shared with {len(batch) - 1} other calls failed, so this one was scored alone",)

        # Whatever the error is, it is the caller's, and the thread must go on. The calls have nothing to do with each
        # other, so two that fail say nothing about a third.
        outcomes = attempts(self._scored, batch, catch=BaseException, on_failure=failed, give_up=False, reraise=())
        for call, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                call.future.set_exception(outcome)
            else:
                call.future.set_result([each.rescored(each.values, counts=counts, notes=notes) for each in outcome])

    def _scored(self, batch: Sequence[_Call]) -> list[Results]:
        results = iter(self._score_many([request for call in batch for request in call.requests]))
        return [list(islice(results, len(call.requests))) for call in batch]
