"""What a session keeps of the answers that it got."""

import logging
import threading
from typing import Any

import pytest

from secondpass.llm import Answer, Budget, CompletionError, Prompt
from secondpass.llm.session import LanguageModel, Session
from secondpass.network import Stop, StoppedError
from secondpass.rerankers.llm import LLMReranker
from tests.forks import exit_status_of_child, needs_fork


@pytest.mark.parametrize("bad", [Answer("I can't", refused=True), Answer("so-so"), Answer('{"grade": 77}')])
def test_only_an_answer_that_can_be_used_is_kept(bad: Answer) -> None:
    """After a refusal or nonsense the model is asked again; after a grade it is not."""
    answers = [bad, Answer('{"grade": 3}')]

    def ask(prompt: Prompt, timeout_s: float) -> Answer:
        return answers.pop(0)

    reranker = LLMReranker("m", mode="graded", completion=ask, cache_size=8, on_error="keep")
    assert [reranker.score("q", ["a"]).tolist() for _ in range(3)] == [[-1], [3], [3]]
    assert answers == []


def test_a_model_that_counts_nothing_is_taken_at_the_estimate() -> None:
    """A token for 3 bytes of the prompt, 16 for the template, and the longest answer; what it counts replaces that."""
    seen: list[Prompt] = []

    def ask(prompt: Prompt, timeout_s: float) -> Answer:
        seen.append(prompt)
        return Answer('{"grade": 3}', prompt_tokens=None if len(seen) == 1 else 7, completion_tokens=None)

    budget = Budget()
    reranker = LLMReranker("m", mode="graded", completion=ask, budget=budget)
    reranker.score("q", ["a"])
    prompt_tokens = 16 + len((seen[0].system + seen[0].user).encode()) // 3
    assert budget.spent_tokens == prompt_tokens + seen[0].max_tokens
    trace = reranker.rerank("q", ["a"]).trace
    assert budget.spent_tokens == prompt_tokens + 2 * seen[0].max_tokens + 7
    assert trace.counts["prompt_tokens"] == trace.counts["tokens"] == 7


def test_a_failed_call_is_free() -> None:
    """Neither the query's nor the budget's tokens are spent by what gave no answer."""
    budget = Budget()

    def fails(prompt: Prompt, timeout_s: float) -> str:
        raise CompletionError("for good")

    LLMReranker("m", mode="graded", completion=fails, budget=budget, on_error="keep").score("q", ["a", "b"])
    assert budget.spent_tokens == 0


def test_no_call_begins_when_the_time_is_over() -> None:
    """A query whose time went by while it waited for a slot is told so, and the function is not called."""
    calls: list[float] = []
    released, waits = threading.Event(), threading.Event()

    def ask(prompt: Prompt, timeout_s: float) -> str:
        calls.append(timeout_s)
        waits.set()
        released.wait(30.0)
        return '{"grade": 3}'

    first = LLMReranker("m", mode="graded", completion=ask, concurrency=1, total_timeout_s=30.0)
    thread = threading.Thread(target=first.score, args=("q", ["a"]))
    thread.start()
    assert waits.wait(30.0)
    first._asked.total_timeout_s = 0.05
    with pytest.raises(CompletionError, match=r"total_timeout_s=0\.05 passed before the call could begin"):
        first.score("q", ["b"])
    released.set()
    thread.join()
    assert len(calls) == 1


def test_the_answer_not_asked_for_the_longest_is_dropped() -> None:
    """With room for two, the one that was used again stays."""
    asked: list[str] = []

    def ask(prompt: Prompt, timeout_s: float) -> str:
        asked.append(next(name for name in "abc" if f"\ntext {name}\n" in prompt.user))
        return '{"grade": 3}'

    reranker = LLMReranker("m", mode="graded", completion=ask, cache_size=2)
    for name in "abacab":
        reranker.score("q", [f"text {name}"])
    assert asked == ["a", "b", "c", "b"]


def _session(ask: Any, **settings: Any) -> Session:
    return Session(LanguageModel("m", {"completion": ask, "max_retries": 0, **settings}, owner="test"))


def _prompts(n: int) -> list[Prompt]:
    return [Prompt("system", f"question {at}", 8) for at in range(n)]


def test_failed_calls_are_counted_and_noted_once(caplog: pytest.LogCaptureFixture) -> None:
    """One warning for a query, whose other failures are for debugging; the note quotes the first, but no novel."""

    def fails(prompt: Prompt, timeout_s: float) -> str:
        raise CompletionError("no " * 200)

    session = _session(fails, concurrency=1)
    with caplog.at_level(logging.DEBUG, "secondpass"):
        assert session.ask_all(_prompts(3), lambda answer: answer.text) == [None] * 3
    assert [record.levelname for record in caplog.records] == ["WARNING", "DEBUG", "DEBUG"]
    assert session.counts == {"failed_calls": 3}
    assert session.notes() == ["3 calls failed, first because: " + "no " * 100]
    session = _session(fails)
    session.ask(_prompts(1)[0], lambda answer: answer.text)
    assert session.notes()[0].startswith("1 call failed, first because: no")
    assert _session(fails).notes() == []


def test_what_an_answer_cost_is_counted() -> None:
    """By the server's own count, and in millionths by the prices; what the server does not count is not."""
    answers = [Answer("yes", prompt_tokens=7, completion_tokens=3), Answer("yes", prompt_tokens=5), Answer("yes")]
    prices = Budget(prompt_price=2.0, completion_price=10.0)
    session = _session(lambda prompt, timeout_s: answers.pop(0), concurrency=1, budget=prices)
    first, second, third = _prompts(3)
    session.ask(first, lambda answer: answer.text)
    assert session.counts == {"calls": 1, "prompt_tokens": 7, "completion_tokens": 3, "tokens": 10, "cost_micros": 44}
    session.ask(second, lambda answer: answer.text)
    assert session.counts["tokens"] == 15 and session.counts["completion_tokens"] == 3
    session.ask(third, lambda answer: answer.text)
    assert (session.counts["calls"], session.counts["tokens"]) == (3, 15)


def test_refused_and_cut_answers_are_counted() -> None:
    """A refusal is not even read; a cut answer is, and may be of use."""
    answers = [Answer("3", refused=True), Answer("3", cut=True), Answer("x")]
    session = _session(lambda prompt, timeout_s: answers.pop(0), concurrency=1)
    parsed = session.ask_all(_prompts(3), lambda answer: int(answer.text) if answer.text == "3" else None)
    assert parsed == [None, 3, None]
    assert session.counts == {"calls": 3, "refusals": 1, "unusable_answers": 2, "cut_answers": 1}


def test_a_function_that_takes_too_long_is_asked_again() -> None:
    """It may have been busy; the second attempt is a call of its own, and the trace counts it."""
    over, n_calls = threading.Event(), []

    def ask(prompt: Prompt, timeout_s: float) -> str:
        n_calls.append(timeout_s)
        if len(n_calls) == 1:
            over.wait(30.0)
        return "yes"

    session = _session(ask, timeout_s=0.1, total_timeout_s=30.0, max_retries=1, backoff_s=0.001)
    assert session.ask(_prompts(1)[0], lambda answer: answer.text) == "yes"
    assert session.counts == {"retries": 1, "calls": 1} and len(n_calls) == 2
    over.set()


def test_a_call_has_what_is_left_of_the_total_time() -> None:
    """Less than its own limit where the query's is nearly over."""
    seen = []

    def ask(prompt: Prompt, timeout_s: float) -> str:
        seen.append(timeout_s)
        return "yes"

    assert _session(ask, timeout_s=60.0, total_timeout_s=0.9).ask(_prompts(1)[0], lambda answer: answer.text) == "yes"
    assert 0 < seen[0] <= 0.9


def test_what_failed_for_good_ends_the_other_calls() -> None:
    """The stop is set with the reason, for those who wait and for other queries of the same call."""

    def fails(prompt: Prompt, timeout_s: float) -> str:
        raise CompletionError("for good")

    stop = Stop()
    session = Session(LanguageModel("m", {"completion": fails, "max_retries": 0}, owner="test"), stop, raises=True)
    with pytest.raises(CompletionError, match="for good"):
        session.ask(_prompts(1)[0], lambda answer: answer.text)
    with pytest.raises((CompletionError, StoppedError)):
        Session(session.llm, stop).ask(_prompts(1)[0], lambda answer: answer.text)
    assert session.counts == {}


@needs_fork
def test_a_child_forked_while_an_answer_is_kept_goes_on() -> None:
    """The lock around the answers is free there."""
    session = _session(lambda prompt, timeout_s: "yes", cache_size=3)
    with session.llm._lock:
        assert exit_status_of_child(lambda: session.ask(_prompts(1)[0], lambda answer: answer.text), limit_s=30) == 0
