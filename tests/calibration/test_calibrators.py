"""The calibrators against scikit-learn, against values worked out by hand, and for all inputs."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from secondpass.calibration import (
    BetaCalibrator,
    Calibrator,
    IsotonicCalibrator,
    PlattCalibrator,
    TemperatureCalibrator,
    calibrator_from_config,
)
from secondpass.errors import ConfigError, InputError
from secondpass.logistic import log_odds, maximum_likelihood, sigmoid, smoothed_targets, softplus

_KINDS = [PlattCalibrator, TemperatureCalibrator, BetaCalibrator, IsotonicCalibrator]


def _examples(n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return logits of a model that is too sure of itself, and shifted, with what is relevant."""
    rng = np.random.default_rng(seed)
    log_odds_ = rng.normal(-1, 2, n)
    return 3 * log_odds_ + 2, rng.random(n) < sigmoid(log_odds_)


def _by_scikit_learn(features: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the maximum of the likelihood of soft targets: each example twice, weighted."""
    model = LogisticRegression(C=1e12, fit_intercept=False, tol=1e-12, max_iter=10_000)
    labels = np.repeat([1, 0], len(targets))
    weights = np.concatenate([targets, 1 - targets])
    return model.fit(np.vstack([features, features]), labels, sample_weight=weights).coef_[0]


class TestAgainstScikitLearn:
    @pytest.mark.parametrize("seed", range(3))
    def test_platt_is_a_logistic_regression(self, seed: int) -> None:
        """Slope and intercept are those that LogisticRegression finds for the smoothed targets."""
        x, y = _examples(seed=seed)
        expected = _by_scikit_learn(np.column_stack([x, np.ones_like(x)]), smoothed_targets(y))
        fitted = PlattCalibrator.fit(x, y)
        np.testing.assert_allclose([fitted.slope, fitted.intercept], expected, rtol=1e-4)

    @pytest.mark.parametrize("seed", range(3))
    def test_temperature_is_one_without_intercept(self, seed: int) -> None:
        """The inverse of the temperature is the only coefficient."""
        x, y = _examples(seed=seed)
        (expected,) = _by_scikit_learn(x[:, None], smoothed_targets(y))
        assert TemperatureCalibrator.fit(x, y).temperature == pytest.approx(1 / expected, rel=1e-4)

    def test_beta_is_one_on_the_two_logarithms(self) -> None:
        """a, b and c are the coefficients of log p, -log(1 - p) and 1."""
        rng = np.random.default_rng(1)
        p = rng.beta(0.8, 1.5, 2_000)
        y = rng.random(2_000) < p**1.5 / (p**1.5 + (1 - p) ** 0.7)
        features = np.column_stack([np.log(p), -np.log(1 - p), np.ones_like(p)])
        expected = _by_scikit_learn(features, smoothed_targets(y))
        fitted = BetaCalibrator.fit(log_odds(p), y)
        np.testing.assert_allclose([fitted.a, fitted.b, fitted.c], expected, rtol=1e-3)
        np.testing.assert_allclose([fitted.a, fitted.b], [1.5, 0.7], rtol=0.2)

    @pytest.mark.parametrize("decimals", [0, 1, 8])  # with many ties, some, none
    def test_isotonic_is_isotonic_regression(self, decimals: int) -> None:
        """The curve is that of IsotonicRegression, on the examples, between them and beyond, to a part in a million."""
        x, y = _examples()
        x = x.round(decimals)
        expected = IsotonicRegression(out_of_bounds="clip").fit(x, smoothed_targets(y))
        at = np.concatenate([x, np.linspace(-30, 30, 997)])
        np.testing.assert_allclose(IsotonicCalibrator.fit(x, y).apply(at), expected.predict(at), atol=1.1e-6, rtol=0)


class TestByHand:
    def test_two_separated_examples(self) -> None:
        """With one of each at ±1 the targets are 2/3 and 1/3, which a slope of log 2 meets exactly."""
        fitted = PlattCalibrator.fit([1.0, -1.0], [True, False])
        assert fitted.slope == pytest.approx(math.log(2), rel=1e-9) and abs(fitted.intercept) < 1e-9
        np.testing.assert_allclose(fitted.apply([1.0, -1.0]), [2 / 3, 1 / 3], atol=1e-6)
        assert TemperatureCalibrator.fit([1.0, -1.0], [1, 0]).temperature == pytest.approx(1 / math.log(2), rel=1e-9)

    def test_separated_examples_have_no_certain_probabilities(self) -> None:
        """Where scores separate the two kinds, probabilities stop at (n + 1) / (n + 2)."""
        x = np.concatenate([np.full(98, 5.0), np.full(8, -5.0)])
        p = PlattCalibrator.fit(x, x > 0).apply([5.0, -5.0])
        np.testing.assert_allclose(p, [99 / 100, 1 / 10], atol=1e-6)

    def test_a_large_offset_is_no_difficulty(self) -> None:
        """A model whose logits are all near 1000 gives the same probabilities."""
        x, y = _examples()
        expected = PlattCalibrator.fit(x, y).apply(x)
        np.testing.assert_allclose(PlattCalibrator.fit(x + 1000, y).apply(x + 1000), expected, atol=1.1e-6)

    def test_the_mean_probability_is_the_base_rate(self) -> None:
        """An intercept makes the fit right on average, up to the smoothing."""
        x, y = _examples(5_000)
        fitted = PlattCalibrator.fit(x, y)
        assert fitted.apply(x).mean() == pytest.approx(y.mean(), abs=1e-3)
        assert (fitted.base_rate, fitted.n_examples) == (y.mean(), 5_000)

    def test_what_made_the_data_is_found(self) -> None:
        """The logits were 3 times the log-odds, plus 2: Platt takes that back."""
        fitted = PlattCalibrator.fit(*_examples(50_000))
        assert fitted.slope == pytest.approx(1 / 3, rel=0.05) and fitted.intercept == pytest.approx(-2 / 3, rel=0.1)

    def test_beta_with_equal_parameters_is_platt(self) -> None:
        """A log p - b log(1 - p) with a = b is a times the logit."""
        x = np.linspace(-20, 20, 41)
        beta, platt = BetaCalibrator(a=0.5, b=0.5, c=-1), PlattCalibrator(slope=0.5, intercept=-1)
        np.testing.assert_allclose(beta.apply(x), platt.apply(x), rtol=1e-12)

    def test_a_beta_parameter_that_would_fall_is_fixed_at_zero(self) -> None:
        """The curve never falls, also where the best unconstrained one would."""
        rng = np.random.default_rng(0)
        x = rng.normal(0, 3, 4_000)
        y = rng.random(4_000) < np.where(x < 0, sigmoid(x), 0.5 - 0.4 * (1 - np.exp(-np.abs(x))))
        free = maximum_likelihood(np.column_stack([-softplus(-x), softplus(x), np.ones_like(x)]), smoothed_targets(y))
        assert free[1] < 0
        fitted = BetaCalibrator.fit(x, y)
        assert fitted.b == 0.0 < fitted.a

    def test_isotonic_pools_what_falls(self) -> None:
        """Of values 0, 1, 0, 1 the middle two are pooled; ends are level; a step keeps its order by a millionth."""
        x = np.repeat([1.0, 2.0, 3.0, 4.0], 50)
        y = np.repeat([False, True, False, True], 50)
        low, high = 1 / 102, 101 / 102
        fitted = IsotonicCalibrator.fit(x, y)
        assert fitted.logits == (1.0, 2.0, 3.0, 4.0)
        assert fitted.values == pytest.approx((low, 0.5, 0.5, high))
        np.testing.assert_allclose(
            fitted.apply([-99, 1, 1.5, 2.5, 4, 99]), [low, low, (low + 0.5) / 2, 0.5, high, high], atol=1e-6
        )
        p = fitted.apply([2.0, 2.2, 2.9, 5.0, 50.0])
        assert (np.diff(p) > 0).all()


@given(
    kind=st.sampled_from(_KINDS),
    unit=st.sampled_from([1e-6, 0.1, 1.0, 30.0, 1e6]),
    seed=st.integers(0, 10_000),
    share=st.floats(0.01, 0.9),
)
def test_every_fit_rises_and_stays_within_probabilities(
    kind: type[Calibrator], unit: float, seed: int, share: float
) -> None:
    """Whatever the unit of the logits and the share of relevant ones: a rising map into [0, 1], or an error of ours."""
    rng = np.random.default_rng(seed)
    y = rng.random(250) < share
    x = unit * (rng.normal(0, 1, 250) + 2 * y)
    if not 0 < y.sum() < 250:
        return
    try:
        fitted, refusal = kind.fit(x, y), None
    except InputError as exc:
        fitted, refusal = None, str(exc)
    if fitted is None:  # chance may turn the order round, and temperature can't move the middle
        assert "no rising curve fits them" in refusal
        return
    p = fitted.apply(np.sort(np.concatenate([x, 10 * x, [0.0]])))
    assert p.min() >= 0 and p.max() <= 1 and (np.diff(p) >= -1e-15).all()


@pytest.mark.parametrize(
    "calibrator",
    [
        PlattCalibrator(slope=2.0, intercept=1.0),
        TemperatureCalibrator(temperature=0.5),
        BetaCalibrator(a=0.0, b=1.0, c=0.0),
        BetaCalibrator(a=1.0, b=0.0, c=0.0),
        IsotonicCalibrator(logits=(0.0, 1.0), values=(0.0, 1.0)),
    ],
    ids=repr,
)
def test_no_two_logits_tie_where_a_curve_is_level(calibrator: Calibrator) -> None:
    """A sigmoid is exactly 1 above 37 or so, and a beta curve may end level: a part in a million keeps the order."""
    x = np.concatenate([np.linspace(-900, 900, 1801), [1e4, 1e5, 1e9]])
    p = calibrator.apply(x)
    assert (np.diff(p) > 0).all() and p[0] >= 0 and p[-1] <= 1


@given(
    pairs=st.lists(st.tuples(st.integers(-5, 5), st.booleans()), min_size=2, max_size=60),
)
def test_few_odd_examples_give_a_fit_or_an_error_of_ours(pairs: list[tuple[int, bool]]) -> None:
    """Ties, separable data, constants and labels the wrong way round never end in nan or a numpy warning."""
    x, y = [float(score) for score, _ in pairs], [label for _, label in pairs]
    for kind in (PlattCalibrator, TemperatureCalibrator, BetaCalibrator):
        try:
            p = kind.fit(x, y).apply(x)
        except InputError:
            continue
        assert np.isfinite(p).all() and ((p > 0) & (p < 1)).all()


class TestErrors:
    @pytest.mark.parametrize(
        ("scores", "relevant", "message"),
        [
            ([1.0, 2.0], [True], "lists of the same length"),
            ([[1.0, 2.0]], [[True, False]], "lists of the same length"),
            ([1.0, math.nan], [True, False], "score of example 1 is not finite"),
            ([1.0, 2.0], [True, True], "but all of the 2 are relevant"),
            ([1.0, 2.0], [False, False], "but none of the 2 are relevant"),
            ([], [], "but none of the 0 are relevant"),
            ([1.0, -1.0], [False, True], "no rising curve fits them"),
            ([1.0, 1.0], [False, True], "no rising curve fits them"),
        ],
    )
    @pytest.mark.parametrize("kind", [PlattCalibrator, BetaCalibrator])
    def test_examples_that_cannot_be_fitted(
        self, kind: type[Calibrator], scores: list[float], relevant: list[bool], message: str
    ) -> None:
        """Each is refused with what is wrong."""
        with pytest.raises(InputError, match=message):
            kind.fit(scores, relevant)

    def test_temperature_needs_logits_of_the_right_sign(self) -> None:
        """Without an intercept, relevant examples below 0 and others above fit no temperature."""
        with pytest.raises(InputError, match="no rising curve fits them"):
            TemperatureCalibrator.fit([1.0, 2.0, -1.0], [False, False, True])

    def test_isotonic_needs_many(self) -> None:
        """Below 200 examples it is refused with the reason; falling ones are as well."""
        x, y = _examples(199)
        with pytest.raises(InputError, match=r"follows the noise of 199 examples: it needs at least 200; use 'platt'"):
            IsotonicCalibrator.fit(x, y)
        x = np.arange(200.0)
        with pytest.raises(InputError, match="no rising curve fits them"):
            IsotonicCalibrator.fit(x, x < 100)

    @pytest.mark.parametrize(
        ("config", "message"),
        [
            ({"type": "sigmoid"}, "'platt', 'temperature', 'isotonic' or 'beta', not 'sigmoid'"),
            ({"slope": 1.0}, "'platt', 'temperature', 'isotonic' or 'beta', not None"),
            ("platt", "a mapping with its name under 'type'"),
            ({"type": "platt", "slope": 1.0}, "PlattCalibrator: missing .*'intercept'"),
            ({"type": "platt", "slope": 1.0, "intercept": 0.0, "bias": 1}, "PlattCalibrator has no setting 'bias'"),
            (
                {"type": "platt", "slope": -1.0, "intercept": 0.0},
                "PlattCalibrator: slope must be a number above 0, not -1.0",
            ),
            (
                {"type": "platt", "slope": 1.0, "intercept": math.inf},
                "PlattCalibrator: intercept must be a finite number, not inf",
            ),
            (
                {"type": "platt", "slope": "1", "intercept": 0.0},
                "slope must be .* not '1' .a str; write the number without quotes.",
            ),
            (
                {"type": "platt", "slope": 1.0, "intercept": 0.0, "base_rate": 1.0},
                "base_rate must be a number between 0 and 1, both excluded",
            ),
            ({"type": "temperature", "temperature": 0}, "temperature .* above 0, not 0"),
            ({"type": "beta", "a": -1, "b": 1, "c": 0}, "BetaCalibrator: a must be a number of at least 0, not -1"),
            ({"type": "beta", "a": 0, "b": 0, "c": 0}, "a and b must not both be 0"),
            ({"type": "isotonic", "logits": [1, 2], "values": [0.1]}, "equally many"),
            ({"type": "isotonic", "logits": [], "values": []}, "equally many"),
            ({"type": "isotonic", "logits": [1, math.nan], "values": [0, 1]}, "must be finite"),
            ({"type": "isotonic", "logits": [1, "x"], "values": [0, 1]}, "lists of numbers"),
            ({"type": "isotonic", "logits": [2, 1], "values": [0, 1]}, "must rise"),
            ({"type": "isotonic", "logits": [1, 2], "values": [1, 0]}, "must not fall"),
            ({"type": "isotonic", "logits": [1, 2], "values": [0, 2]}, r"lie in \[0, 1\]"),
        ],
    )
    def test_a_configuration_that_is_none(self, config: object, message: str) -> None:
        """Unknown, missing and impossible parameters are named."""
        with pytest.raises(ConfigError, match=message):
            calibrator_from_config(config)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", _KINDS)
def test_a_configuration_holds_every_bit(kind: type[Calibrator]) -> None:
    """Through JSON a calibrator comes back equal."""
    fitted = kind.fit(*_examples())
    restored = calibrator_from_config(json.loads(json.dumps(fitted.to_config())))
    assert restored == fitted and type(restored) is kind
    assert fitted.to_config()["type"] == kind.registry_name


def test_extreme_values_do_not_overflow() -> None:
    """The logistic functions take any float; probabilities of 0 and 1 have finite log-odds."""
    np.testing.assert_array_equal(sigmoid([-1e308, 0, 1e308]), [0, 0.5, 1])
    np.testing.assert_array_equal(softplus([-1e308, 1e308]), [0, 1e308])
    np.testing.assert_allclose(log_odds([0, 0.5, 1]), [-36.7368, 0, 36.7368], atol=1e-4)
