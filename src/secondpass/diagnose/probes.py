"""A few texts that tell what kind of model it is that scores them."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from secondpass.base import Reranker
from secondpass.types import Request, Scale

__all__ = ["Probes", "run_probes"]

# A question, its answer, something else, and the question in other words.
_QUESTIONS = (
    (
        "What is the capital of France?",
        "Paris is the capital of France.",
        "Knead the dough and let it rest for an hour.",
        "Which city is the capital of France?",
    ),
    (
        "How do I boil an egg?",
        "Put the egg into boiling water for eight minutes, then cool it.",
        "The train to Leeds leaves at nine.",
        "What is the way to boil an egg?",
    ),
    (
        "Who wrote Hamlet?",
        "Hamlet is a tragedy by William Shakespeare.",
        "The museum sells coffee and cake.",
        "Who is the author of Hamlet?",
    ),
    (
        "When did the Berlin Wall fall?",
        "The Berlin Wall came down on 9 November 1989.",
        "Her brother plays the violin.",
        "In what year did the Berlin Wall fall?",
    ),
    (
        "Why is the sky blue?",
        "Air scatters short wavelengths of sunlight more than long ones, which makes the sky look blue.",
        "The shop is closed on Sundays.",
        "What makes the sky blue?",
    ),
    (
        "How tall is Mount Everest?",
        "Mount Everest rises 8,849 metres above sea level.",
        "He painted the fence green last spring.",
        "What is the height of Mount Everest?",
    ),
)
# A statement, one that follows from it, one that denies it, and something else.
_STATEMENTS = (
    (
        "The shop is open on Sundays.",
        "On Sundays the shop is open.",
        "The shop is closed on Sundays.",
        "Marie Curie won two Nobel Prizes.",
    ),
    (
        "All passengers survived the crash.",
        "The passengers survived the crash.",
        "None of the passengers survived the crash.",
        "The recipe needs two eggs.",
    ),
    (
        "The bridge was built in 1932.",
        "The bridge was built in 1932 by a Danish company.",
        "The bridge was not built in 1932.",
        "Her brother plays the violin.",
    ),
    (
        "The patient was discharged on Monday.",
        "On Monday the patient left the hospital.",
        "The patient was never discharged.",
        "The shop sells bread.",
    ),
)

ScoreAll = Callable[[Sequence[tuple[str, Sequence[str]]]], list[np.ndarray]]


@dataclass(frozen=True, slots=True)
class Probes:
    """What a reranker gives to questions and statements that any model of relevance tells apart.

    Attributes:
        separation: how far answers score above other sentences on average, on the scale of the scores; negative if
            it prefers the latter.
        answers_first: the share of questions whose answer scores above the other sentence.
        order_sensitivity: how much the score falls on average when question and answer change places, as a share of
            ``separation``; negative if it rises. None if scores can't be compared between requests.
        reversed_better: the share of questions for which it rises; None likewise.
        paraphrases_first: the share of questions that are preferred, in other words, to their answers.
        denial: where the denial of a statement stands between something else (0) and what follows from it (1): near
            1 for relevance, near 0 for entailment. None if that says nothing.
        lowest: the lowest of all scores.
        highest: the highest.
        distinct: how many different scores there are.
        n: how many scores there are.
    """

    separation: float
    answers_first: float
    order_sensitivity: float | None
    reversed_better: float | None
    paraphrases_first: float
    denial: float | None
    lowest: float
    highest: float
    distinct: int
    n: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return asdict(self)


def run_probes(reranker: Reranker) -> Probes:
    """Let a reranker score the texts: some sixty pairs.

    Raises:
        ScoringError: it fails at them.
    """
    comparable = reranker.pointwise and reranker.scale is not Scale.ORDINAL
    asked = [(question, (other, answer, again)) for question, answer, other, again in _QUESTIONS]
    asked += [(statement, (other, follows, denies)) for statement, follows, denies, other in _STATEMENTS]
    swapped = [(answer, (question,)) for question, answer, *_ in _QUESTIONS] if comparable else []
    scores = _scores(reranker, [*asked, *swapped], comparable)
    questions = np.array(scores[: len(_QUESTIONS)])
    statements = np.array(scores[len(_QUESTIONS) : len(asked)])
    other, answer, again = questions.T
    separation = float((answer - other).mean())
    backwards = np.concatenate(scores[len(asked) :]) if comparable else None
    sensitivity = better = None
    if backwards is not None and separation:
        sensitivity = float((answer - backwards).mean()) / abs(separation)
        better = float((backwards > answer).mean())
    elsewhere, follows, denies = statements.mean(axis=0)
    every = np.concatenate(scores)
    return Probes(
        separation=separation,
        answers_first=float((answer > other).mean()),
        order_sensitivity=sensitivity,
        reversed_better=better,
        paraphrases_first=float((again > answer).mean()),
        denial=float((denies - elsewhere) / (follows - elsewhere)) if follows > elsewhere else None,
        lowest=float(every.min()),
        highest=float(every.max()),
        distinct=len(np.unique(every)),
        n=len(every),
    )


def _scores(reranker: Reranker, asked: Sequence[tuple[str, Sequence[str]]], alone: bool) -> list[np.ndarray]:
    """Return the scores of each question's documents, each of which is a request of its own where that is the same."""
    requests = [
        Request(query, part, initial_scores=[0.0] * len(part))
        for query, texts in asked
        for part in ([[text] for text in texts] if alone else [list(texts)])
    ]
    values = np.concatenate([scores.values for scores in reranker.score_many(requests)])
    return np.split(values, np.cumsum([len(texts) for _, texts in asked])[:-1])
