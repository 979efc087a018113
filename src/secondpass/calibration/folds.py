"""Probabilities of examples by calibrations that have not seen them."""

import numpy as np

from secondpass.calibration.base import Calibrator
from secondpass.calibration.examples import ScoredExamples
from secondpass.errors import ConfigError, InputError
from secondpass.logistic import FloatArray

__all__ = ["held_out_probabilities"]


def held_out_probabilities(
    calibrator: type[Calibrator], scored: ScoredExamples, *, folds: int, seed: int
) -> FloatArray:
    """Return each example's probability by a calibration that was fitted on the other folds.

    The folds are split by query, as examples of one query are alike.

    Args:
        calibrator: what to fit.
        scored: the examples.
        folds: how many, at least 2; as many as there are queries at most.
        seed: of the split.

    Raises:
        ConfigError: folds is below 2.
        InputError: there are too few queries, or those with a relevant example are all in one fold.
    """
    if isinstance(folds, bool) or not isinstance(folds, int) or folds < 2:
        raise ConfigError(f"folds must be a whole number from 2 on, or 0 for no held-out report, not {folds!r}")
    if scored.n_queries < 2:
        raise InputError("a held-out report needs examples of at least two queries; pass folds=0 to go without it")
    n_folds = min(folds, scored.n_queries)
    # Queries with a relevant example are dealt out first, so that they spread over the folds.
    order = np.random.default_rng(seed).permutation(scored.n_queries)
    has_relevant = np.bincount(scored.queries, weights=scored.relevant) > 0
    order = order[np.argsort(~has_relevant[order], kind="stable")]
    fold_of = np.empty(scored.n_queries, dtype=np.intp)
    fold_of[order] = np.arange(scored.n_queries) % n_folds
    folds_of_examples, logits = fold_of[scored.queries], scored.logits
    probabilities = np.empty(len(scored))
    for fold in range(n_folds):
        held_out = folds_of_examples == fold
        relevant = scored.relevant[~held_out]
        if relevant.all() or not relevant.any():
            raise InputError(
                "without one fold's queries, the examples are all of one kind: judge candidates of more queries, or "
                "pass folds=0 to go without a held-out report"
            )
        fitted = calibrator.fit_unchecked(logits[~held_out], relevant)
        probabilities[held_out] = fitted.apply(logits[held_out])
    return probabilities
