"""Scores of query-document pairs as probabilities and log-odds, whatever scale a reranker has."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from secondpass.base import Reranker
from secondpass.errors import CompositionError
from secondpass.loading import load
from secondpass.logistic import FloatArray, log_odds
from secondpass.types import Request, Scale

__all__ = ["as_reranker", "log_odds_of"]


def as_reranker(reranker: str | Mapping[str, Any] | Reranker, purpose: str) -> Reranker:
    """Return a reranker by its name or configuration, whose scores can be compared between queries.

    Raises:
        CompositionError: its scores are ordinal.
    """
    found = load(reranker)
    if found.scale is Scale.ORDINAL:
        raise CompositionError(f"{purpose} needs logits or probabilities, but {found!r} gives ordinal scores")
    return found


def log_odds_of(reranker: Reranker, queries: Sequence[str], documents: Sequence[Sequence[str]]) -> list[FloatArray]:
    """Return the scores of each query's documents as log-odds: logits as they are, probabilities converted."""
    requests = [Request(query, of) for query, of in zip(queries, documents, strict=True)]
    scored = [scores.values for scores in reranker.score_many(requests)]
    return [np.asarray(log_odds(values)) for values in scored] if reranker.scale is Scale.PROBABILITY else scored
