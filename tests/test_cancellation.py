"""Work stops when its caller has gone, and only then."""

import asyncio
import threading
from collections.abc import Sequence
from contextvars import copy_context

import pytest

from secondpass.base import Reranker, in_thread
from secondpass.cancellation import WorkCancelledError, check_cancelled, stops_when, stops_with_caller
from secondpass.composition.ensemble import EnsembleReranker
from secondpass.composition.fallback import FallbackReranker
from secondpass.types import Request, Scores
from secondpass.verify.claims.split import split_claims
from secondpass.verify.evidence import Passages
from secondpass.verify.stages import Stated, each
from secondpass.windows import ApproximateTokenization


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
