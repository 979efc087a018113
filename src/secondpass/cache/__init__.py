"""Where scores are kept for the next time: in memory, in a file, on a Redis server."""

from typing import TYPE_CHECKING

from secondpass.cache.base import Cache, CacheError, as_cache, caches
from secondpass.lazy import lazy

if TYPE_CHECKING:
    from secondpass.cache.memory import MemoryCache
    from secondpass.cache.redis import RedisCache
    from secondpass.cache.sqlite import SQLiteCache

_LAZY = {
    "MemoryCache": "secondpass.cache.memory",
    "RedisCache": "secondpass.cache.redis",
    "SQLiteCache": "secondpass.cache.sqlite",
}

__all__ = ["Cache", "CacheError", "MemoryCache", "RedisCache", "SQLiteCache", "as_cache", "caches"]

__getattr__, __dir__ = lazy(__name__, _LAZY)
