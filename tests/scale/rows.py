"""Rows in files, and what a test expects of them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["pairs", "read", "write"]

Row = dict[str, Any]


def pairs(n: int) -> list[Row]:
    """Return rows with an id, a query and a document, all different."""
    return [
        {"id": at, "query": f"how do I copy file {at % 7}?", "document": f"shutil.copy copies file {at} to a place"}
        for at in range(n)
    ]


def write(path: Path, rows: Sequence[Mapping[str, Any]], *, group_rows: int = 3) -> Path:
    """Write rows in the format of a file's name."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(list(rows)), path, row_group_size=group_rows)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def read(paths: Iterable[Path]) -> list[Row]:
    """Return the rows of files, in order."""
    rows: list[Row] = []
    for path in paths:
        if path.suffix == ".parquet":
            rows += pq.read_table(path).to_pylist()
        else:
            rows += map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return rows
