"""Figures of two classes against scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import balanced_accuracy_score, brier_score_loss, recall_score, roc_auc_score

from secondpass.evaluate.classification import Resampling, balanced_accuracy, calibration, rate, roc_auc

_FEW = Resampling(n_samples=100)
_ROWS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.5, 0.9, 1.0])), min_size=2, max_size=40
).filter(lambda rows: 0 < sum(label for label, _ in rows) < len(rows))


@settings(max_examples=100, deadline=None)
@given(_ROWS)
def test_they_are_scikit_learns(rows: list[tuple[bool, float]]) -> None:
    """Area under the curve with ties, balanced accuracy, recall, Brier score."""
    labels, scores = np.array([label for label, _ in rows]), np.array([score for _, score in rows])
    said = scores >= 0.5
    assert roc_auc(labels, scores, _FEW).value == pytest.approx(roc_auc_score(labels, scores))
    assert balanced_accuracy(labels, said, _FEW).value == pytest.approx(balanced_accuracy_score(labels, said))
    assert rate(said, labels, _FEW).value == pytest.approx(recall_score(labels, said))
    assert calibration(labels, scores, _FEW)[1].value == pytest.approx(brier_score_loss(labels, scores))


def test_the_calibration_error_is_that_of_scikit_learns_curve() -> None:
    """Ten bins of equally many examples."""
    random = np.random.default_rng(0)
    scores = random.random(400)
    labels = random.random(400) < scores**2
    observed, predicted = calibration_curve(labels, scores, n_bins=10, strategy="quantile")
    ece, _ = calibration(labels, scores, _FEW)
    assert ece.value == pytest.approx(np.abs(observed - predicted).mean(), abs=1e-6)
    assert ece.low <= ece.high


def test_intervals_are_those_of_resampled_examples() -> None:
    """As if examples were drawn one by one, up to the draws."""
    random = np.random.default_rng(0)
    scores = random.random(80)
    labels = random.random(80) < scores
    ours = roc_auc(labels, scores, Resampling(n_samples=2000))
    drawn = (random.integers(80, size=80) for _ in range(2000))
    theirs = np.quantile([roc_auc_score(labels[at], scores[at]) for at in drawn], [0.025, 0.975])
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs), abs=0.02)


def test_samples_of_one_class_are_left_out() -> None:
    """Two examples: half of the samples have a single class, and the interval is made of the others."""
    found = roc_auc(np.array([True, False]), np.array([0.9, 0.1]), _FEW)
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)
