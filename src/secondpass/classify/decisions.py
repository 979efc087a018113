"""What typed decisions are made of: each answer is a statement about the text, and an NLI model says which holds."""

from collections.abc import Mapping
from typing import Any

from secondpass.errors import InputError

__all__ = ["AS_STATED", "by_option", "expected_level", "statements_of"]

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
