"""Names of rerankers and models, from secondpass and from any installed package that adds some.

A package adds a reranker by an entry point:

```toml
[project.entry-points."secondpass.rerankers"]
mine = "my_package:MyReranker"
```

after which ``secondpass.load("mine:its-model")`` and ``{"type": "mine"}`` in a configuration find it.
Nothing is imported before its name is asked for.
"""

from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from secondpass.base import Reranker, construct
from secondpass.errors import ConfigError, RegistryError, SecondPassWarning, warn

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["Registry", "from_config", "load", "rerankers"]


class Registry:
    """The plug-ins of one entry-point group, loaded by name when they are asked for."""

    def __init__(self, group: str) -> None:
        self.group = group
        self._registered: dict[str, Any] = {}
        self._lock = Lock()

    def register(self, name: str, plugin: Any) -> None:
        """Add a plug-in for this process, as a package does by an entry point.

        Raises:
            RegistryError: the name is taken by another one.
        """
        with self._lock:
            if name in self._entry_points() or self._registered.get(name, plugin) is not plugin:
                raise RegistryError(f"{self.group}: the name {name!r} is taken")
            self._registered[name] = plugin

    def names(self) -> list[str]:
        """Return every name, sorted. Nothing is imported."""
        return sorted({*self._entry_points(), *self._registered})

    def get(self, name: str) -> Any:
        """Import and return a plug-in.

        Raises:
            RegistryError: there is none of that name, two packages registered the name, or its import failed.
        """
        if name in self._registered:
            return self._registered[name]
        candidates = self._entry_points().get(name)
        if not candidates:
            raise RegistryError(f"{self.group}: no {name!r}; there are: {', '.join(self.names()) or 'none'}")
        if len(candidates) > 1:
            owners = " and ".join(sorted(f"{c.value} ({c.dist.name if c.dist else 'unknown'})" for c in candidates))
            raise RegistryError(f"{self.group}: {name!r} is registered by {owners}; uninstall one")
        try:
            return candidates[0].load()
        except Exception as exc:  # a plug-in may raise anything while it is imported
            raise RegistryError(f"{self.group}: {name!r} ({candidates[0].value}) can't be loaded: {exc}") from exc

    def load_all(self) -> Mapping[str, Any]:
        """Import and return every plug-in; a broken one is named in a warning and left out."""
        loaded = {}
        for name in self.names():
            try:
                loaded[name] = self.get(name)
            except RegistryError as exc:
                warn(str(exc), SecondPassWarning)
        return loaded

    def _entry_points(self) -> "dict[str, list[EntryPoint]]":
        from importlib.metadata import entry_points  # not with the module: a third of what importing secondpass takes

        found: dict[str, dict[str, EntryPoint]] = {}
        for point in entry_points(group=self.group):
            # One distribution can be on the path twice (editable and built); that is no collision.
            found.setdefault(point.name, {})[point.value] = point
        return {name: list(points.values()) for name, points in found.items()}


rerankers = Registry("secondpass.rerankers")


def load(reranker: str | Mapping[str, Any] | Reranker, **settings: Any) -> Reranker:
    """Return a reranker by its name; a configuration or a reranker is taken as well.

    Args:
        reranker: a registered name, ``"cross-encoder"``, or one with the first setting of its constructor
            after a colon, ``"cross-encoder:MODEL"``; or a mapping for `from_config`; or a `Reranker`, which
            comes back as it is.
        settings: further settings of the constructor, with a name only.

    Raises:
        RegistryError: there is no reranker of that name.
        ConfigError: a setting is unknown.
        ModelError: its model can't be loaded.
    """
    if isinstance(reranker, str):
        kind, colon, first = reranker.partition(":")
        loaded: Reranker = construct(rerankers.get(kind), *([first] if colon else []), **settings)
        return loaded
    if settings:
        raise ConfigError(f"settings ({', '.join(settings)}) go with a reranker's name only")
    if isinstance(reranker, Reranker):
        return reranker
    if isinstance(reranker, Mapping):
        return from_config(reranker)
    raise ConfigError(f'a reranker is a name ("cross-encoder"), a mapping or a Reranker, not {type(reranker).__name__}')


def from_config(config: Mapping[str, Any]) -> Reranker:
    """Build a reranker from plain data: what `Reranker.to_config` wrote, or a YAML file's contents.

    Args:
        config: a mapping with ``type``, the registered name, and the constructor's settings; a setting
            that is itself such a mapping (or a list of them) becomes a reranker.

    Raises:
        ConfigError: it is no such mapping, or a setting is unknown.
        RegistryError: there is no reranker of that name.
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("type"), str):
        raise ConfigError("a reranker's configuration is a mapping with its name under 'type'")
    settings = {key: _built(value) for key, value in config.items() if key != "type"}
    reranker: Reranker = rerankers.get(config["type"]).from_config(settings)
    return reranker


def _built(value: Any) -> Any:
    if isinstance(value, Mapping) and "type" in value:
        return from_config(value)
    if isinstance(value, list | tuple):
        return [_built(item) for item in value]
    return value
