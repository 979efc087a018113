"""The cascade: what goes on, and what comes back where."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import secondpass as sp
from secondpass.composition.cascade.reranker import CascadeReranker
from secondpass.composition.cascade.rules import ExitRule, KeepRule
from secondpass.errors import CompositionError, ConfigError
from secondpass.testing import FakeReranker, RerankerContract
from secondpass.types import Request, Scale
from tests.composition.tables import FALLING, LETTERS, RISING, Table, ranked_texts


class TestContract(RerankerContract):
    tolerance = 0.0

    def make(self) -> CascadeReranker:
        return CascadeReranker([FakeReranker(), FakeReranker(scale="logit")], keep=[3])


class TestContractWithRules(RerankerContract):
    tolerance = 0.0

    def make(self) -> CascadeReranker:
        return CascadeReranker(
            [FakeReranker(), FakeReranker(scale="logit"), FakeReranker(pointwise=False)],
            keep=[{"probability": 0.2}, {"margin": 4.0, "count": 2}],
            early_exit=[{"probability": 0.05}, {"margin": 9.0}],
        )


class TestContractWithBudget(RerankerContract):
    tolerance = 0.0

    def make(self) -> CascadeReranker:
        return CascadeReranker([FakeReranker(), FakeReranker()], keep=[3], budget_ms=60_000, slice_size=2)


class TestOrder:
    def test_who_goes_further_ranks_higher(self) -> None:
        """The last stage orders what it got, and what was dropped follows in the order of the stage that dropped it."""
        cascade = CascadeReranker([Table(RISING), Table(FALLING), Table(RISING)], keep=[5, 2])
        ranking = cascade.rerank("q", LETTERS)
        # Stage 0: hgfed | cba. Stage 1 turns the five round: de | fgh. Stage 2: ed.
        assert "".join(document.text for document in ranking) == "edfghcba"
        assert [document.explanation["stage"] for document in ranking] == [2, 2, 1, 1, 1, 0, 0, 0]
        assert [document.explanation["stage_score"] for document in ranking] == [4, 3, -5, -6, -7, 2, 1, 0]
        assert [document.score for document in ranking] == [8, 7, 6, 5, 4, 3, 2, 1]
        assert ranking.scale is Scale.ORDINAL

    def test_a_stage_gets_what_the_last_one_kept_best_first(self) -> None:
        """List-wise stages depend on the order they are given."""
        second = Table(FALLING)
        CascadeReranker([Table(RISING), second], keep=[3]).rerank("q", LETTERS)
        assert second.calls == [[("h", "g", "f")]]

    def test_equal_scores_keep_the_order_of_the_stage_before(self) -> None:
        """A stage that can't tell documents apart leaves them as they came to it."""
        indifferent = Table(dict.fromkeys(LETTERS, 1.0))
        assert ranked_texts(CascadeReranker([Table(RISING), indifferent], keep=[3])) == "hgfedcba"

    def test_requests_share_each_stage(self) -> None:
        """Without a budget each stage is called once, for all requests."""
        first, second = Table(RISING), Table(FALLING)
        CascadeReranker([first, second], keep=[1]).rerank_many([("q", LETTERS[:3]), ("r", []), ("s", LETTERS[3:5])])
        assert first.calls == [[("a", "b", "c"), ("d", "e")]] and second.calls == [[("c",), ("e",)]]

    def test_the_last_stage_hears_of_k_and_initial_scores(self) -> None:
        """Only the last stage can stop early for the caller; the retriever's scores reach every stage."""
        first, second = Table(RISING), Table(FALLING)
        CascadeReranker([first, second], keep=[2]).rerank("q", ["a", "b", "c"], k=1, initial_scores=[7, 8, 9])
        assert [request.k for request in first.requests + second.requests] == [None, 1]
        assert second.requests[0].initial_scores == (9, 8)

    def test_explanations_are_those_of_the_deciding_stage(self) -> None:
        """What a stage said of a document that a later one decided is void."""
        cascade = CascadeReranker([Table(RISING, column="first"), Table(FALLING, column="second")], keep=[1])
        best, other = cascade.rerank("q", ["a", "b"])
        assert (best.text, best.explanation["first"], best.explanation["second"]) == ("b", None, "B")
        assert (other.text, other.explanation["first"], other.explanation["second"]) == ("a", "A", None)

    def test_the_trace_has_every_stage(self) -> None:
        """Each stage's trace stands within the cascade's, and nothing is counted twice."""
        trace = CascadeReranker([FakeReranker(), Table(RISING)], keep=[2]).rerank("q", LETTERS).trace
        assert [stage.name for stage in trace.stages] == ["FakeReranker", "Table"]
        assert trace.total("pairs") == 8 + 2 and trace.counts == {}

    def test_one_stage_is_a_cascade(self) -> None:
        """It needs no rule."""
        assert ranked_texts(CascadeReranker([Table(RISING)])) == "hgfedcba"

    def test_a_failing_stage_is_an_error(self) -> None:
        """No stage's failure is passed over in silence; that is for FallbackReranker."""
        with pytest.raises(KeyError):
            CascadeReranker([Table(RISING), Table({})], keep=[1], budget_ms=1e6).rerank("q", ["a"])


class TestKeep:
    @pytest.mark.parametrize(
        ("rule", "values", "kept"),
        [
            (2, [3, 2, 1], 2),
            (9, [3, 2, 1], 3),
            ({"count": 1}, [3, 2, 1], 1),
            ({"margin": 1.0}, [3, 2, 1], 2),
            ({"margin": 0}, [3, 3, 1], 2),
            ({"margin": 5.0, "count": 2}, [3, 2, 1], 2),
        ],
    )
    def test_counts_and_margins(self, rule: Any, values: list[float], kept: int) -> None:
        """All bounds of a rule hold; a margin always keeps the best."""
        assert KeepRule.parse(rule, "keep[0]", FakeReranker(scale="logit")).kept(np.array(values, float)) == kept

    def test_probabilities_may_keep_nothing(self) -> None:
        """If no document is probable enough, the stage's own order stands, and the next one isn't called."""
        second = Table(FALLING)
        probabilities = Table({"a": 0.01, "b": 0.04, "c": 0.02}, scale=Scale.PROBABILITY)
        cascade = CascadeReranker([probabilities, second], keep=[{"probability": 0.05}])
        assert ranked_texts(cascade, ["a", "b", "c"]) == "bca"
        assert second.calls == []

    def test_a_probability_keeps_what_reaches_it(self) -> None:
        """The bound itself still goes on."""
        second = Table(FALLING)
        probabilities = Table({"a": 0.05, "b": 0.9, "c": 0.02}, scale=Scale.PROBABILITY)
        CascadeReranker([probabilities, second], keep=[{"probability": 0.05}]).rerank("q", ["a", "b", "c"])
        assert second.seen == ["b", "a"]


class TestEarlyExit:
    @pytest.mark.parametrize(
        ("values", "k", "undecided"),
        [
            ([9, 5, 1, 0], 1, 0),  # the first is clear
            ([9, 5, 1, 0], 2, 0),  # so are the first two
            ([9, 5, 1, 0], 3, 4),  # the third and the fourth may change places
            ([9, 8, 1, 0], 2, 2),  # the first two are known, but not their order
            ([9, 8, 7, 1, 0], 2, 3),  # the third may come among them, the others can't
            ([9, 8, 7], None, 3),
            ([9, 5], None, 0),
            ([9], 5, 0),
            ([9, 6], 1, 2),  # exactly the margin apart, a later stage may make them equal
        ],
    )
    def test_margins(self, values: list[float], k: int | None, undecided: int) -> None:
        """Only what may still come among the first k goes on, and nothing if their order is settled as well."""
        rule = ExitRule.parse({"margin": 3.0}, "early_exit[0]", FakeReranker(scale="logit"))
        assert rule.undecided(np.array(values, float), k) == undecided

    @pytest.mark.parametrize(
        ("values", "k", "undecided"),
        [
            ([0.99, 0.02], 1, 0),
            ([0.99, 0.98, 0.02], 2, 2),
            ([0.99, 0.5, 0.02], 1, 2),
            ([0.9, 0.02], 1, 2),
            ([0.95, 0.05], 1, 0),  # the bounds themselves are near enough
            ([0.95, 0.06], 1, 2),
        ],
    )
    def test_probabilities(self, values: list[float], k: int, undecided: int) -> None:
        """Nearly certain documents aren't passed by nearly impossible ones."""
        rule = ExitRule.parse({"probability": 0.05}, "early_exit[0]", FakeReranker())
        assert rule.undecided(np.array(values), k) == undecided

    def test_a_settled_request_ends_and_the_others_go_on(self) -> None:
        """The trace says that it ended, and its order is that of the stage where it did."""
        first, second = Table({"a": 9, "b": 1, "c": 0, "d": 0.5}), Table(RISING)
        cascade = CascadeReranker([first, second], keep=[4], early_exit=[{"margin": 3.0}])
        clear, open_ = cascade.rerank_many([Request("q", ["c", "a", "b"], 1), Request("q", ["b", "c", "d"], 1)])
        assert clear.texts == ["a"] and clear.trace.counts == {"early_exits": 1}
        assert open_.texts == ["d"] and open_.trace.counts == {}
        assert second.calls == [[("b", "d", "c")]]

    @given(
        st.lists(st.integers(-20, 20), min_size=1, max_size=12),
        st.integers(1, 12),
        st.integers(1, 6),
        st.randoms(use_true_random=False),
    )
    def test_the_first_k_are_those_of_the_whole_cascade_if_the_bound_holds(
        self, scores: list[int], k: int, margin: int, random: Any
    ) -> None:
        """With a strong stage that moves each score by at most half the margin, nothing changes among the first k."""
        names = [f"d{at}" for at in range(len(scores))]
        cheap = {name: float(score) for name, score in zip(names, scores, strict=True)}
        strong = {name: score + random.uniform(-margin / 2, margin / 2) for name, score in cheap.items()}
        stages = [Table(cheap), Table(strong)]
        whole = CascadeReranker(stages, keep=[100]).rerank("q", names, k=k)
        early = CascadeReranker(stages, keep=[100], early_exit=[{"margin": float(margin)}]).rerank("q", names, k=k)
        assert early.texts == whole.texts


class TestSettings:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"keep": []}, "keep has 0 rules, but 2 stages need 1"),
            ({"keep": [1, 2]}, "keep has 2 rules"),
            ({"keep": 5}, "keep must be a list, not 5"),
            ({"keep": {"count": 5}}, "keep must be a list"),
            ({"keep": [0]}, r"keep\[0\] must be a whole number of documents, at least 1, not 0"),
            ({"keep": [2.0]}, "whole number"),
            ({"keep": [True]}, "whole number"),
            ({"keep": [{"count": "3"}]}, "whole number"),
            ({"keep": [{}]}, r'keep\[0] must be one of \{"count": ...\}'),
            ({"keep": [{"share": 0.5}]}, r'keep\[0] must be one of \{"count": ...\}'),
            ({"keep": [{"probability": 1.0}]}, r"probability of keep\[0\] must be a number of at least 0 and below 1"),
            ({"keep": [{"probability": -0.1}]}, "a number of at least 0 and below 1, not -0.1"),
            ({"keep": [{"probability": float("nan")}]}, "number of at least 0"),
            ({"keep": [{"probability": True}]}, "number of at least 0"),
            ({"keep": [1], "early_exit": []}, "early_exit has 0 rules"),
            ({"keep": [1], "early_exit": [{}]}, r'early_exit\[0] must be one of \{"margin": ...\}'),
            ({"keep": [1], "early_exit": [3]}, r"early_exit\[0] must be one of"),
            ({"keep": [1], "early_exit": [{"count": 3}]}, r"early_exit\[0] must be one of"),
            ({"keep": [1], "early_exit": [{"probability": 0.5}]}, "below 0.5, not 0.5"),
            ({"keep": [1], "budget_ms": 0}, "milliseconds above 0, or None, not 0"),
            ({"keep": [1], "budget_ms": float("inf")}, "milliseconds above 0"),
            ({"keep": [1], "budget_ms": "100"}, "milliseconds above 0"),
            ({"keep": [1], "slice_size": 0}, "slice_size must be a whole number"),
        ],
    )
    def test_settings_out_of_range_are_refused(self, settings: dict[str, Any], message: str) -> None:
        """When the cascade is built, with what would be right."""
        with pytest.raises(ConfigError, match=message):
            CascadeReranker([FakeReranker(), FakeReranker()], **settings)

    def test_stages_are_a_list_of_rerankers(self) -> None:
        """At least one."""
        with pytest.raises(ConfigError, match="stages is empty"):
            CascadeReranker([])
        with pytest.raises(ConfigError, match="stages must be a list"):
            CascadeReranker(FakeReranker())  # type: ignore[arg-type]
        with pytest.raises(CompositionError, match="CascadeReranker wraps a Reranker, not a int"):
            CascadeReranker([3])  # type: ignore[list-item]
        assert [type(stage) for stage in CascadeReranker(["fake", {"type": "fake"}], keep=[1]).stages] == [
            FakeReranker
        ] * 2

    @pytest.mark.parametrize(
        ("scale", "rule", "message"),
        [
            ("logit", {"probability": 0.1}, r"\[0\] sets a probability, which needs probability scores, but FakeRer"),
            ("ordinal", {"probability": 0.1}, "FakeReranker gives ordinal ones"),
            ("probability", {"margin": 3.0}, r"\[0\] sets a margin, which needs logit scores, but FakeReranker gives"),
        ],
    )
    def test_a_bound_needs_its_scale(self, scale: str, rule: dict[str, float], message: str) -> None:
        """A bound on scores that don't mean that is refused, and both sides are named."""
        stages = [FakeReranker(scale=scale), FakeReranker()]
        with pytest.raises(CompositionError, match=f"CascadeReranker: keep{message}" if "[0" in message else message):
            CascadeReranker(stages, keep=[rule])
        with pytest.raises(CompositionError, match=message):
            CascadeReranker(stages, keep=[1], early_exit=[rule])

    def test_the_configuration_is_plain_data(self) -> None:
        """Rules are written as they are given, and stages as their own configurations."""
        config = CascadeReranker(
            [FakeReranker(scale="logit"), FakeReranker()],
            keep=[{"margin": 3.0, "count": np.int64(5)}],  # type: ignore[dict-item]
            early_exit=[None],
            budget_ms=50,
        ).to_config()
        assert config["keep"] == [{"count": 5, "margin": 3.0}] and config["early_exit"] == [None]
        assert config["stages"][0]["type"] == "fake" and config["clock"] is None and config["budget_ms"] == 50.0
        assert sp.from_config(json.loads(json.dumps(config))).to_config() == config

    def test_the_numbers_of_rules_are_pythons(self) -> None:
        """Whoever changes the mappings afterwards changes nothing here."""
        keep, leave = {"margin": np.float32(3)}, {"margin": np.float32(9)}
        cascade = CascadeReranker([FakeReranker(scale="logit"), FakeReranker()], keep=[keep], early_exit=[leave])  # type: ignore[list-item]
        keep["margin"] = leave["margin"] = np.float32(0)
        assert cascade.keep == [{"margin": 3.0}] and cascade.early_exit == [{"margin": 9.0}]
        assert type(cascade.keep[0]["margin"]) is type(cascade.early_exit[0]["margin"]) is float  # type: ignore[index]

    def test_the_fingerprint_follows_stages_and_rules(self) -> None:
        """Another depth gives other results."""
        two = [FakeReranker(), FakeReranker()]
        assert CascadeReranker(two, keep=[1]).fingerprint == CascadeReranker(two, keep=[1]).fingerprint
        assert CascadeReranker(two, keep=[1]).fingerprint != CascadeReranker(two, keep=[2]).fingerprint

    def test_it_is_named_with_its_stages(self) -> None:
        """For error messages."""
        assert repr(CascadeReranker([FakeReranker()])) == "CascadeReranker([FakeReranker()])"
