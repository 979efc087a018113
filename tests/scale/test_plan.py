"""Which files are read, in which order, and which are refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from secondpass.errors import InputError
from secondpass.scale.plan import Plan
from tests.scale.rows import pairs, write


def test_a_folder_has_its_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Hidden ones and those with an underscore are not data; shards never cross a file."""
    for name, n in (("b.jsonl", 3), ("a.jsonl", 5), ("_run.jsonl", 1), (".hidden.jsonl", 1)):
        write(tmp_path / name, pairs(n))
    plan = Plan.of(tmp_path, 4)
    assert [(Path(shard.file).name, shard.start, shard.rows) for shard in plan.shards] == [
        ("a.jsonl", 0, 4),
        ("a.jsonl", 4, 1),
        ("b.jsonl", 0, 3),
    ]
    assert plan.rows == 8 and plan.names == {"id", "query", "document"}
    assert [each["name"] for each in plan.identity()] == ["a.jsonl", "b.jsonl"]


def test_columns_are_those_that_all_files_have(tmp_path: Path) -> None:
    """A column that one of them lacks can't be relied on."""
    first = write(tmp_path / "a.parquet", pairs(2))
    second = write(tmp_path / "b.parquet", [{"query": "q", "document": "d", "more": 1}])
    assert Plan.of([first, second], 10).names == {"query", "document"}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (lambda folder: folder / "none.jsonl", "neither a file nor a folder"),
        (lambda folder: folder / "empty", "there are no files in"),
        (lambda folder: folder / "nothing.jsonl", "there are no rows in"),
        (lambda folder: [folder / "a.jsonl", folder / "b.parquet"], "not of one format: a.jsonl is not like b.parquet"),
        (lambda folder: [folder / "a.jsonl", folder / "a.jsonl"], "names a file twice"),
        (lambda folder: "s3://bucket/rows.parquet", "is not a path: mount the store as a folder"),
        (lambda folder: [], "a file, a folder of files or a list of files"),
        (lambda folder: 3, "a file, a folder of files or a list of files"),
    ],
)
def test_what_can_not_be_read_is_refused(source: Callable[[Path], Any], said: str, tmp_path: Path) -> None:
    """Before anything is scored."""
    write(tmp_path / "a.jsonl", pairs(1))
    write(tmp_path / "b.parquet", pairs(1))
    (tmp_path / "empty").mkdir()
    (tmp_path / "nothing.jsonl").touch()
    with pytest.raises(InputError, match=said):
        Plan.of(source(tmp_path), 10)
