"""A cache on a Redis server (or Valkey, or anything else that speaks its protocol), which many machines share."""

import re
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from secondpass.cache.base import Cache, CacheError, Clock, checked_age
from secondpass.errors import ConfigError, MissingExtraError
from secondpass.forking import reset_after_fork
from secondpass.secret import Secret
from secondpass.validation import SECONDS, Function, Text, check

__all__ = ["RedisCache"]

_WRITTEN = struct.Struct("<d")  # when it was written, before each value
_AT_ONCE = 1_000
# Neither the url nor the reason, which quotes of it: both may hold a part of the password.
_UNUSABLE = (
    "RedisCache can't use the url: it must be redis://host:port/database, rediss:// or unix://; percent-encode a "
    "password in it, or pass password=..."
)
_GLOB = re.compile(rb"([*?\[\]\\^-])")


class RedisCache(Cache):
    """Keeps entries on a Redis server; needs the extra ``redis``.

    It connects at first use. A call takes one round trip for each thousand entries. How
    much the server may hold is its own setting: ``maxmemory`` with the policy ``allkeys-lru``. Whoever can
    write to the server can change scores (though not run code: nothing is unpickled), so give it a
    password. It works with a single server or a proxy, not with Redis Cluster.

    Args:
        url: ``redis://``, ``rediss://`` (TLS) or ``unix://``, with host, port and database. A password in it
            is taken out, so that no configuration holds it.
        password: a text or a `Secret`; by default that of the url, else the environment variable
            ``SECONDPASS_REDIS_PASSWORD``.
        prefix: begins every key, and distinguishes these entries from all others on the server.
        ttl_s: seconds after which an entry is gone; None for no limit.
        timeout_s: the limit for connecting, and for each wait for an answer.
        clock: returns the time in seconds since the epoch; replaced in tests.

    Raises:
        ConfigError: the url or another setting can't be used.
        MissingExtraError: the package ``redis`` is not installed.
    """

    registry_name: ClassVar[str] = "redis"

    def __init__(
        self,
        url: str = "redis://localhost:6379/0",
        *,
        password: str | Secret | None = None,
        prefix: str = "secondpass:",
        ttl_s: float | None = 30 * 86_400.0,
        timeout_s: float = 0.5,
        clock: Clock = time.time,
    ) -> None:
        self.url, url_password = without_password(url)
        self.password = Secret(password if password is not None else url_password, variable="SECONDPASS_REDIS_PASSWORD")
        self.prefix, self.ttl_s, self.timeout_s, self.clock = prefix, ttl_s, timeout_s, clock
        # Without a prefix, clear() would remove what others keep on the server.
        check(self, prefix=Text(), ttl_s=SECONDS | None, timeout_s=SECONDS, clock=Function())
        self._open()
        reset_after_fork(self, RedisCache._open)

    def _open(self) -> None:
        # Connects at the first use; a forked child has connections, and locks around them, of its own.
        self._client, self._redis_error = _connect(self.url, self.password, self.timeout_s)

    def get_many(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the values of those keys that are there and not too old."""
        earliest = -float("inf") if self.ttl_s is None else self.clock() - self.ttl_s
        found = {}
        with self._errors():
            for some in _batches(keys):
                for key, value in zip(some, self._client.mget([self._name(key) for key in some]), strict=True):
                    if value is not None and _written(value) > earliest:
                        found[key] = value[_WRITTEN.size :]
        return found

    def set_many(self, entries: Mapping[bytes, bytes]) -> None:
        """Keep values under their keys."""
        written = _WRITTEN.pack(self.clock())
        ttl_ms = None if self.ttl_s is None else max(1, round(self.ttl_s * 1000))
        with self._errors():
            for some in _batches(entries.items()):
                pipeline = self._client.pipeline(transaction=False)
                for key, value in some:
                    pipeline.set(self._name(key), written + value, px=ttl_ms)
                pipeline.execute()

    def clear(self, *, older_than: float | None = None) -> int:
        """Remove all entries with the prefix, or those written longer ago than ``older_than`` seconds."""
        age = checked_age(older_than)
        removed = 0
        with self._errors():
            for names in _batches(self._names()):
                old = names if age is None else self._older(names, self.clock() - age)
                removed += self._client.unlink(*old) if old else 0
        return removed

    def size(self) -> int:
        """Return the number of entries; the server looks through all its keys for that."""
        with self._errors():
            return sum(1 for _ in self._names())

    def close(self) -> None:
        """Close the connections; the next use opens new ones."""
        self._client.close()

    def _name(self, key: bytes) -> bytes:
        return self.prefix.encode() + key.hex().encode()

    def _names(self) -> Iterator[bytes]:
        # A scan may return a key twice.
        pattern = _GLOB.sub(rb"\\\1", self.prefix.encode()) + b"*"
        return iter(set(self._client.scan_iter(match=pattern, count=_AT_ONCE)))

    def _older(self, names: Sequence[bytes], than: float) -> list[bytes]:
        pipeline = self._client.pipeline(transaction=False)
        for name in names:
            pipeline.getrange(name, 0, _WRITTEN.size - 1)
        return [name for name, head in zip(names, pipeline.execute(), strict=True) if head and _written(head) < than]

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (self._redis_error, OSError) as exc:
            raise CacheError(f"{self!r}: {exc}") from exc

    def __repr__(self) -> str:
        return f"RedisCache({self.url!r}, prefix={self.prefix!r})"


def _connect(url: str, password: Secret, timeout_s: float) -> tuple[Any, type[Exception]]:
    try:
        from redis import Redis, RedisError
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError as exc:
        raise MissingExtraError.of("redis", "RedisCache") from exc
    try:
        client = Redis.from_url(
            url,
            password=password.reveal(),
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            protocol=2,  # which every server speaks, and which is all that bytes need
            # Once more, at once: for a connection that the server closed while it lay in the pool.
            retry=Retry(NoBackoff(), 1),
        )
    except (ValueError, TypeError):
        raise ConfigError(_UNUSABLE) from None
    return client, RedisError


def without_password(url: object) -> tuple[str, str | None]:
    """Return the url without its password, and the password.

    Raises:
        ConfigError: it is unclear which part of it is the password.
    """
    if not isinstance(url, str):
        raise ConfigError(f"RedisCache needs a url such as redis://host:port/database, not a {type(url).__name__}")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigError(_UNUSABLE) from None
    if parts.scheme != "unix" and "@" in parts.path + parts.query.partition("=")[0] + parts.fragment:
        raise ConfigError(_UNUSABLE)  # a password was taken for the end of the host
    login, at, host = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    query = parse_qsl(parts.query)
    password = unquote(password) or dict(query).get("password", "")
    rest = urlencode([(name, value) for name, value in query if name != "password"])
    # Not urlunsplit, which makes unix:/path of unix:///path.
    clean = f"{parts.scheme}://{user}{at if user else ''}{host}{parts.path}{'?' if rest else ''}{rest}"
    return clean, password or None


def _written(value: bytes) -> float:
    # What is too short was not written by us, and counts as infinitely old.
    return float(_WRITTEN.unpack_from(value)[0]) if len(value) >= _WRITTEN.size else -float("inf")


def _batches(items: Any) -> Iterator[list[Any]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _AT_ONCE)):
        yield batch
