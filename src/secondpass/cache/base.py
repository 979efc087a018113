"""What a cache is: bytes under keys that are bytes, many at a time."""

import inspect
import math
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, ClassVar

from secondpass.base import construct
from secondpass.errors import ConfigError, SecondPassError
from secondpass.registry import Registry
from secondpass.secret import Secret

__all__ = ["Cache", "CacheError", "as_cache", "caches"]

Clock = Callable[[], float]

_BUILT_IN = {
    "memory": ("secondpass.cache.memory", "MemoryCache"),
    "redis": ("secondpass.cache.redis", "RedisCache"),
    "sqlite": ("secondpass.cache.sqlite", "SQLiteCache"),
}

caches = Registry("secondpass.caches")
"""Further kinds of caches, from entry points of other packages or ``caches.register``."""


class CacheError(SecondPassError):
    """A cache can't be read or written; `CachedReranker` goes on without it."""


class Cache(ABC):
    """Keeps bytes under keys, which are bytes too, until they are too old or too many.

    A cache may be shared between threads, and may be pickled: the copy has the same settings, and where
    the store is outside the process, the same contents. A subclass sets ``kind`` and keeps each parameter
    of its constructor in an attribute of the same name, from which `to_config` and pickling follow.

    Attributes:
        kind: its name in configurations.
    """

    kind: ClassVar[str] = ""

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

    def close(self) -> None:  # noqa: B027  # most caches hold nothing open
        """Let go of files and connections; they are opened again when the cache is used again."""

    def to_config(self) -> dict[str, Any]:
        """Return the settings as plain data with the name under ``kind``; `as_cache` builds it again.

        Passwords are left out.

        Raises:
            ConfigError: it has no ``kind``, or a function among its settings, such as another clock.
        """
        if not self.kind:
            raise ConfigError(f"{type(self).__name__} sets no kind, so no configuration can name it")
        config: dict[str, Any] = {"kind": self.kind}
        for name, value in self._settings().items():
            if isinstance(value, Secret) or (name == "clock" and value is time.time):
                continue
            if callable(value):
                raise ConfigError(f"{type(self).__name__}.{name} is a function, which a configuration can't hold")
            config[name] = os.fspath(value) if isinstance(value, os.PathLike) else value
        return config

    def _settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def __reduce__(self) -> tuple[Any, ...]:
        # Locks, connections and entries stay behind.
        return _rebuilt, (type(self), self._settings())

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def as_cache(cache: Cache | str | Mapping[str, Any]) -> Cache:
    """Return a cache; its kind, ``"memory"``, or plain data, ``{"kind": "sqlite", "path": ...}``, will do.

    Raises:
        ConfigError: it is none of these, or a setting is unknown or out of range.
    """
    if isinstance(cache, Cache):
        return cache
    config = {"kind": cache} if isinstance(cache, str) else cache
    if not isinstance(config, Mapping) or not isinstance(config.get("kind"), str):
        raise ConfigError('a cache is a Cache, a kind ("memory"), or a mapping with its kind under "kind"')
    settings = {str(key): value for key, value in config.items() if key != "kind"}
    return construct(_class_of(config["kind"]), **settings)


def _class_of(kind: str) -> type[Cache]:
    if kind in _BUILT_IN:
        module, name = _BUILT_IN[kind]
        cls: type[Cache] = getattr(import_module(module), name)
        return cls
    try:
        registered = caches.get(kind)
    except LookupError as exc:
        raise ConfigError(f"no cache {kind!r}; built in are {', '.join(_BUILT_IN)} ({exc})") from exc
    if not (isinstance(registered, type) and issubclass(registered, Cache)):
        raise ConfigError(f"the kind {kind!r} is registered as {registered!r}, which is no Cache")
    return registered


def _rebuilt(cls: type[Cache], settings: dict[str, Any]) -> Cache:
    return cls(**settings)


def checked_seconds(value: object, name: str) -> float | None:
    """Return a duration as a float, or None for none.

    Raises:
        ConfigError: it is no positive, finite number.
    """
    return None if value is None else checked_positive(value, name)


def checked_positive(value: object, name: str) -> float:
    """Return a setting as a float.

    Raises:
        ConfigError: it is no positive, finite number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ConfigError(f"{name} must be a positive number, not {value!r}")
    return float(value)


def checked_bytes(value: object, name: str, least: int) -> int:
    """Return a size in bytes.

    Raises:
        ConfigError: it is no whole number, or smaller than ``least``.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigError(f"{name} must be a whole number of bytes, at least {least}, not {value!r}")
    return value


def checked_age(older_than: object) -> float | None:
    """Return what ``clear`` was given; 0 means all that is not from the future.

    Raises:
        ConfigError: it is no number, or negative.
    """
    if older_than is None:
        return None
    if isinstance(older_than, bool) or not isinstance(older_than, int | float) or not 0 <= older_than < math.inf:
        raise ConfigError(f"older_than must be a number of seconds, not {older_than!r}")
    return float(older_than)
