"""The bound of the cache in memory."""

import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from secondpass.cache import MemoryCache
from secondpass.errors import ConfigError
from tests.forks import exit_status_of_child, needs_fork


def _one(key: bytes, size: int = 100) -> dict[bytes, bytes]:
    return {key: b"x" * size}


def _room_for(entries: int) -> int:
    cache = MemoryCache()
    cache.set_many(_one(b"a"))
    return entries * cache.nbytes


def test_the_least_recently_used_goes_first() -> None:
    """With room for three, a fourth takes the place of the one that was neither written nor read for longest."""
    cache = MemoryCache(max_bytes=_room_for(3))
    for key in (b"a", b"b", b"c"):
        cache.set_many(_one(key))
    cache.get_many([b"a"])
    cache.set_many(_one(b"d"))
    assert set(cache.get_many([b"a", b"b", b"c", b"d"])) == {b"a", b"c", b"d"}
    assert cache.nbytes == cache.max_bytes


def test_bytes_are_what_counts() -> None:
    """One large entry takes the place of several small ones; what is too large for all is not kept."""
    cache = MemoryCache(max_bytes=_room_for(3))
    for key in (b"a", b"b", b"c"):
        cache.set_many(_one(key))
    cache.set_many(_one(b"d", _room_for(2)))
    assert set(cache.get_many([b"a", b"b", b"c", b"d"])) == {b"d"}
    cache.set_many(_one(b"e", cache.max_bytes))
    cache.set_many(_one(b"d", cache.max_bytes))
    assert cache.size() == cache.nbytes == 0


def test_the_count_of_bytes_returns_to_zero() -> None:
    """Replacing, expiring and clearing each give back what was counted."""
    now = [0.0]
    cache = MemoryCache(ttl_s=10, clock=lambda: now[0])
    cache.set_many(_one(b"a") | _one(b"b"))
    cache.set_many(_one(b"a", 5))
    now[0] = 10
    assert cache.get_many([b"a"]) == {} and cache.size() == 1
    cache.clear()
    assert cache.nbytes == 0


def test_the_estimate_covers_what_python_takes() -> None:
    """Ten thousand entries take no more memory than is counted, and not much less."""
    cache = MemoryCache()
    tracemalloc.start()
    for number in range(10_000):
        cache.set_many({number.to_bytes(32, "big"): bytes(13)})
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.5 * cache.nbytes < taken < cache.nbytes


@pytest.mark.parametrize("max_bytes", [0, -1, 1.5, True, "1"])
def test_a_limit_is_a_number_of_bytes(max_bytes: object) -> None:
    """Anything else is refused."""
    with pytest.raises(ConfigError, match="max_bytes must be a whole number of bytes, at least 1"):
        MemoryCache(max_bytes=max_bytes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "act",
    [lambda c: c.get_many([b"a"]), lambda c: c.set_many(_one(b"a")), lambda c: c.clear()],
    ids=["get_many", "set_many", "clear"],
)
def test_one_thread_at_a_time_touches_the_entries(act: Callable[[MemoryCache], object]) -> None:
    """While one of them is at it, every other one waits, the reading ones too: reading moves entries."""
    cache = MemoryCache()
    cache.set_many(_one(b"a"))
    with ThreadPoolExecutor(1) as pool:
        with cache._lock:
            other = pool.submit(act, cache)
            with pytest.raises(TimeoutError):
                other.result(0.3)
        other.result(30)


@needs_fork
def test_a_child_forked_in_the_middle_of_a_write_goes_on() -> None:
    """Its lock is free, its entries are there, and what they take is counted anew."""
    cache = MemoryCache()
    cache.set_many(_one(b"a"))
    nbytes = cache.nbytes

    def act() -> None:
        assert cache.get_many([b"a"]) == _one(b"a") and cache.nbytes == nbytes
        cache.clear()
        assert cache.nbytes == 0

    with cache._lock:
        cache.nbytes += 1_000  # as between the count and the entry
        assert exit_status_of_child(act, limit_s=30) == 0
