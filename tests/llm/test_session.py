"""What a session keeps of the answers that it got."""

import pytest

from secondpass.llm import Answer, Prompt
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
