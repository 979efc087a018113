"""Let concurrent calls from threads and tasks share batches."""

import math
import os
import time
import weakref
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from operator import index as as_index
from typing import Any, ClassVar, Self

from secondpass.base import RequestLike, Reranker, as_requests
from secondpass.errors import ConfigError
from secondpass.rerankers.coalescing_worker import Worker
from secondpass.types import Ranking, Request, Scores

__all__ = ["CoalescingReranker"]

_LOOK_AGAIN_S = 0.002  # a task, at a full queue


class CoalescingReranker(Reranker):
    """Gathers concurrent calls into batches for the wrapped reranker, as inference servers do.

    One thread calls the wrapped reranker; whoever calls this one is queued, and gets the scores that it would
    have got alone. What comes in while a batch is running makes up the next one, so that batches grow with the
    load. A call that comes alone goes at once; only after a batch of several calls does the next one wait until
    as many are there again, and ``max_wait_ms`` at most.

    A batch that fails is scored again call by call, so that only the call that it fails for gets the error. A
    call that is given up (a cancelled task, an interrupt) leaves the queue, and no other notices. A task needs
    no thread of its own: any number of them can wait in one event loop.

    It can be shared between threads and event loops, pickled, and used after a fork: the copy has a queue of
    its own. The thread is started by the first call and ends with `close`, at the end of a ``with`` block, when
    nothing refers to the reranker any more, or with the program; calls that wait then are answered first.

    In the trace, ``coalesced`` is the number of other calls in the batch, and ``retried`` is 1 for a call that
    was scored again after its batch had failed.

    Args:
        wrapped: any reranker whose scores don't depend on what else is in the batch. That is so for all of
            ours, but for an int8 model with ``batch_tokens``, whose scores move slightly.
        max_wait_ms: how long a call waits for others.
        max_pairs: documents in a batch. A call is never split: a larger one is a batch of its own.
        max_queue: calls that may wait; with more, callers are held back until there is room.
        queue_timeout_s: how long they are held back before that is a `ScoringError`; None for as long as it
            takes.

    Raises:
        CompositionError: ``wrapped`` is no reranker.
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
        self.max_wait_ms = _checked_time(max_wait_ms, "max_wait_ms")
        self.max_pairs, self.max_queue = _checked_count(max_pairs, "max_pairs"), _checked_count(max_queue, "max_queue")
        self.queue_timeout_s = None if queue_timeout_s is None else _checked_time(queue_timeout_s, "queue_timeout_s")
        # One for each process: threads don't survive a fork, and what waits in the parent's queue is the parent's.
        self._workers: dict[int, Worker] = {}
        self._close = weakref.finalize(self, _close_worker, self._workers)

    @property
    def fingerprint(self) -> str:
        """The wrapped one's: sharing batches changes no score."""
        return self.wrapped.fingerprint

    def close(self) -> None:
        """Take no more calls, answer those that wait, and end the thread; a second time does nothing."""
        self._worker().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        future = self._worker().submit(requests, self.queue_timeout_s)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # an interrupt in this thread; what nobody waits for needs no scoring
            raise

    async def arerank_many(self, requests: Iterable[RequestLike], *, k: int | None = None) -> list[Ranking]:
        """Do as `rerank_many`, without a thread: the event loop goes on, and a cancelled task leaves the queue."""
        from asyncio import wrap_future

        checked = as_requests(requests, k)
        filled = [request for request in checked if len(request)]
        start = time.perf_counter()
        results = await wrap_future(await self._asubmit(filled)) if filled else []
        return self._rankings(checked, self._finished(checked, results, time.perf_counter() - start))

    async def _asubmit(self, requests: Sequence[Request]) -> "Future[list[Scores]]":
        from asyncio import sleep

        worker, give_up_s = self._worker(), time.monotonic() + (self.queue_timeout_s or 0.0)
        # Looking again now and then blocks no thread, and a cancelled task leaves nothing behind.
        while (future := worker.try_submit(requests)) is None:
            if self.queue_timeout_s is not None and time.monotonic() >= give_up_s:
                raise worker.stayed_full(self.queue_timeout_s)
            await sleep(_LOOK_AGAIN_S)
        return future

    def _worker(self) -> Worker:
        worker = self._workers.get(os.getpid())
        if worker is not None:
            return worker
        new = Worker(self.wrapped.score_many, self.max_wait_ms / 1000, self.max_pairs, self.max_queue)
        return self._workers.setdefault(os.getpid(), new)  # atomic: threads that come at once get the same one

    def __getstate__(self) -> dict[str, Any]:
        names = ("wrapped", "max_wait_ms", "max_pairs", "max_queue", "queue_timeout_s")
        return {name: getattr(self, name) for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        CoalescingReranker.__init__(self, **state)

    def __repr__(self) -> str:
        return f"CoalescingReranker({self.wrapped!r})"


def _close_worker(workers: dict[int, Worker]) -> None:
    worker = workers.get(os.getpid())
    if worker is not None:
        worker.close()


def _checked_count(value: object, name: str) -> int:
    try:
        count = 0 if isinstance(value, bool) else as_index(value)  # type: ignore[arg-type]  # that's what is tried
    except TypeError:
        count = 0
    if count < 1:
        raise ConfigError(f"CoalescingReranker: {name} is a whole number, at least 1, not {value!r}")
    return count


def _checked_time(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ConfigError(f"CoalescingReranker: {name} is a number from 0, not {value!r}")
    return float(value)
