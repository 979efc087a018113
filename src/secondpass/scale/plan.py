"""Which files a run reads, and how they are cut into shards: the same each time, so that a run can go on."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from secondpass.errors import InputError
from secondpass.scale.formats import Format, Shard, format_of
from secondpass.validation import shown

__all__ = ["Plan", "Source", "files_of"]

Source = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""A file, a folder of files, or several files."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The shards of some files.

    Attributes:
        files: in their order.
        format: of all of them.
        shards: in order.
        names: of the columns that the files have; of JSONL, those of the first rows.
    """

    files: tuple[Path, ...]
    format: Format
    shards: tuple[Shard, ...]
    names: frozenset[str]

    @classmethod
    def of(cls, source: Source, shard_rows: int) -> "Plan":
        """Look at the files, and cut them.

        Args:
            source: a file, a folder of files (in the order of their names), or several files.
            shard_rows: the most rows in a shard.

        Raises:
            InputError: there is no file or no row, a file can't be read, or their formats or columns differ.
        """
        files = files_of(source)
        kind = format_of(files[0])
        others = [path.name for path in files if type(format_of(path)) is not type(kind)]
        if others:
            raise InputError(f"the files are not of one format: {files[0].name} is not like {others[0]}")
        runs = [(path, run) for path in files for run in kind.cut(path, shard_rows)]
        if not runs:
            raise InputError(f"there are no rows in {', '.join(map(str, files[:3]))}")
        shards = tuple(Shard(number, str(path), *run) for number, (path, run) in enumerate(runs))
        names = [kind.names(path) for path in dict.fromkeys(path for path, _ in runs)]
        return cls(files, kind, shards, frozenset.intersection(*names))

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(shard.rows for shard in self.shards)

    def identity(self) -> list[dict[str, Any]]:
        """Return what tells whether the files are still the same: names, sizes and times of the last change."""
        stats = [(path.name, path.stat()) for path in self.files]
        return [{"name": name, "bytes": stat.st_size, "modified_ns": stat.st_mtime_ns} for name, stat in stats]


def files_of(source: Source) -> tuple[Path, ...]:
    """Return the files of a source, in their order.

    Raises:
        InputError: there is none, or one is not there or named twice.
    """
    given = [source] if isinstance(source, str | os.PathLike) else source
    if not isinstance(given, Sequence) or not given or not all(isinstance(each, str | os.PathLike) for each in given):
        raise InputError(f"the input is a file, a folder of files or a list of files, not {shown(source)}")
    files: list[Path] = []
    for each in given:
        if "://" in os.fspath(each):
            raise InputError(f"{each} is not a path: mount the store as a folder that all nodes see, and name that")
        path = Path(each).expanduser().absolute()
        if path.is_dir():
            found = sorted(inner for inner in path.iterdir() if inner.is_file() and inner.name[0] not in "._")
            if not found:
                raise InputError(f"there are no files in {path}")
            files += found
        elif path.is_file():
            files.append(path)
        else:
            raise InputError(f"{path} is neither a file nor a folder")
    if len(set(files)) < len(files):
        raise InputError("the input names a file twice, and its rows would be in the output twice")
    return tuple(files)
