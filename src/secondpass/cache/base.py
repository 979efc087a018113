"""What a cache is: bytes under keys that are bytes, many at a time."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from secondpass.config import Configured, settings_of
from secondpass.errors import ConfigError, SecondPassError
from secondpass.registry import Registry
from secondpass.validation import Number, must_be

__all__ = ["Cache", "CacheError", "as_cache", "caches"]

Clock = Callable[[], float]

_BUILT_IN = {
    "memory": ("secondpass.cache.memory", "MemoryCache"),
    "redis": ("secondpass.cache.redis", "RedisCache"),
    "sqlite": ("secondpass.cache.sqlite", "SQLiteCache"),
}

caches = Registry("secondpass.caches")
"""Further caches, from entry points of other packages or ``caches.register``."""


class CacheError(SecondPassError):
    """A cache can't be read or written; `CachedReranker` goes on without it."""


class Cache(Configured, ABC):
    """Keeps bytes under keys, which are bytes too, until they are too old or too many.

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
        """Keep values under their keys; those that were there are replaced, and count as new.

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
    """Return a cache; its name, ``"memory"``, or plain data, ``{"type": "sqlite", "path": ...}``, will do.

    Raises:
        ConfigError: it is none of these, or a setting is unknown or out of range.
    """
    if isinstance(cache, Cache):
        return cache
    config = {"type": cache} if isinstance(cache, str) else cache
    if not isinstance(config, Mapping) or not isinstance(config.get("type"), str):
        raise ConfigError(must_be("cache", 'a Cache, a name ("memory"), or a mapping with a name under "type"', cache))
    return _class_of(config["type"]).from_config(config)


def _class_of(name: str) -> type[Cache]:
    if name in _BUILT_IN:
        module, class_name = _BUILT_IN[name]
        cls: type[Cache] = getattr(import_module(module), class_name)
        return cls
    try:
        registered = caches.get(name)
    except LookupError as exc:
        raise ConfigError(f"no cache {name!r}; built in are {', '.join(_BUILT_IN)} ({exc})") from exc
    if not (isinstance(registered, type) and issubclass(registered, Cache)):
        raise ConfigError(f"the name {name!r} is registered as {registered!r}, which is not a Cache")
    return registered


def _rebuilt(cls: type[Cache], settings: dict[str, Any]) -> Cache:
    return cls(**settings)


def checked_age(older_than: object) -> float | None:
    """Return what ``clear`` was given; 0 means all that is not from the future.

    Raises:
        ConfigError: it is not a number, or negative.
    """
    return _AGE.checked(older_than, "older_than")


_AGE = Number(at_least=0, unit="seconds") | None
