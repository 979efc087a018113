"""Datasets whose parts fit together, and those whose parts don't."""

from typing import Any

import pytest

from secondpass.errors import ConfigError, InputError
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.stdlib_docs import stdlib_dataset

DOCUMENTS = {"a": "alpha", "b": "beta", "c": "gamma"}
QUERIES = {"q1": "first", "q2": "second", "q3": "not judged"}
QRELS = {"q1": {"a": 1}, "q2": {"b": 2, "c": 0}}


def test_it_holds_what_was_passed() -> None:
    """Queries without judgements are left out, and candidates for them."""
    dataset = Dataset.of(DOCUMENTS, QUERIES, QRELS, {"q1": ["b", "a"], "q3": ["a"]})
    assert dataset.documents[0] == {"id": "a", "text": "alpha"} and len(dataset.documents) == 3
    assert dataset.queries == {"q1": "first", "q2": "second"} and dataset.qrels == QRELS
    assert dataset.candidates == {"q1": {"b": -1.0, "a": -2.0}}
    assert dataset.judged == ("q1", "q2")
    assert repr(dataset) == "Dataset(3 documents, 2 judged queries, with candidates)"


def test_judgements_of_missing_documents_can_be_dropped() -> None:
    """And a query that has no others goes with them."""
    dataset = Dataset.of(DOCUMENTS, QUERIES, {"q1": {"a": 1, "gone": 1}, "q2": {"gone": 2}}, missing="drop")
    assert dataset.qrels == {"q1": {"a": 1}} and dataset.queries == {"q1": "first"}


def test_a_sample_is_the_same_each_time() -> None:
    """Of the queries that count."""
    dataset = Dataset.of(DOCUMENTS, QUERIES, QRELS, {"q1": ["a"], "q2": ["b"]})
    sample = dataset.sample(1)
    assert len(sample.judged) == 1 and sample == dataset.sample(1)
    assert sample.qrels.keys() == sample.queries.keys() == (sample.candidates or {}).keys()
    assert dataset.sample(99).judged == dataset.judged


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"documents": {}}, "there are no documents"),
        ({"queries": {}}, "there are no queries"),
        ({"qrels": {}}, "the qrels are empty"),
        ({"qrels": {"q1": {"a": 0}}}, "no query of the qrels has a relevant document"),
        (
            {"qrels": {"q1": {"a": 1, "x": 1}, "q2": {"y": 1}}},
            r"'x' for query 'q1' \(2 in all\): pass the whole corpus",
        ),
        ({"qrels": {**QRELS, "q9": {"a": 1}}}, r"queries that have no text, such as 'q9' \(1 of 3\)"),
        ({"queries": {**QUERIES, "q1": " "}}, "query 'q1' has no text"),
        ({"queries": [{"id": "q1", "text": "x"}, {"id": "q1", "text": "y"}]}, "two queries have the id 'q1'"),
        ({"documents": [{"id": "a", "text": "x"}, {"id": "a", "text": "y"}]}, "two documents have the id 'a'"),
        ({"candidates": {"q1": ["a", "x"]}}, "the candidates of query 'q1' contain document 'x'"),
        ({"candidates": {"q7": ["a"]}}, "no judged query has any"),
    ],
)
def test_what_does_not_fit_is_said(changed: dict[str, Any], message: str) -> None:
    """Before anything is measured, with an example and the number."""
    parts = {"documents": DOCUMENTS, "queries": QUERIES, "qrels": QRELS} | changed
    with pytest.raises(InputError, match=message):
        Dataset.of(**parts)


def test_settings_and_the_strict_constructor() -> None:
    """A misspelt choice is an error, and documents need ids."""
    with pytest.raises(ConfigError, match="missing must be 'raise' or 'drop'"):
        Dataset.of(DOCUMENTS, QUERIES, QRELS, missing="ignore")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"documents\[0\] has no id"):
        Dataset(("alpha",), {"q": "first"}, {"q": {"a": 1}})


def test_the_standard_library_is_a_dataset() -> None:
    """Each question has a relevant document in it."""
    dataset = stdlib_dataset()
    assert 100 <= len(dataset.judged) == len(dataset.queries) and len(dataset.documents) > 4_000
