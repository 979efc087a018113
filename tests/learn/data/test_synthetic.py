"""Queries that are sentences of the documents."""

import pytest

from secondpass.errors import ConfigError, InputError
from secondpass.learn import synthetic_queries

GUIDE = "Copy a file with its permissions. It takes two paths!\nshutil.copy(src, dst, *, follow_symlinks=True)\nOk. No."


def test_sentences_that_could_be_asked() -> None:
    """Prose of some length, without its full stop: no code, and nothing of one or two words."""
    found = synthetic_queries([GUIDE, "x = [1, 2, 3] + [4, 5, 6]"], 10)

    assert sorted(found) == ["Copy a file with its permissions", "It takes two paths!"]


def test_all_documents_have_their_turn_before_one_has_a_second() -> None:
    """So few queries are of many documents; none comes twice, and a seed draws the same ones."""
    documents = [f"The first sentence of {name}. Another sentence of {name}." for name in ("one", "two", "three")]
    three = synthetic_queries(documents, 3, seed=4)

    assert {query.rpartition(" ")[2] for query in three} == {"one", "two", "three"}
    assert three == synthetic_queries(documents, 3, seed=4)
    assert len(set(synthetic_queries([*documents, *documents], 100))) == len(synthetic_queries(documents, 100)) <= 6


def test_titles_long_sentences_and_scripts_without_spaces() -> None:
    """A title is a sentence; what is long is cut between words; Chinese needs no spaces."""
    titled = {"id": "a", "title": "How to copy many files", "text": "x = 1"}

    assert synthetic_queries([titled], 1) == ["How to copy many files"]
    assert synthetic_queries(["word " * 100], 1) == [("word " * 24).strip()]
    assert synthetic_queries(["复制文件及其权限到另一个目录中。"], 1) == ["复制文件及其权限到另一个目录中"]


def test_what_has_no_sentences() -> None:
    """Documents of code alone are an error that says what to pass instead."""
    with pytest.raises(InputError, match="none of 2 documents has a sentence"):
        synthetic_queries(["x = 1", "y = 2"], 5)
    with pytest.raises(ConfigError, match="n "):
        synthetic_queries([GUIDE], 0)
