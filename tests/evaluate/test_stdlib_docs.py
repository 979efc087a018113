"""The corpus of the standard library, and the questions about it."""

import os
import re
import subprocess
import sys

import pytest

from secondpass.evaluate.stdlib_docs import stdlib_corpus, stdlib_qrels, stdlib_queries


def test_the_corpus_holds_what_people_look_for() -> None:
    """Some five thousand documents with unique names, among them functions, methods, classes and builtins."""
    corpus = {document["id"]: document for document in stdlib_corpus()}
    assert 4_000 < len(corpus) == len(stdlib_corpus()) < 8_000
    assert corpus["shutil.copy"]["text"].startswith(
        "shutil.copy(src, dst, *, follow_symlinks=True)\nCopy data and mode"
    )
    assert corpus["shutil.copy"]["metadata"] == {"module": "shutil", "kind": "function"}
    for name, kind in (
        ("str.split", "method"),
        ("len", "function"),
        ("collections.Counter", "class"),
        ("csv", "module"),
    ):
        assert corpus[name]["metadata"]["kind"] == kind
    assert "os.path.join" in corpus or "os.path.splitext" in corpus


def test_nothing_of_this_machine_is_in_it() -> None:
    """Default values such as os.environ, local paths and addresses of objects are left out."""
    for document in stdlib_corpus():
        assert not re.search(r" at 0x[0-9a-f]{6,}", document["text"]), document["id"]
        assert sys.prefix not in document["text"] and os.environ.get("PATH", "-") not in document["text"]


def test_reading_it_prints_nothing_and_changes_nothing_here() -> None:
    """The modules are imported in a child process: this one does not have them afterwards."""
    code = "import sys; from secondpass.evaluate.stdlib_docs import stdlib_corpus; stdlib_corpus(); print(*sys.modules)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert child.stderr == "" and "ftplib" not in child.stdout.split()


def test_the_judgements_are_about_documents_of_the_corpus() -> None:
    """About a hundred questions, each with an answer of grade 2 that this Python documents."""
    ids, queries, qrels = {document["id"] for document in stdlib_corpus()}, stdlib_queries(), stdlib_qrels()
    assert 100 <= len(queries) <= 120 and queries.keys() == qrels.keys()
    assert len(set(queries.values())) == len(queries)
    for query, grades in qrels.items():
        assert set(grades.values()) <= {1, 2} and 2 in grades.values(), query
        if sys.version_info[:2] == (3, 11):  # what they were judged on; later ones drop and rename a few
            assert grades.keys() <= ids, query


def test_a_failing_child_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """What the child said last is in the message."""
    from secondpass.errors import SecondPassError

    monkeypatch.setenv("SECONDPASS_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(SecondPassError, match="reading the standard library's documentation failed"):
        stdlib_corpus.__wrapped__()
