"""Training examples from question-answer pairs."""

from collections.abc import Iterable, Mapping
from typing import Any

from secondpass.errors import InputError
from secondpass.learn.data.example import TrainingExample
from secondpass.validation import Text, shown

__all__ = ["from_answers"]


def from_answers(pairs: Iterable[Any]) -> list[TrainingExample]:
    """Return an example for each question, with all of its answers as relevant documents.

    There are no negatives yet: `mine_negatives` finds them, and multiple negatives ranking needs none.

    Args:
        pairs: pairs of a question and an answer, or mappings with ``question`` and ``answer`` and, if you like,
            ``group``; or a mapping of questions to answers. Texts that are empty stay, for `check_data` to name.

    Raises:
        InputError: there are none, or one is something else; says which.
    """
    if isinstance(pairs, str | bytes) or not isinstance(pairs, Iterable):
        raise InputError(f"question-answer pairs must be a list of pairs, not {shown(pairs)}")
    rows = pairs.items() if isinstance(pairs, Mapping) else pairs
    answers: dict[tuple[str, str], dict[str, None]] = {}
    for at, row in enumerate(rows):
        question, answer, group = _pair(row, at)
        answers.setdefault((question, group), {})[answer] = None
    if not answers:
        raise InputError("there are no question-answer pairs")
    return [TrainingExample.of(question, tuple(of), group=group) for (question, group), of in answers.items()]


def _pair(row: Any, at: int) -> tuple[str, str, str]:
    if isinstance(row, Mapping):
        values = {name: row.get(name) for name in ("question", "answer")} | {"group": row.get("group") or ""}
    elif isinstance(row, list | tuple) and len(row) == 2:
        values = {"question": row[0], "answer": row[1], "group": ""}
    else:
        raise InputError(f"pair {at} must be a question and an answer, not {shown(row)}")
    question, answer, group = (
        Text(empty=True).checked(value, f"the {what} of pair {at}", error=InputError) for what, value in values.items()
    )
    return question, answer, group
