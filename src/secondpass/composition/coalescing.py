"""Share batches between concurrent calls of threads and tasks."""

import time
import weakref
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Self

from secondpass.base import RequestLike, Reranker, as_requests
from secondpass.calibration.ready import ReadyCalibration
from secondpass.cancellation import wait_wanted
from secondpass.composition.batcher import Answered, Batcher
from secondpass.composition.experiment.assignment import of_units
from secondpass.composition.members import member_of
from secondpass.forking import reset_after_fork
from secondpass.loading import RerankerLike
from secondpass.types import Ranking, Request, Scores
from secondpass.validation import Number, Whole, check

__all__ = ["CoalescingReranker"]


class CoalescingReranker(Reranker):
    """Gathers concurrent calls into batches for the wrapped reranker, as inference servers do.

    A single thread calls the wrapped reranker. Callers are queued, and each gets the scores that it would have got
    alone. Calls that arrive while a batch is running make up the next one, so batches grow with the load. A call that
    arrives alone is scored at once; only after a batch of several calls does the next one wait until as many have
    arrived again, for ``max_wait_ms`` at most.

    If a batch fails, its calls are scored again one by one, so that only the call that fails gets the error. A call
    that is given up (its task was cancelled, or its thread interrupted) leaves the queue without affecting others.
    What is being scored stops at its next step once all of its calls were given up.
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
        wrapped: RerankerLike,
        *,
        max_wait_ms: float = 2.0,
        max_pairs: int = 256,
        max_queue: int = 1024,
        queue_timeout_s: float | None = None,
    ) -> None:
        wrapped = member_of(self, wrapped)
        self.wrapped = wrapped
        self.scale, self.pointwise, self.log_odds = wrapped.scale, wrapped.pointwise, wrapped.log_odds
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
        self._batcher: Batcher[Request, Scores] = Batcher(
            self.wrapped.score_many,
            size=len,
            max_wait_s=self.max_wait_ms / 1000,
            max_size=self.max_pairs,
            max_queue=self.max_queue,
            owner="CoalescingReranker",
        )
        self._finalizer = weakref.finalize(self, self._batcher.close)

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
        self._batcher.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        future = self._batcher.submit(of_units(requests), self.queue_timeout_s)
        try:
            wait_wanted(future.wait)
            return _scores(future.result())
        except BaseException:
            future.give_up()  # an interrupt or a cancellation; what nobody waits for needs no scoring
            raise

    async def arerank_many(self, requests: Iterable[RequestLike], *, k: int | None = None) -> list[Ranking]:
        """Async version of `rerank_many` that takes no thread; a cancelled task leaves the queue."""
        from asyncio import wrap_future

        checked = as_requests(requests, k)
        self._check_instructions(checked)
        asked = [request.without_blanks() for request in checked]
        filled = [request for request in asked if len(request)]
        start = time.perf_counter()
        results: list[Scores] = []
        if filled:
            results = _scores(await wrap_future(await self._batcher.asubmit(of_units(filled), self.queue_timeout_s)))
        return self._rankings(checked, self._completed(checked, asked, results, time.perf_counter() - start))

    def __getstate__(self) -> dict[str, Any]:
        names = ("wrapped", "max_wait_ms", "max_pairs", "max_queue", "queue_timeout_s")
        return {name: getattr(self, name) for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        CoalescingReranker.__init__(self, **state)

    def __repr__(self) -> str:
        return f"CoalescingReranker({self.wrapped!r})"


def _scores(answered: Answered[Scores]) -> list[Scores]:
    counts = {"coalesced": answered.others}
    notes: tuple[str, ...] = ()
    if answered.failed_with:
        counts["retried"] = 1
        notes = (f"a batch shared with {answered.failed_with} other calls failed, so this one was scored alone",)
    return [each.rescored(each.values, counts=counts, notes=notes) for each in answered.results]
