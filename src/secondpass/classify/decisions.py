"""What typed decisions are made of: each answer is a statement about the text, and an NLI model says which holds."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from secondpass.errors import InputError

__all__ = ["AS_STATED", "by_option", "expected_level", "statements_of", "text_of", "yes_of"]

AS_STATED: dict[str, Any] = {
    "template": "{}",
    **dict.fromkeys(("labels", "hypotheses", "descriptions", "thresholds", "margin")),
    "ties": "abstain",
}
"""Settings of a `ZeroShotClassifier` whose labels are whole statements: nothing of its own labels plays a part."""


def statements_of(options: Mapping[str, str]) -> list[str]:
    """Return what each option says, in their order.

    Raises:
        InputError: two of them say the same.
    """
    statements = list(options.values())
    if len(set(statements)) < len(statements):
        raise InputError("two options or levels say the same: let each be a statement of its own")
    return statements


def by_option(options: Mapping[str, str], scores: Mapping[str, float]) -> dict[str, float]:
    """Return the probability of each option, in their order, from those of the statements."""
    return {option: scores[statement] for option, statement in options.items()}


def expected_level(probabilities: Mapping[str, float]) -> float:
    """Return the mean of levels, which are numbers as text, by their probabilities."""
    return sum(float(level) * probability for level, probability in probabilities.items())


def yes_of(yes: float, no: float | None) -> float:
    """Return the probability of yes, from that of what yes says and, if the question tells, of what no says.

    A text that says neither is near 0.5 then.
    """
    return yes if no is None else (1 + yes - no) / 2


def text_of(value: object) -> str:
    """Return JSON data as a text that a model reads: a mapping as lines of ``key: value``, a list as lines.

    Raises:
        InputError: it is not JSON data.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return "\n".join(f"{key}: {text_of(item)}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return "\n".join(text_of(item) for item in value)
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    raise InputError(f"a text is a str or JSON data, not {type(value).__name__}")
