"""A cache in an SQLite file, which many processes share and which outlives them."""

import os
import sqlite3
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import ClassVar
from weakref import finalize

from secondpass.cache.base import Cache, CacheError, Clock, checked_age
from secondpass.cache.pool import ConnectionPool
from secondpass.cache.sqlite_file import Connector, bytes_of, number
from secondpass.errors import ConfigError
from secondpass.validation import SECONDS, Function, Whole, check, must_be

__all__ = ["SQLiteCache"]

_WRITE = """
INSERT INTO entries VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, written = excluded.written, used = excluded.used
"""
_EVICT = "DELETE FROM entries WHERE key IN (SELECT key FROM entries ORDER BY used LIMIT ?)"
_EXPIRE = "DELETE FROM entries WHERE key IN (SELECT key FROM entries WHERE written <= ? LIMIT ?)"
_KEYS_AT_ONCE = 500  # old builds of SQLite take 999 parameters
# A write removes a few times more than it adds, but never so much that others wait for long.
_REMOVE_AT_LEAST = 1_000
_REMOVE_PER_NEW = 4
_REMOVE_AT_ONCE = 64
_EVICT_TO = 0.98  # of the limit, so that not every write has to evict
_EXPIRE_EVERY_S = 60.0
_MAX_TOUCHED = 50_000


class SQLiteCache(Cache):
    """Keeps entries in one file, for any number of threads and processes of one machine.

    The file is in WAL mode: readers never wait, a writer waits for another one up to ``timeout_s``. A
    process that is killed in the middle of a write leaves what it had committed. A connection is lent
    to one thread at a time, and is never carried through a fork. Reading does not write: which entries were used
    is noted in memory and written with the next new entries, so that after a crash eviction knows a little
    less. The file is readable by its owner only.

    It is not for network file systems, on which WAL does not work.

    Args:
        path: the file, created if it does not exist. By default ``scores/scores.sqlite`` in secondpass's
            cache folder.
        max_bytes: the limit for the entries and their indexes; the least recently used ones are evicted.
            A write-ahead log of a few megabytes lies beside the file.
        ttl_s: seconds after which an entry is no longer used, and soon removed; None for no limit.
        timeout_s: how long to wait for another process that writes.
        clock: returns the time in seconds since the epoch; replaced in tests.

    Raises:
        ConfigError: a setting is out of range.
    """

    registry_name: ClassVar[str] = "sqlite"

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        max_bytes: int = 1_000_000_000,
        ttl_s: float | None = None,
        timeout_s: float = 2.0,
        clock: Clock = time.time,
    ) -> None:
        if not isinstance(path, str | os.PathLike | None):
            raise ConfigError(must_be("SQLiteCache: path", "the path of a file, or None", path))
        if path is not None and str(path) in ("", ":memory:"):
            raise ConfigError("SQLiteCache needs the path of a file; MemoryCache keeps entries in memory")
        self.path, self.max_bytes, self.ttl_s = path, max_bytes, ttl_s
        self.timeout_s, self.clock = timeout_s, clock
        check(self, max_bytes=Whole(at_least=200_000, unit="bytes"), ttl_s=SECONDS | None)
        check(self, timeout_s=SECONDS, clock=Function())
        # Threads share it without a lock, which a fork could leave held for ever.
        self._touched: deque[tuple[float, bytes]] = deque(maxlen=_MAX_TOUCHED)
        self._next_expiry = 0.0
        self._pool = ConnectionPool(Connector(path, self.timeout_s))
        # A connection that nobody closed is warned about from Python 3.13 on.
        finalize(self, self._pool.close)

    def get_many(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the values of those keys that are there and not too old."""
        now = self.clock()
        after = -float("inf") if self.ttl_s is None else now - self.ttl_s
        found: dict[bytes, bytes] = {}
        with self._connection() as connection:
            for at in range(0, len(keys), _KEYS_AT_ONCE):
                some = keys[at : at + _KEYS_AT_ONCE]
                query = f"SELECT key, value FROM entries WHERE written > ? AND key IN ({_marks(some)})"  # noqa: S608
                found.update(connection.execute(query, (after, *some)).fetchall())
        self._touched.extend([(now, key) for key in found])
        return found

    def set_many(self, entries: Mapping[bytes, bytes]) -> None:
        """Keep values under their keys, all of them or, if it fails, none."""
        now = self.clock()
        used = []
        with suppress(IndexError):  # it is empty
            while True:
                used.append(self._touched.popleft())
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("UPDATE entries SET used = max(used, ?) WHERE key = ?", used)
            connection.executemany(_WRITE, [(key, value, now, now) for key, value in entries.items()])
            surplus = max(_REMOVE_AT_LEAST, _REMOVE_PER_NEW * len(entries))
            if self.ttl_s is not None and now >= self._next_expiry:
                removed = connection.execute(_EXPIRE, (now - self.ttl_s, surplus)).rowcount
                # If there were more of them, the next write goes on.
                self._next_expiry = now + min(_EXPIRE_EVERY_S, self.ttl_s) if removed < surplus else now
            if bytes_of(connection) > self.max_bytes:
                self._evict(connection, surplus)
            connection.execute("COMMIT")

    def _evict(self, connection: sqlite3.Connection, surplus: int) -> None:
        while surplus > 0 and bytes_of(connection) > self.max_bytes * _EVICT_TO:
            removed = connection.execute(_EVICT, (min(surplus, _REMOVE_AT_ONCE),)).rowcount
            if not removed:
                return
            surplus -= removed

    def clear(self, *, older_than: float | None = None) -> int:
        """Remove all entries, or those written longer ago than ``older_than`` seconds; return how many.

        The file shrinks accordingly.
        """
        age = checked_age(older_than)
        with self._connection() as connection:
            if age is None:
                removed = connection.execute("DELETE FROM entries").rowcount
            else:
                removed = connection.execute("DELETE FROM entries WHERE written < ?", (self.clock() - age,)).rowcount
            # A script, because that runs a statement to its end; this one gives back a page at each step.
            connection.executescript("PRAGMA incremental_vacuum")
        return removed

    def size(self) -> int:
        """Return the number of entries; it takes a moment for millions."""
        with self._connection() as connection:
            return number(connection, "SELECT count(*) FROM entries")

    @property
    def nbytes(self) -> int:
        """What the entries and their indexes take in the file."""
        with self._connection() as connection:
            return bytes_of(connection)

    def close(self) -> None:
        """Close the connections that no thread is using."""
        self._pool.close()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._pool.lend() as connection:
                yield connection
        except (sqlite3.Error, OSError) as exc:
            raise CacheError(f"{self!r}: {exc}") from exc

    def __repr__(self) -> str:
        return f"SQLiteCache({str(self.path) if self.path is not None else None!r})"


def _marks(keys: Sequence[bytes]) -> str:
    return ",".join("?" * len(keys))
