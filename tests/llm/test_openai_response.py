"""Chat completions as servers send them: what is read, and what counts as not given."""

import math
from typing import Any

import pytest

from secondpass.llm.openai_response import read_answer
from secondpass.llm.types import Answer, CompletionError, TokenChoice


def _of(**choice: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": "Yes"}, **choice}]}


def test_a_whole_completion_is_read() -> None:
    """Text, counts, and how it ended."""
    usage = {"prompt_tokens": 7, "completion_tokens": 3}
    assert read_answer(_of(finish_reason="length") | {"usage": usage}) == Answer("Yes", None, 7, 3, cut=True)
    assert read_answer(_of(finish_reason="content_filter")) == Answer("Yes", refused=True)
    assert read_answer(_of(message={"content": None, "refusal": "no"})) == Answer("", refused=True)


def test_a_count_may_be_zero() -> None:
    """That is another thing than none at all."""
    answer = read_answer(_of() | {"usage": {"prompt_tokens": 0, "completion_tokens": 0}})
    assert (answer.prompt_tokens, answer.completion_tokens) == (0, 0)


@pytest.mark.parametrize("choices", [None, [], {}, "text", [None], ["text"], [{"message": None}], [{"message": "x"}]])
def test_an_answer_without_a_message_is_an_empty_one(choices: object) -> None:
    """Whatever stands in its place."""
    assert read_answer({"choices": choices}) == Answer()


@pytest.mark.parametrize("bad", [True, -1, "7", 7.0, None])
def test_what_is_not_a_count_is_not_given(bad: object) -> None:
    """A server may say anything under ``usage``."""
    answer = read_answer(_of() | {"usage": {"prompt_tokens": bad, "completion_tokens": bad}})
    assert (answer.prompt_tokens, answer.completion_tokens) == (None, None)


@pytest.mark.parametrize("data", [[], "text", 3, None])
def test_what_is_not_an_object_is_an_error(data: object) -> None:
    """It may be another one the next time."""
    with pytest.raises(CompletionError, match="not a chat completion") as caught:
        read_answer(data)
    assert caught.value.retryable


def test_log_probabilities_are_those_that_can_be_used() -> None:
    """Each token with the likeliest in its place, itself among them; repeated, odd or impossible ones left out."""
    listed = [
        {"token": "Yes", "logprob": -0.25},
        {"token": "No", "logprob": -1.5},
        {"token": "No", "logprob": -9.0},
        {"token": "never", "logprob": -math.inf},
        {"token": "long", "logprob": -(10**400)},
        {"token": "rounded", "logprob": 0.001},
        {"token": "whole", "logprob": 0},
        {"token": "odd", "logprob": math.nan},
        {"token": "high", "logprob": 0.5},
        {"token": "flag", "logprob": True},
        {"token": 3, "logprob": -1.0},
        {"token": "text", "logprob": "-1"},
        None,
    ]
    content = [{"token": "Yes", "logprob": -0.5, "top_logprobs": listed}, {"token": "!", "logprob": -2.0}, None]
    assert read_answer(_of(logprobs={"content": content})).tokens == (
        TokenChoice(
            "Yes",
            (
                *(("whole", 0.0), ("rounded", 0.001), ("long", -math.inf)),
                *(("never", -math.inf), ("No", -1.5), ("Yes", -0.25)),
            ),
        ),
        TokenChoice("!", (("!", -2.0),)),
        TokenChoice("", ()),
    )


@pytest.mark.parametrize("logprobs", [None, [], {}, {"content": None}, {"content": "x"}])
def test_no_log_probabilities_are_none(logprobs: object) -> None:
    """That is not the same as an answer without tokens."""
    assert read_answer(_of(logprobs=logprobs)).tokens is None
    assert read_answer(_of(logprobs={"content": []})).tokens == ()
