"""Escalation of uncertain documents to a judge, and chains of rerankers that may fail."""

import json
import logging
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import secondpass as sp
from secondpass.base import Reranker
from secondpass.composition.blended import BlendedReranker
from secondpass.composition.calibrated import CalibratedReranker
from secondpass.composition.cascade.reranker import CascadeReranker
from secondpass.composition.fallback import FallbackReranker
from secondpass.composition.routed import RoutedReranker
from secondpass.errors import CompositionError, ConfigError, RegistryError, ScoringError
from secondpass.llm import Answer, Budget
from secondpass.rerankers.llm import LLMReranker
from secondpass.testing import FakeReranker, RerankerContract
from secondpass.types import Request, Scale, Scores


class Told(Reranker):
    """Scores each document by what it is told of its text; fails where it is told nothing."""

    registry_name: ClassVar[str] = "told"

    def __init__(
        self, told: dict[str, float], *, scale: str = "probability", columns: dict[str, dict[str, Any]] | None = None
    ) -> None:
        self.told, self.scale, self.columns = told, Scale(scale), columns or {}
        self.asked: list[list[str]] = []

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        self.asked += [list(request.texts) for request in requests]
        return [
            Scores(
                np.array([self.told[text] for text in request.texts]),
                {name: [cells[text] for text in request.texts] for name, cells in self.columns.items()},
            )
            for request in requests
        ]


BASE = {"a": 0.9, "b": 0.6, "c": 0.5, "d": 0.4, "e": 0.1}
TEXTS = list(BASE)


def _marks(middle: str) -> dict[str, str | None]:
    return {"a": None, "b": middle, "c": middle, "d": middle, "e": None}


class TestEscalationContract(RerankerContract):
    def make(self) -> FallbackReranker:
        return FallbackReranker(FakeReranker(), FakeReranker(), band=(0.2, 0.7))


class TestCappedContract(RerankerContract):
    def make(self) -> FallbackReranker:
        judge = FakeReranker(scale="ordinal", pointwise=False)
        return FallbackReranker(FakeReranker(), judge, band=(0.0, 1.0), max_documents=2)


class TestChainContract(RerankerContract):
    def make(self) -> FallbackReranker:
        return FallbackReranker([FakeReranker(scale="logit"), FakeReranker()])


class TestEscalation:
    def test_only_the_band_is_asked_about_best_first(self) -> None:
        """The judge sees the documents in the band, borders included, as the base orders them."""
        judge = Told({"b": 0.2, "c": 0.95, "d": 0.4})
        documents = ["d", "a", "c", "e", "b"]
        ranking = FallbackReranker(Told(BASE), judge, band=(0.4, 0.6)).rerank("q", documents)
        assert judge.asked == [["b", "c", "d"]]
        assert [(d.text, d.score) for d in ranking] == [("c", 0.95), ("a", 0.9), ("d", 0.4), ("b", 0.2), ("e", 0.1)]
        assert ranking.scale is Scale.PROBABILITY
        assert {d.text: d.explanation["escalation"] for d in ranking} == _marks("judged")
        assert {d.text: d.explanation["base_score"] for d in ranking} == BASE
        assert dict(ranking.trace.counts) == {"escalated": 3, "capped": 0}
        assert [stage.name for stage in ranking.trace.stages] == ["Told", "Told"]

    def test_an_order_hands_the_base_scores_out_anew(self) -> None:
        """A judge that only orders changes who has which score among the escalated, and nothing else."""
        judge = Told({"b": 1, "c": 7, "d": 7}, scale="ordinal")
        reranker = FallbackReranker(Told(BASE), judge, band=(0.4, 0.6))
        assert reranker.score("q", TEXTS).tolist() == [0.9, 0.4, 0.6, 0.5, 0.1]
        assert reranker.scale is Scale.PROBABILITY and not reranker.pointwise

    def test_ties_of_the_judge_keep_the_order_of_the_base(self) -> None:
        """Whatever the order in which the documents came: the base's better one gets the higher score."""
        reranker = FallbackReranker(Told(BASE), Told({"b": 3, "c": 7, "d": 7}, scale="ordinal"), band=(0.4, 0.6))
        assert reranker.score("q", ["d", "c", "b"]).tolist() == [0.5, 0.6, 0.4]

    def test_order_can_be_asked_of_a_judge_with_probabilities(self) -> None:
        """By merge='order' its numbers don't come through."""
        judge = Told({"b": 0.0, "c": 0.01, "d": 0.02})
        reranker = FallbackReranker(Told(BASE), judge, band=(0.4, 0.6), merge="order")
        assert reranker.score("q", TEXTS).tolist() == [0.9, 0.4, 0.5, 0.6, 0.1]

    def test_the_most_uncertain_come_first_and_the_shortest_among_equals(self) -> None:
        """Under a cap: by distance from the middle in ten steps, then by length; the others are marked as capped."""
        base = {"far": 0.68, "near, but long": 0.505, "near": 0.51, "rather near": 0.54}
        judge = Told(dict.fromkeys(base, 0.0))
        ranking = FallbackReranker(Told(base), judge, band=(0.3, 0.7), max_documents=2).rerank("q", list(base))
        assert judge.asked == [["near", "near, but long"]]
        one = FallbackReranker(Told(base), judge, band=(0.3, 0.7), max_documents=1).rerank("q", list(base))
        assert judge.asked[1] == ["near"] and one.trace.counts["capped"] == 3
        assert dict(ranking.trace.counts) == {"escalated": 2, "capped": 2}

    def test_a_wide_spread_escalates_on_any_scale(self) -> None:
        """Documents that the ensemble's members disagree on are asked about, the widest first, and no others."""
        spread = {"a": 0.1, "b": 3.0, "c": 0.5, "d": 1.5, "e": 2.0}
        base = Told({k: 10 * v for k, v in BASE.items()}, scale="logit", columns={"spread": spread})
        judge = Told({"b": 0.1, "e": 0.9}, scale="ordinal")
        ranking = FallbackReranker(base, judge, max_spread=1.0, max_documents=2).rerank("q", TEXTS)
        assert judge.asked == [["b", "e"]]
        assert {d.text: d.score for d in ranking} == {"a": 9.0, "b": 1.0, "c": 5.0, "d": 4.0, "e": 6.0}
        assert ranking.scale is Scale.LOGIT and ranking[0].explanation["spread"] == 0.1

    def test_nothing_uncertain_asks_nobody(self) -> None:
        """The judge is not called, and the trace has no stage of it."""
        judge = Told({})
        ranking = FallbackReranker(Told(BASE), judge, band=(0.2, 0.3)).rerank("q", TEXTS)
        assert judge.asked == [] and len(ranking.trace.stages) == 1

    def test_a_failing_judge_leaves_the_base_decision(self, caplog: pytest.LogCaptureFixture) -> None:
        """Scores stay, explanations and trace say so, and it is logged."""
        with caplog.at_level(logging.WARNING, "secondpass"):
            ranking = FallbackReranker(Told(BASE), Told({}), band=(0.4, 0.6)).rerank("q", TEXTS)
        assert {d.text: d.score for d in ranking} == BASE
        assert {d.text: d.explanation["escalation"] for d in ranking} == _marks("failed")
        assert ranking.trace.counts["fallbacks"] == 1
        assert ranking.trace.notes == ("the judge Told failed (KeyError: 'b'); the base's decision stands",)
        assert "Told() failed" in caplog.text

    def test_a_failing_judge_can_be_an_error(self) -> None:
        """With on_error='raise', with the cause."""
        with pytest.raises(ScoringError, match=r"the judge Told failed \(KeyError") as caught:
            FallbackReranker(Told(BASE), Told({}), band=(0.4, 0.6), on_error="raise").rerank("q", TEXTS)
        assert isinstance(caught.value.__cause__, KeyError)

    def test_one_bad_request_does_not_take_the_others_with_it(self) -> None:
        """Of three requests the judge fails on one: the others are judged."""
        judge = Told({"b": 0.0, "c": 0.0})
        reranker = FallbackReranker(Told(BASE), judge, band=(0.4, 0.6))
        first, second, third = reranker.rerank_many([("q", ["b"]), ("q", ["d"]), ("q", ["c"])])
        assert [r[0].score for r in (first, second, third)] == [0.0, 0.4, 0.0]
        assert "fallbacks" not in first.trace.counts and second.trace.counts["fallbacks"] == 1

    def test_a_judge_out_of_budget_leaves_the_base_decision(self) -> None:
        """A language model that may spend nothing changes nothing, and the result says why."""
        llm = LLMReranker("m", completion=lambda prompt, timeout_s: "", budget=Budget(1))
        ranking = FallbackReranker(Told(BASE), llm, band=(0.4, 0.6)).rerank("q", TEXTS)
        assert {d.text: d.score for d in ranking} == BASE
        assert "the judge LLMReranker failed (BudgetError: the budget is used up" in ranking.trace.notes[0]

    def test_a_language_model_that_refuses_one_leaves_the_base_decision_there(self) -> None:
        """Documents without a verdict keep the base's score; those with one share out the others."""

        def grade(prompt: Any, timeout_s: float) -> Answer:
            if "\nc\n" in prompt.user:
                return Answer(refused=True)
            return Answer('{"grade": 3}' if "\nd\n" in prompt.user else '{"grade": 0}')

        llm = LLMReranker("m", mode="graded", completion=grade)
        ranking = FallbackReranker(Told(BASE), llm, band=(0.4, 0.6)).rerank("q", TEXTS)
        assert {d.text: d.score for d in ranking} == BASE | {"d": 0.6, "b": 0.4}
        by_text = {d.text: d.explanation for d in ranking}
        assert by_text["c"]["escalation"] == "no verdict" and by_text["c"]["judge_judged"] is False
        assert by_text["a"]["judge_judged"] is None

    def test_a_document_that_another_stage_of_the_judge_decided_has_a_verdict(self) -> None:
        """A cascade whose second stage never saw it explains nothing of it there, which is no missing verdict."""

        def grade(prompt: Any, timeout_s: float) -> Answer:
            return Answer('{"grade": 3}' if "\nd\n" in prompt.user else '{"grade": 0}')

        cheap = Told({"b": 1, "c": 2, "d": 3}, scale="logit")
        judge = CascadeReranker([cheap, LLMReranker("m", mode="graded", completion=grade)], keep=[2])
        ranking = FallbackReranker(Told(BASE), judge, band=(0.4, 0.6)).rerank("q", TEXTS)
        assert {d.text: d.score for d in ranking} == BASE | {"d": 0.6, "c": 0.5, "b": 0.4}
        assert {d.text: d.explanation["escalation"] for d in ranking} == _marks("judged")


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=12),
    st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted),
    st.none() | st.integers(1, 5),
)
def test_an_ordinal_judge_only_permutes_the_band(values: list[float], band: list[float], cap: int | None) -> None:
    """What lies outside of the band keeps its score, and the scores as a whole stay the same."""
    base = {str(at): value for at, value in enumerate(values)}
    judge = FakeReranker(scale="ordinal")
    scores = FallbackReranker(Told(base), judge, band=(band[0], band[1]), max_documents=cap).score("q", list(base))
    assert sorted(scores) == sorted(values)
    for before, after in zip(values, scores, strict=True):
        assert before == after or band[0] <= before <= band[1]


class TestChain:
    def test_the_first_that_does_not_fail_answers(self, caplog: pytest.LogCaptureFixture) -> None:
        """The trace counts those that failed, names them and the one that answered."""
        chain = FallbackReranker([Told({}), Told({"x": 1.0}), Told(BASE), FakeReranker()])
        with caplog.at_level(logging.WARNING, "secondpass"):
            ranking = chain.rerank("q", ["e", "a"])
        assert [document.text for document in ranking] == ["a", "e"]
        assert ranking.trace.counts["fallbacks"] == 2
        assert ranking.trace.notes[0] == "Told failed (KeyError: 'e'); Told answered instead"
        assert ranking[0].explanation["answered_by"] == "Told" and "failed" in caplog.text

    def test_without_failure_nothing_is_said(self) -> None:
        """No count, no note; the second is not asked."""
        second = Told(BASE)
        ranking = FallbackReranker([Told(BASE), second]).rerank("q", TEXTS)
        assert ranking.trace.counts == {} and ranking.trace.notes == () and second.asked == []

    def test_the_retriever_is_the_last_resort(self) -> None:
        """By its scores if they are known, else by the order in which the documents came."""
        chain = FallbackReranker([Told({}), Told({})])
        ranking = chain.rerank("q", ["x", "y", "z"], initial_scores=[0.1, 7.0, 3.0])
        assert [(d.text, d.score) for d in ranking] == [("y", 7.0), ("z", 3.0), ("x", 0.1)]
        assert ranking.trace.counts["fallbacks"] == 2 and ranking[0].explanation["answered_by"] == "retriever"
        assert [document.text for document in chain.rerank("q", ["x", "y", "z"])] == ["x", "y", "z"]

    def test_the_last_failure_can_be_an_error(self) -> None:
        """With on_error='raise' all reasons are in the message."""
        chain = FallbackReranker([Told({}), Told({})], on_error="raise")
        with pytest.raises(ScoringError, match=r"every reranker of the chain failed: Told failed .*; Told failed"):
            chain.rerank("q", ["x"])

    def test_requests_fall_back_one_by_one(self) -> None:
        """Only the request that the first member fails on goes to the second."""
        second = Told({"x": 0.3})
        chain = FallbackReranker([Told(BASE), second])
        rankings = chain.rerank_many([("q", ["a"]), ("q", ["x"]), ("q", ["b"])])
        assert [ranking.trace.counts.get("fallbacks", 0) for ranking in rankings] == [0, 1, 0]
        assert second.asked == [["x"]]

    def test_a_dead_member_is_not_asked_about_every_request(self) -> None:
        """After all together and two alone, the rest is taken as failed."""
        dead = Told({})
        FallbackReranker([dead, FakeReranker()]).rerank_many([("q", [str(number)]) for number in range(10)])
        assert len(dead.asked) == 10 + 2

    @pytest.mark.parametrize(
        ("scales", "on_error", "scale"),
        [
            (("probability", "probability"), "raise", "probability"),
            (("probability", "probability"), "keep", "ordinal"),
            (("probability", "logit"), "raise", "ordinal"),
            (("logit", "logit"), "raise", "ordinal"),
            (("logit",), "raise", "logit"),
        ],
    )
    def test_what_its_scores_mean(self, scales: tuple[str, ...], on_error: Any, scale: str) -> None:
        """Numbers are only claimed to mean something where every possible answer means the same."""
        chain = FallbackReranker([FakeReranker(scale=each) for each in scales], on_error=on_error)
        assert chain.scale == scale and chain.pointwise == (scale != "ordinal")


class TestSetup:
    @pytest.mark.parametrize(
        ("reranker", "message"),
        [
            (FallbackReranker([CalibratedReranker(FakeReranker()), FakeReranker()]), "is not fitted"),
            (FallbackReranker(FakeReranker(), CalibratedReranker(FakeReranker()), band=(0.0, 1.0)), "is not fitted"),
            (FallbackReranker([RoutedReranker({"en": FakeReranker()}, lambda request: "fr")]), "there is no route for"),
        ],
    )
    def test_what_is_not_set_up_is_told(self, reranker: FallbackReranker, message: str) -> None:
        """An error that no request can mend is raised, and no other answer stands in its place for ever."""
        with pytest.raises(ConfigError, match=message):
            reranker.rerank_many([("q", ["a", "b"]), ("r", ["c"])])

    def test_what_one_can_not_read_another_may(self) -> None:
        """Input that a member refuses is no fault of the set-up: the next one answers."""
        chain = FallbackReranker([BlendedReranker(FakeReranker()), FakeReranker()])
        ranking = chain.rerank("q", ["a", "b"])
        assert ranking.trace.counts["fallbacks"] == 1 and ranking[0].explanation["answered_by"] == "FakeReranker"


class TestComposition:
    @pytest.mark.parametrize(
        ("arguments", "settings", "error", "message"),
        [
            (
                (FakeReranker(scale="logit"), FakeReranker()),
                {"band": (0.1, 0.2)},
                CompositionError,
                "FallbackReranker needs probability scores, but FakeReranker gives logit ones",
            ),
            (
                (FakeReranker(), FakeReranker(scale="ordinal")),
                {"band": (0.1, 0.2), "merge": "replace"},
                CompositionError,
                "FakeReranker gives probability and FakeReranker ordinal ones",
            ),
            ((3,), {}, CompositionError, "wraps a Reranker, not a int"),
            (([FakeReranker(), "x"],), {}, RegistryError, "'x' is neither a reranker nor"),
            (([],), {}, ConfigError, "at least one reranker"),
            (([FakeReranker()], FakeReranker()), {"band": (0, 1)}, ConfigError, "nest a chain to have both"),
            ((FakeReranker(), FakeReranker()), {}, ConfigError, "needs band or max_spread"),
            ((FakeReranker(),), {"band": (0, 1)}, ConfigError, "need a judge"),
            ((FakeReranker(), FakeReranker()), {"band": (0.9, 0.1)}, ConfigError, "band must be"),
            ((FakeReranker(), FakeReranker()), {"band": 0.5}, ConfigError, "band must be"),
            ((FakeReranker(), FakeReranker()), {"max_spread": -1}, ConfigError, "max_spread must be"),
            ((FakeReranker(), FakeReranker()), {"band": (0, 1), "max_documents": 0}, ConfigError, "max_documents must"),
            ((FakeReranker(),), {"on_error": "hide"}, ConfigError, "on_error must be 'keep' or 'raise', not 'hide'"),
            ((FakeReranker(),), {"merge": "mean"}, ConfigError, "merge must be"),
        ],
    )
    def test_what_does_not_fit_is_refused(
        self, arguments: tuple[Any, ...], settings: dict[str, Any], error: type, message: str
    ) -> None:
        """Each fails in the constructor, with both sides in the message where two don't fit."""
        with pytest.raises(error, match=message):
            FallbackReranker(*arguments, **settings)

    def test_a_spread_that_nobody_explains_is_an_error(self) -> None:
        """A limit that could never be reached is no limit."""
        with pytest.raises(CompositionError, match=r"explains its 'spread'.*but FakeReranker doesn't"):
            FallbackReranker(FakeReranker(), FakeReranker(), max_spread=0.1).rerank("q", ["a"])

    def test_pointwise_is_claimed_only_where_it_holds(self) -> None:
        """A cap or an order depends on the other documents."""
        sides = FakeReranker(), FakeReranker()
        assert FallbackReranker(*sides, band=(0, 1)).pointwise
        assert not FallbackReranker(*sides, band=(0, 1), max_documents=3).pointwise
        assert not FallbackReranker(*sides, band=(0, 1), merge="order").pointwise

    def test_both_forms_survive_their_configuration(self) -> None:
        """Nested rerankers, lists of them and the band come back from JSON."""
        chain = FallbackReranker([FakeReranker(scale="logit"), FakeReranker()], on_error="raise")
        escalating = FallbackReranker(FakeReranker(), chain, band=(0.2, 0.8), max_documents=3)
        for reranker in (chain, escalating):
            restored = sp.from_config(json.loads(json.dumps(reranker.to_config())))
            assert restored.to_config() == reranker.to_config() and restored.fingerprint == reranker.fingerprint
        assert repr(escalating) == "FallbackReranker(FakeReranker(), FallbackReranker(FakeReranker(), FakeReranker()))"
