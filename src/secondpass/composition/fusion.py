"""One score from many: the scores of several rankers on one scale, rank fusion, and weights fitted by nDCG.

The functions of normalisation and fusion are about one request. They take scores of shape (n_documents,), higher is
better, and return float64 of the same shape; equal scores stay equal, and no order is reversed. Fitting is
deterministic, and needs numpy only.
"""

import math
from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from secondpass.counts import counted
from secondpass.errors import ConfigError, InputError
from secondpass.types import Request
from secondpass.validation import must_be

__all__ = [
    "Grades",
    "JudgedRows",
    "convex_weights",
    "coordinate_ascent",
    "judged_rows",
    "mean_ndcg",
    "middle_of_best",
    "minmax",
    "normalised",
    "ranks",
    "reciprocal_ranks",
    "spread",
    "weighted_sum",
    "zscores",
]

Vector = npt.NDArray[np.float64]

Grades = Sequence[float] | Mapping[Any, float]
"""A grade for each document of a request; or a query's qrels, document id to grade."""

_STEPS = 20
_ROUNDS = 20
_EPSILON = 1e-12


def zscores(values: npt.ArrayLike) -> Vector:
    """Return how many standard deviations (of the population) each score lies above the mean.

    Returns:
        Mean 0 and standard deviation 1; all 0 if the scores are all equal.
    """
    scores = np.asarray(values, dtype=np.float64)
    if not scores.size or scores.min() == scores.max():
        return np.zeros_like(scores)
    scaled = scores / np.abs(scores).max()  # so that squares of huge scores don't overflow
    centred = scaled - scaled.mean()
    deviation = np.sqrt(np.mean(centred**2))
    return np.asarray(centred / deviation) if deviation else np.zeros_like(scores)


def minmax(values: npt.ArrayLike) -> Vector:
    """Return the scores moved and stretched so that the worst is 0 and the best 1.

    Returns:
        In [0, 1]; all 0.5 if the scores are all equal, as that says nothing for or against a document.
    """
    halves = np.asarray(values, dtype=np.float64) / 2  # the distance of any two halves is finite
    if not halves.size or halves.min() == halves.max():
        return np.full_like(halves, 0.5)
    return np.asarray((halves - halves.min()) / (halves.max() - halves.min()))


def ranks(values: npt.ArrayLike) -> Vector:
    """Return the rank of each score, from 1 for the highest; equal scores share the mean of their ranks."""
    _, places, counts = np.unique(-np.asarray(values, dtype=np.float64), return_inverse=True, return_counts=True)
    shared = np.cumsum(counts) - (counts - 1) / 2
    return np.asarray(shared[places.reshape(-1)], dtype=np.float64)


def reciprocal_ranks(values: npt.ArrayLike, k: float = 60.0) -> Vector:
    """Return 1 / (k + rank), whose sum over rankers is reciprocal rank fusion (Cormack et al. 2009, SIGIR).

    Args:
        values: the scores of one ranker.
        k: how much less the first ranks stand out; the paper's 60 is rarely far off.
    """
    return np.asarray(1.0 / (k + ranks(values)))


def convex_weights(weights: Sequence[float]) -> list[float]:
    """Return weights in the same proportions that sum to 1.

    Raises:
        ConfigError: one is negative or not finite, or all are 0.
    """
    try:
        numbers = [float(weight) for weight in weights]
    except (TypeError, ValueError, OverflowError) as exc:
        raise ConfigError(must_be("weights", "numbers", weights)) from exc
    if not all(math.isfinite(number) and number >= 0 for number in numbers) or not any(numbers):
        raise ConfigError(must_be("weights", "finite numbers of at least 0, and not all 0", numbers))
    largest = max(numbers)
    shares = [number / largest for number in numbers]  # so that huge ones don't overflow when they are summed
    total = math.fsum(shares)
    return [share / total for share in shares]


def normalised(row: Vector, method: str, rrf_k: float) -> Vector:
    """Return one ranker's scores as a fusion ``method`` adds them up; those of ``mean`` as they are."""
    if method == "zscore":
        return zscores(row)
    if method in ("minmax", "convex"):
        return minmax(row)
    return reciprocal_ranks(row, rrf_k) if method == "rrf" else row


def spread(rows: Sequence[Vector]) -> Vector:
    """Return how far rankers are apart on each document: the standard deviation (of the population) over them."""
    _, exponent = np.frexp(max(np.abs(row).max(initial=0.0) for row in rows))
    # A power of two costs no precision, and squares of what is at most 1 don't overflow.
    return np.asarray(np.ldexp(np.std([np.ldexp(row, -exponent) for row in rows], axis=0), exponent))


def weighted_sum(rows: Sequence[Vector], weights: Sequence[float]) -> Vector:
    """Return the sum of score vectors, each times its weight."""
    # Row by row, not by a matrix product: BLAS rounds by a column's position, so duplicates would not tie.
    total = np.zeros_like(rows[0])
    for row, weight in zip(rows, weights, strict=True):
        total += weight * row
    return total


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
    if isinstance(grades, str | Mapping) or not isinstance(grades, Sized):
        raise InputError(must_be("grades", "a list with those of each request", grades))
    if len(grades) != len(requests):
        raise InputError(
            f"there are grades for {len(grades)} of {counted(len(requests), 'request')}: pass a set of grades for each"
        )
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
    elif isinstance(graded, Iterable):
        of_documents = all_grades = list(graded)
    else:
        raise InputError(must_be(f"grades[{at}]", "a list of grades, or a mapping from ids to them", graded))
    if len(of_documents) != len(request):
        raise InputError(
            f"grades[{at}] has {counted(len(of_documents), 'grade')} for {counted(len(request), 'document')}"
        )
    try:
        gains, everything = np.array(of_documents, dtype=np.float64), np.array(all_grades, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as exc:
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
