"""Documents from files: what is read, and what is refused by name."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from secondpass.cli.documents import as_document, documents_in, passages_in, text_of
from secondpass.errors import InputError

_A, _B = {"id": "a", "text": "os.remove deletes a file"}, {"id": "b", "text": "shutil.copy \u2028copies a file"}
_JSON = {
    "an array": json.dumps([_A, _B]),
    "an array over several lines": json.dumps([_A, _B], indent=4),
    "lines": f"{json.dumps(_A)}\n\n{json.dumps(_B, ensure_ascii=False)}\r\n",
    "objects over several lines": f"{json.dumps(_A, indent=2)}\n{json.dumps(_B, indent=2)}",
    "after a mark of its byte order": "\ufeff" + json.dumps([_A, _B]),
}


def _texts(documents: list[tuple[int, dict[str, Any]]] | None) -> list[str]:
    return [document["text"] for _, document in documents or []]


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".ndjson", ".txt", ".json.gz", ".gz", ""])
@pytest.mark.parametrize("form", _JSON)
def test_json_is_read_in_any_form_under_any_name(form: str, suffix: str, tmp_path: Path) -> None:
    """Objects come back with all that they hold."""
    path = tmp_path / f"documents{suffix}"
    data = _JSON[form].encode()
    path.write_bytes(gzip.compress(data) if suffix.endswith(".gz") else data)
    assert [document for _, document in documents_in(str(path))] == [_A, _B]
    if suffix.startswith((".json", ".ndjson")):
        assert [document for _, document in passages_in(str(path)) or []] == [_A, _B]


@pytest.mark.parametrize(
    "text", ['["one", "two"]', '"one"\n"two"\n', '[\n  "one",\n  {"text": "two"}\n]', '{"text": "one"} "two"']
)
def test_strings_are_documents(text: str, tmp_path: Path) -> None:
    """In an array or line by line, also beside objects."""
    (tmp_path / "strings").write_text(text)
    assert _texts(documents_in(str(tmp_path / "strings"))) == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "a.csv",
            'id,text,page\n7,"one, two",3\n8,"three\nfour",\n',
            [
                {"id": "7", "text": "one, two", "metadata": {"page": "3"}},
                {"id": "8", "text": "three\nfour", "metadata": {"page": ""}},
            ],
        ),
        ("a.CSV", "text;title\none;x\n", [{"text": "one", "metadata": {"title": "x"}}]),
        ("a.tsv", "id\ttext\n7\tone\n", [{"id": "7", "text": "one"}]),
    ],
)
def test_csv_is_read_by_its_columns(name: str, text: str, expected: list[dict[str, Any]], tmp_path: Path) -> None:
    """Text and id, and the others as metadata; cells may hold commas and line breaks."""
    (tmp_path / name).write_text(text)
    for documents in (documents_in(str(tmp_path / name)), passages_in(str(tmp_path / name))):
        assert [document for _, document in documents or []] == expected


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "a.json",
            '{"documents": ["one"]}',
            r"a.json, line 1 is not a JSON object with a string under .text., nor a string",
        ),
        ("a.json", '["one", 2]', r"a.json, item 2 is not a JSON object"),
        ("a.json", '[\n"one",\n\n{"id": 2}]', r"a.json, item 2 is not a JSON object"),
        ("a.jsonl", '"one"\n\n2', r"a.jsonl, line 3 is not a JSON object"),
        ("a.jsonl", '"one"\n{"text": ', r"a.jsonl, line 2 is not JSON"),
        ("a.jsonl", "plain words", r"a.jsonl, line 1 is not JSON"),
        ("a.json", '[\n  {\n    "text": "one"\n', r"a.json, line 4 is not JSON"),
        ("a.txt", '{\n  "text": "one",\n}', r"a.txt, line 3 is not JSON"),
        ("a.txt", '[\n{"text": "one"},\n', r"a.txt, line 3 is not JSON"),
        ("a.txt", '{"text": "a"\n{"text": "b"}', r"a.txt, line 2 is not JSON"),
        ("a.json", "[" * 100_000, r"a.json, line 1 is not JSON"),
        ("a.csv", "id,body\n7,one\n", r"a.csv has no column 'text', only: 'id', 'body'"),
        ("a.csv", "", r"a.csv has no column 'text', only: none"),
        ("a.csv", 'text\n"one" two\n', r"a.csv can't be read as CSV"),
        ("a.csv", "id,text\n1,one,,\n2,one, two\n", r"a.csv, row 2: has more fields than the header; put those"),
    ],
)
def test_what_holds_no_documents_is_refused_by_name(name: str, text: str, message: str, tmp_path: Path) -> None:
    """No line of a broken file is ranked as if it were a text."""
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        documents_in(str(tmp_path / name))


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    """And so is what is not text at all."""
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(b"[]")[:-4])
    with pytest.raises(InputError, match=r"a.json.gz can't be decompressed"):
        documents_in(str(tmp_path / "a.json.gz"))
    (tmp_path / "a.pdf").write_bytes(b"%PDF\xff\xfe")
    with pytest.raises(InputError, match=r"a.pdf can't be read as UTF-8 text"):
        documents_in(str(tmp_path / "a.pdf"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", '["a list in prose"]'),
        ("a.md", "A passage.\n\nOf two paragraphs."),
        ("a.json", '{"price": 5}'),
        ("a.csv", "product,price\npump,5\n"),
    ],
)
def test_a_file_that_holds_data_or_prose_is_one_passage(name: str, text: str, tmp_path: Path) -> None:
    """For the verifier, which reads tables and JSON as they are; compressed or not."""
    for path, data in ((tmp_path / name, text.encode()), (tmp_path / f"{name}.gz", gzip.compress(text.encode()))):
        path.write_bytes(data)
        assert passages_in(str(path)) is None and text_of(str(path)) == text


def test_numbers_are_those_of_lines_and_of_items(tmp_path: Path) -> None:
    """So that each passage can be found again."""
    (tmp_path / "lines.jsonl").write_text('\n{"text": "one"}\n\n{"text": "two"}\n')
    assert [number for number, _ in documents_in(str(tmp_path / "lines.jsonl"))] == [2, 4]
    (tmp_path / "array.json").write_text('["one", "two"]')
    assert [number for number, _ in documents_in(str(tmp_path / "array.json"))] == [1, 2]


@pytest.mark.parametrize(
    ("read", "document"),
    [
        (
            {"_id": "7", "title": "Copying", "text": "one", "metadata": {"page": 3}},
            {"id": "7", "text": "Copying\none", "metadata": {"page": 3}},
        ),
        ({"_id": "7", "title": "", "text": "one"}, {"id": "7", "text": "one", "metadata": {}}),
        ({"id": 7, "title": "Copying", "text": "one"}, {"id": 7, "title": "Copying", "text": "one"}),
    ],
)
def test_a_title_in_the_form_of_beir_is_read(read: dict[str, Any], document: dict[str, Any]) -> None:
    """As in a BEIR folder; an object of another form is a document as it stands."""
    assert as_document(read) == document


def test_standard_input_that_is_closed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a file is that can't be read."""
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(InputError, match="standard input can't be read: it is closed"):
        documents_in("standard input")
