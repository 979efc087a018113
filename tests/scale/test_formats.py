"""Files are cut into shards that have each row once, and are written again with more columns."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.errors import InputError
from secondpass.scale import formats
from secondpass.scale.formats import Column, Shard, format_of
from tests.scale.rows import pairs, read, write

_SUFFIXES = [".parquet", ".jsonl"]


def _shards(path: Path, rows: int) -> list[Shard]:
    return [Shard(number, str(path), *run) for number, run in enumerate(format_of(path).cut(path, rows))]


@pytest.mark.parametrize("suffix", _SUFFIXES)
@given(n=st.integers(0, 40), rows=st.integers(1, 12), group=st.integers(1, 9))
def test_each_row_is_in_one_shard(suffix: str, n: int, rows: int, group: int) -> None:
    """However many rows there are in a shard and in a group of Parquet: all come back, in order, none twice."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"rows{suffix}"
        if n:
            write(path, pairs(n), group_rows=group)
        else:
            path = path.with_suffix(".jsonl")
            path.touch()
        shards = _shards(path, rows)
        found = [row for shard in shards for row in format_of(path).read(shard).columns(["id", "query", "document"])]
        assert found == pairs(n)
        assert all(0 < shard.rows <= rows for shard in shards) and format_of(path).count(path) == n


@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none()), min_size=1), st.booleans())
def test_lines_of_any_text_and_length(rows: list[dict[str, Any]], ends: bool) -> None:
    """Offsets are those of bytes, and the last line may end with the file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        text = "\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + ("\n" if ends else "")
        path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
        parts = [format_of(path).read(shard).with_columns([]) for shard in _shards(path, 2)]
        assert [json.loads(line) for part in parts for line in part.splitlines()] == rows


@given(
    st.lists(st.sampled_from([b"", b" ", b"\t \r", b'{"a": 1}', b' {"a": 2}\r']), max_size=30),
    st.booleans(),
    st.integers(1, 5),
    st.integers(1, 40),
)
def test_blank_lines_are_no_rows(lines: list[bytes], ends: bool, rows: int, chunk: int) -> None:
    """Wherever they stand, and wherever the file is cut while it is read."""
    expected = [json.loads(line) for line in lines if line.strip()]
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(formats, "_CHUNK", chunk)
        path = Path(folder) / "rows.jsonl"
        path.write_bytes(b"\n".join(lines) + (b"\n" if ends else b""))
        shards = _shards(path, rows)
        assert [row for shard in shards for row in format_of(path).read(shard).columns(["a"])] == expected
        assert [shard.start for shard in shards] == list(range(0, len(expected), rows))
        assert sum(shard.rows for shard in shards) == format_of(path).count(path) == len(expected)
        assert format_of(path).names(path) == frozenset("a" if expected else "")


@pytest.mark.parametrize("suffix", _SUFFIXES)
def test_columns_are_added_and_all_others_stay(suffix: str, tmp_path: Path) -> None:
    """With their types, and null where there is no value."""
    path = write(tmp_path / f"rows{suffix}", pairs(3))
    (shard,) = _shards(path, 10)
    added = [Column("score", pa.float64(), [0.1, 1 / 3, 2]), Column("why", pa.string(), [None, None, "it is empty"])]
    part = tmp_path / f"part{suffix}"
    part.write_bytes(format_of(path).read(shard).with_columns(added))
    expected = zip(pairs(3), [0.1, 1 / 3, 2.0], [None, None, "it is empty"], strict=True)
    assert read([part]) == [row | {"score": score, "why": why} for row, score, why in expected]


@pytest.mark.parametrize("suffix", _SUFFIXES)
def test_a_file_that_changes_meanwhile_is_noticed(suffix: str, tmp_path: Path) -> None:
    """What is there is not what was planned."""
    path = write(tmp_path / f"rows{suffix}", pairs(5))
    *_, last = _shards(path, 3)
    write(path, pairs(4))
    with pytest.raises(InputError, match="has changed: where it had 2 rows from row 4 on, there are 1"):
        format_of(path).read(last)


@pytest.mark.parametrize(("line", "said"), [("{", "line 5 is not JSON"), ("[1]", "line 5 is not a JSON object")])
def test_a_line_that_is_no_object_is_named(line: str, said: str, tmp_path: Path) -> None:
    """By its number in the file, blank lines included."""
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"a": 1}}\n\n{{"a": 2}}\n\n{line}\n', encoding="utf-8")
    for rows in (2, 10):
        with pytest.raises(InputError, match=said):
            format_of(path).read(_shards(path, rows)[-1])


def test_a_value_that_is_there_already_is_not_overwritten(tmp_path: Path) -> None:
    """Lines of JSON may have other names than the first one has."""
    path = write(tmp_path / "rows.jsonl", [{"query": "a"}, {"query": "b", "score": 1}])
    rows = format_of(path).read(_shards(path, 10)[0])
    with pytest.raises(InputError, match="line 2 has a 'score' already"):
        rows.with_columns([Column("score", pa.float64(), [0.0, 0.0])])


def test_what_is_not_parquet_is_refused(tmp_path: Path) -> None:
    """Whatever it is called, and so are other formats."""
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"not at all")
    with pytest.raises(InputError, match="can't be read as Parquet"):
        format_of(path).cut(path, 10)
    assert format_of(path).count(path) is None
    with pytest.raises(InputError, match=r"rows\.csv is none of \.parquet, \.jsonl, \.ndjson"):
        format_of(tmp_path / "rows.csv")
