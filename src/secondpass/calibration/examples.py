"""Judged examples: where they come from, and what a reranker scores them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from secondpass.base import Reranker
from secondpass.calibration.base import checked_examples
from secondpass.errors import CompositionError, InputError
from secondpass.logistic import FloatArray, log_odds, sigmoid
from secondpass.types import Document, Qrels, Request, Run, Scale
from secondpass.validation import OneOf, must_be

__all__ = ["Example", "ScoredExamples", "examples_from_qrels", "score_examples"]

Example = tuple[str, Document, Any]
"""A query, a document, and whether it is relevant: a bool, or a grade of which anything above 0 is."""


@dataclass(frozen=True, eq=False)
class ScoredExamples:
    """Judged examples with their scores.

    Args:
        scores: shape (n_examples,), finite.
        relevant: shape (n_examples,); both kinds have to be there.
        queries: shape (n_examples,), a number for each query, to know which belong together.
        scale: what the scores mean, not ordinal.
        scored_by: the fingerprint of the reranker, so that nothing fitted on them is used with another one.

    Raises:
        InputError: the lists don't fit together, or only one kind of example is there.
        CompositionError: the scores are ordinal.
    """

    scores: FloatArray
    relevant: npt.NDArray[np.bool_]
    queries: npt.NDArray[np.intp]
    scale: Scale = Scale.PROBABILITY
    scored_by: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", OneOf(*Scale).checked(self.scale, "scale", error=InputError))
        scores, relevant = checked_examples(self.scores, self.relevant)
        queries = np.asarray(self.queries)
        if queries.shape != scores.shape:
            raise InputError(f"each of the {len(scores)} examples needs its query's number, not {queries.shape}")
        if self.scale is Scale.ORDINAL:
            raise CompositionError("ordinal scores only give an order, so nothing can be calibrated or thresholded")
        if self.scale is Scale.PROBABILITY and (scores.min() < 0 or scores.max() > 1):
            raise InputError(f"probabilities must lie in [0, 1], but these range from {scores.min()} to {scores.max()}")
        # Numbered without gaps, so that they can be indices.
        numbers = np.unique(queries, return_inverse=True)[1].astype(np.intp)
        for name, value in (("scores", scores), ("relevant", relevant), ("queries", numbers)):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def n_queries(self) -> int:
        """How many queries the examples have."""
        return int(self.queries.max()) + 1

    @property
    def logits(self) -> FloatArray:
        """The scores as logits: probabilities by their log-odds."""
        return log_odds(self.scores) if self.scale is Scale.PROBABILITY else self.scores

    @property
    def probabilities(self) -> FloatArray:
        """The scores as probabilities: logits by the logistic function, as if they were log-odds."""
        return self.scores if self.scale is Scale.PROBABILITY else sigmoid(self.scores)

    def best_relevant(self) -> FloatArray:
        """Return, of each query that has a relevant example, the best score of one."""
        best = np.full(self.n_queries, -np.inf)
        np.maximum.at(best, self.queries[self.relevant], self.scores[self.relevant])
        return np.asarray(best[np.isfinite(best)])


def score_examples(reranker: Reranker, examples: Iterable[Example]) -> ScoredExamples:
    """Score judged examples; those of a query are one request.

    Args:
        reranker: what scores them, on logits or probabilities.
        examples: triples of a query, a document, and whether it is relevant.

    Raises:
        InputError: an example can't be used, or only one kind of them is there.
        CompositionError: the reranker's scores are ordinal.
    """
    if reranker.scale is Scale.ORDINAL:
        raise CompositionError(f"{reranker!r} gives ordinal scores, on which nothing can be fitted")
    if not isinstance(examples, Iterable):
        raise InputError(f"examples must be a list of triples, not {type(examples).__name__}")
    documents: dict[str, list[Document]] = {}
    judgements: dict[str, list[bool]] = {}
    for at, example in enumerate(examples):
        if not isinstance(example, tuple | list) or len(example) != 3 or not isinstance(example[0], str):
            raise InputError(f"examples[{at}] must be a triple of a query, a document, and whether it is relevant")
        documents.setdefault(example[0], []).append(example[1])
        judgements.setdefault(example[0], []).append(_is_relevant(example[2], at))
    requests = [Request(query, candidates) for query, candidates in documents.items()]
    scores = [scored.values for scored in reranker.score_many(requests)]
    return ScoredExamples(
        np.concatenate([np.empty(0), *scores]),
        np.array([judgement for query in documents for judgement in judgements[query]], dtype=bool),
        np.repeat(np.arange(len(requests)), np.array([len(request) for request in requests], dtype=np.intp)),
        reranker.scale,
        reranker.fingerprint,
    )


def examples_from_qrels(
    qrels: Qrels, run: Run, *, queries: Mapping[str, str], documents: Mapping[str, Document], min_grade: int = 1
) -> list[Example]:
    """Return the examples in judgements and a run: every candidate of the run, judged or not.

    A candidate without a judgement counts as not relevant, which is what a run's metrics assume; where few
    were judged, the probabilities come out too low.

    Args:
        qrels: query id to document id to grade.
        run: query id to the candidates' ids, as they will be reranked.
        queries: query id to text.
        documents: document id to document.
        min_grade: the lowest grade that counts as relevant.

    Raises:
        InputError: a query or a document of the run has no text, or a grade is not a number.
    """
    examples: list[Example] = []
    for query, candidates in run.items():
        if query not in qrels:  # nobody looked at it, which says nothing about its candidates
            continue
        if query not in queries:
            raise InputError(f"queries has no text for {query!r} of the run")
        for candidate in candidates:
            if candidate not in documents:
                raise InputError(f"documents has no {candidate!r}, a candidate of query {query!r}")
            grade = qrels[query].get(candidate, 0)
            if not isinstance(grade, Real):
                raise InputError(must_be(f"the grade of {candidate!r} for {query!r}", "a number", grade))
            examples.append((queries[query], documents[candidate], grade >= min_grade))
    return examples


def _is_relevant(judgement: Any, position: int) -> bool:
    if isinstance(judgement, np.bool_):
        return bool(judgement)
    if isinstance(judgement, int | float | np.integer | np.floating) and -math.inf < judgement < math.inf:
        return bool(judgement > 0)
    raise InputError(f"examples[{position}] has the judgement {judgement!r}, but it must be a bool or a grade")
