"""The logistic function and its kin, without overflow."""

import numpy as np
import numpy.typing as npt

__all__ = ["FloatArray", "log_odds", "sigmoid", "softplus"]

FloatArray = npt.NDArray[np.float64]

# A probability of exactly 0 or 1 has no log-odds: it is taken for the nearest number below 1, or its mirror.
_SMALLEST = 2.0**-53


def sigmoid(logits: npt.ArrayLike) -> FloatArray:
    """Return 1 / (1 + exp(-x)), in [0, 1]."""
    x = np.asarray(logits, dtype=np.float64)
    decayed = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1.0, decayed) / (1.0 + decayed))


def softplus(logits: npt.ArrayLike) -> FloatArray:
    """Return log(1 + exp(x)), which is -log(1 - sigmoid(x))."""
    return np.logaddexp(0.0, np.asarray(logits, dtype=np.float64))


def log_odds(probabilities: npt.ArrayLike) -> FloatArray:
    """Return log(p / (1 - p)), within ±36.8."""
    p = np.clip(np.asarray(probabilities, dtype=np.float64), _SMALLEST, 1 - _SMALLEST)
    return np.asarray(np.log(p) - np.log1p(-p))
