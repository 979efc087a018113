"""Examples as a loss wants them."""

import pytest

from secondpass.errors import ConfigError, InputError
from secondpass.learn.data.example import LabelledPair, TrainingExample
from secondpass.learn.training.losses import chosen_loss
from secondpass.learn.training.rows import as_columns
from secondpass.learn.training.settings import TrainSettings

SETTINGS = TrainSettings()
GRADED = TrainingExample("q", ("best", "good", "bad"), (2, 1, 0))
ALONE = TrainingExample.of("r", ["only"])


def test_grades_become_shares() -> None:
    """The highest grade is 1, so that a cross-entropy can be taken of it."""
    columns = as_columns([GRADED], "binary-cross-entropy", SETTINGS)

    assert columns["document"] == ["best", "good", "bad"]
    assert columns["label"] == [1.0, 0.5, 0.0]


def test_tuples_have_as_many_negatives_as_every_query() -> None:
    """A query without negatives leaves pairs, whose negatives are those of the others."""
    assert list(as_columns([GRADED], "multiple-negatives", SETTINGS)) == ["query", "positive", "negative_1"]
    assert list(as_columns([GRADED, ALONE], "multiple-negatives", SETTINGS)) == ["query", "positive"]


def test_margins_need_no_labels() -> None:
    """A reranker reads lists with the teacher's scores, a bi-encoder two documents, the better one first."""
    taught = TrainingExample("q", ("a", "b", "c"), (0, 0, 0), scores=(1.0, 4.0, -1.0))
    lists = as_columns([taught], "margin-mse", SETTINGS)
    columns = as_columns([taught], "margin-mse", SETTINGS, "embed")
    rows = set(zip(*(columns[name] for name in ("positive", "negative", "label")), strict=True))

    assert lists == {"query": ["q"], "documents": [["a", "b", "c"]], "labels": [[1.0, 4.0, -1.0]]}
    assert rows == {("b", "a", 3.0), ("b", "c", 5.0), ("a", "c", 2.0)}


def test_entailment_labels_are_numbered() -> None:
    """Labels have their numbers in the order of NLI models here."""
    pairs = [LabelledPair("p", "h", label) for label in ("contradiction", "entailment", "neutral")]

    assert as_columns(pairs, "cross-entropy", SETTINGS)["label"] == [2, 0, 1]


@pytest.mark.parametrize(
    ("examples", "loss", "message"),
    [
        ([ALONE], "binary-cross-entropy", "all documents of the examples are relevant"),
        ([TrainingExample("q", ("a",), (0,))], "binary-cross-entropy", "all documents of the examples are irrelevant"),
        ([ALONE], "triplet", "no example has both"),
        ([ALONE], "lambda", "no example has documents with different labels"),
        ([GRADED], "margin-mse", "has none: distil"),
        ([LabelledPair("p", "h", "maybe")], "cross-entropy", "the label 'maybe'"),
        ([LabelledPair("p", "h", "neutral")], "cross-entropy", "all examples have the label 'neutral'"),
    ],
)
def test_what_cannot_be_learned_from(examples: list[object], loss: str, message: str) -> None:
    """Data of one kind, or without what the loss needs, is an error that says so."""
    with pytest.raises(InputError, match=message):
        as_columns(examples, loss, SETTINGS)


def test_the_loss_follows_the_data() -> None:
    """Judged documents, positives alone, a teacher's scores, and labelled pairs each have their own."""
    taught = TrainingExample("q", ("a", "b"), (1, 0), scores=(2.0, 1.0))

    assert chosen_loss([GRADED, ALONE], SETTINGS, "rerank") == "binary-cross-entropy"
    assert chosen_loss([ALONE], SETTINGS, "rerank") == "multiple-negatives"
    assert chosen_loss([taught], SETTINGS, "rerank") == "margin-mse"
    assert chosen_loss([GRADED], SETTINGS, "embed") == "multiple-negatives"
    assert chosen_loss([LabelledPair("p", "h", "neutral")], SETTINGS, "nli") == "cross-entropy"


def test_a_loss_of_another_task() -> None:
    """A bi-encoder has no cross-entropy, and says what it has; examples of another kind are named."""
    with pytest.raises(ConfigError, match=r"has no loss 'cross-entropy'.*multiple-negatives, contrastive"):
        chosen_loss([GRADED], TrainSettings(loss="cross-entropy"), "embed")
    with pytest.raises(InputError, match="'nli' learns from a list of LabelledPair"):
        chosen_loss([GRADED], SETTINGS, "nli")
