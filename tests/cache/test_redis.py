"""RedisCache on a real server: what it writes there, passwords, and a server that goes away."""

import builtins
import pickle
import socket
import threading
import traceback
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from secondpass.cache import CacheError, RedisCache, as_cache
from secondpass.composition.cached import CachedReranker
from secondpass.errors import ConfigError, MissingExtraError
from secondpass.testing import FakeReranker
from tests.forks import exit_status_of_child, needs_fork

DOCUMENTS = ["copy a file", "the weather", "a file is open"]


@pytest.fixture
def client(redis_server: Any) -> Iterator[redis.Redis]:
    """Return another client of the server, to look at what is there."""
    with redis.Redis.from_url(redis_server.url) as client:
        yield client


def test_entries_live_under_the_prefix_and_expire(redis_server: Any, client: redis.Redis) -> None:
    """The server itself removes an entry after ``ttl_s``; without one it stays."""
    prefix = f"{uuid.uuid4()}:"
    RedisCache(redis_server.url, prefix=prefix, ttl_s=50).set_many({b"\1": b"1"})
    assert 40_000 < client.pttl(f"{prefix}01") <= 50_000
    RedisCache(redis_server.url, prefix=prefix, ttl_s=None).set_many({b"\1": b"1"})
    assert client.pttl(f"{prefix}01") == -1


def test_clear_leaves_the_others_alone(redis_server: Any, client: redis.Redis) -> None:
    """Only what has the prefix goes, though the prefix is full of a pattern's special signs."""
    name = uuid.uuid4().hex
    cache = RedisCache(redis_server.url, prefix=f"{name}[a-z]*?^\\:")
    cache.set_many({b"\1": b"1", b"\2": b"2"})
    client.set(f"{name}b:01", "someone else's")
    assert cache.size() == 2 and cache.clear() == 2 and cache.size() == 0
    assert client.get(f"{name}b:01") == b"someone else's"


def test_what_others_wrote_is_a_miss(redis_server: Any, client: redis.Redis) -> None:
    """A value that is too short to be ours is infinitely old."""
    cache = RedisCache(redis_server.url, prefix=f"{uuid.uuid4()}:")
    client.set(f"{cache.prefix}01", b"short")
    client.set(f"{cache.prefix}02", b"")
    assert cache.get_many([b"\1"]) == {}
    assert cache.clear(older_than=1000) == 1


def test_a_value_of_another_type_is_a_miss(redis_server: Any, client: redis.Redis) -> None:
    """A list under one of our keys is not returned."""
    cache = RedisCache(redis_server.url, prefix=f"{uuid.uuid4()}:")
    client.rpush(f"{cache.prefix}01", "a", "b")
    assert cache.get_many([b"\1"]) == {}


def test_two_rerankers_share_scores(redis_server: Any) -> None:
    """What one machine scored, another one finds."""
    config = {"type": "redis", "url": redis_server.url, "prefix": f"{uuid.uuid4()}:", "timeout_s": 30}
    first = CachedReranker(FakeReranker(), cache=config).rerank("a file", DOCUMENTS)
    second = CachedReranker(FakeReranker(), cache=config).rerank("a file", DOCUMENTS)
    assert first.trace.counts["cache_misses"] == second.trace.counts["cache_hits"] == 3
    assert [(d.index, d.score) for d in first] == [(d.index, d.score) for d in second]


def test_a_server_that_is_killed_is_bypassed(start_redis: Callable[..., Any]) -> None:
    """Killed between two calls, it costs hits but no score, and one attempt; when it is back, it is used again."""
    server = start_redis()
    reranker = CachedReranker(FakeReranker(), cache=RedisCache(server.url, timeout_s=5), retry_after_s=1000)
    expected = FakeReranker().score("a file", DOCUMENTS).tolist()
    assert reranker.score("a file", DOCUMENTS).tolist() == expected
    assert reranker.rerank("a file", DOCUMENTS).trace.counts["cache_hits"] == 3

    server.kill()
    for errors in (1, 0):
        ranking = reranker.rerank("a file", DOCUMENTS)
        assert [d.score for d in sorted(ranking, key=lambda d: d.index)] == expected
        assert ranking.trace.counts == {"cache_hits": 0, "cache_misses": 3, "cache_errors": errors}
    assert reranker.stats().errors == 2 and reranker.stats().size is None

    start_redis(port=server.port)
    reranker._retry_at = 0.0  # the thousand seconds are over
    assert reranker.rerank("a file", DOCUMENTS).trace.counts["cache_misses"] == 3
    assert reranker.rerank("a file", DOCUMENTS).trace.counts["cache_hits"] == 3


def test_a_server_that_dies_while_it_is_used_changes_no_score(start_redis: Callable[..., Any]) -> None:
    """Eight threads rerank while the server is killed: each gets the right scores from every call."""
    server = start_redis()
    reranker = CachedReranker(FakeReranker(), cache=RedisCache(server.url, timeout_s=5), retry_after_s=1e-9)
    half = threading.Barrier(9, timeout=60)

    def work(thread: int) -> None:
        for number in range(40):
            if number == 20:
                half.wait()
            documents = [f"a file {thread} {number // 2} {at}" for at in range(5)]
            assert reranker.score("a file", documents).tolist() == FakeReranker().score("a file", documents).tolist()

    with ThreadPoolExecutor(8) as pool:
        threads = [pool.submit(work, thread) for thread in range(8)]
        half.wait()
        server.kill()
        for done in threads:
            done.result(120)
    stats = reranker.stats()
    assert stats.hits >= 8 * 10 * 5 and stats.hits + stats.misses == 8 * 40 * 5 and stats.errors > 0


def test_a_connection_that_the_server_closed_is_no_error(start_redis: Callable[..., Any]) -> None:
    """The one in the pool is dead; another one is made at once."""
    server = start_redis()
    cache = RedisCache(server.url, timeout_s=5)
    cache.set_many({b"\1": b"1"})
    with redis.Redis.from_url(server.url) as client:
        client.client_kill_filter(_type="normal", skipme=True)
    assert cache.get_many([b"\1"]) == {b"\1": b"1"}


def test_a_server_that_does_not_answer_is_given_up() -> None:
    """A server that accepts and is silent costs the timeout, not more; the scores are there."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cache = RedisCache(f"redis://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.05)
        with pytest.raises(CacheError, match=r"[Tt]ime"):
            cache.get_many([b"\1"])
        ranking = CachedReranker(FakeReranker(), cache=cache).rerank("a file", DOCUMENTS)
    assert len(ranking) == 3 and ranking.trace.counts["cache_errors"] == 1


def test_a_full_server_is_bypassed(start_redis: Callable[..., Any]) -> None:
    """One that takes no more entries and evicts none still answers reads."""
    server = start_redis("--maxmemory", "1", "--maxmemory-policy", "noeviction")
    ranking = CachedReranker(FakeReranker(), cache={"type": "redis", "url": server.url, "timeout_s": 5}).rerank(
        "a file", DOCUMENTS
    )
    assert len(ranking) == 3 and ranking.trace.counts["cache_errors"] == 1
    assert "could not be written" in ranking.trace.notes[0]


class TestPassword:
    def test_it_opens_the_server(self, start_redis: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
        """In the url, as a setting, or in the environment; without it nothing works."""
        server = start_redis("--requirepass", "s3/cret")
        url = f"redis://:s3%2Fcret@127.0.0.1:{server.port}/0"
        for cache in (RedisCache(url, timeout_s=5), RedisCache(server.url, password="s3/cret", timeout_s=5)):
            cache.set_many({b"\1": b"1"})
            assert cache.get_many([b"\1"]) == {b"\1": b"1"}
        with pytest.raises(CacheError, match=r"[Aa]uthentication"):
            RedisCache(server.url, timeout_s=5).get_many([b"\1"])
        monkeypatch.setenv("SECONDPASS_REDIS_PASSWORD", "s3/cret")
        cache = as_cache({"type": "redis", "url": server.url, "timeout_s": 5})
        assert pickle.loads(pickle.dumps(cache)).get_many([b"\1"]) == {b"\1": b"1"}

    @pytest.mark.parametrize(
        ("url", "clean"),
        [
            ("redis://:hidden@host:1/2", "redis://host:1/2"),
            ("rediss://user:hidden@host", "rediss://user@host"),
            ("unix:///tmp/socket?db=1&password=hidden", "unix:///tmp/socket?db=1"),
            ("redis://host:1/0", "redis://host:1/0"),
        ],
    )
    def test_it_is_nowhere_to_be_seen(self, url: str, clean: str) -> None:
        """Not in the configuration, nor in the text, nor in a pickle."""
        cache = RedisCache(url)
        assert cache.to_config()["url"] == clean and "password" not in cache.to_config()
        assert "hidden" not in repr(cache) + repr(cache.to_config()) + repr(vars(cache)["password"])
        assert b"hidden" not in pickle.dumps(cache)

    @pytest.mark.parametrize(
        "url",
        [
            "redis://:pa/ss+W0rd@host:6379/0",
            "redis://:12/ss+W0rd@host:6379/0",
            "redis://:12#ss+W0rd@host",
            "redis://:12?ss+W0rd@host",
            "redis://[ss+W0rd",
            "redis://:[ss+W0rd@host",
        ],
    )
    def test_where_it_is_not_encoded_it_is_not_repeated(self, url: str) -> None:
        """A url that can't be taken apart is refused; neither the error nor its cause quotes of it."""
        with pytest.raises(ConfigError, match=r"percent-encode a password in it, or pass password=") as error:
            RedisCache(url)
        shown = "".join(traceback.format_exception(error.value, chain=True))
        assert "ss+W0rd" not in str(error.value) and "'pa'" not in shown and "during" not in shown.lower()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "http://host"}, "can't use the url: it must be redis://host:port/database"),
        ({"url": "redis://host:port"}, "can't use the url"),
        ({"url": None}, "needs a url"),
        ({"prefix": ""}, "prefix must be a str that is not empty"),
        ({"timeout_s": 0}, "timeout_s must be a number of seconds above 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: Any, message: str) -> None:
    """When the cache is built, not when it is used."""
    with pytest.raises(ConfigError, match=message):
        RedisCache(**settings)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error holds the command."""
    importing = builtins.__import__

    def without_redis(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == "redis":
            raise ImportError(name)
        return importing(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_redis)
    with pytest.raises(MissingExtraError, match=r'pip install "secondpass\[redis\]"'):
        RedisCache()


@needs_fork
def test_a_forked_child_has_connections_of_its_own(redis_server: Any) -> None:
    """It answers though all of the parent's connections were lent, and the parent's stay usable."""
    cache = RedisCache(redis_server.url, prefix=f"{uuid.uuid4()}:", timeout_s=5)
    cache.set_many({b"a": b"1"})
    pool = cache._client.connection_pool

    def act() -> None:
        assert cache._client.connection_pool is not pool
        assert cache.get_many([b"a"]) == {b"a": b"1"}

    with pool._lock:  # as of a thread that takes a connection at the moment of the fork
        assert exit_status_of_child(act, limit_s=30) == 0
    assert cache.get_many([b"a"]) == {b"a": b"1"}


def test_a_call_takes_one_round_trip_for_a_thousand_entries(redis_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading, writing and clearing alike; and the protocol is the one that every server speaks."""
    cache = RedisCache(redis_server.url, prefix=f"{uuid.uuid4()}:", timeout_s=30)
    trips = {"mget": 0, "execute": 0, "unlink": 0}
    pipeline, mget, unlink = cache._client.pipeline, cache._client.mget, cache._client.unlink

    def counted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*args: Any, **settings: Any) -> Any:
            trips[name] += 1
            return call(*args, **settings)

        return counting

    def counted_pipeline(*, transaction: bool) -> Any:
        assert not transaction  # which would make the server keep all of it
        made = pipeline(transaction=transaction)
        made.execute = counted("execute", made.execute)
        return made

    monkeypatch.setattr(cache._client, "pipeline", counted_pipeline)
    monkeypatch.setattr(cache._client, "mget", counted("mget", mget))
    monkeypatch.setattr(cache._client, "unlink", counted("unlink", unlink))
    keys = [at.to_bytes(4, "big") for at in range(2_500)]
    cache.set_many(dict.fromkeys(keys, b"1"))
    assert len(cache.get_many(keys)) == 2_500 and cache.clear() == 2_500
    assert trips == {"mget": 3, "execute": 3, "unlink": 3}
    assert cache._client.connection_pool.connection_kwargs["protocol"] == 2


def test_an_entry_lives_at_least_a_millisecond(redis_server: Any, client: redis.Redis) -> None:
    """The server takes no shorter time."""
    cache = RedisCache(redis_server.url, prefix=f"{uuid.uuid4()}:", ttl_s=1e-5, timeout_s=30)
    cache.set_many({b"\1": b"1"})
    assert client.pttl(f"{cache.prefix}01") <= 1
