"""Chat completions as OpenAI-compatible servers send them, each with deviations of its own."""

import math
from collections.abc import Mapping
from typing import Any

from secondpass.llm.types import Answer, CompletionError, TokenChoice, mapping, whole_number

__all__ = ["read_answer", "read_tokens"]


def read_answer(data: object) -> Answer:
    """Read a chat completion; a member that is missing or of the wrong type counts as not given.

    Raises:
        CompletionError: it is not a JSON object.
    """
    if not isinstance(data, dict):
        raise CompletionError("the server's answer is not a chat completion", retryable=True)
    usage, choices = mapping(data.get("usage")), data.get("choices")
    counts = whole_number(usage.get("prompt_tokens")), whole_number(usage.get("completion_tokens"))
    choice = mapping(choices[0]) if isinstance(choices, list) and choices else {}
    message, finish = mapping(choice.get("message")), choice.get("finish_reason")
    text = message.get("content")
    return Answer(
        text if isinstance(text, str) else "",
        read_tokens(mapping(choice.get("logprobs")).get("content")),
        *counts,
        refused=bool(message.get("refusal")) or finish == "content_filter",
        cut=finish == "length",
    )


def read_tokens(content: object) -> tuple[TokenChoice, ...] | None:
    """Read the log-probabilities of a chat completion, its ``logprobs.content``; None if there are none."""
    if not isinstance(content, list):
        return None
    tokens = []
    for item in map(mapping, content):
        listed = item.get("top_logprobs")
        candidates = [_candidate(mapping(each)) for each in (listed if isinstance(listed, list) else [])]
        kept = dict(candidate for candidate in reversed(candidates) if candidate is not None)
        own = _candidate(item)
        if own is not None:
            # A token that was forced or drawn from further down need not be among the likeliest.
            kept.setdefault(*own)
        tokens.append(TokenChoice(str(item.get("token", "")), tuple(kept.items())))
    return tuple(tokens)


def _candidate(item: Mapping[str, Any]) -> tuple[str, float] | None:
    token, logprob = item.get("token"), item.get("logprob")
    # NaN is not below or equal to anything; -inf is a probability of zero.
    if not isinstance(token, str) or isinstance(logprob, bool) or not isinstance(logprob, int | float):
        return None
    if not logprob <= 1e-3:
        return None
    return token, float(logprob) if logprob > -1e300 else -math.inf  # a whole number may be too long for a float
