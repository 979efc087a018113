"""Prompts and answers of language models, as plain data, so that any function can stand in for a model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from secondpass.network import CallError

__all__ = ["Answer", "Completion", "CompletionError", "Prompt", "TokenChoice"]


class CompletionError(CallError):
    """A language model, or a decision model, gave no answer; see `secondpass.network.CallError`."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question to a language model.

    Attributes:
        system: the model's role; it contains nothing of the query or the documents.
        user: the query, the documents as delimited data, and the task.
        max_tokens: the longest answer.
        schema: the answer's JSON schema, as JSON; empty if the answer may have any form.
        logprobs: whether the log-probabilities of the answer's tokens are needed.
    """

    system: str
    user: str
    max_tokens: int
    schema: str = ""
    logprobs: bool = False

    @property
    def estimated_tokens(self) -> tuple[int, int]:
        """What it takes at most, about: tokens of the prompt, and of the longest answer."""
        return estimated_tokens(self.system + self.user), self.max_tokens


@dataclass(frozen=True, slots=True)
class TokenChoice:
    """One token of an answer, and the most likely tokens in its place with their natural log-probabilities."""

    token: str
    candidates: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A language model's answer.

    Attributes:
        text: the answer; may be empty.
        tokens: the answer's tokens with log-probabilities; None if the server did not return any.
        prompt_tokens: as the server counted them; None if it didn't.
        completion_tokens: likewise.
        refused: whether the model, or a filter in front of it, refused to answer.
        cut: whether the answer was cut off at its maximum length.
    """

    text: str = ""
    tokens: tuple[TokenChoice, ...] | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    refused: bool = False
    cut: bool = False


Completion = Callable[[Prompt, float], Answer | str]
"""A function that asks a model: from a `Prompt` and a time limit in seconds to an `Answer`, or only its text.

It is called from several threads at once. Whatever it raises is a failed call, which is retried after a
`TimeoutError`, a `ConnectionError` or a `CompletionError` that is ``retryable``. If it runs beyond its time, the call
has failed and it is left behind in its thread.
"""


def estimated_tokens(text: str) -> int:
    """Return about how many tokens a text has: rather too many for most languages, with room for a template."""
    return 16 + len(text.encode()) // 3  # bytes a token


def whole_number(value: object) -> int | None:
    """Return a value if it is a count, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def mapping(value: object) -> Mapping[str, Any]:
    """Return a value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}
