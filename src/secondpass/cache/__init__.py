"""Where scores are kept for the next time: in memory, in a file, on a Redis server."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from secondpass.cache.base import Cache, CacheError, as_cache

if TYPE_CHECKING:
    from secondpass.cache.memory import MemoryCache
    from secondpass.cache.redis import RedisCache
    from secondpass.cache.sqlite import SQLiteCache

_LAZY = {
    "MemoryCache": "secondpass.cache.memory",
    "RedisCache": "secondpass.cache.redis",
    "SQLiteCache": "secondpass.cache.sqlite",
}

__all__ = ["Cache", "CacheError", "MemoryCache", "RedisCache", "SQLiteCache", "as_cache"]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return __all__
