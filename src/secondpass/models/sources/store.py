"""Read a store of model versions: its registry, and the files of a version, which are checked before use.

`secondpass.learn.ModelStore` writes them. A folder ``models`` holds

```
registry.json          every version with what is known of it, what the aliases point to, and what happened
versions/v1/           the files of a version, which never change
```

and ``store:models#production`` names the version that the alias ``production`` points to.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, get_args

from secondpass.errors import ModelFormatError, ModelIntegrityError, ModelNotFoundError
from secondpass.models.sources.config import read_json
from secondpass.models.sources.files import sha256_of
from secondpass.models.sources.spec import Task
from secondpass.validation import shown

__all__ = [
    "DEFAULT_ALIAS",
    "PREFIX",
    "REGISTRY",
    "VERSIONS",
    "ModelVersion",
    "Registry",
    "read_registry",
    "stored_version",
    "verified_folder",
]

PREFIX = "store:"
DEFAULT_ALIAS = "production"
REGISTRY, VERSIONS = "registry.json", "versions"
FORMAT = 1

_SHA256 = re.compile(r"[0-9a-f]{64}")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """What is known of a version of a model.

    Attributes:
        name: the version's, such as ``v3``.
        task: what the model is for: ``rerank``, ``nli``, ``embed`` or ``colbert``.
        created: when it was added, as ISO 8601 in UTC.
        base: the model that its training started from; empty if that is not known.
        data_hash: of what it was trained on, see `secondpass.learn.data_hash`; empty if that is not known.
        settings: of its training, as plain data.
        metrics: figure by name, such as ``nDCG@10``.
        files: path in the version's folder to SHA-256, of every file.
        size_bytes: of all files.
        note: a remark for people.
    """

    name: str
    task: Task
    created: str
    base: str = ""
    data_hash: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict, repr=False)
    size_bytes: int = 0
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Registry:
    """What the registry file of a store says.

    Attributes:
        versions: by name, the oldest first.
        aliases: name to the versions that it pointed to, the latest last; that is the one it points to.
        next_number: of the next version that gets its name from a number; never one that was used before.
        events: what happened, the latest last.
    """

    versions: Mapping[str, ModelVersion] = field(default_factory=dict)
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    next_number: int = 1
    events: tuple[Mapping[str, Any], ...] = ()

    def version(self, name: str, root: Path) -> ModelVersion:
        """Return a version by its name or an alias.

        Raises:
            ModelNotFoundError: there is none; says which there are.
        """
        history = self.aliases.get(name)
        found = self.versions.get(history[-1] if history else name)
        if found is None:
            there = ", ".join(self.versions) or "none"
            aliases = ", ".join(self.aliases) or "none"
            raise ModelNotFoundError(f"{root} has no version or alias {name!r}; versions: {there}; aliases: {aliases}")
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data: what the file holds."""
        return {
            "format": FORMAT,
            "next_number": self.next_number,
            "versions": [version.to_dict() for version in self.versions.values()],
            "aliases": {name: list(history) for name, history in self.aliases.items()},
            "events": [dict(event) for event in self.events],
        }


def read_registry(root: Path) -> Registry | None:
    """Read the registry of a store; None if the folder has none.

    Raises:
        ModelIntegrityError: it is damaged, or of another version of secondpass.
    """
    path = root / REGISTRY
    try:
        if not path.exists():
            return None
    except OSError as exc:  # no permission to look
        raise ModelIntegrityError(f"{path} can't be read: {exc}") from exc
    data = read_json(path)
    if data.get("format") != FORMAT:
        raise ModelIntegrityError(
            f"{path} has the format {shown(data.get('format'))}, and this version of secondpass reads {FORMAT}"
        )
    try:
        versions = [_version(each) for each in data["versions"]]
        by_name = {version.name: version for version in versions}
        aliases = {str(name): tuple(map(str, history)) for name, history in data["aliases"].items()}
        registry = Registry(by_name, aliases, int(data["next_number"]), tuple(data["events"]))
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise ModelIntegrityError(f"{path} is damaged ({exc!r:.200})") from exc
    strange = [name for history in aliases.values() for name in history or ("",) if name not in by_name]
    if strange or len(by_name) != len(versions):
        raise ModelIntegrityError(f"{path} is damaged: an alias without a version ({strange}), or two of one name")
    return registry


def stored_version(name: str, task: Task) -> tuple[ModelVersion, Path]:
    """Return the version that ``store:FOLDER#NAME`` names, and the folder with its files, which were checked.

    Args:
        name: with a version or an alias behind ``#``; without, ``production`` is meant.
        task: what it is wanted for.

    Raises:
        ModelNotFoundError: there is no such store or version.
        ModelIntegrityError: the registry is damaged, or a file is not the one that was added.
        ModelFormatError: the version is a model for another task.
    """
    place, mark, wanted = name.removeprefix(PREFIX).rpartition("#")
    if not mark:
        place, wanted = wanted, DEFAULT_ALIAS
    root = Path(place).expanduser()
    registry = read_registry(root)
    if registry is None or not place:
        raise ModelNotFoundError(
            f"{name}: {place or 'nothing'} is not a folder with a {REGISTRY}; a version is named store:FOLDER#VERSION"
        )
    version = registry.version(wanted, root)
    if version.task != task:
        raise ModelFormatError(f"{name} ({version.name}) is a model for the task {version.task!r}, not {task!r}")
    return version, verified_folder(version, root)


def verified_folder(version: ModelVersion, root: Path) -> Path:
    """Return the folder with a version's files, once each was found to be what was added; nothing else may be there.

    Raises:
        ModelIntegrityError: a file is missing, is not the one that was added, or was not added.
    """
    folder = root / VERSIONS / version.name
    again = "restore the folder, or take another version"
    try:
        there = set(files_in(folder))
        for name, sha256 in version.files.items():
            if name not in there:
                raise ModelIntegrityError(f"{version.name} in {root}: {name} is missing; {again}")
            if sha256_of(folder / name) != sha256:
                raise ModelIntegrityError(f"{version.name} in {root}: {name} is not the file that was added; {again}")
    except OSError as exc:
        raise ModelIntegrityError(f"{version.name} in {root} can't be read ({exc}); {again}") from exc
    if added := sorted(there - set(version.files)):
        raise ModelIntegrityError(f"{version.name} in {root}: {added[0]} was put there later; {again}")
    return folder


def files_in(folder: Path) -> list[str]:
    """Return the paths of all files below a folder, and of links to folders, relative to it, with slashes, sorted.

    Raises:
        OSError: it can't be read.
    """
    found = []
    for place, folders, names in os.walk(folder, onerror=_raise):
        links = [name for name in folders if (Path(place) / name).is_symlink()]  # into which os.walk does not go
        found += [(Path(place) / name).relative_to(folder).as_posix() for name in names + links]
    return sorted(found)


def _raise(error: OSError) -> None:
    raise error


def _version(data: Mapping[str, Any]) -> ModelVersion:
    version = ModelVersion(**data)
    texts = (version.name, version.created, version.base, version.data_hash, version.note)
    if not all(isinstance(text, str) for text in texts) or not NAME.fullmatch(version.name):
        raise ValueError(f"the version {version.name!r}")
    if version.task not in get_args(Task):
        raise ValueError(f"the task {version.task!r}")
    for name, sha256 in version.files.items():
        parts = PurePosixPath(name).parts
        outside = not parts or ".." in parts or PurePosixPath(name).is_absolute() or "\\" in name
        if outside or not _SHA256.fullmatch(sha256):
            raise ValueError(f"the file {name!r}")
    for name, value in version.metrics.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"the metric {name!r}")
    return version
