"""Weights of rankers, fitted on judged requests by nDCG: deterministic, with numpy only."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from secondpass.composition.fusion import Vector, convex_weights, weighted_sum
from secondpass.errors import InputError
from secondpass.types import Request

__all__ = ["Grades", "JudgedRows", "coordinate_ascent", "judged_rows", "middle_of_best"]

Grades = Sequence[float] | Mapping[Any, float]
"""A grade for each document of a request; or a query's qrels, document id to grade."""

_STEPS = 20
_ROUNDS = 20
_EPSILON = 1e-12


@dataclass(frozen=True, slots=True)
class JudgedRows:
    """The judged documents of a request, and what each ranker said of them.

    Attributes:
        gains: shape (n_documents,), grades of at least 0.
        ideal_gains: all grades above 0, highest first, of documents that are no candidates too.
        rows: the score vectors of the rankers, each of shape (n_documents,), on one scale.
    """

    gains: Vector
    ideal_gains: Vector
    rows: Sequence[Vector]

    def ndcg(self, weights: Sequence[float], k: int) -> float:
        """Return nDCG@k of the weighted sum, as `secondpass.evaluate.metrics.ndcg` defines it."""
        order = np.argsort(-weighted_sum(self.rows, weights), kind="stable")
        return _dcg(self.gains[order], k) / _dcg(self.ideal_gains, k)


def judged_rows(
    requests: Sequence[Request], grades: Sequence[Grades], rows: Sequence[Sequence[Vector]]
) -> list[JudgedRows]:
    """Return the requests that have a relevant document, with their grades.

    Args:
        requests: n of them.
        grades: n of them; see `Grades`.
        rows: for each request the score vectors of the rankers.

    Raises:
        InputError: grades don't fit the requests, or no request has a relevant document.
    """
    if len(grades) != len(requests):
        raise InputError(f"there are {len(grades)} sets of grades for {len(requests)} requests; pass one for each")
    judged = []
    for at, (request, graded, vectors) in enumerate(zip(requests, grades, rows, strict=True)):
        gains, ideal = _gains(request, graded, at)
        if len(request) and ideal.size:
            judged.append(JudgedRows(gains, ideal, vectors))
    if not judged:
        raise InputError("no request has a document with a grade above 0, so there is nothing to fit on")
    return judged


def _gains(request: Request, graded: Grades, at: int) -> tuple[Vector, Vector]:
    if isinstance(graded, Mapping):
        ids = [document.get("id") if isinstance(document, Mapping) else None for document in request.documents]
        if any(id_ is None for id_ in ids):
            raise InputError(f"grades[{at}] are by document id, but a document of that request has no 'id'")
        of_documents, all_grades = [graded.get(id_, 0) for id_ in ids], list(graded.values())
    else:
        of_documents = all_grades = list(graded)
    if len(of_documents) != len(request):
        raise InputError(f"grades[{at}] has {len(of_documents)} grades for {len(request)} documents")
    try:
        gains, everything = np.array(of_documents, dtype=np.float64), np.array(all_grades, dtype=np.float64)
    except (TypeError, ValueError) as exc:
        raise InputError(f"grades[{at}] must be numbers: {exc}") from exc
    if not np.isfinite(everything).all():
        raise InputError(f"grades[{at}] must be finite numbers")
    return np.maximum(gains, 0), np.sort(everything[everything > 0])[::-1]


def _dcg(gains: Vector, k: int) -> float:
    return math.fsum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains[:k].tolist(), start=1))


def mean_ndcg(judged: Sequence[JudgedRows], weights: Sequence[float], k: int) -> float:
    """Return the mean nDCG@k over judged requests."""
    return math.fsum(request.ndcg(weights, k) for request in judged) / len(judged)


def coordinate_ascent(judged: Sequence[JudgedRows], k: int) -> tuple[list[float], float]:
    """Return the weights that give the best nDCG@k, and that nDCG (Metzler and Croft 2007, Information Retrieval 10).

    One ranker's share after the other is set to the best of 21 from 0 to 1, the others keeping their
    proportions, until no change helps. The start is the best of equal weights and of each ranker alone, so
    that on these requests none of them is better than the result.

    Returns:
        Weights of at least 0 that sum to 1, up to rounding to six digits, and the mean nDCG in [0, 1].
    """
    n_rankers = len(judged[0].rows)

    def value_of(weights: Sequence[float]) -> float:
        return mean_ndcg(judged, convex_weights(weights), k)

    starts = [[1.0] * n_rankers, *np.eye(n_rankers).tolist()]
    values = [value_of(start) for start in starts]
    best = max(values)
    weights = convex_weights(starts[values.index(best)])
    for _ in range(_ROUNDS):
        before = best
        for ranker in range(n_rankers):
            candidates = [_with_share(weights, ranker, step / _STEPS) for step in range(_STEPS + 1)]
            values = [value_of(candidate) for candidate in candidates]
            if max(values) > best + _EPSILON:
                best = max(values)
                weights = candidates[values.index(max(values))]
        if best <= before + _EPSILON:
            break
    # Up to here the weights were evaluated as they are returned, so `best` is what they give.
    return weights, best


def _with_share(weights: Sequence[float], ranker: int, share: float) -> list[float]:
    rest = [0.0 if at == ranker else weight for at, weight in enumerate(weights)]
    if not any(rest):
        rest = [0.0 if at == ranker else 1.0 for at in range(len(weights))]
    total = math.fsum(rest)
    if not total:  # a single ranker
        return [1.0]
    return [round(share if at == ranker else (1 - share) * weight / total, 6) for at, weight in enumerate(rest)]


def middle_of_best(values: npt.ArrayLike) -> int:
    """Return the position in the middle of the longest run of the highest value: the one that a change hurts least."""
    array = np.asarray(values, dtype=np.float64)
    best = array >= array.max() - _EPSILON
    edges = np.flatnonzero(np.diff(np.concatenate([[0], best.astype(int), [0]])))
    starts, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(ends - starts))
    return int(starts[longest] + ends[longest] - 1) // 2
