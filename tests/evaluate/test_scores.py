"""Figures of scores against scikit-learn's, and what is no pair of classes."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from secondpass.errors import ConfigError, InputError
from secondpass.evaluate.scores import evaluate_scores

_ROWS = st.lists(st.tuples(st.booleans(), st.integers(-3, 7).map(lambda n: n / 4)), min_size=2, max_size=40).filter(
    lambda rows: 0 < sum(label for label, _ in rows) < len(rows)
)


@settings(max_examples=60)
@given(_ROWS, st.sampled_from([-0.25, 0.0, 0.5, 1.0]))
def test_they_are_scikit_learns(rows: list[tuple[bool, float]], threshold: float) -> None:
    """With ties, and scores on the threshold, which count as positive; probabilities have a Brier score."""
    labels, scores = [label for label, _ in rows], np.array([score for _, score in rows])
    of, said = evaluate_scores(labels, scores, threshold=threshold, n_samples=100), scores >= threshold
    assert (of.n, of.n_positive) == (len(rows), sum(labels))
    assert of.auc.value == pytest.approx(roc_auc_score(labels, scores))
    assert of.accuracy.value == pytest.approx(accuracy_score(labels, said))
    assert of.balanced_accuracy.value == pytest.approx(balanced_accuracy_score(labels, said))
    assert of.recall.value == pytest.approx(recall_score(labels, said))
    assert of.f1.value == pytest.approx(f1_score(labels, said))
    assert (of.precision is None) != bool(said.any())
    if of.precision is not None:
        assert of.precision.value == pytest.approx(precision_score(labels, said))
    assert (of.brier is None) == bool((scores < 0).any() or (scores > 1).any())
    if of.brier is not None:
        assert of.brier.value == pytest.approx(brier_score_loss(labels, scores))


def test_they_are_shown_and_are_plain_data() -> None:
    """A line for each figure with its interval; logits have no calibration."""
    of = evaluate_scores([1, 1, 0, 0], [3.0, -1.0, 0.5, -4.0], threshold=0.0, n_samples=200)
    lines = repr(of).splitlines()
    assert lines[0] == "Scores: 4 examples, 2 positive; positive from 0 on"
    assert [line.split("  ")[0] for line in lines[2:]] == [
        "auc",
        "accuracy",
        "balanced accuracy",
        "precision",
        "recall",
        "f1",
    ]
    plain = json.loads(json.dumps(of.to_dict()))
    assert plain["auc"]["value"] == 0.75 and plain["ece"] is None
    assert of.accuracy.low <= of.accuracy.value <= of.accuracy.high


@pytest.mark.parametrize(
    ("labels", "scores", "settings", "error", "message"),
    [
        ([1, 1], [0.1, 0.2], {}, InputError, "all 2 labels are 1: both classes are needed"),
        ([], [], {}, InputError, "labels are missing"),
        ([1, 0], [0.1], {}, InputError, "as many scores as labels, and there are 1 and 2"),
        ([1, 2], [0.1, 0.2], {}, InputError, r"each label must be 1 \(positive\) or 0, not 2"),
        (["1", "0"], [0.1, 0.2], {}, InputError, "each label must be 1"),
        ([1, 0], ["high", "low"], {}, InputError, "scores must be numbers"),
        ([1, 0], [0.1, float("nan")], {}, InputError, "scores must be finite numbers"),
        ([1, 0], [0.1, 0.2], {"threshold": "0.5"}, ConfigError, "threshold must be"),
        ([1, 0], [0.1, 0.2], {"n_samples": 1}, ConfigError, "n_samples must be"),
    ],
)
def test_what_can_not_be_measured_is_said(
    labels: Any, scores: Any, settings: dict[str, Any], error: type[Exception], message: str
) -> None:
    """An error of ours."""
    with pytest.raises(error, match=message):
        evaluate_scores(labels, scores, **settings)
