"""Tasks that share batches, and who has to wait when the queue is full."""

import asyncio
import time
from collections.abc import Sequence

import pytest

import secondpass as sp
from secondpass.base import Reranker
from secondpass.cancellation import check_cancelled
from secondpass.composition.coalescing import CoalescingReranker
from secondpass.errors import InputError, ScoringError
from secondpass.testing import FakeReranker
from secondpass.types import Request, Scores
from tests.composition.gate import PATIENCE_S, busy, until, until_waiting, waiting


class TestTasks:
    def test_tasks_share_batches_without_threads(self) -> None:
        """A hundred tasks of one loop wait at once, which a pool of a few threads couldn't."""

        async def main() -> list[sp.Ranking]:
            with busy() as (reranker, gate, _):
                tasks = [asyncio.create_task(reranker.arerank(f"q {at}", ["q", f"{at}"], k=1)) for at in range(100)]
                await until_waiting(reranker, 100)
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
            with busy() as (reranker, gate, _):
                before = asyncio.create_task(reranker.arerank("before", ["a"]))
                cancelled = asyncio.create_task(reranker.arerank("cancelled", ["a"]))
                after = asyncio.create_task(reranker.arerank("after", ["a"]))
                await until_waiting(reranker, 3)
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
            with busy() as (reranker, gate, _):
                tasks = [asyncio.create_task(reranker.arerank(query, ["a"])) for query in ("stays", "goes")]
                await until_waiting(reranker, 2)
                gate.open.set()
                await asyncio.to_thread(gate.entered.acquire, timeout=PATIENCE_S)
                tasks[1].cancel()
                assert len(await tasks[0]) == 1

        asyncio.run(main())

    def test_what_is_being_scored_stops_once_nobody_waits_for_it(self, caplog: pytest.LogCaptureFixture) -> None:
        """Not before the last caller of its batch has gone; then the next call is answered, without a warning."""
        stepped: list[bool] = []

        class Stepwise(Reranker):
            def _score(self, requests: Sequence[Request]) -> list[Scores]:
                while any("endless" in request.query for request in requests):
                    stepped.append(True)
                    check_cancelled()
                return FakeReranker()._score(requests)

        async def main() -> None:
            with CoalescingReranker(Stepwise()) as reranker:
                tasks = [asyncio.create_task(reranker.arerank(f"endless {at}", ["a"])) for at in range(3)]
                await asyncio.to_thread(until, lambda: bool(stepped))
                for task in tasks[:-1]:
                    task.cancel()
                n_steps = len(stepped)
                await asyncio.to_thread(until, lambda: len(stepped) > n_steps)
                tasks[-1].cancel()
                assert len(await asyncio.wait_for(reranker.arerank("short", ["a"]), PATIENCE_S)) == 1

        asyncio.run(main())
        assert not caplog.records

    def test_a_full_queue_holds_tasks_back(self) -> None:
        """They wait without blocking the loop, and are answered; or get an error after the timeout."""

        async def main() -> None:
            with busy(max_queue=1) as (reranker, gate, _):
                tasks = [asyncio.create_task(reranker.arerank(f"q{at}", ["a"])) for at in range(5)]
                await asyncio.sleep(0.02)
                assert waiting(reranker) == 1
                gate.open.set()
                assert [len(ranking) for ranking in await asyncio.gather(*tasks)] == [1] * 5
            with busy(max_queue=1, queue_timeout_s=0.01) as (reranker, gate, _):
                waits = asyncio.create_task(reranker.arerank("waits", ["a"]))
                await asyncio.sleep(0)
                with pytest.raises(ScoringError, match=r"the queue of 1 calls stayed full for 0.01 s"):
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

    @pytest.mark.parametrize("documents", [["a"], [], [""]])
    def test_an_instruction_that_nobody_reads_is_refused(self, documents: list[str]) -> None:
        """As by a plain call, before it is queued, whatever the documents are."""
        with CoalescingReranker(FakeReranker()) as reranker:
            for call in (
                lambda: reranker.rerank("q", documents, instruction="be brief"),
                lambda: asyncio.run(reranker.arerank("q", documents, instruction="be brief")),
            ):
                with pytest.raises(InputError, match=r"FakeReranker\(\) takes no instruction"):
                    call()

    @pytest.mark.parametrize("scale", ["probability", "logit"])
    def test_blank_documents_are_not_handed_on(self, scale: str) -> None:
        """They come last and are counted as by a plain call, and what is all blank needs no batch."""
        with CoalescingReranker(FakeReranker(scale=scale)) as reranker:
            for documents in (["", "copy a file", "\u2026", "move"], ["", " "]):
                plain, awaited = reranker.rerank("copy", documents), asyncio.run(reranker.arerank("copy", documents))
                assert awaited.documents == plain.documents
                assert awaited.trace.counts == plain.trace.counts and awaited.trace.counts["blank"] == 2
                assert [stage.counts for stage in awaited.trace.stages] == [s.counts for s in plain.trace.stages]
        assert asyncio.run(reranker.arerank("copy", [""]))[0].explanation == {"blank": True}  # closed as it is


class TestBackPressure:
    def test_a_full_queue_blocks_until_there_is_room(self) -> None:
        """The third caller waits outside the queue, and is answered in the end."""
        with busy(max_queue=2) as (reranker, gate, pool):
            calls = [pool.submit(reranker.score, f"q{at}", ["a"]) for at in range(6)]
            until(lambda: waiting(reranker) == 2)
            time.sleep(0.02)
            assert waiting(reranker) == 2
            gate.open.set()
            assert [len(call.result(PATIENCE_S)) for call in calls] == [1] * 6

    def test_a_full_queue_is_an_error_after_the_timeout(self) -> None:
        """The message says what to change; those in the queue are answered."""
        with busy(max_queue=1, queue_timeout_s=0.01) as (reranker, gate, pool):
            waits = pool.submit(reranker.score, "waits", ["a"])
            until(lambda: waiting(reranker) == 1)
            with pytest.raises(ScoringError, match=r"queue of 1 calls stayed full for 0.01 s.*larger max_queue"):
                reranker.score("too many", ["a"])
            gate.open.set()
            assert len(waits.result(PATIENCE_S)) == 1
