"""A cache in the memory of the process."""

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import ClassVar

from secondpass.cache.base import Cache, Clock, checked_age
from secondpass.forking import reset_after_fork
from secondpass.validation import SECONDS, Function, Whole, check

__all__ = ["MemoryCache"]

# What an entry takes besides its key and value: the objects' headers, the tuple, the time, the place in the table.
_ENTRY_BYTES = 320


class MemoryCache(Cache):
    """Keeps the most recently used entries, up to a number of bytes.

    Nothing outlives the process, and a pickled copy starts empty.

    Args:
        max_bytes: the limit, of keys, values and an estimate of what Python needs to hold them. A value that
            is too large alone is not kept.
        ttl_s: seconds after which an entry is no longer used; None for no limit.
        clock: returns the time in seconds; replaced in tests.

    Attributes:
        nbytes: what the entries take now, counted in the same way.

    Raises:
        ConfigError: a setting is out of range.
    """

    registry_name: ClassVar[str] = "memory"

    def __init__(self, *, max_bytes: int = 64_000_000, ttl_s: float | None = None, clock: Clock = time.time) -> None:
        self.max_bytes, self.ttl_s, self.clock = max_bytes, ttl_s, clock
        check(self, max_bytes=Whole(at_least=1, unit="bytes"), ttl_s=SECONDS | None, clock=Function())
        self.nbytes = 0
        self._entries: OrderedDict[bytes, tuple[bytes, float]] = OrderedDict()
        self._lock = Lock()
        reset_after_fork(self, MemoryCache._renew_lock)

    def get_many(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the values of those keys that are there and not too old; they become the most recent ones."""
        now = self.clock()
        found = {}
        with self._lock:
            for key in keys:
                entry = self._entries.get(key)
                if entry is None:
                    continue
                value, written = entry
                if self.ttl_s is not None and now - written >= self.ttl_s:
                    self._drop(key)
                    continue
                self._entries.move_to_end(key)
                found[key] = value
        return found

    def set_many(self, entries: Mapping[bytes, bytes]) -> None:
        """Keep values under their keys; the least recently used others go to make room."""
        now = self.clock()
        with self._lock:
            for key, value in entries.items():
                if key in self._entries:
                    self._drop(key)
                if _size(key, value) > self.max_bytes:
                    continue
                self._entries[key] = (value, now)
                self.nbytes += _size(key, value)
                while self.nbytes > self.max_bytes:
                    self._drop(next(iter(self._entries)))

    def clear(self, *, older_than: float | None = None) -> int:
        """Remove all entries, or those written longer ago than ``older_than`` seconds; return how many."""
        age = checked_age(older_than)
        now = self.clock()
        with self._lock:
            old = [key for key, (_, written) in self._entries.items() if age is None or now - written > age]
            for key in old:
                self._drop(key)
        return len(old)

    def size(self) -> int:
        """Return the number of entries."""
        return len(self._entries)

    def _renew_lock(self) -> None:
        if self._lock.locked():  # a thread of the parent may have been between an entry and its count
            self.nbytes = sum(_size(key, value) for key, (value, _) in self._entries.items())
        self._lock = Lock()

    def _drop(self, key: bytes) -> None:
        value, _ = self._entries.pop(key)
        self.nbytes -= _size(key, value)

    def __repr__(self) -> str:
        return f"MemoryCache(max_bytes={self.max_bytes})"


def _size(key: bytes, value: bytes) -> int:
    return len(key) + len(value) + _ENTRY_BYTES
