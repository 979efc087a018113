"""How good probabilities are: likelihood, Brier score, calibration error."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from secondpass.calibration.base import checked_examples
from secondpass.errors import InputError
from secondpass.forking import product
from secondpass.logistic import FloatArray
from secondpass.validation import OPEN_SHARE, Whole

__all__ = ["Bin", "ProbabilityQuality", "probability_quality"]


@dataclass(frozen=True, slots=True)
class Bin:
    """A group of examples of similar probability.

    Attributes:
        predicted: the mean of their probabilities.
        observed: the share of them that is relevant.
        n: how many they are.
    """

    predicted: float
    observed: float
    n: int


@dataclass(frozen=True, slots=True)
class ProbabilityQuality:
    """How good probabilities are; lower is better in all of them.

    Attributes:
        nll: the mean negative log-likelihood, in nats; a probability of exactly 0 counts as 2.2e-16.
        brier: the mean squared error, in [0, 1] (Brier 1950).
        ece: the expected calibration error, in [0, 1]: how far predicted and observed shares lie apart in
            bins of equally many examples, on average over the examples.
        ece_interval: an interval for it, by a bootstrap over queries.
        bins: what the reliability diagram shows.
    """

    nll: float
    brier: float
    ece: float
    ece_interval: tuple[float, float]
    bins: tuple[Bin, ...]


def probability_quality(
    probabilities: npt.ArrayLike,
    relevant: npt.ArrayLike,
    queries: npt.ArrayLike,
    *,
    n_bins: int = 10,
    confidence: float = 0.95,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> ProbabilityQuality:
    """Measure probabilities against judgements.

    Args:
        probabilities: shape (n_examples,), in [0, 1].
        relevant: shape (n_examples,).
        queries: shape (n_examples,), numbers or texts: which examples belong together.
        n_bins: how many bins of equally many examples; equal probabilities share one, so there may be fewer.
        confidence: of the interval, in (0, 1).
        n_bootstrap: how often the queries are resampled, with the bins unchanged. An ECE of finitely many
            examples is too high, and drawing them anew raises it once more by about as much, so the interval is
            the basic one (Davison and Hinkley 1997, section 5.2), which takes that off and may lie below the
            estimate. It begins at 0 where so large an ECE would come about by chance, with nothing wrong.
        seed: of the bootstrap.

    Raises:
        InputError: the lists can't be used.
        ConfigError: a setting is out of range.
    """
    p, y = checked_examples(probabilities, relevant)
    named = np.asarray(queries)
    if p.min() < 0 or p.max() > 1 or named.shape != p.shape:
        raise InputError("probabilities must lie in [0, 1], each with the number of its query, or its name")
    try:
        groups = np.unique(named, return_inverse=True)[1]
    except TypeError as exc:
        raise InputError("queries must be all numbers or all texts") from exc
    Whole(at_least=1).checked(n_bins, "n_bins")
    Whole(at_least=1).checked(n_bootstrap, "n_bootstrap")
    OPEN_SHARE.checked(confidence, "confidence")
    Whole(at_least=0).checked(seed, "seed")
    edges = np.quantile(p, np.linspace(0, 1, n_bins + 1)[1:-1])
    binned = np.unique(np.searchsorted(edges, p), return_inverse=True)[1]
    n_in, predicted, observed = (np.bincount(binned, weights=weights) for weights in (np.ones_like(p), p, y))
    ece = float(np.abs(observed - predicted).sum() / len(p))
    nearest = np.clip(np.where(y, p, 1 - p), np.finfo(np.float64).eps, 1.0)
    return ProbabilityQuality(
        nll=float(-np.log(nearest).mean()),
        brier=float(((p - y) ** 2).mean()),
        ece=ece,
        ece_interval=_ece_interval(p, y, groups, binned, ece, confidence, n_bootstrap, seed),
        bins=tuple(
            Bin(float(predicted[at] / n), float(observed[at] / n), int(n)) for at, n in enumerate(n_in.tolist())
        ),
    )


def _ece_interval(
    p: FloatArray,
    y: npt.NDArray[np.bool_],
    queries: npt.NDArray[np.intp],
    binned: npt.NDArray[np.intp],
    ece: float,
    confidence: float,
    n_bootstrap: int,
    seed: int,
) -> tuple[float, float]:
    # Whole queries are drawn, as their examples are not independent. A draw only needs, of each query and
    # bin, the sum of what was observed above what was predicted.
    n_queries, n_bins = int(queries.max()) + 1, int(binned.max()) + 1
    excess = np.bincount(queries * n_bins + binned, weights=y - p, minlength=n_queries * n_bins)
    sizes = np.bincount(queries, minlength=n_queries)
    drawn = np.random.default_rng(seed).multinomial(n_queries, np.full(n_queries, 1 / n_queries), size=n_bootstrap)
    excesses, n_drawn = product(drawn, excess.reshape(n_queries, n_bins)), product(drawn, sizes)
    replicates = np.abs(excesses).sum(axis=1) / n_drawn
    low, high = np.quantile(replicates, [(1 - confidence) / 2, (1 + confidence) / 2])
    # How large it comes out by chance alone, if nothing is wrong in any bin.
    by_chance = np.abs(excesses / n_drawn[:, None] - (excess.reshape(n_queries, n_bins).sum(axis=0) / len(p)))
    if ece <= np.quantile(by_chance.sum(axis=1), (1 + confidence) / 2):
        return 0.0, float(np.clip(2 * ece - low, 0, 1))
    return float(np.clip(2 * ece - high, 0, 1)), float(np.clip(2 * ece - low, 0, 1))
