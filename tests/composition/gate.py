"""A reranker that waits until it is let through, and calls that wait behind it."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ClassVar

from secondpass.base import Reranker
from secondpass.composition.coalescing import CoalescingReranker
from secondpass.testing import FakeReranker
from secondpass.types import Request, Scale, Scores

PATIENCE_S = 30.0  # far more than anything here takes


class Gate(Reranker):
    """A fake that waits until it is let through, remembers its batches, and fails for a query with "fail" in it."""

    registry_name: ClassVar[str] = "gate"
    scale = Scale.PROBABILITY

    def __init__(self) -> None:
        self.open, self.entered = threading.Event(), threading.Semaphore(0)
        self.batches: list[list[str]] = []
        self.error: Callable[[str], BaseException] = ValueError

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        queries = [request.query for request in requests]
        self.batches.append(queries)
        self.entered.release()
        assert self.open.wait(PATIENCE_S)
        for query in queries:
            if "fail" in query:
                raise self.error(query)
        return FakeReranker()._score(requests)


def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, "it never came true"
        time.sleep(0.002)


def waiting(reranker: CoalescingReranker) -> int:
    """Return how many calls are in the queue."""
    return len(reranker._batcher)


async def until_waiting(reranker: CoalescingReranker, n_calls: int) -> None:
    """Wait, in an event loop, until so many calls are in the queue."""
    await asyncio.to_thread(until, lambda: waiting(reranker) == n_calls)


def threads() -> list[threading.Thread]:
    """Return the threads of all coalescing rerankers."""
    return [thread for thread in threading.enumerate() if thread.name == "secondpass-coalescing"]


@contextmanager
def busy(**kwargs: Any) -> Iterator[tuple[CoalescingReranker, Gate, ThreadPoolExecutor]]:
    """Yield a reranker whose thread is held up in a call "first", and a pool to call it from."""
    gate = Gate()
    with CoalescingReranker(gate, **kwargs) as reranker, ThreadPoolExecutor(70) as pool:
        first = pool.submit(reranker.score, "first", ["a"])
        try:
            assert gate.entered.acquire(timeout=PATIENCE_S)
            yield reranker, gate, pool
        finally:
            gate.open.set()
        first.result(PATIENCE_S)
