"""Calls that go into a pool, and what becomes of them when it takes none."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from secondpass.pools import submit


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
