"""What a cache is: bytes under keys that are bytes, many at a time."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from secondpass.config import Configured, settings_of
from secondpass.errors import ConfigError, SecondPassError
from secondpass.registry import Registry
from secondpass.validation import Number, must_be

__all__ = ["Cache", "CacheError", "as_cache", "caches"]

Clock = Callable[[], float]

caches = Registry(
    "secondpass.caches",
    {
        "memory": "secondpass.cache.memory:MemoryCache",
        "redis": "secondpass.cache.redis:RedisCache",
        "sqlite": "secondpass.cache.sqlite:SQLiteCache",
    },
)
"""The caches by name: ours, and others from entry points of other packages or ``caches.register``."""


class CacheError(SecondPassError):
    """A cache can't be read or written; `CachedReranker` goes on without it."""


class Cache(Configured, ABC):
    """Keeps bytes under keys, which are bytes too, until they expire or make room for others.

    A cache may be shared between threads, and may be pickled: the copy has the same settings, and where
    the store is outside the process, the same contents. A subclass sets ``registry_name`` and keeps each parameter
    of its constructor in an attribute of the same name, from which its configuration and pickling follow: see
    `secondpass.config`.
    """

    @abstractmethod
    def get_many(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the values of those keys that are there and not too old.

        Raises:
            CacheError: the store can't be read.
        """

    @abstractmethod
    def set_many(self, entries: Mapping[bytes, bytes]) -> None:
        """Keep values under their keys; existing ones are replaced, and count as new.

        Raises:
            CacheError: the store can't be written; none or some of the entries are kept.
        """

    @abstractmethod
    def clear(self, *, older_than: float | None = None) -> int:
        """Remove entries, and return how many.

        Args:
            older_than: remove only those that were written longer than this many seconds ago; all by default.

        Raises:
            CacheError: the store can't be written.
        """

    @abstractmethod
    def size(self) -> int:
        """Return the number of entries, expired ones that nothing has removed yet included.

        Raises:
            CacheError: the store can't be read.
        """

    def close(self) -> None:  # most caches hold nothing open
        """Let go of files and connections; they are opened again when the cache is used again."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Locks, connections and entries stay behind.
        return _rebuilt, (type(self), settings_of(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def as_cache(cache: Cache | str | Mapping[str, Any]) -> Cache:
    """Return a cache, given one, its name (``"memory"``) or its configuration (``{"type": "sqlite", "path": ...}``).

    Raises:
        ConfigError: it is not one of these, or a setting is unknown or out of range.
    """
    if isinstance(cache, Cache):
        return cache
    config = {"type": cache} if isinstance(cache, str) else cache
    if not isinstance(config, Mapping) or not isinstance(config.get("type"), str):
        raise ConfigError(must_be("cache", 'a Cache, a name ("memory"), or a mapping with a name under "type"', cache))
    try:
        found = caches.get(config["type"])
    except LookupError as exc:
        raise ConfigError(str(exc)) from exc
    if not (isinstance(found, type) and issubclass(found, Cache)):
        raise ConfigError(f"the name {config['type']!r} is registered as {found!r}, which is not a Cache")
    return found.from_config(config)


def _rebuilt(cls: type[Cache], settings: dict[str, Any]) -> Cache:
    return cls(**settings)


def checked_age(older_than: object) -> float | None:
    """Return the age that ``clear`` was given; 0 means everything that is not from the future.

    Raises:
        ConfigError: it is not a number, or negative.
    """
    return _AGE.checked(older_than, "older_than")


_AGE = Number(at_least=0, unit="seconds") | None
