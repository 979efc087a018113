"""BEIR folders in their two forms of qrels, and broken ones."""

from pathlib import Path

import pytest

from secondpass.errors import InputError
from secondpass.evaluate.beir import read_beir


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with two documents and two queries, and no judgements yet."""
    (tmp_path / "corpus.jsonl").write_text('{"_id": "1", "title": "T", "text": "x"}\n{"_id": 2, "text": "y"}\n')
    (tmp_path / "queries.jsonl").write_text('{"_id": "a", "text": "qa"}\n{"_id": "b", "text": "qb"}\n')
    return tmp_path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("qrels.txt", "a 0 1 3\na Q0 2 0\n"),
        ("qrels.tsv", "query-id\tcorpus-id\tscore\na\t1\t3\na\t2\t0\n"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\na\t1\t3\na\t2\t0\n"),
    ],
)
def test_each_form_of_qrels_is_read(folder: Path, name: str, content: str) -> None:
    """TREC's four columns and BEIR's three with a header give the same; queries without judgements are left out."""
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(content)
    collection = read_beir(folder)
    assert collection.qrels == {"a": {"1": 3, "2": 0}} and collection.queries == {"a": "qa"}
    assert collection.documents == (
        {"id": "1", "text": "T\nx", "metadata": {}},
        {"id": "2", "text": "y", "metadata": {}},
    )


def test_what_is_missing_or_broken_is_named(folder: Path) -> None:
    """File and line are in the message."""
    with pytest.raises(InputError, match=r"has no qrels.txt"):
        read_beir(folder)
    (folder / "qrels.txt").write_text("a 0 1 3\na 0 1 high\n")
    with pytest.raises(InputError, match=r"qrels.txt, line 2"):
        read_beir(folder)
    (folder / "qrels.txt").write_text("a 0 1 3\n")
    (folder / "corpus.jsonl").write_text('{"_id": "1", "text": "x"}\n{"text": "y"}\n')
    with pytest.raises(InputError, match=r"corpus.jsonl, line 2"):
        read_beir(folder)
    (folder / "queries.jsonl").unlink()
    (folder / "corpus.jsonl").unlink()
    with pytest.raises(InputError, match=r"corpus.jsonl is missing"):
        read_beir(folder)


@pytest.mark.parametrize("grade", ["1.0", "-", "--1", "\u00b2", "+"])
def test_a_grade_that_can_not_be_read_is_no_header(folder: Path, grade: str) -> None:
    """Not on the first line either, where it would be left out."""
    (folder / "qrels.txt").write_text(f"a 0 1 {grade}\na 0 2 1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"qrels.txt, line 1: not 'query document grade'"):
        read_beir(folder)


def test_a_header_may_come_after_blank_lines(folder: Path) -> None:
    """Blank lines count for nothing."""
    (folder / "qrels.tsv").write_text("\n\nquery-id\tcorpus-id\tscore\n\na\t1\t3\n")
    assert read_beir(folder).qrels == {"a": {"1": 3}}
