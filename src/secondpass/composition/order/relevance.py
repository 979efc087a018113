"""What the wrappers in this package share: relevance from 0 to 1, scores that say an order, and boosts."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from secondpass.base import Reranker
from secondpass.composition.fusion import Vector
from secondpass.composition.members import without_k
from secondpass.types import Document, Request, Scale, Scores

__all__ = ["Boosting", "Boosts", "best_first", "metadata_of", "ordinal", "relevance", "reordered"]

Positions = npt.NDArray[np.intp]


def relevance(values: Vector, scale: Scale) -> Vector:
    """Return scores from 0 to 1, so that something can be weighed against them.

    Probabilities are that already. Other scores are put between the lowest and the highest of the request; if these
    are equal, all are 0.

    Returns:
        Shape (n_documents,).
    """
    if scale is Scale.PROBABILITY:
        return values
    # Halves, as the difference of two of the largest numbers is none.
    low, high = values.min() / 2, values.max() / 2
    return np.asarray((values / 2 - low) / (high - low)) if high > low else np.zeros(len(values))


def best_first(values: Vector, *ties: Vector) -> Positions:
    """Return the positions of values in falling order; equal ones by ``ties``, then in the order that they have."""
    return np.lexsort([-column for column in (*ties[::-1], values)])


def ordinal(order: Sequence[int] | Positions) -> Vector:
    """Return the scores that say an order: n for the first of n positions, 1 for the last."""
    scores = np.empty(len(order))
    scores[np.asarray(order, dtype=np.intp)] = np.arange(len(order), 0, -1)
    return scores


def reordered(
    scores: Scores,
    order: Sequence[int] | Positions,
    *,
    counts: Mapping[str, int] | None = None,
    notes: tuple[str, ...] = (),
    **columns: Sequence[Any],
) -> Scores:
    """Return a wrapper's scores for a new order, with its columns of explanations.

    The column ``reranker_score`` has the scores that there were before the first of these wrappers.
    """
    before = {"reranker_score": scores.explanations.get("reranker_score", scores.values.tolist())}
    return scores.rescored(ordinal(order), counts=counts, notes=notes, **before, **columns)


def metadata_of(document: Document) -> Mapping[str, Any]:
    """Return a document's metadata; an empty mapping if it has none."""
    found = None if isinstance(document, str) else document.get("metadata")
    return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Boosts:
    """What is added to the relevance of each document of a request.

    Attributes:
        values: shape (n_documents,), times the weights.
        explanations: columns that say why.
        counts: for the trace.
        notes: for the trace.
    """

    values: Vector
    explanations: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Boosting(Reranker):
    """Adds to the relevance of documents, from 0 to 1, and ranks by the sum. A subclass writes `_boosts`.

    The scores are ordinal.
    """

    scale = Scale.ORDINAL
    pointwise = False
    wrapped: Reranker

    @abstractmethod
    def _boosts(self, documents: Sequence[Document]) -> Boosts:
        """Return what is added for each document."""

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        scored = self.wrapped.score_many(without_k(requests))
        return [self._boosted(request, scores) for request, scores in zip(requests, scored, strict=True)]

    def _boosted(self, request: Request, scores: Scores) -> Scores:
        boosts = self._boosts(request.documents)
        order = best_first(relevance(scores.values, self.wrapped.scale) + boosts.values, scores.values)
        return reordered(scores, order, counts=boosts.counts, notes=boosts.notes, **boosts.explanations)
