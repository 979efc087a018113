"""Ctrl-C at each point of a call where Python may raise it: other threads go on as if nothing had been."""

import contextlib
import gc
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

import numpy as np
import pytest

from secondpass.base import Reranker
from secondpass.composition.experiment import ABTestReranker
from secondpass.forking import before_any_fork
from secondpass.models.batching import BatchRunner
from secondpass.network.attempts import within
from secondpass.network.stop import Slots, Stop, side_by_side
from secondpass.testing import FakeReranker
from tests.forks import exit_status_of_child, needs_fork
from tests.torture.compositions import closing, setting
from tests.torture.test_processes import DOCUMENTS, LIMIT_S, MAKERS, QUERY

pytestmark = [
    pytest.mark.torture,
    pytest.mark.timeout(0),
    # What is raised while something is collected can't be raised further.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


MOST_POINTS = setting("POINTS", 150)


def interrupted(call: Callable[[], object], at: int) -> None:
    """Raise `KeyboardInterrupt` at the ``at``-th point of a call."""

    def interrupt(n: int) -> None:
        if n == at:
            raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        _told(call, interrupt)


def points_of(call: Callable[[], object]) -> range:
    """Return at which points to interrupt a call."""
    n = _told(call, lambda n: None)
    return range(1, n + 1, max(1, n // MOST_POINTS))


def _told(call: Callable[[], object], at_point: Callable[[int], None]) -> int:
    """Make a call, tell of its points, and return how many there are.

    Python looks for signals when a function begins and when one that is written in C has returned.
    """
    n = 0
    starting: FrameType | None = None  # Python's own ways to start a thread may leave their locks taken

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal n, starting
        if starting is None and event == "call" and frame.f_code in _STARTS:
            starting = frame
        elif frame is starting and event == "return":
            starting = None
        elif starting is None and event in ("call", "c_return"):
            n += 1
            at_point(n)

    sys.setprofile(count)
    try:
        call()
    finally:
        sys.setprofile(None)
    return n


_STARTS = (threading.Thread.start.__code__, ThreadPoolExecutor.submit.__code__, ThreadPoolExecutor.shutdown.__code__)


def in_another_thread(call: Callable[[], object]) -> bool:
    """Return whether a call comes back in another thread."""
    other = threading.Thread(target=call, daemon=True)
    other.start()
    other.join(LIMIT_S)
    return not other.is_alive()


def _shadowed(folder: Path) -> Reranker:
    return ABTestReranker({"control": FakeReranker(), "treatment": FakeReranker()}, mode="shadow")


@pytest.mark.parametrize("make", [*MAKERS, _shadowed], ids=lambda make: make.__name__.strip("_"))
def test_a_reranker_goes_on(make: Callable[[Path], Reranker], tmp_path: Path) -> None:
    """Whatever was interrupted, another thread gets its scores."""
    with closing(make(tmp_path)) as reranker:
        for at in points_of(lambda: reranker.rerank(QUERY, [*DOCUMENTS, "new"])):
            interrupted(lambda: reranker.rerank(QUERY, [*DOCUMENTS, f"new {at}"]), at)  # noqa: B023
            assert in_another_thread(lambda: reranker.rerank(QUERY, [*DOCUMENTS, f"other {at}"])), at  # noqa: B023


def test_a_slot_is_given_back() -> None:
    """The only one is free again."""
    slots = Slots(1)

    def take() -> None:
        with slots.taken(Stop(), 0.0):
            len("work")

    for at in points_of(take):
        interrupted(take, at)
        take()
        assert in_another_thread(take), at


def test_a_pool_of_a_call_ends() -> None:
    """Calls side by side, each with an attempt of its own, leave no thread that waits."""

    def call() -> list[int]:
        stop = Stop()
        return side_by_side(lambda item: within(LIMIT_S, lambda: item, stop=stop), [1, 2], workers=2, stop=stop)

    before = set(threading.enumerate())
    for at in points_of(call):
        interrupted(call, at)
        assert call() == [1, 2]
    gc.collect()  # a pool that was interrupted before its end tells its threads when it goes
    for other in set(threading.enumerate()) - before:
        other.join(LIMIT_S)
        assert not other.is_alive()


def test_workers_of_a_model_go_on() -> None:
    """Batches of a call that was interrupted hold up no other."""
    runner = BatchRunner(workers=2, is_out_of_memory=lambda exc: False)

    def call() -> None:
        runner.run([3, 2, 1], 1, lambda indices: np.zeros((len(indices), 1), np.float32))

    for at in points_of(call):
        interrupted(call, at)
        assert in_another_thread(call), at


@needs_fork
def test_a_fork_does_not_wait() -> None:
    """What was interrupted counts as under way no more."""

    def product() -> None:
        with before_any_fork():
            len("work")

    for at in points_of(product):
        interrupted(product, at)
    start_s = time.monotonic()
    assert exit_status_of_child(product) == 0
    assert time.monotonic() - start_s < 5  # it would wait for ten seconds
