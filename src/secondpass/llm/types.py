"""What is asked of a language model and what it answers: plain data, so that any function can stand for one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from secondpass.network import CallError

__all__ = ["Answer", "Completion", "CompletionError", "Prompt", "TokenChoice"]


class CompletionError(CallError):
    """A language model gave no answer; see `secondpass.network.CallError`."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question to a language model.

    Attributes:
        system: who it is and what it does; holds nothing of the query or the documents.
        user: the query, the documents as delimited data, and the task.
        max_tokens: how long the answer may be.
        schema: JSON schema of the answer, as a JSON text; empty if the answer is free.
        logprobs: whether the log-probabilities of the answer's tokens are needed.
    """

    system: str
    user: str
    max_tokens: int
    schema: str = ""
    logprobs: bool = False


@dataclass(frozen=True, slots=True)
class TokenChoice:
    """One token of an answer, and the likeliest tokens at its place with their natural log-probabilities."""

    token: str
    candidates: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a language model answered.

    Attributes:
        text: the answer; empty if there is none.
        tokens: the answer's tokens with log-probabilities; None if the server gave none.
        prompt_tokens: as the server counted them; None if it didn't say.
        completion_tokens: likewise.
        refused: whether the model, or a filter before it, refused to answer.
        cut: whether the answer ended because it reached its maximum length.
    """

    text: str = ""
    tokens: tuple[TokenChoice, ...] | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    refused: bool = False
    cut: bool = False


Completion = Callable[[Prompt, float], Answer | str]
"""Asks a model: takes a `Prompt` and the seconds that it may take, returns an `Answer` or just its text.

It is called from several threads at once. What it raises is taken as a failed call: `TimeoutError`,
`ConnectionError` and a `CompletionError` that says so are tried again, everything else is not.
"""


def whole_number(value: object) -> int | None:
    """Return a count as a server gives it, or None if it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def mapping(value: object) -> Mapping[str, Any]:
    """Return what is a mapping, and an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}
