"""What a time budget does to a cascade, and how its throughput is learnt."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.composition.cascade.reranker import CascadeReranker
from secondpass.composition.cascade.throughput import ThroughputEstimate
from tests.composition.tables import FALLING, LETTERS, RISING, Clock, Table, ranked_texts
from tests.forks import exit_status_of_child, needs_fork


class TestBudget:
    def _cascade(self, clock: Clock, *costs_s: float, pointwise: bool = True, **settings: Any) -> CascadeReranker:
        tables = [RISING, FALLING, RISING]
        stages = [
            Table(table, clock=clock, document_s=cost_s, pointwise=pointwise)
            for table, cost_s in zip(tables, costs_s, strict=False)
        ]
        return CascadeReranker(stages, clock=clock, **settings)

    def test_enough_time_changes_nothing(self) -> None:
        """The result is that without a budget, slices or not."""
        clock = Clock()
        free = CascadeReranker([Table(RISING), Table(FALLING), Table(RISING)], keep=[5, 2])
        for pointwise, slice_size in ((True, 3), (False, 8)):
            settings = {"keep": [5, 2], "budget_ms": 1e5, "pointwise": pointwise, "slice_size": slice_size}
            bound = self._cascade(clock, 0.01, 0.1, 0.2, **settings)
            for _ in range(3):
                ranking = bound.rerank("q", LETTERS)
                assert "".join(ranking.texts) == ranked_texts(free)
                assert ranking.trace.counts == {} and ranking.trace.total("pairs") == 8 + 5 + 2

    def test_a_deadline_gives_the_best_so_far(self) -> None:
        """Time for the first stage and two documents of the second: these two lead, and the trace says the rest."""
        clock = Clock()
        cascade = self._cascade(clock, 0.01, 0.1, keep=[5], budget_ms=290, slice_size=2)
        for _ in range(3):
            start_s = clock.now_s
            ranking = cascade.rerank("q", LETTERS)
            assert "".join(ranking.texts) == "ghfedcba"  # the second stage turns the first two round
            assert [document.explanation["stage"] for document in ranking] == [1, 1, 0, 0, 0, 0, 0, 0]
            assert ranking.trace.counts == {"cut_short": 3}
            assert ranking.trace.notes == ("time ran out in stage 1 (Table), which scored 2 of 5 documents",)
            assert ranking.trace.stages[1].counts == {"pairs": 2} and ranking.trace.stages[1].notes == ("looked up",)
            assert clock.now_s - start_s <= 0.290 + 1e-9

    def test_a_deadline_in_the_first_stage_leaves_the_retrievers_order(self) -> None:
        """What no stage has seen comes last, as it came, with no stage and no score."""
        cascade = self._cascade(Clock(), 0.1, 0.1, keep=[5], budget_ms=250)
        cascade.rerank("q", LETTERS)  # to know how long a document takes
        ranking = cascade.rerank("q", LETTERS)
        assert "".join(ranking.texts) == "bacdefgh"
        assert [document.explanation["stage"] for document in ranking] == [0, 0] + [None] * 6
        assert [document.explanation["stage_score"] for document in ranking] == [1, 0] + [None] * 6
        assert ranking.trace.counts == {"cut_short": 6 + 2}

    def test_a_document_that_takes_longer_than_the_budget(self) -> None:
        """A first call can't know it, and is over time by one document; the next ones know."""
        clock = Clock()
        cascade = self._cascade(clock, 5.0, budget_ms=100)
        assert ranked_texts(cascade) == "abcdefgh" and clock.now_s == 105.0
        assert ranked_texts(cascade) == "abcdefgh" and clock.now_s == 105.0

    def test_a_stage_that_was_slow_once_is_tried_again(self) -> None:
        """A rate that shuts a stage out is believed less and less."""
        clock = Clock()
        cascade = self._cascade(clock, 1.0, budget_ms=400)
        cascade.rerank("q", LETTERS)
        cascade.stages[0].document_s = 0.01  # type: ignore[attr-defined]  # it was only loading
        orders = [ranked_texts(cascade) for _ in range(60)]
        assert orders[0] == "abcdefgh" and orders[-1] == "hgfedcba"

    def test_time_that_does_not_suffice_is_shared(self) -> None:
        """Once the rates are known, a middle stage leaves the last one its part."""
        clock = Clock()
        cascade = self._cascade(clock, 0.001, 0.1, 0.2, keep=[8, 4], budget_ms=100_000, slice_size=1)
        cascade.rerank("q", LETTERS)
        assert {p.rate for p in cascade._throughputs} != {None}
        cascade.budget_ms = 820.0
        _, middle, last = cascade.stages
        middle.calls, last.calls = [], []  # type: ignore[attr-defined]
        ranking = cascade.rerank("q", LETTERS)
        # Some 0.8 s are left for 8 x 0.1 s + 4 x 0.2 s: half of it for each.
        assert len(middle.seen) == 4 and len(last.seen) == 2  # type: ignore[attr-defined]
        assert [document.explanation["stage"] for document in ranking] == [2, 2, 1, 1, 0, 0, 0, 0]

    def test_a_rule_that_keeps_little_is_learnt(self) -> None:
        """The time reserved for what follows a margin is for as many documents as usually pass it."""
        clock = Clock()
        cascade = self._cascade(clock, 0.001, 0.1, 0.2, keep=[8, {"margin": 0.5}], budget_ms=100_000, slice_size=1)
        cascade.rerank("q", LETTERS)
        cascade.budget_ms = 1010.0  # for 8 x 0.1 s and one of 0.2 s
        assert "".join(cascade.rerank("q", LETTERS).texts) == "abcdefgh"
        cascade.stages[1].calls.clear()  # type: ignore[attr-defined]
        cascade.rerank("q", LETTERS)
        assert len(cascade.stages[1].seen) == 8  # type: ignore[attr-defined]

    def test_requests_are_equally_deep(self) -> None:
        """A call has the time of all its requests, and they take turns."""
        cascade = self._cascade(Clock(), 0.1, budget_ms=250, slice_size=3)
        first, second = cascade.rerank_many([("q", LETTERS), ("r", LETTERS)])
        assert len([d for d in first if d.explanation["stage"] == 0]) in (2, 3)
        assert len([d for d in second if d.explanation["stage"] == 0]) == 2

    def test_a_list_wise_stage_gets_one_call(self) -> None:
        """Scores that depend on the others can't be compared between slices: the depth is chosen beforehand."""
        clock = Clock()
        cascade = self._cascade(clock, 0.1, pointwise=False, budget_ms=450, slice_size=3)
        (stage,) = cascade.stages
        for _ in range(2):
            cascade.rerank("q", LETTERS)
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
        """Whatever the costs: every document once, deeper ones first, late by no more than calls of unknown cost.

        A stage that had no time is hoped to be a tenth faster the next time, and may then be late by as much.
        """
        clock, documents = Clock(), [f"d{at:02}" for at in range(n_documents)]
        table = {text: float(crc32(text.encode()) % 97) for text in documents}
        stages = [Table(table, clock=clock, document_s=cost_s, pointwise=pointwise) for cost_s in costs_s]
        cascade = CascadeReranker(stages, keep=keep, budget_ms=budget_ms, slice_size=slice_size, clock=clock)
        unknown_s = sum(costs_s) * (1 if pointwise else slice_size)
        for times in range(3):
            start_s, over_s = clock.now_s, 0.0 if all(stage.calls for stage in stages) else unknown_s
            ranking = cascade.rerank("q", documents)
            assert sorted(document.index for document in ranking) == list(range(n_documents))
            depth = [-1 if d.explanation["stage"] is None else d.explanation["stage"] for d in ranking]
            assert depth == sorted(depth, reverse=True)
            assert clock.now_s - start_s <= budget_ms / 1000 / 0.9**times + over_s + 1e-6


class TestThroughputEstimate:
    def test_the_rate_is_a_decayed_ratio(self) -> None:
        """Older observations count for four fifths of the next one, longer ones for more."""
        throughput = ThroughputEstimate()
        assert throughput.rate is None and throughput.share == 1.0
        throughput.learn(1.0, 100)
        throughput.learn(1.0, 400)
        assert throughput.rate == pytest.approx((0.8 * 1 + 1) / (0.8 * 100 + 400))
        throughput.learn_share(1, 4)
        assert throughput.share == 0.25

    def test_threads_learn_together(self) -> None:
        """No observation breaks another: with equal ones the rate is theirs."""
        throughput, barrier = ThroughputEstimate(), threading.Barrier(4)

        def learn(_: int) -> None:
            barrier.wait()
            for _ in range(500):
                throughput.learn(0.5, 100)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(learn, range(4)))
        assert throughput.rate == pytest.approx(0.005)

    @needs_fork
    def test_a_child_forked_while_it_learns_goes_on(self) -> None:
        """A lock that another thread held at the fork is free in the child, and what was learnt is known there."""
        throughput = ThroughputEstimate()
        throughput.learn(1.0, 100)

        def in_child() -> None:
            assert throughput.rate == 0.01

        with throughput._lock:
            assert exit_status_of_child(in_child) == 0
