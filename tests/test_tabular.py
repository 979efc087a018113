"""Cells of CSV that are longer than the csv module takes by itself."""

import csv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from secondpass.cli.documents import documents_in
from secondpass.learn.data.judgements import read_judged
from secondpass.tabular import long_cells
from secondpass.verify.sources import data_in

_LONG = "word " * 40_000


def test_a_long_document_of_a_csv_file_is_read(tmp_path: Path) -> None:
    """As it is from every other kind of file."""
    (tmp_path / "a.csv").write_text(f'id,text\n1,"{_LONG}"\n')
    assert documents_in(str(tmp_path / "a.csv")) == [(1, {"text": _LONG, "id": "1"})]


def test_a_long_answer_is_read(tmp_path: Path) -> None:
    """Among the judgements that a reranker learns from."""
    (tmp_path / "faq.csv").write_text(f'question,answer\nwhich?,"{_LONG}"\nwhat?,that\n')
    assert [document["text"] for document in read_judged(tmp_path / "faq.csv").documents] == [_LONG, "that"]


def test_a_table_with_a_long_cell_is_a_table() -> None:
    """Among the passages of a verifier."""
    *long, short = data_in(f"name,note\nbolt,{_LONG}\nnut,small\n").records
    assert long and all("word word" in record.text for record in long)
    assert "nut" in short.text and "small" in short.text


def test_the_limit_is_as_it_was_behind_it() -> None:
    """For other users of the csv module, whatever happens within and in how many threads."""
    before = csv.field_size_limit()

    def read(length: int) -> int:
        with long_cells(length):
            return len(next(csv.reader(["x" * length]))[0])

    with ThreadPoolExecutor(8) as pool:
        lengths = [150_000 + 1000 * at for at in range(40)]
        assert list(pool.map(read, lengths)) == lengths
    with pytest.raises(csv.Error), long_cells(200_000):
        next(csv.reader(["x" * 200_001]))
    assert csv.field_size_limit() == before
