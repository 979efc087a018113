"""Changes of a store's registry: one writer at a time, and a file that is there whole or not at all."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from secondpass.errors import MissingExtraError, ModelError
from secondpass.files import write_whole
from secondpass.models.sources.store import REGISTRY, Registry, read_registry

__all__ = ["RegistryWriter", "StoreError", "changing", "now", "with_event"]

_LOCK = ".lock"
_MOST_EVENTS = 1000  # what is older is forgotten


class StoreError(ModelError):
    """A store of models can't be written: no space, no permission, another writer that does not come to an end."""


class RegistryWriter:
    """The registry of a store while no other process can change it.

    Args:
        root: the store's folder.

    Attributes:
        registry: what the file says.

    Raises:
        ModelIntegrityError: the registry is damaged.
    """

    def __init__(self, root: Path) -> None:
        self._path = root / REGISTRY
        self.registry = read_registry(root) or Registry()

    def write(self, changed: Registry) -> None:
        """Put a changed registry in the file's place; if that fails, the file stays as it is.

        Raises:
            StoreError: it can't be written.
        """
        contents = json.dumps(changed.to_dict(), indent=1, allow_nan=False)
        try:
            write_whole(self._path, contents.encode())
        except OSError as exc:
            raise StoreError(f"{self._path} can't be written: {exc}") from exc
        self.registry = changed


@contextmanager
def changing(root: Path, *, timeout_s: float) -> Iterator[RegistryWriter]:
    """Let nobody else change a store's registry for the time of a ``with``.

    Args:
        root: the store's folder, which has to be there.
        timeout_s: how long to wait for other writers.

    Raises:
        StoreError: the folder can't be written to, or other writers take too long.
        ModelIntegrityError: the registry is damaged.
    """
    with _locked(root, timeout_s):
        yield RegistryWriter(root)


def with_event(registry: Registry, action: str, **about: Any) -> Registry:
    """Return the registry with an entry of what happened."""
    event = {"at": now(), "action": action, **{name: value for name, value in about.items() if value not in (None, "")}}
    return replace(registry, events=(*registry.events, event)[-_MOST_EVENTS:])


def now() -> str:
    """Return the time, in UTC, to the second, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def _locked(root: Path, timeout_s: float) -> Iterator[None]:
    try:
        from filelock import FileLock, Timeout
    except ImportError as exc:
        raise MissingExtraError.of("learn", "writing to a ModelStore") from exc
    # The system gives a lock of a process that was killed to the next one.
    lock = FileLock(root / _LOCK, timeout=timeout_s, thread_local=False, mode=0o644)
    try:
        lock.acquire()
    except Timeout as exc:
        raise StoreError(f"{root} was locked by another process for {timeout_s:g} s; try again") from exc
    except OSError as exc:
        raise StoreError(f"{root} can't be written: {exc}") from exc
    try:
        yield
    finally:
        lock.release()
