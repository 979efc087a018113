"""From sequences of many lengths to a model's batches and back: the part that makes it fast."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from secondpass.errors import OutOfMemoryError, ScoringError
from secondpass.pools import submit

__all__ = ["BatchRunner", "available_cores", "plan_batches"]

Indices = npt.NDArray[np.intp]
Rows = npt.NDArray[np.float32]


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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


class BatchRunner:
    """Runs batches on a pool of threads, which all callers share, and survives running out of memory.

    Args:
        workers: threads; 1 runs everything in the caller's thread.
        is_out_of_memory: tells the backend's own out-of-memory error from others.
        pads: whether the model takes sequences of different lengths in one batch.
    """

    def __init__(self, workers: int, is_out_of_memory: Callable[[BaseException], bool], *, pads: bool = True) -> None:
        self.workers, self.pads = workers, pads
        self._is_out_of_memory = is_out_of_memory
        self._pool: ThreadPoolExecutor | None = None
        self._pool_pid = 0
        self._lock = Lock()

    def run(
        self,
        lengths: Sequence[int],
        batch_tokens: int | None,
        forward: Callable[[Indices], Rows],
        progress: bool = False,
    ) -> Rows:
        """Return ``forward`` of every sequence, in the order of ``lengths``.

        When memory runs out, the budget is halved, the batch is cut and the work goes on; the next call
        starts with the full budget again.

        Args:
            lengths: tokens of each sequence, at least one sequence.
            batch_tokens: as in `plan_batches`.
            forward: takes indices of a batch; returns an array of shape (n_indices, width).
            progress: show a bar if it takes longer than a second.

        Raises:
            OutOfMemoryError: a batch of one sequence does not fit.
            ScoringError: the backend failed in another way; its error is the cause.
        """
        budget = _Budget(forward, lengths, self._is_out_of_memory)
        batches = plan_batches(lengths, batch_tokens, pads=self.pads)
        rows: Rows | None = None
        with _progress_bar(sum(lengths), progress) as advance:
            for indices, part in self._map(budget.run, batches):
                if rows is None:
                    rows = np.empty((len(lengths), part.shape[1]), dtype=np.float32)
                rows[indices] = part
                advance(sum(lengths[index] for index in indices))
        if rows is None:
            raise ScoringError("there is nothing to run")
        return rows

    def _map(self, run: Callable[[Indices], Rows], batches: list[Indices]) -> Iterator[tuple[Indices, Rows]]:
        if self.workers == 1 or len(batches) == 1:
            yield from ((batch, run(batch)) for batch in batches)
            return
        pool = self._shared_pool()
        futures: dict[Future[Rows], Indices] = {submit(pool, run, batch): batch for batch in batches}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:  # on an error or an interrupt, what has not begun must not run
            for future in futures:
                future.cancel()

    def _shared_pool(self) -> ThreadPoolExecutor:
        with self._lock:
            # Threads don't survive a fork: a child (gunicorn, multiprocessing) needs a pool of its own.
            if self._pool is None or self._pool_pid != os.getpid():
                self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="secondpass")
                self._pool_pid = os.getpid()
            return self._pool

    def __getstate__(self) -> dict[str, Any]:
        return {"workers": self.workers, "is_out_of_memory": self._is_out_of_memory, "pads": self.pads}

    def __setstate__(self, state: dict[str, Any]) -> None:
        BatchRunner.__init__(self, **state)


@contextmanager
def _progress_bar(n_tokens: int, shown: bool) -> Iterator[Callable[[int], object]]:
    """Count tokens, not sequences: the longest come first, so a bar of sequences would forecast far too long."""
    if not shown:
        yield lambda _: None
        return
    from tqdm import tqdm

    with tqdm(total=n_tokens, unit="tok", unit_scale=True, delay=1, leave=False) as bar:
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
