"""Intervals and tests against scipy's, and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from secondpass.evaluate.statistics import Difference, holm, mean_estimate, paired_difference, randomisation_p


def test_the_interval_is_scipys() -> None:
    """A percentile bootstrap of the mean: equal up to the draws."""
    values = np.random.default_rng(1).beta(2, 3, 60)
    ours = mean_estimate(values, confidence=0.9, n_samples=20_000, seed=0)
    theirs = stats.bootstrap(
        (values,), np.mean, confidence_level=0.9, n_resamples=20_000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert ours.value == pytest.approx(values.mean())
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.002)


@settings(max_examples=40)
@given(st.lists(st.sampled_from([-0.5, -0.25, 0.0, 0.125, 0.25, 0.75]), min_size=2, max_size=9))
def test_few_differences_have_scipys_exact_p(differences: list[float]) -> None:
    """All patterns of signs; differences of 0 change nothing."""
    found = randomisation_p(differences, n_samples=100, seed=0)
    theirs = stats.permutation_test(
        (np.array(differences),),
        lambda x, axis: np.mean(x, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    )
    assert found == pytest.approx(min(1.0, theirs.pvalue), abs=1e-9)


def test_many_differences_have_nearly_the_exact_p() -> None:
    """Drawn patterns: near scipy's, never 0, and the same for the same seed."""
    differences = np.random.default_rng(3).normal(0.1, 0.4, 40)
    found = randomisation_p(differences, n_samples=20_000, seed=0)
    normal = 2 * stats.norm.sf(abs(differences.sum()) / np.sqrt((differences**2).sum()))
    assert found == pytest.approx(normal, abs=0.015)
    assert found == randomisation_p(differences, n_samples=20_000, seed=0)
    assert randomisation_p(np.ones(50), n_samples=1000, seed=0) == pytest.approx(1 / 1001)
    assert randomisation_p([0.0, 0.0], n_samples=100, seed=0) == 1.0


def test_holm_by_hand() -> None:
    """The smallest is multiplied by how many there are, and none falls below a smaller one's."""
    assert holm({"a": 0.04, "b": 0.01, "c": 0.03}) == pytest.approx({"a": 0.06, "b": 0.03, "c": 0.06})
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0} and holm({}) == {}


def test_a_difference_is_counted_and_judged() -> None:
    """Better and worse are counted by query, and a verdict needs interval and test."""
    settings = {"confidence": 0.95, "n_samples": 2000, "seed": 0}
    baseline = np.linspace(0.2, 0.6, 20)
    better = paired_difference(baseline + 0.1, baseline, **settings)  # type: ignore[arg-type]
    assert (better.value, better.better, better.worse, better.verdict) == (pytest.approx(0.1), 20, 0, "better")
    assert paired_difference(baseline, baseline + 0.1, **settings).verdict == "worse"  # type: ignore[arg-type]
    same = paired_difference(baseline, baseline, **settings)  # type: ignore[arg-type]
    assert (same.value, same.p, same.better, same.worse, same.verdict) == (0.0, 1.0, 0, 0, "undecided")
    assert Difference(0.1, 0.01, 0.2, 0.03, 0.06, 9, 1, 0.95).verdict == "undecided"
