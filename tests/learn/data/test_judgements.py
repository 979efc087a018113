"""Datasets from files of answers, clicks and feedback."""

import json
from pathlib import Path

import pytest

from secondpass.errors import InputError
from secondpass.learn import TrainingExample, as_dataset, read_judged

CORPUS = {"a": "shutil.copy", "b": "os.remove", "c": "os.rename"}


def _file(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_answers_are_documents(tmp_path: Path) -> None:
    """Each answer is a document; those that the corpus has keep their id, and others get one that is free."""
    text = (
        "question;answer;note\nhow to copy?;shutil.copy;x\nhow to copy?;shutil.copytree;\nhow to delete?;os.remove;\n"
    )
    alone = read_judged(_file(tmp_path, "faq.csv", text))
    beside = read_judged(tmp_path / "faq.csv", {**CORPUS, "d2": "os.link"})

    assert alone.queries == {"q1": "how to copy?", "q2": "how to delete?"}
    assert alone.qrels == {"q1": {"d1": 1, "d2": 1}, "q2": {"d3": 1}}
    assert beside.qrels == {"q1": {"a": 1, "d1": 1}, "q2": {"b": 1}}
    assert [each["text"] for each in beside.documents if not isinstance(each, str)][-1] == "shutil.copytree"


def test_clicks_and_feedback(tmp_path: Path) -> None:
    """Skipped above a click is grade 0; ids are those of the corpus; JSON lines and TSV are read alike."""
    rows = [("a", 0, 1), ("b", 1, 2), ("c", 0, 3)]
    lines = [{"query": "delete", "document": d, "clicked": bool(c), "rank": r, "session": "1"} for d, c, r in rows]
    table = "query\tdocument\tclicked\trank\tsession\n" + "".join(f"delete\t{d}\t{c}\t{r}\t1\n" for d, c, r in rows)
    as_json = read_judged(_file(tmp_path, "clicks.jsonl", "\n".join(map(json.dumps, lines))), CORPUS)
    as_table = read_judged(_file(tmp_path, "clicks.tsv", table), CORPUS)
    liked = read_judged(_file(tmp_path, "liked.csv", "query,document,relevant\ndelete,os.remove,yes\ndelete,ls,No\n"))

    assert as_json.qrels == as_table.qrels == {"q1": {"a": 0, "b": 1}}
    assert as_table.documents == as_json.documents and len(as_table.documents) == 3
    assert liked.qrels == {"q1": {"d1": 1, "d2": 0}}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("faq.csv", "", "no rows"),
        ("faq.csv", "q,a\nx,y\n", "has the columns a, q, but answers have question and answer"),
        ("faq.csv", "question,answer\nx,y,z\n", r"faq.csv, row 1: has more fields"),
        ("faq.csv", "question,answer\nx\n", r"row 1: has fewer fields"),
        ("faq.csv", "question,answer\nx, \n", "row 0: answer is empty"),
        ("faq.csv", 'question,answer\nx,"y\n', "can't be read as CSV"),
        ("log.csv", "query,document,clicked\nx,y,maybe\n", "clicked must be 1 or 0"),
        ("log.csv", "query,document,clicked\nx,y,0\n", "no document was clicked often enough"),
        ("log.jsonl", '{"query": "x", "document": "y"}', "has the columns document, query"),
        ("log.jsonl", "[1]", "not a JSON object"),
        ("log.txt", "hello", "not a JSON object"),
    ],
)
def test_files_of_another_kind(tmp_path: Path, name: str, text: str, message: str) -> None:
    """The error names the file, and the row where it is one."""
    with pytest.raises(InputError, match=message):
        read_judged(_file(tmp_path, name, text))


def test_a_document_that_the_corpus_lacks(tmp_path: Path) -> None:
    """An id in a log that is not in the corpus is named; so is a file that is not there."""
    path = _file(tmp_path, "log.csv", "query,document,clicked\nx,zzz,1\n")
    with pytest.raises(InputError, match="documents has no 'zzz'"):
        read_judged(path, CORPUS)
    with pytest.raises(InputError, match="can't be read"):
        read_judged(tmp_path / "none.csv")


def test_examples_become_a_dataset() -> None:
    """Examples of one query are put together; the higher grade of a document stays, and halves count as relevant."""
    examples = [TrainingExample("q", ("x", "y"), (2, 0)), TrainingExample("q", ("x", "z"), (1, 0.5))]
    found = as_dataset(examples, {"d1": "w", "d3": "x"})

    assert found.qrels == {"q1": {"d3": 2, "d2": 0, "d4": 1}}
    with pytest.raises(InputError, match="there are no examples"):
        as_dataset([])
