"""Calls that go into a pool, and what becomes of them when it takes none."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial

import pytest

from secondpass.pools import at_once, submit
from tests.forks import exit_status_of_child, needs_fork


def test_a_pool_that_takes_calls_runs_them() -> None:
    """In a thread of its own."""
    with ThreadPoolExecutor(1) as pool:
        assert submit(pool, threading.get_ident).result() != threading.get_ident()


def test_where_a_pool_takes_none_they_run_here() -> None:
    """In the caller's thread, with the same result or error in the future."""
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    assert submit(pool, threading.get_ident).result() == threading.get_ident()
    failed = submit(pool, int, "x")
    with pytest.raises(ValueError, match="invalid literal"):
        failed.result()


variable: ContextVar[int] = ContextVar("variable", default=0)


def test_calls_run_at_once_and_the_last_one_here() -> None:
    """Each waits for all the others, sees the caller's context, and the futures keep the order."""
    barrier = threading.Barrier(3, timeout=30)
    token = variable.set(7)

    def call(at: int) -> tuple[int, int, int]:
        barrier.wait()
        return at, variable.get(), threading.get_ident()

    futures = at_once({at: partial(call, at) for at in "cab"})
    variable.reset(token)
    assert [future.result()[:2] for future in futures.values()] == [("c", 7), ("a", 7), ("b", 7)]
    threads = [future.result()[2] for future in futures.values()]
    assert len(set(threads)) == 3 and threads[-1] == threading.get_ident()


def test_threads_are_used_again() -> None:
    """A second round starts none; rounds within rounds start as many as wait for each other."""

    def idents() -> set[int]:
        return {future.result() for future in at_once(dict.fromkeys("ab", threading.get_ident)).values()}

    known: set[int] = set()
    for _ in range(20):
        known |= idents()
        time.sleep(0.001)
    assert len(known) <= 1 + sum(thread.name.startswith("secondpass-member") for thread in threading.enumerate())
    before = threading.active_count()
    idents()
    assert threading.active_count() == before

    def nested(depth: int) -> int:
        if not depth:
            return 1
        return sum(future.result() for future in at_once(dict.fromkeys("ab", partial(nested, depth - 1))).values())

    assert nested(5) == 32


def test_all_are_done_though_one_fails() -> None:
    """The errors are in the futures; an interruption of the caller is raised once the others have ended."""
    done: list[int] = []

    def slow() -> None:
        time.sleep(0.05)
        done.append(1)

    futures = at_once({"a": slow, "b": partial(int, "x")})
    assert done == [1] and isinstance(futures["b"].exception(), ValueError)

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        at_once({"a": slow, "b": interrupted})
    assert done == [1, 1]


@needs_fork
def test_a_child_has_threads_of_its_own() -> None:
    """Those of the parent don't exist there."""
    at_once(dict.fromkeys("ab", threading.get_ident))

    def act() -> None:
        assert len({future.result() for future in at_once(dict.fromkeys("ab", threading.get_ident)).values()}) == 2

    assert exit_status_of_child(act) == 0
