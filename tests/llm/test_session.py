"""What a session keeps of the answers that it got."""

import threading

import pytest

from secondpass.llm import Answer, Budget, CompletionError, Prompt
from secondpass.rerankers.llm import LLMReranker


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
    first._llm.total_timeout_s = 0.05
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
