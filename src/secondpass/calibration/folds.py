"""Probabilities of examples by calibrations that have not seen them."""

import numpy as np
import numpy.typing as npt

from secondpass.calibration.base import Calibrator
from secondpass.calibration.examples import ScoredExamples
from secondpass.errors import InputError
from secondpass.logistic import FloatArray
from secondpass.validation import Whole

__all__ = ["held_out_probabilities", "split_by_query"]


def held_out_probabilities(
    calibrator: type[Calibrator], scored: ScoredExamples, *, folds: int, seed: int
) -> FloatArray:
    """Return each example's probability by a calibrator that was fitted on the other folds.

    The folds are split by query, as examples of one query are alike.

    Args:
        calibrator: what to fit.
        scored: the examples.
        folds: how many, at least 2; as many as there are queries at most.
        seed: of the split.

    Raises:
        ConfigError: folds is below 2, or the seed below 0.
        InputError: there are too few queries, or those with a relevant example are all in one fold.
    """
    if scored.n_queries < 2:
        raise InputError("a held-out report needs examples of at least two queries; pass folds=0 to go without it")
    has_relevant = np.bincount(scored.queries, weights=scored.relevant) > 0
    fold_of = split_by_query(scored.queries, folds, seed, first=has_relevant)
    logits = scored.logits
    probabilities = np.empty(len(scored))
    for fold in range(int(fold_of.max()) + 1):
        held_out = fold_of == fold
        relevant = scored.relevant[~held_out]
        if relevant.all() or not relevant.any():
            raise InputError(
                "without one fold's queries, the examples are all relevant or all not: judge candidates of more "
                "queries, or pass folds=0 to go without a held-out report"
            )
        fitted = calibrator.fit_unchecked(logits[~held_out], relevant)
        probabilities[held_out] = fitted.apply(logits[held_out])
    return probabilities


def split_by_query(
    queries: npt.NDArray[np.intp], folds: int, seed: int, *, first: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.intp]:
    """Assign queries (or other groups that must stay together) to folds at random.

    Args:
        queries: the number of each example's query, from 0, shape (n_examples,).
        folds: how many, at least 2; as many as there are queries at most.
        seed: of the split.
        first: which queries are assigned first, so that they spread over the folds, shape (n_queries,).

    Returns:
        The fold of each example, from 0, shape (n_examples,).

    Raises:
        ConfigError: folds is below 2, or the seed below 0.
    """
    n_queries = int(queries.max()) + 1
    n_folds = min(Whole(at_least=2).checked(folds, "folds"), n_queries)
    order = np.random.default_rng(Whole(at_least=0).checked(seed, "seed")).permutation(n_queries)
    if first is not None:
        order = order[np.argsort(~first[order], kind="stable")]
    fold_of = np.empty(n_queries, dtype=np.intp)
    fold_of[order] = np.arange(n_queries) % n_folds
    return np.asarray(fold_of[queries])
