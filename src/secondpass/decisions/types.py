"""Typed questions to decision models and the probabilities that answer them, as plain data."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from secondpass.llm.prompts import without_markup
from secondpass.llm.types import estimated_tokens

__all__ = ["DecisionFunction", "Question", "Reply", "distribution", "state_of"]

_SLACK = 0.02  # probabilities are rounded by some servers


@dataclass(frozen=True, slots=True)
class Question:
    """One typed question about a state.

    Attributes:
        state: what it is about: a JSON object, as JSON. `state_of` writes one.
        kind: ``noul`` asks for yes or no, ``choice`` for one of several labels, ``score`` for a level.
        instructions: what is asked.
        options: the possible answers, each a label and what it says: yes and no, in this order; labels; or levels, from
            the lowest, with their numbers from 0.
    """

    state: str
    kind: Literal["noul", "choice", "score"]
    instructions: str
    options: tuple[tuple[str, str], ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the options."""
        return tuple(label for label, _ in self.options)

    @property
    def estimated_tokens(self) -> tuple[int, int]:
        """What it takes at most, about: tokens of the question; an answer has none."""
        return estimated_tokens(self.state + self.instructions + "".join(said for _, said in self.options)), 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What a decision model answered.

    Attributes:
        probabilities: of each option, in their order; empty if there was no answer that can be used.
        prompt_tokens: as the server counted them; None if it didn't.
        completion_tokens: likewise.
        refused: whether the model refused to answer.
    """

    probabilities: tuple[float, ...] = ()
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    refused: bool = False

    @property
    def cut(self) -> bool:
        """Never: a decision model writes nothing."""
        return False


DecisionFunction: TypeAlias = Callable[[Question, float], Reply | Sequence[float]]
"""A function that decides: from a `Question` and a time limit in seconds to a `Reply`, or only its probabilities.

It is called from several threads at once. What it raises, and what comes of a late answer, is as for a
`secondpass.llm.Completion`.
"""


def state_of(members: Mapping[str, str | Sequence[str]]) -> str:
    """Return named texts as the state of a question: JSON, in which no text can pass for another member.

    Markup of chat templates is broken up in the texts, as some servers ask a chat model.
    """
    shown = {
        name: without_markup(text) if isinstance(text, str) else [*map(without_markup, text)]
        for name, text in members.items()
    }
    return json.dumps(shown, ensure_ascii=False)


def distribution(values: Sequence[object]) -> tuple[float, ...]:
    """Return values as probabilities that sum to 1, or nothing if they aren't such."""
    kept = [
        max(float(each), 0.0)
        for each in values
        if isinstance(each, int | float) and not isinstance(each, bool) and -_SLACK <= each <= 1 + _SLACK
    ]
    total = math.fsum(kept)
    if len(kept) < len(values) or abs(total - 1) > _SLACK:
        return ()
    return tuple(each / total for each in kept)
