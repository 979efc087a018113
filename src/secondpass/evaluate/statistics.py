"""How sure a difference is: bootstrap intervals, paired randomisation tests, Holm's adjustment."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from secondpass.forking import product
from secondpass.logistic import FloatArray

__all__ = ["Difference", "Estimate", "holm", "mean_estimate", "paired_difference", "randomisation_p"]

_CHUNK = 1 << 22  # resampled values at a time, which is 32 MB
_EXACT = 12  # pairs that differ, up to which all patterns of signs are counted
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval.

    Attributes:
        value: the figure.
        low: the lower end of the interval.
        high: its upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """How far a system's mean lies above another one's on the same queries.

    Attributes:
        value: the mean difference; positive if the system is better.
        low: the lower end of its interval.
        high: its upper end.
        p: of the paired randomisation test: how often chance alone makes so large a difference, in (0, 1].
        p_adjusted: the same, adjusted for the number of systems that were compared (Holm 1979).
        better: on how many queries it is better.
        worse: on how many it is worse.
        confidence: of the interval and of the verdict.
    """

    value: float
    low: float
    high: float
    p: float
    p_adjusted: float
    better: int
    worse: int
    confidence: float

    @property
    def verdict(self) -> str:
        """``better`` or ``worse`` if the interval and the test both say so, else ``undecided``."""
        if self.p_adjusted > 1 - self.confidence or self.low <= 0 <= self.high:
            return "undecided"
        return "better" if self.value > 0 else "worse"


def mean_estimate(values: npt.ArrayLike, *, confidence: float, n_samples: int, seed: int) -> Estimate:
    """Return a mean with its percentile bootstrap interval (Efron and Tibshirani 1993, chapter 13).

    Args:
        values: shape (n,), one for each query.
        confidence: of the interval, in (0, 1).
        n_samples: how often the queries are resampled.
        seed: of the resampling.
    """
    found = np.asarray(values, dtype=np.float64)
    low, high = np.quantile(_means(found, n_samples, seed), [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(float(found.mean()), float(low), float(high))


def paired_difference(
    values: npt.ArrayLike, baseline: npt.ArrayLike, *, confidence: float, n_samples: int, seed: int
) -> Difference:
    """Return how far a system lies above a baseline; ``p_adjusted`` is ``p``, as of a single comparison.

    Args:
        values: shape (n,), of the system, one for each query.
        baseline: shape (n,), of the other one, in the same order.
        confidence: of the interval and the verdict, in (0, 1).
        n_samples: of the bootstrap, and of the randomisation test where not all patterns are counted.
        seed: of both.
    """
    differences = np.asarray(values, dtype=np.float64) - np.asarray(baseline, dtype=np.float64)
    mean = mean_estimate(differences, confidence=confidence, n_samples=n_samples, seed=seed)
    p = randomisation_p(differences, n_samples=n_samples, seed=seed)
    better, worse = (int(((sign * differences) > _ROUNDING).sum()) for sign in (1, -1))
    return Difference(mean.value, mean.low, mean.high, p, p, better, worse, confidence)


def randomisation_p(differences: npt.ArrayLike, *, n_samples: int, seed: int) -> float:
    """Return the two-sided p of paired differences: how often random signs give a mean that is as large.

    All patterns of signs are counted where at most twelve differences are not 0, else ``n_samples`` random ones, and
    the one that was seen with them (Smucker, Allan and Carterette 2007, "A comparison of statistical significance tests
    for information retrieval evaluation").

    Args:
        differences: shape (n,).
        n_samples: how many patterns are drawn where they are not counted.
        seed: of the drawing.

    Returns:
        In (0, 1]; 1 if nothing differs.
    """
    found = np.asarray(differences, dtype=np.float64)
    found = found[np.abs(found) > _ROUNDING]
    if not len(found):
        return 1.0
    seen = abs(float(found.sum())) - _ROUNDING * len(found)
    if len(found) <= _EXACT:
        signs = np.array(list(itertools.product((-1.0, 1.0), repeat=len(found))))
        return float((np.abs(product(signs, found)) >= seen).mean())
    random, as_large, left = np.random.default_rng(seed), 0, n_samples
    while left:
        n = min(left, max(1, _CHUNK // len(found)))
        as_large += int((np.abs(product(2.0 * random.integers(2, size=(n, len(found))) - 1, found)) >= seen).sum())
        left -= n
    return (as_large + 1) / (n_samples + 1)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return p values adjusted for how many they are (Holm 1979), under the names that they came with."""
    adjusted: dict[str, float] = {}
    highest = 0.0
    for at, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        highest = max(highest, min(1.0, (len(p_values) - at) * p_values[name]))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}


def _means(values: FloatArray, n_samples: int, seed: int) -> FloatArray:
    random, n = np.random.default_rng(seed), len(values)
    size = max(1, _CHUNK // n)
    drawn = [
        values[random.integers(n, size=(min(size, n_samples - at), n))].mean(1) for at in range(0, n_samples, size)
    ]
    return np.concatenate(drawn)
