"""The scores of several rankers on one scale, and one score from many: normalisation and rank fusion.

Each function is about one request. It takes scores of shape (n_documents,), higher is better, and returns
float64 of the same shape; equal scores stay equal, and no order is reversed.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from secondpass.errors import ConfigError

__all__ = ["convex_weights", "minmax", "normalised", "ranks", "reciprocal_ranks", "spread", "weighted_sum", "zscores"]

Vector = npt.NDArray[np.float64]


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
        ConfigError: one is negative or no finite number, or all are 0.
    """
    try:
        numbers = [float(weight) for weight in weights]
    except (TypeError, ValueError) as exc:
        raise ConfigError(f"weights are numbers, not {weights!r}") from exc
    if not all(math.isfinite(number) and number >= 0 for number in numbers) or not any(numbers):
        raise ConfigError(f"weights are finite numbers of at least 0, not all 0; these are {numbers}")
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
