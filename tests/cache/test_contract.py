"""What every cache keeps, on each of them."""

import json
import pickle
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from secondpass.cache import Cache, MemoryCache, RedisCache, SQLiteCache, as_cache
from secondpass.errors import ConfigError

KINDS = ("memory", "sqlite", "redis")


class Clock:
    """A clock that goes only when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Cache]:
    """Return a function that opens the same empty cache of one kind, with the settings of the call."""
    if request.param == "memory":
        return MemoryCache
    if request.param == "sqlite":
        return lambda **settings: SQLiteCache(tmp_path / "cache.sqlite", timeout_s=30, **settings)
    url, prefix = request.getfixturevalue("redis_server").url, f"{uuid.uuid4()}:"
    return lambda **settings: RedisCache(url, prefix=prefix, timeout_s=30, **settings)


def _key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_what_was_kept_comes_back(make: Callable[..., Cache]) -> None:
    """Each value under its own key, any bytes; keys that are not there are left out."""
    cache = make()
    entries = {_key(1): b"one", _key(2): b"", _key(3): bytes(range(256)) * 40}
    cache.set_many(entries)
    assert cache.get_many([_key(3), _key(9), _key(1), _key(2)]) == entries
    assert cache.size() == 3


def test_nothing_in_nothing_out(make: Callable[..., Cache]) -> None:
    """No keys, no entries and an empty cache are fine."""
    cache = make()
    cache.set_many({})
    assert cache.get_many([]) == {} and cache.get_many([_key(1)]) == {}
    assert cache.size() == cache.clear() == 0


def test_a_value_is_replaced(make: Callable[..., Cache]) -> None:
    """The last one counts, and only once."""
    cache = make()
    cache.set_many({_key(1): b"old"})
    cache.set_many({_key(1): b"new"})
    assert cache.get_many([_key(1)]) == {_key(1): b"new"} and cache.size() == 1


def test_thousands_at_once(make: Callable[..., Cache]) -> None:
    """More keys than a statement or a round trip takes."""
    cache = make()
    entries = {_key(number): str(number).encode() for number in range(2_500)}
    cache.set_many(entries)
    assert cache.get_many(list(entries)) == entries and cache.size() == 2_500
    assert cache.clear() == 2_500 and cache.size() == 0


def test_entries_expire(make: Callable[..., Cache]) -> None:
    """After ``ttl_s`` an entry is a miss; writing it again makes it young; one second before it is a hit."""
    clock = Clock()
    cache = make(ttl_s=100, clock=clock)
    cache.set_many({_key(1): b"1", _key(2): b"2"})
    clock.now += 99
    assert set(cache.get_many([_key(1), _key(2)])) == {_key(1), _key(2)}
    cache.set_many({_key(2): b"2"})
    clock.now += 1
    assert set(cache.get_many([_key(1), _key(2)])) == {_key(2)}


def test_an_entry_of_just_the_age_stays(make: Callable[..., Cache]) -> None:
    """Longer ago than ``older_than`` seconds is not as long ago."""
    clock = Clock()
    cache = make(clock=clock)
    cache.set_many({_key(1): b"1"})
    clock.now += 60
    assert cache.clear(older_than=60) == 0
    clock.now += 0.5
    assert cache.clear(older_than=60) == 1


def test_clear_takes_what_is_old(make: Callable[..., Cache]) -> None:
    """``older_than`` seconds are counted from the last write; without it everything goes."""
    clock = Clock()
    cache = make(clock=clock)
    cache.set_many({_key(1): b"1", _key(2): b"2"})
    clock.now += 50
    cache.set_many({_key(2): b"2", _key(3): b"3"})
    clock.now += 10
    assert cache.clear(older_than=60) == 0
    assert cache.clear(older_than=30) == 1
    assert set(cache.get_many([_key(1), _key(2), _key(3)])) == {_key(2), _key(3)}
    assert cache.clear(older_than=0) == 2 and cache.size() == 0


@pytest.mark.parametrize("age", [-1, float("nan"), float("inf"), "1", True])
def test_an_age_is_a_number_of_seconds(make: Callable[..., Cache], age: Any) -> None:
    """Anything else is refused before anything is removed."""
    cache = make()
    cache.set_many({_key(1): b"1"})
    with pytest.raises(ConfigError, match="older_than must be a number of seconds"):
        cache.clear(older_than=age)
    assert cache.size() == 1


@pytest.mark.parametrize("ttl_s", [0, -1, float("nan"), "1", True])
def test_a_time_to_live_is_positive(make: Callable[..., Cache], ttl_s: Any) -> None:
    """0 would keep nothing, and so is an error; None is for no limit."""
    with pytest.raises(ConfigError, match="ttl_s must be a number of seconds above 0"):
        make(ttl_s=ttl_s)
    assert make(ttl_s=None).ttl_s is None  # type: ignore[attr-defined]


def test_threads_share_it(make: Callable[..., Cache]) -> None:
    """Eight threads write and read at once; nothing is lost, and nothing is mixed up."""
    cache = make()

    def work(thread: int) -> None:
        for number in range(10):
            mine = {_key(1000 * thread + 10 * number + at): f"{thread} {number} {at}".encode() for at in range(10)}
            cache.set_many(mine)
            assert cache.get_many(list(mine)) == mine

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert cache.size() == 800


def test_it_survives_pickling(make: Callable[..., Cache]) -> None:
    """The copy works, with the same settings; where the store is outside the process, it finds the entries."""
    cache = make(ttl_s=100)
    cache.set_many({_key(1): b"1"})
    copy = pickle.loads(pickle.dumps(cache))
    assert copy.to_config() == cache.to_config()
    assert copy.get_many([_key(1)]) == ({} if isinstance(cache, MemoryCache) else {_key(1): b"1"})
    copy.set_many({_key(2): b"2"})
    assert copy.get_many([_key(2)]) == {_key(2): b"2"}


def test_its_configuration_builds_it_again(make: Callable[..., Cache]) -> None:
    """Through JSON, with every setting; another clock has no place in it."""
    cache = make(ttl_s=100)
    config = json.loads(json.dumps(cache.to_config()))
    assert config["type"] in KINDS and config["ttl_s"] == 100
    again = as_cache(config)
    assert type(again) is type(cache) and again.to_config() == config
    with pytest.raises(ConfigError, match="clock is of the type Clock, which a configuration can't hold"):
        make(clock=Clock()).to_config()


def test_it_goes_on_after_closing(make: Callable[..., Cache]) -> None:
    """``close`` lets go of what is open, and may be called twice; the next use opens it again."""
    cache = make()
    cache.set_many({_key(1): b"1"})
    cache.close()
    cache.close()
    assert cache.get_many([_key(1)]) == {_key(1): b"1"}
    cache.close()


def test_it_is_named_in_logs(make: Callable[..., Cache]) -> None:
    """The text says which cache it is."""
    cache = make()
    assert repr(cache).startswith(f"{type(cache).__name__}(")
