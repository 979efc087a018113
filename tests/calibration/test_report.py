"""What is said of probabilities: against scikit-learn, by hand, and the interval by simulation."""

import builtins
import json
import sys
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from secondpass.calibration import (
    CalibrationReport,
    PlattCalibrator,
    ScoredExamples,
    estimate_base_rate,
    probability_quality,
    shift_base_rate,
)
from secondpass.calibration.folds import held_out_probabilities
from secondpass.calibration.report import compared
from secondpass.errors import ConfigError, InputError, MissingExtraError


def _probabilities(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.beta(0.5, 2, n)
    return p, rng.random(n) < p


def _report() -> CalibrationReport:
    p, y = _probabilities(500)
    return compared("platt", np.sqrt(p), p, y, np.arange(500) // 5, {"confidence": 0.9})


class TestQuality:
    @pytest.mark.parametrize("decimals", [1, 8])
    def test_likelihood_brier_and_bins_are_those_of_scikit_learn(self, decimals: int) -> None:
        """log_loss, brier_score_loss and calibration_curve by quantiles agree, with and without ties."""
        p, y = _probabilities(500)
        p = p.round(decimals)
        quality = probability_quality(p, y, np.arange(500))
        assert quality.nll == pytest.approx(log_loss(y, p), rel=1e-9)
        assert quality.brier == pytest.approx(brier_score_loss(y, p), rel=1e-12)
        observed, predicted = calibration_curve(y, p, n_bins=10, strategy="quantile")
        np.testing.assert_allclose([b.predicted for b in quality.bins], predicted)
        np.testing.assert_allclose([b.observed for b in quality.bins], observed)
        assert sum(b.n for b in quality.bins) == 500

    def test_calibration_error_by_hand(self) -> None:
        """Two bins of two: |0.5 - 0.15| and |1 - 0.85|, half of the examples each."""
        quality = probability_quality([0.1, 0.2, 0.8, 0.9], [0, 1, 1, 1], [0, 1, 2, 3], n_bins=2)
        assert quality.ece == pytest.approx(0.5 * 0.35 + 0.5 * 0.15)
        assert [(b.n, b.observed) for b in quality.bins] == [(2, 0.5), (2, 1.0)]

    def test_equal_probabilities_share_a_bin(self) -> None:
        """A constant that is the base rate has no calibration error, in whatever order the examples come."""
        quality = probability_quality(np.full(8, 0.25), [1, 1, 0, 0, 0, 0, 0, 0], np.arange(8), n_bins=4)
        assert (quality.ece, len(quality.bins)) == (0.0, 1)

    def test_the_interval_covers_the_true_error(self) -> None:
        """Over 200 data sets, the 90 % interval holds the true error, 0.15 here, about as often as it says."""
        rng = np.random.default_rng(0)
        covered = 0
        for seed in range(200):
            p = rng.uniform(0.2, 0.8, 400)
            y = rng.random(400) < p - 0.15
            low, high = probability_quality(
                p, y, np.arange(400), n_bins=5, confidence=0.9, n_bootstrap=200, seed=seed
            ).ece_interval
            covered += low <= 0.15 <= high
        assert 0.8 <= covered / 200 <= 0.98

    def test_the_interval_reaches_zero_where_all_is_right(self) -> None:
        """For probabilities that made the data, the true error of 0 lies in nearly every interval."""
        reached = [
            probability_quality(*_probabilities(400, seed), np.arange(400), n_bootstrap=200).ece_interval[0] == 0
            for seed in range(50)
        ]
        assert np.mean(reached) >= 0.9

    def test_queries_are_numbers_or_texts(self) -> None:
        """Only which examples belong together counts, not what a query is called; names of both kinds are refused."""
        p, y = _probabilities(60)
        numbered = probability_quality(p, y, np.repeat(np.arange(20), 3))
        assert probability_quality(p, y, np.repeat([f"q{at:02}" for at in range(20)], 3)) == numbered
        with pytest.raises(InputError, match="all numbers or all texts"):
            probability_quality([0.1, 0.9], [0, 1], np.array(["a", 1], dtype=object))

    def test_queries_are_drawn_whole(self) -> None:
        """Where the examples of a query are copies of each other, the interval is that of a tenth of them."""
        p, y = _probabilities(100)
        as_one = probability_quality(np.repeat(p, 10), np.repeat(y, 10), np.repeat(np.arange(100), 10))
        apart = probability_quality(np.repeat(p, 10), np.repeat(y, 10), np.arange(1000))
        assert np.diff(as_one.ece_interval) > 1.5 * np.diff(apart.ece_interval)

    @pytest.mark.parametrize(
        ("settings", "error", "message"),
        [
            ({"n_bins": 0}, ConfigError, "n_bins must be a whole number of at least 1, not 0"),
            ({"confidence": 1.0}, ConfigError, "confidence must be a number between 0 and 1"),
            ({"probabilities": [0.5, 1.5]}, InputError, r"probabilities must lie in \[0, 1\]"),
            ({"queries": [0]}, InputError, "the number of its query"),
        ],
    )
    def test_what_cannot_be_measured(self, settings: dict[str, Any], error: type, message: str) -> None:
        """Settings and lists that make no sense are refused."""
        arguments = {"probabilities": [0.5, 0.6], "relevant": [True, False], "queries": [0, 1], **settings}
        with pytest.raises(error, match=message):
            probability_quality(**arguments)


class TestReport:
    def test_it_can_be_read_and_saved(self) -> None:
        """As text, as a table and as JSON it names the numbers before and after."""
        report = _report()
        assert f"{report.before.ece:.4f}" in str(report) and f"{report.after.nll:.4f}" in str(report)
        assert "90% interval" in str(report) and "500 held-out examples of 100 queries" in str(report)
        assert f"<td>{report.before.brier:.4f}<td>{report.after.brier:.4f}" in report._repr_html_()
        saved = json.loads(json.dumps(report.to_dict()))
        assert saved["after"]["ece"] == report.after.ece < report.before.ece
        assert len(saved["after"]["bins"]) == 10

    def test_the_diagram_shows_the_bins(self) -> None:
        """The curves are the bins, drawn into the axes given, or into a figure of their own."""
        report = _report()
        ax = report.plot()
        _, before, after = ax.get_lines()
        np.testing.assert_allclose(after.get_xdata(), [b.predicted for b in report.after.bins])
        np.testing.assert_allclose(before.get_ydata(), [b.observed for b in report.before.bins])
        assert report.plot(ax) is ax and len(ax.get_lines()) == 6
        ax.figure.canvas.draw()

    def test_without_matplotlib_the_error_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The report itself needs no matplotlib."""
        real = builtins.__import__

        def refusing(name: str, *rest: Any, **named: Any) -> Any:
            if name.startswith("matplotlib"):
                raise ImportError(name)
            return real(name, *rest, **named)

        report = _report()
        for name in [name for name in sys.modules if name.startswith("matplotlib")]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setattr(builtins, "__import__", refusing)
        with pytest.raises(MissingExtraError, match=r"secondpass\[plot\]"):
            report.plot()


class TestFolds:
    def _scored(self, n_queries: int) -> ScoredExamples:
        rng = np.random.default_rng(0)
        queries = np.repeat(np.arange(n_queries), 6)
        y = np.tile([True] + [False] * 5, n_queries)
        return ScoredExamples(rng.normal(0, 1, len(y)) + 2 * y, y, queries, scale="logit")

    def test_no_example_is_judged_by_a_fit_that_saw_its_query(self) -> None:
        """With two folds, a query's probabilities are those of a fit on a half that it is not in."""
        scored = self._scored(20)
        held_out = held_out_probabilities(PlattCalibrator, scored, folds=2, seed=3)
        halves = []
        for query in range(20):  # two of its probabilities give the slope of the curve that they lie on
            mine = np.flatnonzero(scored.queries == query)[:2]
            (low, high), log_odds = scored.logits[mine], np.log(held_out[mine] / (1 - held_out[mine]))
            halves.append(round(float((log_odds[1] - log_odds[0]) / (high - low)), 3))
        slopes = sorted(set(halves))
        assert len(slopes) == 2
        for slope in slopes:
            others = ~np.isin(scored.queries, [query for query in range(20) if halves[query] == slope])
            fitted = PlattCalibrator.fit(scored.logits[others], scored.relevant[others])
            assert fitted.slope == pytest.approx(slope, abs=1e-3)

    def test_it_is_the_same_for_the_same_seed(self) -> None:
        """The split is by the seed and nothing else."""
        scored = self._scored(20)
        first, again, other = (
            held_out_probabilities(PlattCalibrator, scored, folds=5, seed=seed) for seed in (0, 0, 1)
        )
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)

    def test_what_cannot_be_split(self) -> None:
        """One query, one fold, and a single query with something relevant are refused."""
        with pytest.raises(ConfigError, match="folds must be a whole number of at least 2"):
            held_out_probabilities(PlattCalibrator, self._scored(5), folds=1, seed=0)
        with pytest.raises(InputError, match="at least two queries"):
            held_out_probabilities(PlattCalibrator, self._scored(1), folds=5, seed=0)
        lonely = ScoredExamples([1.0, 2.0, 3.0], [False, False, True], [0, 0, 1], scale="logit")
        with pytest.raises(InputError, match="the examples are all relevant or all not"):
            held_out_probabilities(PlattCalibrator, lonely, folds=5, seed=0)


class TestBaseRate:
    def test_by_hand(self) -> None:
        """From one in two to one in ten: odds of 1 become odds of 1/9, and 0 and 1 stay."""
        np.testing.assert_allclose(shift_base_rate([0.5, 0.9], fitted=0.5, actual=0.1), [0.1, 0.5])
        np.testing.assert_allclose(shift_base_rate([0.0, 1.0], fitted=0.5, actual=0.1), [0, 1], atol=1e-14)
        assert shift_base_rate([0.3], fitted=0.2, actual=0.2).tolist() == [0.3]

    def test_it_restores_calibration_and_the_rate_can_be_estimated(self) -> None:
        """After dropping nine in ten relevant examples, the shift is calibrated again, with no judgement needed."""
        p, y = _probabilities(40_000)
        keep = ~y | (np.random.default_rng(1).random(len(y)) < 0.1)
        rarer, judged, queries = p[keep], y[keep], np.arange(keep.sum())
        shifted = shift_base_rate(rarer, fitted=y.mean(), actual=judged.mean())
        before = probability_quality(rarer, judged, queries, n_bootstrap=1).ece
        assert probability_quality(shifted, judged, queries, n_bootstrap=1).ece < 0.01 < 0.1 < before
        assert estimate_base_rate(rarer, fitted=y.mean()) == pytest.approx(judged.mean(), rel=0.15)

    def test_what_is_no_rate(self) -> None:
        """Shares of 0 and 1 leave no odds; probabilities have to be some."""
        for rate in (0, 1, 1.5, True, "0.5"):
            with pytest.raises(ConfigError, match="actual must be a number between 0 and 1"):
                shift_base_rate([0.5], fitted=0.5, actual=rate)  # type: ignore[arg-type]
        for bad in ([], [1.5], [float("nan")]):
            with pytest.raises(InputError, match="non-empty list of numbers"):
                estimate_base_rate(bad, fitted=0.5)


@pytest.mark.slow
def test_calibration_on_the_standard_library(stdlib_scored: ScoredExamples) -> None:
    """Half of the questions to fit and half to test: calibration halves the model's error on the other half."""
    n = stdlib_scored.n_queries
    fitted_on = np.isin(stdlib_scored.queries, np.random.default_rng(0).permutation(n)[: n // 2])
    platt = PlattCalibrator.fit(stdlib_scored.logits[fitted_on], stdlib_scored.relevant[fitted_on])
    relevant, queries = stdlib_scored.relevant[~fitted_on], stdlib_scored.queries[~fitted_on]
    before = probability_quality(stdlib_scored.probabilities[~fitted_on], relevant, queries)
    after = probability_quality(platt.apply(stdlib_scored.logits[~fitted_on]), relevant, queries)
    assert after.ece < 0.6 * before.ece and after.ece < 0.06
    assert after.nll < 0.7 * before.nll and after.brier < before.brier
