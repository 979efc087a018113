"""Zero-shot or trained: classifiers of which it is known what they can do."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from secondpass.errors import ConfigError, InputError
from secondpass.evaluate.label_curve import learning_curve
from secondpass.models.embedding import EmbeddingModel

_LABELS = ("billing", "shipping", "returns")


@dataclass
class Said:
    """What a classifier says of a text."""

    labels: tuple[str, ...]


class Sometimes:
    """Knows the label of every n-th text, and says the first one otherwise."""

    def __init__(self, every: int) -> None:
        self.every = every

    def classify_many(self, texts: Sequence[str]) -> list[Said]:
        return [Said((_true(text) if int(text.split()[1]) % self.every == 0 else _LABELS[0],)) for text in texts]


class Hashed(EmbeddingModel):
    """Vectors in which the label is a direction, with noise."""

    fingerprint = "hashed"

    @property
    def max_length(self) -> int:
        return 512

    def _encode(self, texts: Sequence[str], progress: bool) -> Any:
        rows = []
        for text in texts:
            noise = np.random.default_rng(int(text.split()[1])).normal(0, 0.15, 8)
            noise[_LABELS.index(_true(text))] += 1
            rows.append(noise)
        return np.array(rows, dtype=np.float32)


def _true(text: str) -> str:
    return text.split()[2]


def _texts(n: int = 90) -> tuple[list[str], list[str]]:
    labels = [_LABELS[at % 3] for at in range(n)]
    return [f"text {at} {label}" for at, label in enumerate(labels)], labels


def _memory(least: int) -> Callable[[list[str], list[str]], Callable[[list[str]], list[str]]]:
    """Train what is right once it has seen so many texts, and before says the first label."""

    def train(texts: list[str], labels: list[str]) -> Callable[[list[str]], list[str]]:
        assert len(texts) == len(labels) and set(labels) == set(_LABELS)
        return lambda others: [_true(text) if len(texts) >= least else _LABELS[0] for text in others]

    return train


def test_training_is_recommended_from_where_it_is_better() -> None:
    """Zero-shot is right on two thirds; training is below until it has 30 texts, and then always right."""
    texts, labels = _texts()
    curve = learning_curve(
        texts, labels, zero_shot=Sometimes(2), train=_memory(30), sizes=(6, 15, 30, 60), n_samples=1000
    )
    assert curve.zero_shot.value == pytest.approx(2 / 3, abs=0.01)
    assert [round(point.accuracy.value, 3) for point in curve.points] == [0.333, 0.333, 1.0, 1.0]
    assert [point.gain.verdict for point in curve.points] == ["worse", "worse", "better", "better"]
    assert curve.enough == 30 and not curve.rising
    assert curve.advice[0].startswith(
        "Train a classifier from about 30 labelled texts on (10 a label): balanced accuracy"
    )


def test_zero_shot_is_recommended_where_training_is_not_better() -> None:
    """However many texts there are."""
    texts, labels = _texts()
    curve = learning_curve(texts, labels, zero_shot=Sometimes(1), train=_memory(10), n_samples=500)
    assert curve.zero_shot.value == 1.0 and curve.enough is None
    assert curve.advice[0].startswith("Stay with zero-shot: with 60 labelled texts, training is not better")
    assert [point.n_examples for point in curve.points] == [3, 6, 15, 30, 60]


def test_a_curve_that_still_rises_is_named() -> None:
    """More labels would probably help."""
    texts, labels = _texts()
    curve = learning_curve(texts, labels, zero_shot=Sometimes(1), train=_memory(60), sizes=(6, 60), n_samples=500)
    assert curve.rising and curve.advice[-1].startswith("The curve still rises")
    worse = learning_curve(texts, labels, zero_shot=Sometimes(1), train=_memory(99), sizes=(6, 60), n_samples=500)
    assert worse.advice[0].startswith("Stay with zero-shot: with 60 labelled texts, training is worse")


def test_the_logistic_regression_learns_from_vectors() -> None:
    """From a label each on, as they are nearly directions; each text is judged by models that have not seen it."""
    texts, labels = _texts(60)
    curve = learning_curve(texts, labels, zero_shot=Sometimes(4), model=Hashed("hashed"), repeats=1, n_samples=500)
    assert curve.points[0].n_examples == 3 and curve.points[-1].accuracy.value > 0.95
    assert curve.enough is not None and curve.enough <= 30


def test_what_is_trained_on_is_never_classified_and_small_sets_are_parts_of_large_ones() -> None:
    """In each fold; and each text is classified once in each repeat."""
    texts, labels = _texts(30)
    seen: list[tuple[set[str], list[str]]] = []

    def train(some: list[str], _: list[str]) -> Callable[[list[str]], list[str]]:
        def predict(others: list[str]) -> list[str]:
            seen.append((set(some), others))
            return [_LABELS[0]] * len(others)

        return predict

    learning_curve(texts, labels, zero_shot=Sometimes(1), train=train, sizes=(3, 9), repeats=2, folds=3, n_samples=100)
    assert all(some.isdisjoint(others) for some, others in seen) and len(seen) == 2 * 3 * 2
    assert all(small < large for (small, _), (large, _) in zip(seen[::2], seen[1::2], strict=True))
    assert set(Counter(text for _, others in seen for text in others).values()) == {4}


def test_balanced_accuracy_is_scikit_learns() -> None:
    """And without balance it is the share of texts; the zero-shot classifier's are compared here."""
    labels = ["billing"] * 40 + ["shipping"] * 10
    texts = [f"text {at} {label}" for at, label in enumerate(labels)]
    said = [each.labels[0] for each in Sometimes(3).classify_many(texts)]
    for balanced in (True, False):
        curve = learning_curve(
            texts, labels, zero_shot=Sometimes(3), train=lambda *_: lambda others: ["billing"] * len(others),
            balanced=balanced, sizes=(4,), n_samples=100,
        )  # fmt: skip
        expected = balanced_accuracy_score(labels, said) if balanced else np.mean(np.array(said) == np.array(labels))
        assert curve.zero_shot.value == pytest.approx(expected)
        assert curve.points[0].accuracy.value == pytest.approx(0.5 if balanced else 0.8)


def test_it_is_shown_and_is_plain_data() -> None:
    """A row for each size."""
    texts, labels = _texts(30)
    curve = learning_curve(texts, labels, zero_shot=Sometimes(2), train=_memory(5), n_samples=100)
    lines = repr(curve).splitlines()
    assert lines[0].startswith("Zero-shot or trained: 30 texts, 3 labels; balanced accuracy of zero-shot 0.")
    assert [line.split()[0] for line in lines[3:7]] == ["3", "6", "15", "21"]
    assert curve._repr_html_().count("<tr>") == 5
    assert json.loads(json.dumps(curve.to_dict()))["enough"] == curve.enough


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"labels": ["billing"]}, InputError, "as many labels as texts, and there are 1 and 30"),
        ({"labels": ["billing"] * 30}, InputError, "at least two different labels"),
        ({"labels": [*["billing"] * 29, "rare"]}, InputError, "'rare' has 1 text, and 5 folds need at least as many"),
        ({"labels": [*["billing"] * 29, None]}, InputError, "each label must be a str that is not empty, not None"),
        ({"texts": "text"}, InputError, "texts must be a list of texts"),
        ({"texts": [" "] * 30}, InputError, "each text must be a str that is not empty"),
        ({"sizes": (2,)}, ConfigError, "each of sizes must be a whole number of at least 3"),
        ({"sizes": (29,)}, ConfigError, "the greatest of sizes must be at most 21"),
        ({"sizes": 5}, ConfigError, "sizes must be a list of whole numbers"),
        ({"zero_shot": 3}, ConfigError, "zero_shot must be a ZeroShotClassifier, or what else has classify_many"),
        ({"train": lambda *_: lambda others: ["billing"]}, ConfigError, "gave 1 label for 6 texts"),
        ({"train": lambda *_: lambda others: "billing"}, ConfigError, "what train returns must be a function"),
        ({"folds": 1}, ConfigError, "folds must be a whole number of at least 2"),
    ],
)
def test_what_can_not_be_compared_is_said(change: dict[str, Any], error: type[Exception], message: str) -> None:
    """An error of ours, with what to do."""
    texts, labels = _texts(30)
    settings: dict[str, Any] = {"texts": texts, "labels": labels, "zero_shot": Sometimes(2), "train": _memory(5)}
    with pytest.raises(error, match=message):
        learning_curve(**{**settings, **change}, n_samples=100)


def test_a_classifier_of_other_labels_is_refused() -> None:
    """It would be wrong everywhere, for a reason that is no fault of its model."""

    class Other:
        def classify_many(self, texts: Sequence[str]) -> list[Said]:
            return [Said(("invoice",)) for _ in texts]

    texts, labels = _texts(30)
    with pytest.raises(ConfigError, match="zero_shot never says any of billing, returns, shipping"):
        learning_curve(texts, labels, zero_shot=Other(), train=_memory(5))
