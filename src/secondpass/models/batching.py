"""From sequences of many lengths to a model's batches and back: the part that makes it fast."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from secondpass.cancellation import check_cancelled
from secondpass.errors import ConfigError, OutOfMemoryError, ScoringError
from secondpass.forking import reset_after_fork
from secondpass.interruptible import Future
from secondpass.pools import submit
from secondpass.validation import must_be

__all__ = ["THREADS", "BatchRunner", "available_cores", "plan_batches", "portions", "progress_bar"]

THREADS = "SECONDPASS_THREADS"
"""The environment variable with how many cores a process may use, for several processes on one machine."""

Indices = npt.NDArray[np.intp]
Rows = npt.NDArray[np.float32]

_AHEAD = 4  # batches of a call that the pool holds, for each of its threads: no thread waits, nor do other callers long
_PORTION = 4_000_000  # characters, which are some megabytes as text, as tokens, and as what a tokenizer makes of them


def available_cores() -> int:
    """Return how many cores this process may use: those that the system lets it, or fewer by ``SECONDPASS_THREADS``.

    Raises:
        ConfigError: that is not a whole number of at least 1.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get(THREADS, "")
    if not asked:
        return cores
    if not (asked.isascii() and asked.isdigit() and int(asked)):
        raise ConfigError(must_be(THREADS, "a whole number of at least 1", asked))
    return min(cores, int(asked))


def plan_batches(lengths: Sequence[int], batch_tokens: int | None, *, pads: bool = True) -> list[Indices]:
    """Cut sequences into batches of similar length, the longest first.

    Longest first, because the workers then end at about the same time, and because a batch that is too
    large for the memory shows at once.

    Args:
        lengths: tokens of each sequence.
        batch_tokens: the most tokens in a batch, padding included; a longer sequence gets a batch of its
            own. None puts every sequence alone: no padding, and no score depends on a neighbour.
        pads: whether lengths may differ within a batch.

    Returns:
        Indices into ``lengths``; each stands in exactly one batch.
    """
    order = np.argsort(-np.asarray(lengths), kind="stable")
    if batch_tokens is None:
        return list(order.reshape(-1, 1))
    ordered = -np.asarray(lengths)[order]
    batches, start = [], 0
    while start < len(order):
        longest = lengths[order[start]]
        end = start + max(1, batch_tokens // max(1, longest))
        if not pads:
            end = min(end, int(np.searchsorted(ordered, -longest, side="right")))
        batches.append(order[start:end])
        start = end
    return batches


def portions(sizes: Sequence[int], limit: int = _PORTION) -> Iterator[slice]:
    """Cut items into runs of neighbours, so that what is made of them never fills the memory.

    Args:
        sizes: of each item, such as the characters of a text.
        limit: the most that a run may have; a larger item gets a run of its own.
    """
    start = total = 0
    for at, size in enumerate(sizes):
        if at > start and total + size > limit:
            yield slice(start, at)
            start, total = at, 0
        total += size
    if start < len(sizes):
        yield slice(start, len(sizes))


class BatchRunner:
    """Runs batches on a pool of threads, which all callers share, and survives running out of memory.

    A call gives the pool a few batches at a time, so that others come in between, and stops at the next one when it
    fails, is interrupted, or is cancelled (see `secondpass.cancellation`).

    Args:
        workers: threads; 1 runs everything in the caller's thread.
        is_out_of_memory: tells the backend's own out-of-memory error from others.
        pads: whether the model takes sequences of different lengths in one batch.
    """

    def __init__(self, workers: int, is_out_of_memory: Callable[[BaseException], bool], *, pads: bool = True) -> None:
        self.workers, self.pads = workers, pads
        self._is_out_of_memory = is_out_of_memory
        self._reset()
        reset_after_fork(self, BatchRunner._reset)

    def _reset(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._lock = Lock()

    def run(
        self,
        lengths: Sequence[int],
        batch_tokens: int | None,
        forward: Callable[[Indices], Rows],
        on_done: Callable[[Indices], object] = lambda indices: None,
    ) -> Rows:
        """Return ``forward`` of every sequence, in the order of ``lengths``.

        When memory runs out, the budget is halved, the batch is cut and the work goes on; the next call
        starts with the full budget again.

        Args:
            lengths: tokens of each sequence, at least one sequence.
            batch_tokens: as in `plan_batches`.
            forward: takes indices of a batch; returns an array of shape (n_indices, width).
            on_done: told, in the caller's thread, which sequences are done.

        Raises:
            OutOfMemoryError: a batch of one sequence does not fit.
            ScoringError: the backend failed in another way; its error is the cause.
            WorkCancelledError: nobody waits for it any more.
        """
        budget = _Budget(forward, lengths, self._is_out_of_memory)
        batches = plan_batches(lengths, batch_tokens, pads=self.pads)
        rows: Rows | None = None
        for indices, part in self._map(budget.run, batches):
            if rows is None:
                rows = np.empty((len(lengths), part.shape[1]), dtype=np.float32)
            rows[indices] = part
            on_done(indices)
        if rows is None:
            raise ScoringError("there is nothing to run")
        return rows

    def _map(self, run: Callable[[Indices], Rows], batches: list[Indices]) -> Iterator[tuple[Indices, Rows]]:
        if self.workers == 1 or len(batches) == 1:
            for batch in batches:
                check_cancelled()
                yield batch, run(batch)
            return
        pool, coming = self._shared_pool(), iter(batches)
        running: deque[tuple[Indices, Future[Rows]]] = deque()

        def start(most: int) -> None:
            running.extend((batch, submit(pool, run, batch)) for batch in islice(coming, most))

        try:
            start(_AHEAD * self.workers)
            while running:
                batch, future = running[0]
                future.wait()
                check_cancelled()
                start(1)  # before the caller is given its rows, so that no thread waits for it
                yield batch, future.result()
                running.popleft()
        finally:  # what has not begun must not run
            for _, future in running:
                future.cancel()

    def _shared_pool(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="secondpass")
            return self._pool

    def __getstate__(self) -> dict[str, Any]:
        return {"workers": self.workers, "is_out_of_memory": self._is_out_of_memory, "pads": self.pads}

    def __setstate__(self, state: dict[str, Any]) -> None:
        BatchRunner.__init__(self, **state)


@contextmanager
def progress_bar(total: int, unit: str, shown: bool) -> Iterator[Callable[[int], object]]:
    """Show a bar if the block takes longer than a second; gives what it is told of progress by.

    Args:
        total: of tokens or characters, not of texts: the longest come first, so a bar of texts would forecast far
            too long.
        unit: what is counted, such as ``tok``.
        shown: whether to show it at all.
    """
    if not shown:
        yield lambda _: None
        return
    from tqdm import tqdm

    with tqdm(total=total, unit=unit, unit_scale=True, delay=1, leave=False) as bar:
        yield bar.update


class _Budget:
    """The number of tokens that one call may put into a batch: unlimited until the memory says otherwise."""

    def __init__(
        self,
        forward: Callable[[Indices], Rows],
        lengths: Sequence[int],
        is_out_of_memory: Callable[[BaseException], bool],
    ) -> None:
        self._forward, self._lengths, self._is_out_of_memory = forward, lengths, is_out_of_memory
        self._tokens = float("inf")

    def run(self, indices: Indices) -> Rows:
        tokens = len(indices) * max(self._lengths[index] for index in indices)
        if tokens > self._tokens and len(indices) > 1:
            return self._halves(indices)
        try:
            return self._forward(indices)
        except Exception as exc:  # a backend may raise anything
            if not self._is_out_of_memory(exc):
                raise ScoringError(f"the model failed on a batch of {len(indices)}: {exc}") from exc
            if len(indices) == 1:
                raise OutOfMemoryError(f"a single sequence of {tokens} tokens does not fit into memory: {exc}") from exc
        self._tokens = min(self._tokens, tokens / 2)
        return self._halves(indices)

    def _halves(self, indices: Indices) -> Rows:
        middle = len(indices) // 2
        return np.concatenate([self.run(indices[:middle]), self.run(indices[middle:])])
