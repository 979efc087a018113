"""The cascade: what goes on, what comes back where, and what a time budget does."""

import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import secondpass as sp
from secondpass.base import Reranker
from secondpass.errors import CompositionError, ConfigError
from secondpass.rerankers.cascade import CascadeReranker
from secondpass.rerankers.cascade_pace import Pace
from secondpass.rerankers.cascade_rules import ExitRule, KeepRule
from secondpass.testing import FakeReranker, RerankerContract
from secondpass.types import Request, Scale, Scores, Trace


class Table(Reranker):
    """Looks a document's score up; remembers which documents it was asked for, and lets a clock run on."""

    registry_name: ClassVar[str] = "table"

    def __init__(
        self,
        table: dict[str, float],
        *,
        scale: Scale = Scale.LOGIT,
        pointwise: bool = True,
        clock: "Clock | None" = None,
        document_s: float = 0.0,
        column: str | None = None,
    ) -> None:
        self.table, self.scale, self.pointwise = table, scale, pointwise
        self.clock, self.document_s, self.column = clock, document_s, column
        self.calls: list[list[tuple[str, ...]]] = []
        self.requests: list[Request] = []

    @property
    def seen(self) -> list[str]:
        return [text for call in self.calls for texts in call for text in texts]

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        self.calls.append([request.texts for request in requests])
        self.requests += requests
        if self.clock:
            self.clock.now_s += self.document_s * sum(len(request) for request in requests)
        return [
            Scores(
                np.array([self.table[text] for text in request.texts]),
                {} if self.column is None else {self.column: [text.upper() for text in request.texts]},
                Trace(counts={"pairs": len(request)}, notes=("looked up",)),
            )
            for request in requests
        ]


class Clock:
    """A clock that only runs when it is told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


_LETTERS = list("abcdefgh")
_RISING = {letter: float(at) for at, letter in enumerate(_LETTERS)}
_FALLING = {letter: -float(at) for at, letter in enumerate(_LETTERS)}


def _texts(cascade: Reranker, documents: Sequence[str] = _LETTERS, k: int | None = None) -> str:
    return "".join(document.text for document in cascade.rerank("q", documents, k=k))


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
        cascade = CascadeReranker([Table(_RISING), Table(_FALLING), Table(_RISING)], keep=[5, 2])
        ranking = cascade.rerank("q", _LETTERS)
        # Stage 0: hgfed | cba. Stage 1 turns the five round: de | fgh. Stage 2: ed.
        assert "".join(document.text for document in ranking) == "edfghcba"
        assert [document.explanation["stage"] for document in ranking] == [2, 2, 1, 1, 1, 0, 0, 0]
        assert [document.explanation["stage_score"] for document in ranking] == [4, 3, -5, -6, -7, 2, 1, 0]
        assert [document.score for document in ranking] == [8, 7, 6, 5, 4, 3, 2, 1]
        assert ranking.scale is Scale.ORDINAL

    def test_a_stage_gets_what_the_last_one_kept_best_first(self) -> None:
        """List-wise stages depend on the order they are given."""
        second = Table(_FALLING)
        CascadeReranker([Table(_RISING), second], keep=[3]).rerank("q", _LETTERS)
        assert second.calls == [[("h", "g", "f")]]

    def test_equal_scores_keep_the_order_of_the_stage_before(self) -> None:
        """A stage that can't tell documents apart leaves them as they came to it."""
        indifferent = Table(dict.fromkeys(_LETTERS, 1.0))
        assert _texts(CascadeReranker([Table(_RISING), indifferent], keep=[3])) == "hgfedcba"

    def test_requests_share_each_stage(self) -> None:
        """Without a budget each stage is called once, for all requests."""
        first, second = Table(_RISING), Table(_FALLING)
        CascadeReranker([first, second], keep=[1]).rerank_many([("q", _LETTERS[:3]), ("r", []), ("s", _LETTERS[3:5])])
        assert first.calls == [[("a", "b", "c"), ("d", "e")]] and second.calls == [[("c",), ("e",)]]

    def test_the_last_stage_hears_of_k_and_initial_scores(self) -> None:
        """Only the last stage can stop early for the caller; the retriever's scores reach every stage."""
        first, second = Table(_RISING), Table(_FALLING)
        CascadeReranker([first, second], keep=[2]).rerank("q", ["a", "b", "c"], k=1, initial_scores=[7, 8, 9])
        assert [request.k for request in first.requests + second.requests] == [None, 1]
        assert second.requests[0].initial_scores == (9, 8)

    def test_explanations_are_those_of_the_deciding_stage(self) -> None:
        """What a stage said of a document that a later one decided is void."""
        cascade = CascadeReranker([Table(_RISING, column="first"), Table(_FALLING, column="second")], keep=[1])
        best, other = cascade.rerank("q", ["a", "b"])
        assert (best.text, best.explanation["first"], best.explanation["second"]) == ("b", None, "B")
        assert (other.text, other.explanation["first"], other.explanation["second"]) == ("a", "A", None)

    def test_the_trace_has_every_stage(self) -> None:
        """Each stage's trace stands within the cascade's, and nothing is counted twice."""
        trace = CascadeReranker([FakeReranker(), Table(_RISING)], keep=[2]).rerank("q", _LETTERS).trace
        assert [stage.name for stage in trace.stages] == ["FakeReranker", "Table"]
        assert trace.total("pairs") == 8 + 2 and trace.counts == {}

    def test_one_stage_is_a_cascade(self) -> None:
        """It needs no rule."""
        assert _texts(CascadeReranker([Table(_RISING)])) == "hgfedcba"

    def test_a_failing_stage_is_an_error(self) -> None:
        """No stage's failure is passed over in silence; that is for FallbackReranker."""
        with pytest.raises(KeyError):
            CascadeReranker([Table(_RISING), Table({})], keep=[1], budget_ms=1e6).rerank("q", ["a"])


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
        second = Table(_FALLING)
        probabilities = Table({"a": 0.01, "b": 0.04, "c": 0.02}, scale=Scale.PROBABILITY)
        cascade = CascadeReranker([probabilities, second], keep=[{"probability": 0.05}])
        assert _texts(cascade, ["a", "b", "c"]) == "bca"
        assert second.calls == []

    def test_a_probability_keeps_what_reaches_it(self) -> None:
        """The bound itself still goes on."""
        second = Table(_FALLING)
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
        ],
    )
    def test_margins(self, values: list[float], k: int | None, undecided: int) -> None:
        """Only what may still come among the first k goes on, and nothing if their order is settled as well."""
        rule = ExitRule.parse({"margin": 3.0}, "early_exit[0]", FakeReranker(scale="logit"))
        assert rule.undecided(np.array(values, float), k) == undecided

    @pytest.mark.parametrize(
        ("values", "k", "undecided"),
        [([0.99, 0.02], 1, 0), ([0.99, 0.98, 0.02], 2, 2), ([0.99, 0.5, 0.02], 1, 2), ([0.9, 0.02], 1, 2)],
    )
    def test_probabilities(self, values: list[float], k: int, undecided: int) -> None:
        """Nearly certain documents aren't passed by nearly impossible ones."""
        rule = ExitRule.parse({"probability": 0.05}, "early_exit[0]", FakeReranker())
        assert rule.undecided(np.array(values), k) == undecided

    def test_a_settled_request_ends_and_the_others_go_on(self) -> None:
        """The trace says that it ended, and its order is that of the stage where it did."""
        first, second = Table({"a": 9, "b": 1, "c": 0, "d": 0.5}), Table(_RISING)
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


class TestBudget:
    def _cascade(self, clock: Clock, *costs_s: float, pointwise: bool = True, **settings: Any) -> CascadeReranker:
        tables = [_RISING, _FALLING, _RISING]
        stages = [
            Table(table, clock=clock, document_s=cost_s, pointwise=pointwise)
            for table, cost_s in zip(tables, costs_s, strict=False)
        ]
        return CascadeReranker(stages, clock=clock, **settings)

    def test_enough_time_changes_nothing(self) -> None:
        """The result is that without a budget, slices or not."""
        clock = Clock()
        free = CascadeReranker([Table(_RISING), Table(_FALLING), Table(_RISING)], keep=[5, 2])
        for pointwise, slice_size in ((True, 3), (False, 8)):
            settings = {"keep": [5, 2], "budget_ms": 1e5, "pointwise": pointwise, "slice_size": slice_size}
            bound = self._cascade(clock, 0.01, 0.1, 0.2, **settings)
            for _ in range(3):
                ranking = bound.rerank("q", _LETTERS)
                assert "".join(ranking.texts) == _texts(free)
                assert ranking.trace.counts == {} and ranking.trace.total("pairs") == 8 + 5 + 2

    def test_a_deadline_gives_the_best_so_far(self) -> None:
        """Time for the first stage and two documents of the second: these two lead, and the trace says the rest."""
        clock = Clock()
        cascade = self._cascade(clock, 0.01, 0.1, keep=[5], budget_ms=290, slice_size=2)
        for _ in range(3):
            start_s = clock.now_s
            ranking = cascade.rerank("q", _LETTERS)
            assert "".join(ranking.texts) == "ghfedcba"  # the second stage turns the first two round
            assert [document.explanation["stage"] for document in ranking] == [1, 1, 0, 0, 0, 0, 0, 0]
            assert ranking.trace.counts == {"cut_short": 3}
            assert ranking.trace.notes == ("the time was over in stage 1 (Table), which scored 2 of 5 documents",)
            assert ranking.trace.stages[1].counts == {"pairs": 2} and ranking.trace.stages[1].notes == ("looked up",)
            assert clock.now_s - start_s <= 0.290 + 1e-9

    def test_a_deadline_in_the_first_stage_leaves_the_retrievers_order(self) -> None:
        """What no stage has seen comes last, as it came, with no stage and no score."""
        cascade = self._cascade(Clock(), 0.1, 0.1, keep=[5], budget_ms=250)
        cascade.rerank("q", _LETTERS)  # to know how long a document takes
        ranking = cascade.rerank("q", _LETTERS)
        assert "".join(ranking.texts) == "bacdefgh"
        assert [document.explanation["stage"] for document in ranking] == [0, 0] + [None] * 6
        assert [document.explanation["stage_score"] for document in ranking] == [1, 0] + [None] * 6
        assert ranking.trace.counts == {"cut_short": 6 + 2}

    def test_a_document_that_takes_longer_than_the_budget(self) -> None:
        """A first call can't know it, and is over time by one document; the next ones know."""
        clock = Clock()
        cascade = self._cascade(clock, 5.0, budget_ms=100)
        assert _texts(cascade) == "abcdefgh" and clock.now_s == 105.0
        assert _texts(cascade) == "abcdefgh" and clock.now_s == 105.0

    def test_a_stage_that_was_slow_once_is_tried_again(self) -> None:
        """A rate that shuts a stage out is believed less and less."""
        clock = Clock()
        cascade = self._cascade(clock, 1.0, budget_ms=400)
        cascade.rerank("q", _LETTERS)
        cascade.stages[0].document_s = 0.01  # type: ignore[attr-defined]  # it was only loading
        orders = [_texts(cascade) for _ in range(60)]
        assert orders[0] == "abcdefgh" and orders[-1] == "hgfedcba"

    def test_time_that_does_not_suffice_is_shared(self) -> None:
        """Once the rates are known, a middle stage leaves the last one its part."""
        clock = Clock()
        cascade = self._cascade(clock, 0.001, 0.1, 0.2, keep=[8, 4], budget_ms=100_000, slice_size=1)
        cascade.rerank("q", _LETTERS)
        assert {p.rate for p in cascade._paces} != {None}
        cascade.budget_ms = 820.0
        _, middle, last = cascade.stages
        middle.calls, last.calls = [], []  # type: ignore[attr-defined]
        ranking = cascade.rerank("q", _LETTERS)
        # Some 0.8 s are left for 8 x 0.1 s + 4 x 0.2 s: half of it for each.
        assert len(middle.seen) == 4 and len(last.seen) == 2  # type: ignore[attr-defined]
        assert [document.explanation["stage"] for document in ranking] == [2, 2, 1, 1, 0, 0, 0, 0]

    def test_a_rule_that_keeps_little_is_learnt(self) -> None:
        """The time reserved for what follows a margin is for as many documents as usually pass it."""
        clock = Clock()
        cascade = self._cascade(clock, 0.001, 0.1, 0.2, keep=[8, {"margin": 0.5}], budget_ms=100_000, slice_size=1)
        cascade.rerank("q", _LETTERS)
        cascade.budget_ms = 1010.0  # for 8 x 0.1 s and one of 0.2 s
        assert "".join(cascade.rerank("q", _LETTERS).texts) == "abcdefgh"
        cascade.stages[1].calls.clear()  # type: ignore[attr-defined]
        cascade.rerank("q", _LETTERS)
        assert len(cascade.stages[1].seen) == 8  # type: ignore[attr-defined]

    def test_requests_are_equally_deep(self) -> None:
        """A call has the time of all its requests, and they take turns."""
        cascade = self._cascade(Clock(), 0.1, budget_ms=250, slice_size=3)
        first, second = cascade.rerank_many([("q", _LETTERS), ("r", _LETTERS)])
        assert len([d for d in first if d.explanation["stage"] == 0]) in (2, 3)
        assert len([d for d in second if d.explanation["stage"] == 0]) == 2

    def test_a_list_wise_stage_gets_one_call(self) -> None:
        """Scores that depend on the others can't be compared between slices: the depth is chosen beforehand."""
        clock = Clock()
        cascade = self._cascade(clock, 0.1, pointwise=False, budget_ms=450, slice_size=3)
        (stage,) = cascade.stages
        for _ in range(2):
            cascade.rerank("q", _LETTERS)
        assert stage.calls == [[("a", "b", "c")], [("a", "b", "c", "d")]]  # type: ignore[attr-defined]

    @given(
        n_documents=st.integers(1, 30),
        costs_s=st.lists(st.floats(0, 1), min_size=3, max_size=3),
        budget_ms=st.floats(0.01, 20_000),
        slice_size=st.integers(1, 8),
        keep=st.lists(st.integers(1, 30), min_size=2, max_size=2),
        pointwise=st.booleans(),
    )
    def test_nothing_is_lost_and_the_deadline_holds(
        self,
        n_documents: int,
        costs_s: list[float],
        budget_ms: float,
        slice_size: int,
        keep: list[int],
        pointwise: bool,
    ) -> None:
        """Whatever the costs: every document once, deeper ones first, late by no more than calls of unknown cost."""
        clock, documents = Clock(), [f"d{at:02}" for at in range(n_documents)]
        table = {text: float(crc32(text.encode()) % 97) for text in documents}
        stages = [Table(table, clock=clock, document_s=cost_s, pointwise=pointwise) for cost_s in costs_s]
        cascade = CascadeReranker(stages, keep=keep, budget_ms=budget_ms, slice_size=slice_size, clock=clock)
        unknown_s = sum(costs_s) * (1 if pointwise else slice_size)
        for _ in range(3):
            start_s, over_s = clock.now_s, 0.0 if all(stage.calls for stage in stages) else unknown_s
            ranking = cascade.rerank("q", documents)
            assert sorted(document.index for document in ranking) == list(range(n_documents))
            depth = [-1 if d.explanation["stage"] is None else d.explanation["stage"] for d in ranking]
            assert depth == sorted(depth, reverse=True)
            assert clock.now_s - start_s <= budget_ms / 1000 + over_s + 1e-6


class TestPace:
    def test_the_rate_is_a_decayed_ratio(self) -> None:
        """Older observations count for four fifths of the next one, longer ones for more."""
        pace = Pace()
        assert pace.rate is None and pace.share == 1.0
        pace.learn(1.0, 100)
        pace.learn(1.0, 400)
        assert pace.rate == pytest.approx((0.8 * 1 + 1) / (0.8 * 100 + 400))
        pace.learn_share(1, 4)
        assert pace.share == 0.25

    def test_threads_learn_together(self) -> None:
        """No observation breaks another: with equal ones the rate is theirs."""
        pace, barrier = Pace(), threading.Barrier(4)

        def learn(_: int) -> None:
            barrier.wait()
            for _ in range(500):
                pace.learn(0.5, 100)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(learn, range(4)))
        assert pace.rate == pytest.approx(0.005)


class TestSettings:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"keep": []}, "keep has 0 rules, but 2 stages need 1"),
            ({"keep": [1, 2]}, "keep has 2 rules"),
            ({"keep": 5}, "keep is a list, not 5"),
            ({"keep": {"count": 5}}, "keep is a list"),
            ({"keep": [0]}, r"keep\[0\] is a whole number of documents, at least 1, not 0"),
            ({"keep": [2.0]}, "whole number"),
            ({"keep": [True]}, "whole number"),
            ({"keep": [{"count": "3"}]}, "whole number"),
            ({"keep": [{}]}, r'keep\[0\] is one of \{"count": ...\}'),
            ({"keep": [{"share": 0.5}]}, r'keep\[0\] is one of \{"count": ...\}'),
            ({"keep": [{"probability": 1.0}]}, r"probability of keep\[0\] is a number from 0 and below 1, not 1.0"),
            ({"keep": [{"probability": -0.1}]}, "number from 0 and below 1"),
            ({"keep": [{"probability": float("nan")}]}, "number from 0"),
            ({"keep": [{"probability": True}]}, "number from 0"),
            ({"keep": [1], "early_exit": []}, "early_exit has 0 rules"),
            ({"keep": [1], "early_exit": [{}]}, r'early_exit\[0\] is one of \{"margin": ...\}'),
            ({"keep": [1], "early_exit": [3]}, r"early_exit\[0\] is one of"),
            ({"keep": [1], "early_exit": [{"count": 3}]}, r"early_exit\[0\] is one of"),
            ({"keep": [1], "early_exit": [{"probability": 0.5}]}, "below 0.5, not 0.5"),
            ({"keep": [1], "budget_ms": 0}, "milliseconds above 0, or None, not 0"),
            ({"keep": [1], "budget_ms": float("inf")}, "milliseconds above 0"),
            ({"keep": [1], "budget_ms": "100"}, "milliseconds above 0"),
            ({"keep": [1], "slice_size": 0}, "slice_size is a whole number"),
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
        with pytest.raises(ConfigError, match="stages is a list"):
            CascadeReranker(FakeReranker())  # type: ignore[arg-type]
        with pytest.raises(CompositionError, match="CascadeReranker wraps a Reranker, not a str"):
            CascadeReranker(["cross-encoder"])  # type: ignore[list-item]

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

    def test_the_fingerprint_follows_stages_and_rules(self) -> None:
        """Another depth gives other results."""
        two = [FakeReranker(), FakeReranker()]
        assert CascadeReranker(two, keep=[1]).fingerprint == CascadeReranker(two, keep=[1]).fingerprint
        assert CascadeReranker(two, keep=[1]).fingerprint != CascadeReranker(two, keep=[2]).fingerprint

    def test_it_is_named_with_its_stages(self) -> None:
        """For error messages."""
        assert repr(CascadeReranker([FakeReranker()])) == "CascadeReranker([FakeReranker()])"
