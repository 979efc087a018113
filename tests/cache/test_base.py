"""How a cache is named in configurations."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

import secondpass.cache
from secondpass.cache import Cache, MemoryCache, as_cache
from secondpass.cache.base import caches
from secondpass.errors import ConfigError


class DictCache(Cache):
    """The least that a cache can be."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.entries: dict[bytes, bytes] = {}

    def get_many(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        return {key: self.entries[key] for key in keys if key in self.entries}

    def set_many(self, entries: Mapping[bytes, bytes]) -> None:
        self.entries.update(entries)

    def clear(self, *, older_than: float | None = None) -> int:
        return 0

    def size(self) -> int:
        return len(self.entries)


class RegisteredCache(DictCache):
    registry_name = "test-registered"


def test_a_cache_is_an_object_a_name_or_a_mapping() -> None:
    """All three are taken; an object as it is."""
    cache = MemoryCache()
    assert as_cache(cache) is cache
    assert as_cache("memory").to_config() == cache.to_config()
    assert as_cache({"type": "memory", "max_bytes": 1000}).to_config() == {
        "type": "memory",
        "max_bytes": 1000,
        "ttl_s": None,
    }


@pytest.mark.parametrize("bad", [None, 3, {}, {"path": "x"}, {"type": 3}, {"kind": "memory"}])
def test_anything_else_is_no_cache(bad: Any) -> None:
    """The message says what is."""
    with pytest.raises(ConfigError, match="cache must be a Cache, a name"):
        as_cache(bad)


def test_an_unknown_name_or_setting_is_named() -> None:
    """With those that there are."""
    with pytest.raises(ConfigError, match=r"no 'memroy' \(did you mean 'memory'\?\); there are: memory, redis, sqlite"):
        as_cache("memroy")
    with pytest.raises(
        ConfigError, match="MemoryCache has no setting 'path'; its settings are: max_bytes, ttl_s, clock"
    ):
        as_cache({"type": "memory", "path": "x"})


def test_another_package_can_add_a_cache() -> None:
    """A registered class is found by its name, and has a configuration without writing one."""
    caches.register(RegisteredCache.registry_name, RegisteredCache)
    cache = as_cache({"type": "test-registered", "name": "mine"})
    assert isinstance(cache, RegisteredCache)
    assert cache.to_config() == {"type": "test-registered", "name": "mine"}
    caches.register("test-wrong", dict)
    with pytest.raises(ConfigError, match="registered as <class 'dict'>, which is not a Cache"):
        as_cache("test-wrong")


def test_a_cache_without_a_name_has_no_configuration() -> None:
    """The message says what to set; its name is still that of its class."""
    with pytest.raises(ConfigError, match="DictCache sets no registry_name"):
        DictCache().to_config()
    assert repr(DictCache()) == "DictCache()"
    DictCache().close()


def test_the_package_offers_its_names() -> None:
    """Each can be imported, what is heavy when it is asked for, and nothing else."""
    assert all(getattr(secondpass.cache, name) for name in dir(secondpass.cache))
    with pytest.raises(AttributeError, match="no attribute 'DiskCache'"):
        secondpass.cache.DiskCache  # noqa: B018
