"""The plug-ins that installed packages add to a group of entry points, found by name.

Below everything that is found through it, so that a reranker's configuration can be built by the base class.
"""

from collections.abc import Mapping
from threading import Lock
from typing import Any

from secondpass.errors import RegistryError, SecondPassWarning, warn
from secondpass.forking import reset_after_fork
from secondpass.validation import did_you_mean

__all__ = ["Registry", "backends", "models", "rerankers"]

_OUR_GROUPS = "secondpass."


class Registry:
    """The plug-ins of one entry-point group, loaded by name when they are asked for.

    Args:
        group: its name.
        built_in: where those that come with secondpass are, by name, as ``module:attribute``.
    """

    def __init__(self, group: str, built_in: Mapping[str, str] | None = None) -> None:
        self.group = group
        self._built_in = dict(built_in or {})
        self._registered: dict[str, Any] = {}
        self._renew_lock()
        reset_after_fork(self, Registry._renew_lock)

    def _renew_lock(self) -> None:
        self._lock = Lock()

    def register(self, name: str, plugin: Any) -> None:
        """Add a plug-in for this process; a package adds one by an entry point.

        Raises:
            RegistryError: another plug-in has the name already.
        """
        with self._lock:
            if name in self._entry_points() or self._registered.get(name, plugin) is not plugin:
                raise RegistryError(f"{self.group}: the name {name!r} is taken")
            self._registered[name] = plugin

    def names(self) -> list[str]:
        """Return every name, sorted. Nothing is imported."""
        return sorted({*self._entry_points(), *self._registered})

    def registered(self) -> list[str]:
        """Return the names that were added by `register`, for this process alone."""
        return sorted(self._registered)

    def get(self, name: str) -> Any:
        """Import and return a plug-in.

        Raises:
            RegistryError: there is none of that name, two packages registered the name, or its import failed.
        """
        if name in self._registered:
            return self._registered[name]
        candidates = self._entry_points().get(name)
        if not candidates:
            names = self.names()
            hint = _elsewhere(name) or did_you_mean(name, names)
            raise RegistryError(f"{self.group}: no {name!r}{hint}; there are: {', '.join(names) or 'none'}")
        if len(candidates) > 1:
            owners = " and ".join(sorted(f"{c.value} ({c.dist.name if c.dist else 'unknown'})" for c in candidates))
            raise RegistryError(f"{self.group}: {name!r} is registered by {owners}; uninstall one of them")
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

    def _entry_points(self) -> dict[str, Any]:
        from importlib.metadata import (  # not with the module: a third of what importing secondpass takes
            EntryPoint,
            entry_points,
        )

        found: dict[str, dict[str, EntryPoint]] = {}
        for name, place in self._built_in.items():
            found[name] = {place: EntryPoint(name, place, self.group)}
        for point in entry_points(group=self.group):
            # One distribution can be on the path twice (editable and built); that is not a collision.
            found.setdefault(point.name, {})[point.value] = point
        return {name: list(points.values()) for name, points in found.items()}


def _elsewhere(name: str) -> str:
    """Return in which other groups of ours a name is, and what it is there: a verifier is not a reranker."""
    from importlib.metadata import entry_points

    points = sorted((p.group, p.value) for p in entry_points(name=name) if p.group.startswith(_OUR_GROUPS))
    return "".join(f", but {group} has it: {value}" for group, value in dict(points).items())


rerankers = Registry("secondpass.rerankers")
models = Registry("secondpass.models")
backends = Registry(
    "secondpass.backends",
    {
        "onnx": "secondpass.models.backends.onnx:OnnxBackend",
        "openvino": "secondpass.models.backends.openvino:OpenVinoBackend",
        "torch": "secondpass.models.backends.torch:TorchBackend",
        "use": "secondpass.models.backends.use:UseBackend",
    },
)
