"""The retriever's prior: contract, values by hand, what gets one, and what it is for."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import secondpass as sp
from secondpass.base import Reranker
from secondpass.composition.passage import PassageReranker
from secondpass.composition.prior import PriorReranker, rank_prior, with_prior
from secondpass.errors import CompositionError, ConfigError
from secondpass.logistic import log_odds, sigmoid
from secondpass.testing import FakeReranker, RerankerContract
from secondpass.types import Request, Scale, Scores

_TEXTS = ["a", "b", "c", "d"]


class Table(Reranker):
    """Gives the documents the scores that it was built with, whatever they are; like a cross-encoder by default."""

    registry_name: ClassVar[str] = "table"

    def __init__(self, scores: list[float], scale: str = "logit", *, log_odds: bool = True) -> None:
        self.scores, self.scale, self.log_odds = scores, Scale(scale), log_odds

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        assert all(request.k is None for request in requests)
        return [Scores(np.array(self.scores[: len(request)]), {"seen": request.texts}) for request in requests]


class TestContract(RerankerContract):
    tolerance = 0.0

    def make(self) -> PriorReranker:
        return PriorReranker(FakeReranker(scale="logit"))


class TestContractOfProbabilities(RerankerContract):
    tolerance = 1e-12

    def make(self) -> PriorReranker:
        return PriorReranker(FakeReranker(), weight=0.5)


class TestRankPrior:
    def test_it_is_the_z_score_of_fifty_documents(self) -> None:
        """With the population's standard deviation."""
        raw = 1 / (10 + np.arange(1, 51))
        np.testing.assert_allclose(rank_prior(50), (raw - raw.mean()) / raw.std(), rtol=1e-12)
        assert rank_prior(50)[[0, 1, 49]].round(2).tolist() == [3.0, 2.6, -0.99]

    @pytest.mark.parametrize("n", [1, 2, 3, 10, 1000])
    def test_neighbours_are_as_far_apart_in_any_list(self, n: int) -> None:
        """It falls, has mean 0, and its steps are those of the first ranks of a long list."""
        prior = rank_prior(n)
        assert prior.shape == (n,) and abs(prior.mean()) < 1e-12 and (np.diff(prior) < 0).all()
        np.testing.assert_allclose(np.diff(prior[:50]), np.diff(rank_prior(50)[:n]), atol=1e-12)

    def test_there_is_none_of_no_documents(self) -> None:
        """And that is no error."""
        assert rank_prior(0).shape == (0,)


class TestScores:
    def test_the_prior_is_added_to_logits_and_explained(self) -> None:
        """The score is the sum of its two parts, which stand beside it."""
        logits = [-4.0, 1.0, 0.5, -4.0]
        ranking = PriorReranker(Table(logits), weight=1.5).rerank("q", _TEXTS, k=3)
        expected = np.array(logits) + 1.5 * rank_prior(4)
        assert [document.index for document in ranking] == np.argsort(-expected)[:3].tolist() == [1, 2, 0]
        for document in ranking:
            assert document.score == pytest.approx(expected[document.index], rel=1e-12)
            assert document.explanation["reranker_score"] == logits[document.index]
            assert document.explanation["prior"] == pytest.approx(1.5 * rank_prior(4)[document.index])
            assert document.explanation["seen"] == document.text
        assert ranking.scale is Scale.LOGIT and ranking.trace.stages[0].name == "Table"

    def test_probabilities_go_through_their_log_odds_and_back(self) -> None:
        """So they stay probabilities, also at both ends."""
        given_ = [0.2, 0.9, 0.0, 1.0]
        scores = PriorReranker(Table(given_, "probability"), weight=2.0).score("q", _TEXTS)
        np.testing.assert_allclose(scores, sigmoid(log_odds(given_) + 2.0 * rank_prior(4)), rtol=1e-12)
        assert scores.min() >= 0 and scores.max() <= 1

    @given(st.lists(st.floats(-20, 20), min_size=1, max_size=60), st.floats(0, 10))
    def test_flat_logits_leave_the_order_and_equal_ones_keep_theirs(self, logits: list[float], weight: float) -> None:
        """The retriever's order stands where the model says nothing, and the mean of the scores never moves."""
        flat = PriorReranker(Table([0.1] * len(logits)), weight=weight).rerank("q", ["a"] * len(logits))
        assert [document.index for document in flat] == list(range(len(logits)))
        scores = PriorReranker(Table(logits), weight=weight).score("q", ["a"] * len(logits))
        assert np.mean(scores) == pytest.approx(np.mean(logits), abs=1e-9)

    def test_a_sure_reranker_decides(self) -> None:
        """The last of fifty comes first if it alone is relevant."""
        ranking = PriorReranker(Table([-11.0] * 49 + [9.0])).rerank("q", ["a"] * 50)
        assert [document.index for document in ranking][:2] == [49, 0]

    @pytest.mark.parametrize("scale", ["logit", "probability"])
    def test_nothing_to_say_changes_nothing(self, scale: str) -> None:
        """A single document, equal scores of the first stage and a weight of 0 leave scores as they are, to the bit."""
        scores = [0.3, 0.1, 0.7, 0.2]
        table = Table(scores, scale)
        assert PriorReranker(table).score("q", ["a"]).tolist() == [0.3]
        assert PriorReranker(table, weight=0.0).score("q", _TEXTS).tolist() == scores
        unordered = PriorReranker(table).rerank("q", _TEXTS, initial_scores=[1.0] * 4)
        assert [document.score for document in unordered] == sorted(scores, reverse=True)
        assert {document.explanation["prior"] for document in unordered} == {0.0}
        ordered = PriorReranker(table).score_many([Request("q", _TEXTS, initial_scores=[4, 4, 2, 1])])[0].values
        assert ordered.tolist() == PriorReranker(table).score("q", _TEXTS).tolist()

    def test_what_does_not_fit_is_refused(self) -> None:
        """Ordinal scores have no unit that anything could be added in; a weight is a number of at least 0."""
        with pytest.raises(CompositionError, match="needs logit or probability scores, but Table gives ordinal"):
            PriorReranker(Table([1.0], "ordinal"))
        with pytest.raises(ConfigError, match="weight"):
            PriorReranker(Table([1.0]), weight=-1.0)
        with pytest.raises(CompositionError, match="don't depend on the other documents"):
            PassageReranker(PriorReranker(FakeReranker()))


class TestWhatGetsOne:
    def test_a_cross_encoder_and_what_wraps_only_those(self) -> None:
        """Logits and probabilities, whole or in windows, kept, coalesced, and routed by language."""
        table = Table([1.0])
        assert isinstance(with_prior(table), PriorReranker)
        assert isinstance(with_prior(Table([0.5], "probability")), PriorReranker)
        assert sp.CrossEncoderReranker.log_odds
        for wrapped in (
            PassageReranker(table),
            sp.CachedReranker(PassageReranker(table)),
            sp.CoalescingReranker(table),
            sp.EnsembleReranker([table, table], method="mean"),
            sp.RoutedReranker({"en": table, "de": table}, "language"),
        ):
            second = with_prior(wrapped)
            assert isinstance(second, PriorReranker) and second.wrapped is wrapped

    def test_what_chooses_among_cross_encoders_or_watches_one(self) -> None:
        """Choosing and watching add no order: an arm of an experiment has the prior that it has without one."""
        table, left_early = Table([1.0]), Table([1.0])
        left_early.pointwise = False  # as a progressive cross-encoder's scores are
        arms = {"control": table, "treatment": Table([2.0])}
        for wrapped in (
            sp.RoutedReranker({"100": table, "inf": table}, "length"),
            sp.RoutedReranker({"a": table, "b": left_early}, lambda request: "a"),
            sp.ABTestReranker(arms),
            sp.ABTestReranker({**arms, "treatment": FakeReranker(scale="logit")}, mode="shadow"),
            sp.MonitoredReranker(left_early),
            sp.CoalescingReranker(left_early),
            sp.TranslatingReranker(left_early, list),
            sp.MonitoredReranker(sp.ABTestReranker(arms)),
        ):
            second = with_prior(wrapped)
            assert isinstance(second, PriorReranker) and second.wrapped is wrapped
        for other in (
            sp.RoutedReranker({"100": table, "inf": PriorReranker(table)}, "length"),
            sp.ABTestReranker({**arms, "treatment": FakeReranker(scale="logit")}),
            sp.ABTestReranker({**arms, "treatment": PriorReranker(table)}),
            sp.ABTestReranker(arms, mode="interleave"),
            sp.MonitoredReranker(PriorReranker(table)),
        ):
            assert with_prior(other) is other

    def test_all_else_is_returned_as_it_is(self) -> None:
        """What looks at the order by itself, calibrated probabilities, and scores of an unknown unit."""
        table, fake = Table([1.0]), FakeReranker(scale="logit")
        calibrator = {"type": "platt", "slope": 1.0, "intercept": 0.0}
        for reranker in (
            fake,
            Table([1.0], log_odds=False),
            Table([1.0], "ordinal"),
            PriorReranker(table),
            sp.BlendedReranker(table),
            sp.CalibratedReranker(table, calibrator=calibrator),
            PassageReranker(sp.CalibratedReranker(table, calibrator=calibrator)),
            sp.EnsembleReranker([table, fake], method="mean"),
            sp.CascadeReranker([table, table], keep=[1]),
            sp.LLMReranker("m", completion=lambda *_: None),  # type: ignore[arg-type,return-value]
            sp.RemoteReranker("http://127.0.0.1:9", shape="tei"),
        ):
            assert with_prior(reranker) is reranker
