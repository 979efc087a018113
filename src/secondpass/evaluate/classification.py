"""How well scores and verdicts tell two classes apart, with intervals by bootstrap over the examples."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from secondpass.calibration.quality import probability_quality
from secondpass.evaluate.statistics import Estimate
from secondpass.forking import product
from secondpass.logistic import FloatArray

__all__ = ["Resampling", "balanced_accuracy", "calibration", "f1", "rate", "roc_auc"]

Labels = npt.NDArray[np.bool_]
_CHUNK = 1 << 21  # weights at a time


@dataclass(frozen=True, slots=True)
class Resampling:
    """How intervals are made.

    Attributes:
        confidence: of the intervals, in (0, 1).
        n_samples: how often the examples are resampled.
        seed: of the resampling.
    """

    confidence: float = 0.95
    n_samples: int = 1000
    seed: int = 0

    def estimate(self, figure: Callable[[FloatArray], FloatArray], n: int) -> Estimate:
        """Return a figure of n examples with its percentile interval.

        Args:
            figure: from weights of shape (n_samples, n), how often each example was drawn, to a figure of each sample;
                NaN where it has none, such as a sample of one class.
            n: how many examples there are.
        """
        random, size = np.random.default_rng(self.seed), max(1, _CHUNK // n)
        shares = np.full(n, 1 / n)
        drawn = [
            figure(random.multinomial(n, shares, size=min(size, self.n_samples - at)).astype(np.float64))
            for at in range(0, self.n_samples, size)
        ]
        ends = [(1 - self.confidence) / 2, (1 + self.confidence) / 2]
        low, high = np.nanquantile(np.concatenate(drawn), ends)
        return Estimate(float(figure(np.ones((1, n)))[0]), float(low), float(high))


def roc_auc(labels: Labels, scores: FloatArray, resampling: Resampling) -> Estimate:
    """Return the area under the ROC curve: how often a positive example scores higher than a negative one.

    Ties count half (Fawcett 2006). Labels and scores have shape (n,), with both classes.
    """
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    positive = labels[order].astype(np.float64)

    def figure(weights: FloatArray) -> FloatArray:
        sorted_weights = weights[:, order]
        hits = np.add.reduceat(sorted_weights * positive, starts, axis=1)
        others = np.add.reduceat(sorted_weights * (1 - positive), starts, axis=1)
        won = (hits * (np.cumsum(others, axis=1) - others / 2)).sum(axis=1)
        return _ratio(won, hits.sum(axis=1) * others.sum(axis=1))

    return resampling.estimate(figure, len(labels))


def rate(found: Labels, among: Labels, resampling: Resampling) -> Estimate:
    """Return the share of the examples ``among`` that are ``found``; both have shape (n,)."""

    def figure(weights: FloatArray) -> FloatArray:
        return _ratio(product(weights, found & among), product(weights, among))

    return resampling.estimate(figure, len(found))


def balanced_accuracy(labels: Labels, said: Labels, resampling: Resampling) -> Estimate:
    """Return the mean of the two classes' recalls; both have shape (n,), with both classes."""

    def figure(weights: FloatArray) -> FloatArray:
        recalls = [_ratio(product(weights, said & labels), product(weights, labels))]
        recalls.append(_ratio(product(weights, ~said & ~labels), product(weights, ~labels)))
        return np.asarray(sum(recalls) / 2)

    return resampling.estimate(figure, len(labels))


def f1(labels: Labels, said: Labels, resampling: Resampling) -> Estimate:
    """Return the harmonic mean of precision and recall; 0 where nothing positive is found. Both have shape (n,)."""

    def figure(weights: FloatArray) -> FloatArray:
        hits = product(weights, said & labels)
        return np.asarray(_ratio(2 * hits, product(weights, said) + product(weights, labels)))

    return resampling.estimate(figure, len(labels))


def calibration(labels: Labels, probabilities: FloatArray, resampling: Resampling) -> tuple[Estimate, Estimate]:
    """Return the expected calibration error, as `probability_quality` has it, and the Brier score."""
    quality = probability_quality(
        probabilities,
        labels,
        np.arange(len(labels)),
        confidence=resampling.confidence,
        n_bootstrap=resampling.n_samples,
        seed=resampling.seed,
    )
    errors = (probabilities - labels) ** 2
    brier = resampling.estimate(lambda weights: product(weights, errors) / weights.sum(axis=1), len(labels))
    return Estimate(quality.ece, *quality.ece_interval), brier


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    return np.asarray(np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0))
