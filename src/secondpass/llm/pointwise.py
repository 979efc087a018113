"""The modes that ask about each document alone."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from secondpass.llm.parsing import grade, probability_of_yes
from secondpass.llm.prompts import grade_prompt, yes_no_prompt
from secondpass.llm.session import LLMSession

__all__ = ["Verdicts", "grades", "verdicts", "yes_no"]

Verdicts = tuple[npt.NDArray[np.float64], list[bool]]
"""A score for each document, and whether a usable answer covered it."""


def yes_no(session: LLMSession, query: str, texts: Sequence[str], *, max_tokens: int | None) -> Verdicts:
    """Score by P(yes) / (P(yes) + P(no)); 0 where there is no usable answer."""
    prompts = [yes_no_prompt(query, text, max_tokens) for text in texts]
    return verdicts(session.ask_all(prompts, probability_of_yes), 0.0)


def grades(session: LLMSession, query: str, texts: Sequence[str], *, top: int, max_tokens: int | None) -> Verdicts:
    """Score by the grade from 0 to ``top``; -1, and so last, where there is no usable answer."""
    prompts = [grade_prompt(query, text, top, max_tokens) for text in texts]
    return verdicts(session.ask_all(prompts, lambda answer: grade(answer.text, top)), -1.0)


def verdicts(answers: Sequence[float | None], missing: float) -> Verdicts:
    """Return the score in each answer, and ``missing`` where there is no usable one."""
    values = np.array([missing if answer is None else answer for answer in answers], dtype=np.float64)
    return values, [answer is not None for answer in answers]
