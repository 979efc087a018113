"""Concurrent calls that share batches: the same scores, one another's errors kept apart, and an orderly end."""

import asyncio
import copy
import gc
import logging
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import secondpass as sp
from secondpass.base import Reranker
from secondpass.errors import CompositionError, ConfigError, ScoringError
from secondpass.rerankers.coalescing import CoalescingReranker
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.testing import FakeReranker, RerankerContract
from secondpass.types import Request, Scale, Scores

_PATIENCE_S = 30.0  # far more than anything here takes


class Gate(Reranker):
    """A fake that waits until it is let through, remembers its batches, and fails for a query with "fail" in it."""

    registry_name: ClassVar[str] = "gate"
    scale = Scale.PROBABILITY

    def __init__(self) -> None:
        self.open, self.entered = threading.Event(), threading.Semaphore(0)
        self.batches: list[list[str]] = []
        self.error: Callable[[str], BaseException] = ValueError

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        queries = [request.query for request in requests]
        self.batches.append(queries)
        self.entered.release()
        assert self.open.wait(_PATIENCE_S)
        for query in queries:
            if "fail" in query:
                raise self.error(query)
        return FakeReranker()._score(requests)


def _until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, "it never came true"
        time.sleep(0.002)


def _waiting(reranker: CoalescingReranker) -> int:
    return len(reranker._workers[os.getpid()]._calls)


async def _until_waiting(reranker: CoalescingReranker, n_calls: int) -> None:
    await asyncio.to_thread(_until, lambda: _waiting(reranker) == n_calls)


def _threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "secondpass-coalescing"]


@contextmanager
def _busy(**kwargs: Any) -> Iterator[tuple[CoalescingReranker, Gate, ThreadPoolExecutor]]:
    """Yield a reranker whose thread is held up in a call "first", and a pool to call it from."""
    gate = Gate()
    with CoalescingReranker(gate, **kwargs) as reranker, ThreadPoolExecutor(70) as pool:
        first = pool.submit(reranker.score, "first", ["a"])
        try:
            assert gate.entered.acquire(timeout=_PATIENCE_S)
            yield reranker, gate, pool
        finally:
            gate.open.set()
        first.result(_PATIENCE_S)


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
            barrier.wait(_PATIENCE_S)
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


class TestBatches:
    def test_what_came_in_meanwhile_makes_up_the_next_batch(self) -> None:
        """Calls that arrive while a batch is running share the next one, in the order in which they came."""
        with _busy() as (reranker, gate, pool):
            calls = []
            for at in range(10):
                calls.append(pool.submit(reranker.rerank, f"q{at}", ["a", "b"]))
                _until(lambda at=at: _waiting(reranker) == at + 1)  # type: ignore[misc]
            gate.open.set()
            assert [call.result(_PATIENCE_S).trace.counts["coalesced"] for call in calls] == [9] * 10
            assert gate.batches == [["first"], [f"q{at}" for at in range(10)]]

    def test_batches_are_bounded_and_calls_are_not_split(self) -> None:
        """A batch takes whole calls up to max_pairs documents; a larger call has one of its own."""
        with _busy(max_pairs=4, max_wait_ms=0) as (reranker, gate, pool):
            calls = []
            for at, size in enumerate([2, 2, 1, 9, 3, 1]):
                calls.append(pool.submit(reranker.score, f"q{at}", ["a"] * size))
                _until(lambda at=at: _waiting(reranker) == at + 1)  # type: ignore[misc]
            gate.open.set()
            assert [len(call.result(_PATIENCE_S)) for call in calls] == [2, 2, 1, 9, 3, 1]
            assert gate.batches == [["first"], ["q0", "q1"], ["q2"], ["q3"], ["q4", "q5"]]

    def test_who_comes_alone_does_not_wait(self) -> None:
        """Without company before, a call goes at once, however long it might wait."""
        with CoalescingReranker(FakeReranker(), max_wait_ms=3_600_000) as reranker:
            for _ in range(3):
                assert reranker.score("q", ["a"]).shape == (1,)

    def test_after_a_shared_batch_company_is_waited_for_only_so_long(self) -> None:
        """Nobody comes back of two: the one call is answered after max_wait_ms."""
        with _busy(max_wait_ms=20) as (reranker, gate, pool):
            calls = [pool.submit(reranker.score, f"q{at}", ["a"]) for at in range(2)]
            _until(lambda: _waiting(reranker) == 2)
            gate.open.set()
            for call in calls:
                call.result(_PATIENCE_S)
            assert len(gate.batches[-1]) == 2
            start_s = time.monotonic()
            reranker.score("alone", ["a"])
            assert time.monotonic() - start_s >= 0.02
            assert gate.batches[-1] == ["alone"]

    def test_after_a_shared_batch_as_many_are_gathered_again(self) -> None:
        """Three that come one after another, after a batch of three, share a batch though the thread is free."""
        with _busy(max_wait_ms=3_600_000) as (reranker, gate, pool):
            calls = [pool.submit(reranker.score, f"q{at}", ["a"]) for at in range(3)]
            _until(lambda: _waiting(reranker) == 3)
            gate.open.set()
            for call in calls:
                call.result(_PATIENCE_S)
            calls = [pool.submit(reranker.score, f"r{at}", ["a"]) for at in range(3)]
            for call in calls:
                call.result(_PATIENCE_S)
            assert sorted(gate.batches[-1]) == ["r0", "r1", "r2"]


class TestErrors:
    @pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
    def test_only_the_guilty_one_gets_the_error(
        self, error: type[BaseException], caplog: pytest.LogCaptureFixture
    ) -> None:
        """The others of its batch get their scores, and the trace, the log and the worker show and survive it."""
        with caplog.at_level(logging.WARNING, "secondpass"), _busy() as (reranker, gate, pool):
            gate.error = error
            calls = [pool.submit(reranker.rerank, query, ["a", "b"]) for query in ("good", "fail", "fine")]
            _until(lambda: _waiting(reranker) == 3)
            gate.open.set()
            good, bad, fine = calls
            with pytest.raises(error, match="fail"):
                bad.result(_PATIENCE_S)
            for call, query in ((good, "good"), (fine, "fine")):
                ranking = call.result(_PATIENCE_S)
                assert ranking.trace.counts == {"coalesced": 0, "retried": 1}
                assert "a batch shared with 2 other calls failed" in ranking.trace.notes[0]
                np.testing.assert_array_equal(
                    reranker.score(query, ["a", "b"]), FakeReranker().score(query, ["a", "b"])
                )
        (record,) = caplog.records
        assert record.name == "secondpass.coalescing" and "a batch of 3 calls failed" in record.getMessage()

    def test_a_single_call_gets_its_error_once(self) -> None:
        """Nothing is gained by trying it again."""
        gate = Gate()
        gate.open.set()
        with CoalescingReranker(gate) as reranker, pytest.raises(ValueError, match="fail"):
            reranker.score("fail", ["a"])
        assert gate.batches == [["fail"]]

    def test_a_call_that_is_interrupted_leaves_the_queue(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What nobody waits for isn't scored."""
        from concurrent.futures import Future

        with _busy() as (reranker, gate, pool):
            other = pool.submit(reranker.score, "other", ["a"])
            _until(lambda: _waiting(reranker) == 1)
            with monkeypatch.context() as patch:

                def interrupted(self: Any, timeout: float | None = None) -> None:
                    raise KeyboardInterrupt

                patch.setattr(Future, "result", interrupted)
                with pytest.raises(KeyboardInterrupt):
                    reranker.score("given up", ["a"])
            gate.open.set()
            assert len(other.result(_PATIENCE_S)) == 1
        assert gate.batches == [["first"], ["other"]]


class TestTasks:
    def test_tasks_share_batches_without_threads(self) -> None:
        """A hundred tasks of one loop wait at once, which a pool of a few threads couldn't."""

        async def main() -> list[sp.Ranking]:
            with _busy() as (reranker, gate, _):
                tasks = [asyncio.create_task(reranker.arerank(f"q {at}", ["q", f"{at}"], k=1)) for at in range(100)]
                await _until_waiting(reranker, 100)
                gate.open.set()
                rankings = await asyncio.gather(*tasks)
            assert [len(batch) for batch in gate.batches] == [1, 100]
            return rankings

        for at, ranking in enumerate(asyncio.run(main())):
            expected = FakeReranker().rerank(f"q {at}", ["q", f"{at}"], k=1)
            assert [(d.index, d.score) for d in ranking] == [(d.index, d.score) for d in expected]
            assert ranking.trace.name == "CoalescingReranker" and ranking.trace.latency_s > 0

    def test_a_cancelled_or_timed_out_task_touches_no_other(self) -> None:
        """It isn't scored, and those queued before and after it are."""

        async def main() -> None:
            with _busy() as (reranker, gate, _):
                before = asyncio.create_task(reranker.arerank("before", ["a"]))
                cancelled = asyncio.create_task(reranker.arerank("cancelled", ["a"]))
                after = asyncio.create_task(reranker.arerank("after", ["a"]))
                await _until_waiting(reranker, 3)
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(reranker.arerank("timed out", ["a"]), 0.01)
                cancelled.cancel()
                await asyncio.sleep(0)
                gate.open.set()
                assert len(await before) == len(await after) == 1
                with pytest.raises(asyncio.CancelledError):
                    await cancelled
                assert gate.batches == [["first"], ["before", "after"]]

        asyncio.run(main())

    def test_one_that_is_being_scored_may_be_cancelled_too(self) -> None:
        """Its batch goes on for the others."""

        async def main() -> None:
            with _busy() as (reranker, gate, _):
                tasks = [asyncio.create_task(reranker.arerank(query, ["a"])) for query in ("stays", "goes")]
                await _until_waiting(reranker, 2)
                gate.open.set()
                await asyncio.to_thread(gate.entered.acquire, timeout=_PATIENCE_S)
                tasks[1].cancel()
                assert len(await tasks[0]) == 1

        asyncio.run(main())

    def test_a_full_queue_holds_tasks_back(self) -> None:
        """They wait without blocking the loop, and are answered; or get an error after the timeout."""

        async def main() -> None:
            with _busy(max_queue=1) as (reranker, gate, _):
                tasks = [asyncio.create_task(reranker.arerank(f"q{at}", ["a"])) for at in range(5)]
                await asyncio.sleep(0.02)
                assert _waiting(reranker) == 1
                gate.open.set()
                assert [len(ranking) for ranking in await asyncio.gather(*tasks)] == [1] * 5
            with _busy(max_queue=1, queue_timeout_s=0.01) as (reranker, gate, _):
                waits = asyncio.create_task(reranker.arerank("waits", ["a"]))
                await asyncio.sleep(0)
                with pytest.raises(ScoringError, match="the queue of 1 calls stayed full for 0"):
                    await reranker.arerank("too many", ["a"])
                gate.open.set()
                assert len(await waits) == 1

        asyncio.run(main())

    def test_many_requests_at_once_with_empty_ones(self) -> None:
        """`arerank_many` answers in order, documents or not, with k of the request before k of the call."""

        async def main() -> list[sp.Ranking]:
            with CoalescingReranker(FakeReranker()) as reranker:
                assert await reranker.arerank_many([]) == []
                return await reranker.arerank_many([("q", []), ("q", ["a", "b"]), Request("q", ["a", "b"], 2)], k=1)

        assert [len(ranking) for ranking in asyncio.run(main())] == [0, 1, 2]


class TestBackPressure:
    def test_a_full_queue_blocks_until_there_is_room(self) -> None:
        """The third caller waits outside the queue, and is answered in the end."""
        with _busy(max_queue=2) as (reranker, gate, pool):
            calls = [pool.submit(reranker.score, f"q{at}", ["a"]) for at in range(6)]
            _until(lambda: _waiting(reranker) == 2)
            time.sleep(0.02)
            assert _waiting(reranker) == 2
            gate.open.set()
            assert [len(call.result(_PATIENCE_S)) for call in calls] == [1] * 6

    def test_a_full_queue_is_an_error_after_the_timeout(self) -> None:
        """The message says what to change; those in the queue are answered."""
        with _busy(max_queue=1, queue_timeout_s=0.01) as (reranker, gate, pool):
            waits = pool.submit(reranker.score, "waits", ["a"])
            _until(lambda: _waiting(reranker) == 1)
            with pytest.raises(ScoringError, match=r"queue of 1 calls stayed full for 0.01 s.*larger max_queue"):
                reranker.score("too many", ["a"])
            gate.open.set()
            assert len(waits.result(_PATIENCE_S)) == 1


class TestEnd:
    def test_closing_answers_those_that_wait(self) -> None:
        """Who is queued gets scores, who comes later an error, and the thread is gone."""
        with _busy(max_queue=3, max_wait_ms=3_600_000) as (reranker, gate, pool):
            calls = [pool.submit(reranker.score, f"q{at}", ["a"]) for at in range(3)]
            _until(lambda: _waiting(reranker) == 3)
            late = pool.submit(reranker.score, "no room", ["a"])
            closing = pool.submit(reranker.close)
            with pytest.raises(ScoringError, match="closed; make another one"):
                late.result(_PATIENCE_S)
            gate.open.set()
            closing.result(_PATIENCE_S)
            assert [len(call.result(_PATIENCE_S)) for call in calls] == [1] * 3
        with pytest.raises(ScoringError, match="closed"):
            reranker.score("q", ["a"])
        with pytest.raises(ScoringError, match="closed"):
            asyncio.run(reranker.arerank("q", ["a"]))
        reranker.close()
        assert _threads() == []

    def test_one_that_was_never_used_has_no_thread(self) -> None:
        """The thread starts with the first call; closing without one is fine."""
        with CoalescingReranker(FakeReranker()) as reranker:
            assert _threads() == []
        with pytest.raises(ScoringError, match="closed"):
            reranker.score("q", ["a"])

    def test_no_thread_outlives_its_reranker(self) -> None:
        """When nothing refers to it any more, the thread ends without `close`."""
        for _ in range(5):
            CoalescingReranker(FakeReranker()).score("q", ["a"])
        gc.collect()
        assert _threads() == []

    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # from Python 3.12 on; it is what is tested
    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
    def test_it_works_after_a_fork(self) -> None:
        """The child has no thread and a stuck queue of the parent's, and starts its own."""
        with _busy() as (reranker, gate, pool):
            waits = pool.submit(reranker.score, "waits", ["a"])
            _until(lambda: _waiting(reranker) == 1)
            receive, send = multiprocessing.Pipe(duplex=False)
            child = os.fork()
            if not child:
                try:
                    gate.open.set()
                    send.send(reranker.score("in the child", ["a", "child"]).tolist())
                    reranker.close()
                finally:
                    os._exit(0)  # whatever happens, not on into the parent's tests
            assert receive.poll(_PATIENCE_S)
            assert receive.recv() == FakeReranker().score("in the child", ["a", "child"]).tolist()
            assert os.waitpid(child, 0)[1] == 0
            gate.open.set()
            assert len(waits.result(_PATIENCE_S)) == 1

    def test_copies_have_queues_of_their_own(self) -> None:
        """A pickled or copied one works when the first one is closed."""
        with CoalescingReranker(FakeReranker(), max_pairs=7) as reranker:
            reranker.score("q", ["a"])
            pickled = pickle.dumps(reranker)
        for restored in (pickle.loads(pickled), copy.deepcopy(reranker)):
            with restored:
                assert restored.max_pairs == 7 and restored.score("q", ["q"]) > 0.9

    @pytest.mark.parametrize("end", ["", "raise SystemExit(0)", "threading.Thread(target=last).start()"])
    def test_the_program_ends(self, end: str) -> None:
        """Nothing hangs and nothing is printed, even if a thread calls it while the main one has ended."""
        program = f"""
import threading, time
from secondpass.rerankers.coalescing import CoalescingReranker
from secondpass.testing import FakeReranker
reranker = CoalescingReranker(FakeReranker())
reranker.score("q", ["a"])
def last():
    time.sleep(0.1)
    assert len(reranker.score("q", ["a"])) == 1
{end}
"""
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=2 * _PATIENCE_S, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


class TestSettings:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"max_wait_ms": -1}, "max_wait_ms is a number from 0, not -1"),
            ({"max_wait_ms": float("nan")}, "max_wait_ms is a number from 0"),
            ({"max_wait_ms": "2"}, "max_wait_ms is a number from 0"),
            ({"max_pairs": 0}, "max_pairs is a whole number, at least 1, not 0"),
            ({"max_pairs": True}, "max_pairs is a whole number"),
            ({"max_queue": 1.5}, "max_queue is a whole number, at least 1, not 1.5"),
            ({"queue_timeout_s": float("inf")}, "queue_timeout_s is a number from 0"),
        ],
    )
    def test_settings_out_of_range_are_refused(self, settings: dict[str, Any], message: str) -> None:
        """When it is built, with what would be right."""
        with pytest.raises(ConfigError, match=message):
            CoalescingReranker(FakeReranker(), **settings)

    def test_only_a_reranker_can_be_wrapped(self) -> None:
        """The message names both sides."""
        with pytest.raises(CompositionError, match="CoalescingReranker wraps a Reranker, not a str"):
            CoalescingReranker("fake")  # type: ignore[arg-type]

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
