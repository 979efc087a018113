"""The folder of a run: parts that are whole, and a run that only goes on as it began."""

from pathlib import Path
from typing import Any

import pytest

from secondpass.errors import ConfigError, ScoringError
from secondpass.scale.formats import Shard, format_of
from secondpass.scale.output import OutputFolder

_SHARD = Shard(3, "rows.jsonl", 300, 2)
_RUN: dict[str, Any] = {"input": [{"name": "rows.jsonl", "bytes": 10}], "shard_rows": 100}


@pytest.fixture
def folder(tmp_path: Path) -> OutputFolder:
    """Return the folder of a run that has begun."""
    begun = OutputFolder(tmp_path / "out", format_of(Path("rows.jsonl")))
    begun.begin(_RUN)
    return begun


def test_a_run_goes_on_where_it_was(folder: OutputFolder) -> None:
    """Whatever a process that was killed left beside the parts."""
    folder.put(_SHARD, b"{}\n{}\n")
    (folder.path / ".writing-1").write_bytes(b"{")
    folder.begin(_RUN)
    assert folder.is_done(_SHARD)
    assert [path.name for path in sorted(folder.path.glob("part-*"))] == ["part-000003.jsonl"]


def test_another_run_is_refused(folder: OutputFolder) -> None:
    """With what is different."""
    with pytest.raises(ConfigError, match=r"holds another run, which differs in shard_rows \(was 100, is 50\)"):
        folder.begin(_RUN | {"shard_rows": 50})


def test_a_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    """Nothing of anybody's is mixed with our parts."""
    (tmp_path / "notes.txt").touch()
    folder = OutputFolder(tmp_path, format_of(Path("rows.jsonl")))
    with pytest.raises(ConfigError, match=r"is not empty \('notes.txt'\) and holds no run"):
        folder.begin(_RUN)
    with pytest.raises(ConfigError, match="can't be used for the output"):
        OutputFolder(tmp_path / "notes.txt", folder.kind).begin(_RUN)


def test_a_damaged_note_of_the_run_is_named(folder: OutputFolder) -> None:
    """Rather than taken for no run."""
    (folder.path / "_run.json").write_bytes(b"{")
    with pytest.raises(ConfigError, match=r"_run\.json can't be read"):
        folder.begin(_RUN)


@pytest.mark.parametrize("contents", [b"", b"{}\n", b"{}\n{}\n{}\n"])
def test_a_part_with_other_rows_is_not_done(folder: OutputFolder, contents: bytes) -> None:
    """It is scored again, which puts it right."""
    assert not folder.is_done(_SHARD)
    folder.part(_SHARD).write_bytes(contents)
    assert not folder.is_done(_SHARD)


def test_a_run_has_one_model(folder: OutputFolder) -> None:
    """A worker with another one of the same name is stopped."""
    folder.require_model("first")
    folder.require_model("first")
    with pytest.raises(ConfigError, match="has scores of the model first, and here that name stands for second"):
        folder.require_model("second")


def test_rows_that_kill_each_worker_do_not_do_so_for_ever(folder: OutputFolder) -> None:
    """A seventh attempt is not made, but a finished shard and a new run begin to count anew."""
    for _ in range(6):
        folder.attempt(_SHARD)
    with pytest.raises(ScoringError, match=r"6 workers died with rows 301 to 302 of rows\.jsonl"):
        folder.attempt(_SHARD)
    folder.forget_attempts()
    folder.attempt(_SHARD)
    folder.put(_SHARD, b"{}\n{}\n")
    assert not list((folder.path / "_attempts").iterdir())
