"""Conformal selection: by hand, and coverage where the theory says, on made and on real scores."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.calibration import ConformalSelector, ScoredExamples, score_examples
from secondpass.errors import CompositionError, ConfigError, InputError
from secondpass.testing import FakeReranker
from secondpass.types import Scale


def _expected_coverage(n: int, alpha: float) -> float:
    """Return the mean coverage without ties: 1 - floor(alpha (n + 1)) / (n + 1)."""
    return 1 - math.floor(round(alpha * (n + 1), 9)) / (n + 1)


class TestThreshold:
    def test_by_hand(self) -> None:
        """Of 19 scores and alpha = 0.1, floor(0.1 * 20) = 2: the second smallest is the threshold."""
        best = np.random.default_rng(0).permutation(np.arange(1, 20) / 20)
        assert ConformalSelector.from_best_scores(best, alpha=0.1).threshold == 0.1
        assert ConformalSelector.from_best_scores(best, alpha=0.05).threshold == 0.05

    def test_alpha_is_taken_as_it_is_written(self) -> None:
        """In binary 0.29 * 100 is a little below 29; the 29th smallest is meant all the same."""
        best = np.arange(1, 100) / 100
        assert 0.29 * 100 < 29
        assert ConformalSelector.from_best_scores(best, alpha=0.29).threshold == 0.29

    @given(st.sampled_from([0.01, 0.05, 0.1, 0.2, 0.29, 0.5, 0.9]), st.integers(0, 150))
    def test_the_smallest_number_of_queries_is_enforced(self, alpha: float, n: int) -> None:
        """It needs ceil((n + 1)(1 - alpha)) <= n; the message names the smallest such n."""
        best = np.linspace(0, 1, n)
        smallest = next(m for m in range(200) if math.ceil(round((m + 1) * (1 - alpha), 9)) <= m)
        if n >= smallest:
            assert ConformalSelector.from_best_scores(best, alpha=alpha).n_queries == n
        else:
            with pytest.raises(InputError, match=rf"needs at least {smallest} calibration queries .* there are {n}:"):
                ConformalSelector.from_best_scores(best, alpha=alpha)

    def test_only_queries_with_a_relevant_candidate_count(self) -> None:
        """A query without one says nothing about where relevant documents score."""
        scores = [0.9, 0.2, 0.8, 0.1, 0.7, 0.6]
        scored = ScoredExamples(scores, [1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 2, 3], scored_by="model")
        selector = ConformalSelector.fit(scored, alpha=0.5)
        assert (selector.threshold, selector.n_queries, selector.fitted_on) == (0.8, 2, "model")

    @pytest.mark.parametrize(
        ("settings", "error", "message"),
        [
            ({"alpha": 0}, ConfigError, "alpha must be a number between 0 and 1, both excluded"),
            ({"alpha": 1.0}, ConfigError, "alpha must be a number between 0 and 1, both excluded"),
            ({"alpha": True}, ConfigError, "alpha must be a number between 0 and 1, both excluded"),
            ({"best_scores": [[0.5]]}, InputError, "must be finite numbers, one for each query"),
            ({"best_scores": [0.5, math.inf]}, InputError, "must be finite numbers, one for each query"),
            ({"scale": Scale.ORDINAL}, ConfigError, "scale must be 'logit' or 'probability'"),
        ],
    )
    def test_what_cannot_be_fitted(self, settings: dict[str, object], error: type, message: str) -> None:
        """Each is refused with what is wrong."""
        with pytest.raises(error, match=message):
            ConformalSelector.from_best_scores(**{"best_scores": np.full(50, 0.5), **settings})  # type: ignore[arg-type]


class TestSelect:
    def test_it_selects_and_finds_that_nothing_answers(self) -> None:
        """What reaches the threshold is kept; where nothing does, nothing here answers the query."""
        reranker = FakeReranker()
        selector = ConformalSelector(0.4, alpha=0.1, n_queries=20, fitted_on=reranker.fingerprint)
        some = selector.select(reranker.rerank("copy file", ["copy the file", "rain", "copy"]), reranker=reranker)
        none = selector.select(reranker.rerank("copy file", ["rain", "snow"]), reranker=reranker)
        assert [document.index for document in some] == [0, 2]
        assert none.is_empty and "Nothing here answers 'copy file'" in repr(none)

    def test_another_scale_or_reranker(self) -> None:
        """Both are refused, in selecting and in measuring."""
        selector = ConformalSelector(0.4, alpha=0.1, n_queries=20, fitted_on="model")
        with pytest.raises(CompositionError, match=r"conformal threshold was fitted for .* fingerprint model"):
            selector.select(FakeReranker().rerank("a", ["a"]), reranker=FakeReranker())
        with pytest.raises(CompositionError, match="to a ranking with logit ones"):
            selector.select(FakeReranker(scale="logit").rerank("a", ["a"]))
        examples = [("a", "a", True), ("a", "b", False)]
        for other in (score_examples(FakeReranker(), examples), ScoredExamples([1, 0], [1, 0], [0, 0], "logit")):
            with pytest.raises(CompositionError, match="were scored by another reranker"):
                selector.measure(other)

    def test_what_is_measured(self) -> None:
        """Coverage of the answerable queries, empty selections among the others, documents kept."""
        scored = ScoredExamples(
            [0.9, 0.8, 0.1, 0.7, 0.2, 0.6], [1, 0, 1, 0, 0, 0], [0, 0, 1, 1, 2, 3], scored_by="model"
        )
        measured = ConformalSelector(0.5, alpha=0.1, n_queries=9).measure(scored)
        assert (measured.coverage, measured.n_answerable) == (0.5, 2)
        assert (measured.found_unanswerable, measured.n_unanswerable) == (0.5, 2)
        assert measured.mean_kept == (2 + 1 + 0 + 1) / 4
        answerable = ScoredExamples([0.9, 0.1], [1, 0], [0, 0])
        assert ConformalSelector(0.5, alpha=0.1, n_queries=9).measure(answerable).found_unanswerable is None

    def test_its_configuration_builds_it_again(self) -> None:
        """Through JSON it comes back equal; what is something else is refused."""
        selector = ConformalSelector.from_best_scores(np.arange(30) / 7, scale=Scale.LOGIT, fitted_on="model")
        assert ConformalSelector.from_config(json.loads(json.dumps(selector.to_config()))) == selector
        for config, message in (
            ({"type": "platt"}, "the type 'conformal' in a configuration, not 'platt'"),
            ({"type": "conformal"}, "missing a required argument: 'threshold'"),
            (selector.to_config() | {"threshold": "low"}, "threshold must be a finite number"),
            (selector.to_config() | {"threshold": math.nan}, "threshold must be a finite number, not nan"),
            (selector.to_config() | {"scale": "ordinal"}, "scale must be 'logit' or 'probability'"),
        ):
            with pytest.raises(ConfigError, match=message):
                ConformalSelector.from_config(config)


class TestCoverage:
    @pytest.mark.parametrize("alpha", [0.05, 0.1, 0.3])
    def test_of_made_scores(self, alpha: float) -> None:
        """Over 100 draws the mean coverage is what theory says, within three standard errors, and so is its spread."""
        rng, n, m = np.random.default_rng(0), 60, 500
        coverages = []
        for _ in range(100):
            # Four candidates a query, the first two relevant, by a poor model.
            scores = rng.normal(0, 1, (n + m, 4)) + np.array([1.0, 0.5, 0.0, 0.0])
            relevant = np.tile([True, True, False, False], (n + m, 1))
            queries = np.repeat(np.arange(n + m), 4).reshape(n + m, 4)
            parts = [
                ScoredExamples(scores[part].ravel(), relevant[part].ravel(), queries[part].ravel(), Scale.LOGIT)
                for part in (slice(n), slice(n, None))
            ]
            coverages.append(ConformalSelector.fit(parts[0], alpha=alpha).measure(parts[1]).coverage)
        mean = _expected_coverage(n, alpha)
        # Coverage given a calibration set is Beta(n + 1 - l, l), and is seen through m queries.
        of_sets = mean * (1 - mean) / (n + 2)
        spread = math.sqrt(of_sets + (mean * (1 - mean) - of_sets) / m)
        assert 1 - alpha <= mean <= 1 - alpha + 1 / (n + 1)
        assert abs(np.mean(coverages) - mean) < 3 * spread / 10
        assert 0.7 * spread < np.std(coverages) < 1.35 * spread

    @pytest.mark.slow
    @pytest.mark.parametrize("alpha", [0.1, 0.2])
    def test_of_real_scores(self, stdlib_scored: ScoredExamples, alpha: float) -> None:
        """On the standard library, over 100 splits of the questions, mean coverage is what theory says."""
        rng, best = np.random.default_rng(0), stdlib_scored.best_relevant()
        answerable = np.unique(stdlib_scored.queries[stdlib_scored.relevant])
        n, n_answerable = len(best) // 2, len(best)
        coverages = []
        for _ in range(100):
            fitted_on = np.isin(stdlib_scored.queries, rng.permutation(answerable)[:n])
            fit, test = (
                ScoredExamples(
                    stdlib_scored.scores[part],
                    stdlib_scored.relevant[part],
                    stdlib_scored.queries[part],
                    stdlib_scored.scale,
                    stdlib_scored.scored_by,
                )
                for part in (fitted_on, ~fitted_on)
            )
            measured = ConformalSelector.fit(fit, alpha=alpha).measure(test)
            assert (measured.n_answerable, measured.n_unanswerable) == (
                n_answerable - n,
                stdlib_scored.n_queries - n_answerable,
            )
            coverages.append(measured.coverage)
        mean, m = _expected_coverage(n, alpha), n_answerable - n
        of_sets = mean * (1 - mean) / (n + 2)
        spread = math.sqrt(of_sets + (mean * (1 - mean) - of_sets) / m)
        assert abs(np.mean(coverages) - mean) < 3 * spread / 10
