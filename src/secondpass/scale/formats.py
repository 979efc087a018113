"""Rows of Parquet and JSONL files: cut into shards, read with what is needed of them, written with more columns."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from secondpass.errors import InputError, MissingExtraError, first_line

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ModuleNotFoundError as exc:
    raise MissingExtraError.of("ray", "secondpass.scale") from exc

__all__ = ["Column", "Format", "Shard", "ShardRows", "format_of"]

_CHUNK = 1 << 23
_NEWLINE, _SPACE = ord("\n"), ord(" ")


@dataclass(frozen=True, slots=True)
class Shard:
    """Neighbouring rows of one file, which are read, scored and written together.

    Attributes:
        number: its place among all shards, from 0.
        file: where the rows are.
        start: the first row, from 0.
        rows: how many there are.
        offset: of the first row, in bytes; 0 in formats that find rows otherwise.
        size: of all rows in bytes; likewise.
    """

    number: int
    file: str
    start: int
    rows: int
    offset: int = 0
    size: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is added to the rows.

    Attributes:
        name: in the output.
        type: its type in Parquet.
        values: one for each row.
    """

    name: str
    type: pa.DataType
    values: Sequence[Any]


class ShardRows(ABC):
    """The rows of a shard, and how they are written again."""

    @abstractmethod
    def columns(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """Return each row with some of its columns, None where a row lacks one."""

    @abstractmethod
    def with_columns(self, added: Sequence[Column]) -> bytes:
        """Return a file of the rows as they were read, with further columns."""


class Format(ABC):
    """A format of files.

    Attributes:
        suffix: of the files that are written.
    """

    suffix: str

    @abstractmethod
    def cut(self, path: Path, rows: int) -> list[tuple[int, int, int, int]]:
        """Cut a file into runs of at most ``rows`` rows; each as the last four fields of a `Shard`.

        Raises:
            InputError: it is not of the format.
        """

    @abstractmethod
    def names(self, path: Path) -> frozenset[str]:
        """Return the names of a file's columns; in formats where each row has its own, those of the first row."""

    @abstractmethod
    def read(self, shard: Shard) -> ShardRows:
        """Read the rows of a shard.

        Raises:
            InputError: they can't be read, or are not as many as when the file was cut.
        """

    @abstractmethod
    def count(self, path: Path) -> int | None:
        """Return how many rows a file has; None if it can't be read."""


class Parquet(Format):
    """Parquet: rows are found through the groups of rows that the file's footer lists."""

    suffix = ".parquet"

    def cut(self, path: Path, rows: int) -> list[tuple[int, int, int, int]]:
        """Cut a file by row numbers."""
        with _opened(path) as file:
            total = file.metadata.num_rows
        return [(start, min(rows, total - start), 0, 0) for start in range(0, total, rows)]

    def names(self, path: Path) -> frozenset[str]:
        """Return the names of the columns."""
        with _opened(path) as file:
            return frozenset(file.schema_arrow.names)

    def read(self, shard: Shard) -> "_ParquetRows":
        """Read the groups that have the rows, and keep those."""
        with _opened(Path(shard.file)) as file:
            counts = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
            ends = np.cumsum(counts)
            groups = [
                group
                for group, (n, end) in enumerate(zip(counts, ends, strict=True))
                if end > shard.start and end - n < shard.start + shard.rows
            ]
            first = int(ends[groups[0]] - counts[groups[0]]) if groups else 0
            table = file.read_row_groups(groups).slice(shard.start - first, shard.rows)
        _require_all(shard, table.num_rows)
        return _ParquetRows(table)

    def count(self, path: Path) -> int | None:
        """Return what the footer says."""
        try:
            with _opened(path) as file:
                return int(file.metadata.num_rows)
        except InputError:
            return None


@dataclass(frozen=True, slots=True)
class _ParquetRows(ShardRows):
    table: pa.Table

    def columns(self, names: Sequence[str]) -> list[dict[str, Any]]:
        present = [name for name in names if name in self.table.column_names]
        rows: list[dict[str, Any]] = self.table.select(present).to_pylist()
        return rows

    def with_columns(self, added: Sequence[Column]) -> bytes:
        table = self.table
        for column in added:
            table = table.append_column(column.name, pa.array(column.values, column.type))
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink)
        contents: bytes = sink.getvalue().to_pybytes()
        return contents


def _opened(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as exc:
        raise InputError(f"{path} can't be read as Parquet: {first_line(exc)}") from exc


class JSONLines(Format):
    """JSONL: an object in each line that is not blank, found by its offset."""

    suffix = ".jsonl"

    def cut(self, path: Path, rows: int) -> list[tuple[int, int, int, int]]:
        """Look for the ends of lines that are not blank, and cut at each of as many as a run has."""
        ends = [0]
        n_rows = at = 0
        try:
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK) + file.readline():
                    found = _ends_of_rows(chunk)
                    ends += (found[(-n_rows - 1) % rows :: rows] + at).tolist()
                    n_rows, at = n_rows + len(found), at + len(chunk)
        except OSError as exc:
            raise InputError(f"{path} can't be read: {first_line(exc)}") from exc
        if ends[-1] != at:
            ends.append(at)
        return [
            (start, min(rows, n_rows - start), ends[cut], ends[cut + 1] - ends[cut])
            for cut, start in enumerate(range(0, n_rows, rows))
        ]

    def names(self, path: Path) -> frozenset[str]:
        """Return the names in the first line that is not blank."""
        with path.open("rb") as file:
            for at, line in enumerate(file):
                if not _is_blank(line):
                    return frozenset(_object(line, partial("{}, line {}".format, path, at + 1)))
        return frozenset()

    def read(self, shard: Shard) -> "_JSONRows":
        """Read the lines."""
        path = Path(shard.file)
        try:
            with path.open("rb") as file:
                file.seek(shard.offset)
                lines = file.read(shard.size).split(b"\n")
        except OSError as exc:
            raise InputError(f"{path} can't be read: {first_line(exc)}") from exc
        filled = [at for at, line in enumerate(lines) if not _is_blank(line)]
        _require_all(shard, len(filled))
        rows = _JSONRows([], shard, filled)
        rows.rows.extend(_object(lines[at], partial(rows.place, row)) for row, at in enumerate(filled))
        return rows

    def count(self, path: Path) -> int | None:
        """Count the lines that are not blank."""
        try:
            return sum(n for _, n, _, _ in self.cut(path, 1 << 30))
        except InputError:
            return None


@dataclass(frozen=True, slots=True)
class _JSONRows(ShardRows):
    rows: list[dict[str, Any]]
    shard: Shard
    lines: list[int]  # of each row, counted from the shard's first line

    def place(self, row: int) -> str:
        """Return the file and the line of a row, for an error."""
        before, left = 0, self.shard.offset
        with Path(self.shard.file).open("rb") as file:
            while left and (chunk := file.read(min(left, _CHUNK))):
                before, left = before + chunk.count(b"\n"), left - len(chunk)
        return f"{self.shard.file}, line {before + self.lines[row] + 1}"

    def columns(self, names: Sequence[str]) -> list[dict[str, Any]]:
        return [{name: row.get(name) for name in names} for row in self.rows]

    def with_columns(self, added: Sequence[Column]) -> bytes:
        names = {column.name for column in added}
        lines = []
        for at, row in enumerate(self.rows):
            if not names.isdisjoint(row):
                raise InputError(f"{self.place(at)} has a {min(names & row.keys())!r} already")
            lines.append(json.dumps(row | {column.name: column.values[at] for column in added}, ensure_ascii=False))
        # A lone surrogate is written as the reader found it: as an escape.
        return "".join(f"{line}\n" for line in lines).encode("utf-8", errors="backslashreplace")


def _ends_of_rows(lines: bytes) -> npt.NDArray[np.int64]:
    """Return where the lines that are not blank end, in bytes that are whole lines; the last may lack its newline."""
    data = np.frombuffer(lines, np.uint8)
    ends = np.flatnonzero(data == _NEWLINE) + 1
    if not lines.endswith(b"\n"):
        ends = np.append(ends, len(lines))
    starts = np.concatenate(([0], ends[:-1]))
    filled = data[starts] > _SPACE  # an object has nothing before it, as a rule
    for at in np.flatnonzero(~filled).tolist():
        filled[at] = not _is_blank(lines[starts[at] : ends[at]])
    return ends[filled]


def _is_blank(line: bytes) -> bool:
    return not line or line.isspace()


def _object(line: bytes, place: Callable[[], str]) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise InputError(f"{place()} is not JSON: {first_line(exc)}") from exc
    if not isinstance(value, dict):
        raise InputError(f"{place()} is not a JSON object")
    return value


def _require_all(shard: Shard, n: int) -> None:
    if n != shard.rows:
        raise InputError(
            f"{shard.file} has changed: where it had {shard.rows} rows from row {shard.start + 1} on, there are {n}"
        )


_FORMATS = {".parquet": Parquet(), ".jsonl": JSONLines(), ".ndjson": JSONLines()}


def format_of(path: Path) -> Format:
    """Return the format of a file, by its name.

    Raises:
        InputError: it is none of those that can be read.
    """
    found = _FORMATS.get(path.suffix.lower())
    if found is None:
        raise InputError(f"{path} is none of {', '.join(_FORMATS)}, which is what can be read")
    return found
