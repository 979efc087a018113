"""Probabilities where relevant documents are rarer, or more common, than where they were calibrated."""

import math

import numpy as np
import numpy.typing as npt

from secondpass.errors import InputError
from secondpass.logistic import FloatArray, log_odds, sigmoid
from secondpass.validation import OPEN_SHARE

__all__ = ["estimate_base_rate", "shift_base_rate"]


def shift_base_rate(probabilities: npt.ArrayLike, *, fitted: float, actual: float) -> FloatArray:
    """Correct calibrated probabilities for a different share of relevant documents.

    Adds the difference of the two shares' log-odds to the log-odds: a change of the intercept (Elkan 2001;
    Saerens, Latinne and Decaestecker 2002). It is right if only the share differs: relevant documents, and
    likewise the others, have to score as they did in the fitting data.

    Args:
        probabilities: calibrated on data with the share ``fitted``.
        fitted: the share of relevant documents in the fitting data, in (0, 1).
        actual: the share where they are used, in (0, 1).
    """
    fitted, actual = OPEN_SHARE.checked(fitted, "fitted"), OPEN_SHARE.checked(actual, "actual")
    if fitted == actual:
        return np.asarray(probabilities, dtype=np.float64)
    shift = math.log(actual / (1 - actual)) - math.log(fitted / (1 - fitted))
    return sigmoid(log_odds(probabilities) + shift)


def estimate_base_rate(probabilities: npt.ArrayLike, *, fitted: float, max_steps: int = 1000) -> float:
    """Estimate the share of relevant documents from calibrated probabilities alone, without judgements.

    The expectation-maximisation of Saerens, Latinne and Decaestecker 2002, under the assumption that
    `shift_base_rate` states. It is more exact the better the model separates the two kinds.

    Args:
        probabilities: of documents from where they are used, calibrated on data with the share ``fitted``.
        fitted: the share of relevant documents in the fitting data, in (0, 1).
        max_steps: of the iteration, which ends earlier once it has converged.

    Raises:
        InputError: there are no probabilities, or some of them lie outside [0, 1].
    """
    p = np.asarray(probabilities, dtype=np.float64)
    if not p.size or not ((p >= 0) & (p <= 1)).all():
        raise InputError("probabilities must be a non-empty list of numbers in [0, 1]")
    rate = OPEN_SHARE.checked(fitted, "fitted")
    for _ in range(max_steps):
        updated = float(np.clip(shift_base_rate(p, fitted=fitted, actual=rate).mean(), 1e-9, 1 - 1e-9))
        if abs(updated - rate) < 1e-10:
            break
        rate = updated
    return rate
