"""Failures: which they are, what they have in common, and what they are as training data."""

import json
from pathlib import Path
from typing import Any

import pytest

from secondpass.errors import ConfigError, InputError
from secondpass.evaluate.comparison import compare
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.failure_cases import failures
from secondpass.evaluate.results import Comparison
from secondpass.learn import TrainingExample, read_examples
from tests.evaluate.example import HOSTILE, example


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """Return queries whose relevant document is the last of six candidates."""
    return example()


@pytest.fixture(scope="module")
def comparison(dataset: Dataset) -> Comparison:
    """Return one of a system that is right everywhere with one that fails on the first six queries."""
    first = {query: [*found] for query, found in (dataset.candidates or {}).items()}
    right = {query: found[::-1] for query, found in first.items()}
    wrong = {query: found if int(query[1:]) < 6 else found[::-1] for query, found in first.items()}
    groups = {"category": {query: "a" if int(query[1:]) < 8 else "b" for query in right}}
    systems = {"right": right, "wrong": wrong}
    return compare(systems, dataset, measures=("RR", "P@1"), depth=6, groups=groups, n_samples=500)


def test_they_are_the_queries_that_the_other_one_answers_better(comparison: Comparison, dataset: Dataset) -> None:
    """With their groups, the ranks of documents, and what stands above the relevant one."""
    found = failures(comparison, dataset, "wrong")
    assert [case.id for case in found] == [f"q{at}" for at in range(6)] and found.against == "right"
    case = found[0]
    assert (case.right, case.wrong) == (1.0, pytest.approx(1 / 6))
    assert case.groups["category"] == "a" and (case.documents[-1].before, case.documents[-1].after) == (1, 6)
    assert case.relevant == ("word0 of subject0 is here ",) and case.grades == (1,)
    assert case.distractors == tuple(f"something else, number d0-{n}" for n in range(5))
    assert found.groups["category"] == {"a": (6, 8), "b": (0, 6)}
    assert len(failures(comparison, dataset, "right")) == 0
    assert failures(comparison, dataset, "right").against == "wrong"


def test_what_was_judged_can_be_asked_for_alone(comparison: Comparison, dataset: Dataset) -> None:
    """Only the first candidate was judged as not relevant."""
    (case, *_) = failures(comparison, dataset, "wrong", judged_only=True)
    assert case.distractors == ("something else, number d0-0",)
    assert len(failures(comparison, dataset, "wrong", n_distractors=2)[0].distractors) == 2


def test_they_are_training_data(comparison: Comparison, dataset: Dataset, tmp_path: Path) -> None:
    """A line for each: the query, its documents, and 1 for the relevant one, 0 for what stood above it."""
    found = failures(comparison, dataset, "wrong")
    assert found.to_jsonl(tmp_path / "train.jsonl") == 6
    rows = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows == [case.to_example() for case in found]
    assert rows[0]["labels"] == [1, 0, 0, 0, 0, 0] and rows[0]["documents"][0] == "word0 of subject0 is here "
    learned = read_examples(tmp_path / "train.jsonl")
    assert learned[0] == TrainingExample.of("word0 of subject0 ", found[0].relevant, found[0].distractors)
    with pytest.raises(InputError, match="can't be written"):
        found.to_jsonl(tmp_path / "no" / "train.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["train.jsonl"]


def test_they_are_shown_without_what_could_steer_a_terminal() -> None:
    """How many, by group, and the furthest."""
    hostile = example(text=HOSTILE)
    run = {query: [*found][::-1] for query, found in (hostile.candidates or {}).items()}
    found = failures(compare({"run": run, "first": None}, hostile, depth=10, n_samples=500), hostile, "first")
    lines = repr(found).splitlines()
    assert lines[0] == "first is worse than run on 14 of 14 queries, by nDCG@10"
    assert sum(line.startswith("  1.00 to 0.36  word") for line in lines) == 10 and "\x1b" not in repr(found)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"system": "other"}, ConfigError, "there is no system 'other'"),
        ({"system": "wrong", "against": "wrong"}, ConfigError, "can't be compared with itself"),
        ({"system": "wrong", "measure": "MAP"}, ConfigError, "there is no measure 'MAP', only: RR, P@1"),
        ({"system": "wrong", "n_distractors": 0}, ConfigError, "n_distractors must be"),
    ],
)
def test_what_can_not_be_asked_is_said(
    comparison: Comparison, dataset: Dataset, settings: dict[str, Any], error: type[Exception], message: str
) -> None:
    """An error of ours."""
    with pytest.raises(error, match=message):
        failures(comparison, dataset, **settings)


def test_another_dataset_is_refused(comparison: Comparison) -> None:
    """Its texts would be of other queries."""
    with pytest.raises(InputError, match="not the one that was compared"):
        failures(comparison, example(3), "wrong")
