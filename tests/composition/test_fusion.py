"""Normalisation and rank fusion, against scipy and by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from secondpass.composition.fusion import convex_weights, minmax, ranks, reciprocal_ranks, spread, weighted_sum, zscores
from secondpass.errors import ConfigError

_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_SCORES = st.lists(st.one_of(_FLOATS, st.sampled_from([0.0, 1.0, -1e308, 1e308, 5e-324])), min_size=1, max_size=30)
_PLAIN = st.lists(st.integers(-40, 40).map(lambda number: number / 8), min_size=2, max_size=30)


@pytest.mark.parametrize("function", [zscores, minmax, ranks, reciprocal_ranks])
@given(values=_SCORES)
def test_order_is_kept_and_nothing_overflows(function, values) -> None:  # type: ignore[no-untyped-def]
    """Whatever the scores, up to the largest doubles: finite results, equals stay equal, no pair swaps."""
    out = function(values)
    assert out.shape == (len(values),) and out.dtype == np.float64 and np.isfinite(out).all()
    rising = -out if function is ranks else out
    for at, one in enumerate(values):
        for other_at, other in enumerate(values):
            assert one != other or out[at] == out[other_at]
            assert not one > other or rising[at] >= rising[other_at]


@given(_PLAIN)
def test_zscores_are_those_of_scipy(values: list[float]) -> None:
    """The population's deviation; a constant gives 0 where scipy gives nan."""
    if len(set(values)) == 1:
        assert zscores(values).tolist() == [0.0] * len(values)
    else:
        np.testing.assert_allclose(zscores(values), stats.zscore(values), atol=1e-12)


@given(_PLAIN)
def test_ranks_are_those_of_scipy(values: list[float]) -> None:
    """Highest first, equal scores share the mean of their ranks."""
    np.testing.assert_array_equal(ranks(values), stats.rankdata([-value for value in values], method="average"))


def test_values_by_hand() -> None:
    """What each gives for three scores."""
    assert minmax([2.0, 4.0, 3.0]).tolist() == [0.0, 1.0, 0.5]
    assert minmax([7.0, 7.0]).tolist() == [0.5, 0.5]
    assert ranks([2.0, 4.0, 2.0]).tolist() == [2.5, 1.0, 2.5]
    assert reciprocal_ranks([2.0, 4.0, 3.0]).tolist() == [1 / 63, 1 / 61, 1 / 62]
    assert reciprocal_ranks([1.0], k=0).tolist() == [1.0]
    assert zscores([0.1, 0.1, 0.1]).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("function", [zscores, minmax, ranks, reciprocal_ranks])
def test_no_scores_give_none(function) -> None:  # type: ignore[no-untyped-def]
    """An empty request is no special case for who calls."""
    assert function([]).shape == (0,)


@given(st.lists(st.floats(0, 1e308), min_size=1, max_size=9).filter(any))
def test_weights_sum_to_one(weights: list[float]) -> None:
    """Up to rounding, and also where their sum overflows."""
    shares = convex_weights(weights)
    assert math.isclose(sum(shares), 1.0, rel_tol=1e-9) and min(shares) >= 0
    assert shares.index(max(shares)) == weights.index(max(weights))


@pytest.mark.parametrize("weights", [[0.0, 0.0], [], [1.0, -1.0], [math.nan], [math.inf, 1.0], ["a"], [None]])
def test_bad_weights_are_refused(weights: list[float]) -> None:
    """Negative, not finite, no numbers, or nothing at all."""
    with pytest.raises(ConfigError, match="weights must be"):
        convex_weights(weights)


def test_duplicates_tie_in_a_weighted_sum() -> None:
    """Equal columns give equal sums to the last bit, wherever they stand."""
    rows = [np.tile(np.random.default_rng(seed).normal(size=3), 37) for seed in range(5)]
    total = weighted_sum(rows, [0.1, 0.2, 0.3, 0.25, 0.15])
    assert len(set(total.tolist())) == 3
    np.testing.assert_allclose(total, np.array([0.1, 0.2, 0.3, 0.25, 0.15]) @ np.array(rows), rtol=1e-12)


@given(st.lists(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3), min_size=1, max_size=5))
def test_the_spread_is_the_deviation_between_rows(rows: list[list[float]]) -> None:
    """As numpy says it for ordinary scores."""
    np.testing.assert_allclose(spread([np.array(row) for row in rows]), np.std(rows, axis=0), rtol=1e-9, atol=1e-9)


def test_the_spread_of_huge_scores_is_finite() -> None:
    """Squares don't overflow, and what is the same has none."""
    assert spread([np.array([1e308, 5e-324, 0.0]), np.array([-1e308, 5e-324, 0.0])]).tolist() == [1e308, 0.0, 0.0]
    assert spread([np.zeros(0)]).shape == (0,)
