"""Work stops when its caller has gone, and only then."""

import asyncio
import threading
from collections.abc import Sequence
from contextvars import copy_context

import pytest

from secondpass.base import Reranker, in_thread
from secondpass.cancellation import (
    WorkCancelledError,
    check_cancelled,
    stops_when,
    stops_with_caller,
    wait_wanted,
)
from secondpass.composition.coalescing import CoalescingReranker
from secondpass.composition.ensemble import EnsembleReranker
from secondpass.composition.fallback import FallbackReranker
from secondpass.rerankers.llm import LLMReranker
from secondpass.types import Request, Scores
from secondpass.verify.claims.split import split_claims
from secondpass.verify.evidence import Passages
from secondpass.verify.stages import Stated, each
from secondpass.windows import ApproximateTokenization
from tests.composition.gate import PATIENCE_S, busy, until, until_waiting, waiting


class Endless(Reranker):
    """Works in steps until it is stopped."""

    def __init__(self) -> None:
        self.steps, self.began = 0, threading.Event()

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        while True:
            self.steps += 1
            self.began.set()
            check_cancelled()


class Plain(Reranker):
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        self.calls += 1
        return [Scores([0.0] * len(request)) for request in requests]  # type: ignore[arg-type]


async def given_up(reranker: Reranker, began: threading.Event) -> None:
    """Cancel a call once it has begun."""
    task = asyncio.create_task(reranker.arerank("q", ["a", "b"]))
    await asyncio.to_thread(began.wait, 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_nothing_is_cancelled_by_itself() -> None:
    """Neither outside of a task nor within one that goes on."""
    check_cancelled()
    with stops_with_caller():
        check_cancelled()
    assert asyncio.run(in_thread(lambda: check_cancelled() or 3)) == 3


def test_work_that_outlives_the_block_is_stopped() -> None:
    """The context that it was started in knows, within an inner block as well; a later block does not."""
    contexts = []

    def interrupted() -> None:
        with stops_with_caller():
            with stops_with_caller():
                contexts.append(copy_context())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with pytest.raises(WorkCancelledError):
        contexts[0].run(check_cancelled)
    with stops_with_caller():
        check_cancelled()


def test_work_asks_a_function_as_well() -> None:
    """Whether its own caller has gone or that of the block around it; behind the block nobody asks any more."""
    has_left = False
    with stops_when(lambda: has_left), stops_when(lambda: False):
        check_cancelled()
        has_left = True
        with pytest.raises(WorkCancelledError):
            check_cancelled()
    check_cancelled()


def test_a_long_answer_is_not_read_to_its_end() -> None:
    """Neither its claims are found nor are they checked, which takes minutes where there are thousands of them."""
    asked = iter(range(1000))
    with stops_when(lambda: next(asked) > 3), pytest.raises(WorkCancelledError):
        split_claims("It is tall. " * 500)
    assert next(asked) < 10
    claims, asked = split_claims("It is tall. " * 500), iter(range(1000))
    with stops_when(lambda: next(asked) > 3), pytest.raises(WorkCancelledError):
        each([Stated(claim, Passages([], ApproximateTokenization())) for claim in claims], lambda stated: stated.claim)
    assert next(asked) < 10


def test_a_cancelled_rerank_ends_its_thread() -> None:
    """`asyncio.run` waits for its threads: without a stop this would never end."""
    endless = Endless()
    asyncio.run(given_up(endless, endless.began))
    assert endless.steps > 0


def test_no_fallback_takes_a_cancellation_for_a_failure() -> None:
    """Neither the next reranker of a fallback nor the other members of an ensemble are asked in vain."""
    endless, plain = Endless(), Plain()
    asyncio.run(given_up(FallbackReranker([endless, plain]), endless.began))
    assert plain.calls == 0
    endless = Endless()
    asyncio.run(given_up(EnsembleReranker([endless, plain]), endless.began))
    assert plain.calls <= 1


def test_what_is_cancelled_before_a_stage_does_not_begin_it() -> None:
    """A reranker that does not ask itself is not started any more."""
    plain = Plain()

    async def given_up_at_once() -> None:
        gone = threading.Event()

        def work() -> None:
            gone.wait(60)
            plain.rerank("q", ["a"])

        task = asyncio.create_task(in_thread(work))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gone.set()

    asyncio.run(given_up_at_once())
    assert plain.calls == 0


def test_who_is_cancelled_leaves_the_queue_behind_others() -> None:
    """Whether the call waits for its batch, or for room in the queue, and whatever wraps the queue."""

    async def given_up_within(reranker: Reranker, inner: CoalescingReranker, n_waiting: int) -> None:
        task = asyncio.create_task(reranker.arerank("second", ["a"]))
        await until_waiting(inner, n_waiting)
        await asyncio.sleep(0.1)  # so that one that waits for room is in its wait
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with busy() as (inner, gate, _):
        asyncio.run(given_up_within(FallbackReranker([inner]), inner, 1))  # which waits for its threads
        gate.open.set()
    assert gate.batches == [["first"]]
    with busy(max_queue=1) as (inner, gate, pool):
        third = pool.submit(inner.score, "third", ["a"])
        until(lambda: waiting(inner) == 1)
        asyncio.run(given_up_within(FallbackReranker([inner]), inner, 1))
        gate.open.set()
        third.result(PATIENCE_S)
    assert gate.batches == [["first"], ["third"]]


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_cancelled_call_asks_a_model_no_more(concurrency: int) -> None:
    """What it was asked already is left behind, and what would be asked next is not paid for."""
    began, go_on, asked = threading.Event(), threading.Event(), []

    def grade(prompt: object, timeout_s: float) -> str:
        asked.append(prompt)
        began.set()
        go_on.wait(60)
        return '{"grade": 1}'

    async def given_up_while_asking() -> None:
        reranker = LLMReranker("m", mode="graded", completion=grade, concurrency=concurrency, timeout_s=60)
        task = asyncio.create_task(reranker.arerank("q", [str(number) for number in range(20)]))
        await asyncio.to_thread(began.wait, 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(given_up_while_asking())  # which waits for its threads
    go_on.set()
    assert 1 <= len(asked) <= concurrency


def test_a_cancelled_call_tries_no_server_again() -> None:
    """Neither the wait before the next attempt nor the attempt is for anybody."""
    tried = threading.Event()

    def fail(prompt: object, timeout_s: float) -> str:
        tried.set()
        raise ConnectionError

    async def given_up_between() -> None:
        reranker = LLMReranker("m", completion=fail, max_retries=5, backoff_s=600.0, total_timeout_s=6000)
        task = asyncio.create_task(reranker.arerank("q", ["a", "b"]))
        await asyncio.to_thread(tried.wait, 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(given_up_between(), 60))


def test_waits_last_as_long_as_somebody_waits_for_them() -> None:
    """Alone in one piece; else in short ones, with the same end."""
    asked: list[float | None] = []

    def wait(timeout_s: float | None) -> bool:
        asked.append(timeout_s)
        return len(asked) == 3

    assert not wait_wanted(wait, 7.0) and asked == [7.0]
    with stops_with_caller():
        assert wait_wanted(wait) and len(asked) == 3
        assert max(map(float, filter(None, asked[1:]))) < 1.0
        assert not wait_wanted(lambda timeout_s: False, 0.0)
    gone = iter([False, True])
    with stops_when(lambda: next(gone)), pytest.raises(WorkCancelledError):
        wait_wanted(lambda timeout_s: False)
