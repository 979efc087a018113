"""Concurrent calls that share batches: the same scores, and one another's errors kept apart."""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import secondpass as sp
from secondpass.composition.batcher import CallFuture
from secondpass.composition.coalescing import CoalescingReranker
from secondpass.errors import CompositionError, ConfigError
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.testing import FakeReranker, RerankerContract
from secondpass.types import Scale
from tests.composition.gate import PATIENCE_S, Gate, busy, until, waiting


class TestContract(RerankerContract):
    tolerance = 0.0

    def make(self) -> CoalescingReranker:
        return CoalescingReranker(FakeReranker())


class TestContractOfSmallBatches(RerankerContract):
    tolerance = 0.0

    def make(self) -> CoalescingReranker:
        return CoalescingReranker(
            FakeReranker(scale="ordinal", pointwise=False), max_wait_ms=0, max_pairs=1, max_queue=1
        )


class TestScores:
    def test_64_threads_get_what_each_gets_alone(self) -> None:
        """Each caller gets its own scores, explanations and number of results, and batches were shared."""
        fake = FakeReranker()
        requests = [(f"copy file {at}", [f"copy {at} {n}" for n in range(at % 5 + 1)]) for at in range(64)]
        expected = [fake.score(*request) for request in requests]
        barrier = threading.Barrier(64)

        def call(request: tuple[str, list[str]]) -> list[sp.Ranking]:
            barrier.wait(PATIENCE_S)
            return [reranker.rerank(*request) for _ in range(5)]

        with CoalescingReranker(fake) as reranker, ThreadPoolExecutor(64) as pool:
            results = list(pool.map(call, requests))
        for rankings, scores in zip(results, expected, strict=True):
            for ranking in rankings:
                assert {d.index: d.score for d in ranking} == dict(enumerate(scores.tolist()))
        assert max(ranking.trace.counts["coalesced"] for rankings in results for ranking in rankings) > 0

    def test_the_cross_encoder_gives_the_same_to_64_threads(self, cross_encoder: CrossEncoderReranker) -> None:
        """Not a bit of the int8 model's scores depends on whose pairs were in the batch."""
        requests = [(f"how do I copy file {at}", ["shutil.copy copies a file", f"number {at}"]) for at in range(64)]
        expected = [cross_encoder.score(*request) for request in requests]
        with CoalescingReranker(cross_encoder) as reranker, ThreadPoolExecutor(64) as pool:
            results = list(pool.map(lambda request: reranker.score(*request), requests))
        np.testing.assert_array_equal(results, expected)

    @settings(deadline=None)
    @given(
        st.lists(st.lists(st.text(max_size=5), max_size=4), min_size=1, max_size=20),
        st.integers(1, 8),
        st.integers(1, 4),
    )
    def test_any_mixture_of_calls(self, calls: list[list[str]], max_pairs: int, max_queue: int) -> None:
        """Whatever the sizes, of calls (none included), batches and queue, everyone gets their own."""
        fake = FakeReranker()
        with (
            CoalescingReranker(fake, max_pairs=max_pairs, max_queue=max_queue, max_wait_ms=0.1) as reranker,
            ThreadPoolExecutor(6) as pool,
        ):
            results = list(pool.map(lambda documents: reranker.score("a b", documents), calls))
        for documents, scores in zip(calls, results, strict=True):
            np.testing.assert_array_equal(scores, fake.score("a b", documents))

    def test_the_wrapped_ones_trace_and_explanations_come_through(self, cross_encoder: CrossEncoderReranker) -> None:
        """They are a stage of the trace; what a call shared its batch with is counted next to it."""
        with CoalescingReranker(cross_encoder) as reranker:
            trace = reranker.rerank("q", ["a", "b", "a"]).trace
        assert trace.name == "CoalescingReranker" and trace.counts == {"coalesced": 0}
        assert trace.stages[0].name == "CrossEncoderReranker" and trace.total("pairs_scored") == 2


def _share_a_batch(reranker: CoalescingReranker, gate: Gate, pool: ThreadPoolExecutor, n_calls: int) -> None:
    calls = [pool.submit(reranker.score, f"q{at}", ["a"]) for at in range(n_calls)]
    until(lambda: waiting(reranker) == n_calls)
    gate.open.set()
    for call in calls:
        call.result(PATIENCE_S)


class TestBatches:
    def test_what_came_in_meanwhile_makes_up_the_next_batch(self) -> None:
        """Calls that arrive while a batch is running share the next one, in the order in which they came."""
        with busy() as (reranker, gate, pool):
            calls = []
            for at in range(10):
                calls.append(pool.submit(reranker.rerank, f"q{at}", ["a", "b"]))
                until(lambda at=at: waiting(reranker) == at + 1)  # type: ignore[misc]
            gate.open.set()
            assert [call.result(PATIENCE_S).trace.counts["coalesced"] for call in calls] == [9] * 10
            assert gate.batches == [["first"], [f"q{at}" for at in range(10)]]

    def test_batches_are_bounded_and_calls_are_not_split(self) -> None:
        """A batch takes whole calls up to max_pairs documents; a larger call has one of its own."""
        with busy(max_pairs=4, max_wait_ms=0) as (reranker, gate, pool):
            calls = []
            for at, size in enumerate([2, 2, 1, 9, 3, 1]):
                calls.append(pool.submit(reranker.score, f"q{at}", ["a"] * size))
                until(lambda at=at: waiting(reranker) == at + 1)  # type: ignore[misc]
            gate.open.set()
            assert [len(call.result(PATIENCE_S)) for call in calls] == [2, 2, 1, 9, 3, 1]
            assert gate.batches == [["first"], ["q0", "q1"], ["q2"], ["q3"], ["q4", "q5"]]

    def test_who_comes_alone_does_not_wait(self) -> None:
        """Without company before, a call goes at once, however long it might wait."""
        with CoalescingReranker(FakeReranker(), max_wait_ms=3_600_000) as reranker:
            for _ in range(3):
                assert reranker.score("q", ["a"]).shape == (1,)

    def test_after_a_shared_batch_company_is_waited_for_only_so_long(self) -> None:
        """Nobody comes back of two: the one call is answered after max_wait_ms."""
        with busy(max_wait_ms=20) as (reranker, gate, pool):
            _share_a_batch(reranker, gate, pool, 2)
            assert len(gate.batches[-1]) == 2
            start_s = time.monotonic()
            reranker.score("alone", ["a"])
            assert time.monotonic() - start_s >= 0.02
            assert gate.batches[-1] == ["alone"]

    def test_after_a_shared_batch_as_many_are_gathered_again(self) -> None:
        """Three that come one after another, after a batch of three, share a batch though the thread is free."""
        with busy(max_wait_ms=3_600_000) as (reranker, gate, pool):
            _share_a_batch(reranker, gate, pool, 3)
            calls = [pool.submit(reranker.score, f"r{at}", ["a"]) for at in range(3)]
            for call in calls:
                call.result(PATIENCE_S)
            assert sorted(gate.batches[-1]) == ["r0", "r1", "r2"]


class TestErrors:
    @pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
    def test_only_the_guilty_one_gets_the_error(
        self, error: type[BaseException], caplog: pytest.LogCaptureFixture
    ) -> None:
        """The others of its batch get their scores, and the trace, the log and the worker show and survive it."""
        with caplog.at_level(logging.WARNING, "secondpass"), busy() as (reranker, gate, pool):
            gate.error = error
            calls = [pool.submit(reranker.rerank, query, ["a", "b"]) for query in ("good", "fail", "fine")]
            until(lambda: waiting(reranker) == 3)
            gate.open.set()
            good, bad, fine = calls
            with pytest.raises(error, match="fail"):
                bad.result(PATIENCE_S)
            for call, query in ((good, "good"), (fine, "fine")):
                ranking = call.result(PATIENCE_S)
                assert ranking.trace.counts == {"coalesced": 0, "retried": 1}
                assert "a batch shared with 2 other calls failed" in ranking.trace.notes[0]
                np.testing.assert_array_equal(
                    reranker.score(query, ["a", "b"]), FakeReranker().score(query, ["a", "b"])
                )
        (record,) = caplog.records
        assert record.name == "secondpass.composition.batcher"
        assert "a batch of 3 calls failed" in record.getMessage()

    def test_a_single_call_gets_its_error_once(self) -> None:
        """Nothing is gained by trying it again."""
        gate = Gate()
        gate.open.set()
        with CoalescingReranker(gate) as reranker, pytest.raises(ValueError, match="fail"):
            reranker.score("fail", ["a"])
        assert gate.batches == [["fail"]]

    def test_a_call_that_is_interrupted_leaves_the_queue(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What nobody waits for isn't scored."""
        with busy() as (reranker, gate, pool):
            other = pool.submit(reranker.score, "other", ["a"])
            until(lambda: waiting(reranker) == 1)
            with monkeypatch.context() as patch:

                def interrupted(future: CallFuture[Any], timeout_s: float | None = None) -> bool:
                    raise KeyboardInterrupt

                patch.setattr(CallFuture, "wait", interrupted)
                with pytest.raises(KeyboardInterrupt):
                    reranker.score("given up", ["a"])
            gate.open.set()
            assert len(other.result(PATIENCE_S)) == 1
        assert gate.batches == [["first"], ["other"]]


class TestSettings:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"max_wait_ms": -1}, "max_wait_ms must be a number of milliseconds, at least 0, not -1"),
            ({"max_wait_ms": float("nan")}, "max_wait_ms must be a number of milliseconds"),
            ({"max_wait_ms": "2"}, "max_wait_ms must be a number of milliseconds"),
            ({"max_pairs": 0}, "max_pairs must be a whole number of at least 1, not 0"),
            ({"max_pairs": True}, "max_pairs must be a whole number"),
            ({"max_queue": 1.5}, "max_queue must be a whole number of at least 1, not 1.5"),
            ({"queue_timeout_s": float("inf")}, "queue_timeout_s must be a number of seconds, at least 0, or None"),
        ],
    )
    def test_settings_out_of_range_are_refused(self, settings: dict[str, Any], message: str) -> None:
        """When it is built, with what would be right."""
        with pytest.raises(ConfigError, match=message):
            CoalescingReranker(FakeReranker(), **settings)

    def test_only_a_reranker_can_be_wrapped(self) -> None:
        """The message names both sides."""
        with pytest.raises(CompositionError, match="CoalescingReranker wraps a Reranker, not a int"):
            CoalescingReranker(3)  # type: ignore[arg-type]

    def test_it_is_what_it_wraps(self) -> None:
        """Scale, pointwise and fingerprint are the wrapped one's, since no score changes."""
        wrapped = FakeReranker(scale="logit", pointwise=False)
        reranker = CoalescingReranker(wrapped, max_pairs=3)
        assert (reranker.scale, reranker.pointwise) == (Scale.LOGIT, False)
        assert reranker.fingerprint == wrapped.fingerprint
        assert repr(reranker) == "CoalescingReranker(FakeReranker())"
        assert reranker.to_config() == {
            "type": "coalescing",
            "wrapped": wrapped.to_config(),
            "max_wait_ms": 2.0,
            "max_pairs": 3,
            "max_queue": 1024,
            "queue_timeout_s": None,
        }
