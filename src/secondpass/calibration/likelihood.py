"""The maximum of the likelihood by Newton's method."""

import numpy as np
import numpy.typing as npt

from secondpass.errors import InputError
from secondpass.logistic import FloatArray, sigmoid, softplus

__all__ = ["maximum_likelihood", "smoothed_targets"]

_MAX_STEPS = 200


def smoothed_targets(relevant: npt.NDArray[np.bool_]) -> FloatArray:
    """Return what is fitted to instead of 0 and 1 (Platt 1999, section 2.2).

    That is (n1 + 1) / (n1 + 2) for the n1 relevant examples and 1 / (n0 + 2) for the n0 others, with which
    the likelihood has a finite maximum even where the scores separate the two.
    """
    n_relevant = int(relevant.sum())
    n_others = len(relevant) - n_relevant
    return np.where(relevant, (n_relevant + 1) / (n_relevant + 2), 1 / (n_others + 2))


def maximum_likelihood(features: FloatArray, targets: FloatArray) -> FloatArray:
    """Return the coefficients w that maximise the likelihood of sigmoid(features @ w).

    Newton's method with backtracking, as in Lin, Lin and Weng 2007 ("A note on Platt's probabilistic outputs
    for support vector machines"); the objective is convex, so it finds the one maximum.

    Args:
        features: shape (n_examples, n_coefficients).
        targets: shape (n_examples,), in (0, 1).

    Raises:
        InputError: it does not converge.
    """
    # In orthogonal columns of one size the problem is well-conditioned, whatever the unit of the logits.
    n = len(targets)
    largest = np.abs(features).max(axis=0)
    largest[largest == 0] = 1.0
    left, sizes, right = np.linalg.svd(features / largest, full_matrices=False)
    told_apart = sizes > 1e-14 * sizes[0]
    scaled = left[:, told_apart] * np.sqrt(n)
    back = right[told_apart].T / sizes[told_apart] * np.sqrt(n) / largest[:, None]

    def loss(weights: FloatArray) -> float:
        z = scaled @ weights
        return float((softplus(z) - targets * z).mean())

    weights = np.zeros(scaled.shape[1])
    for _ in range(_MAX_STEPS):
        p = sigmoid(scaled @ weights)
        gradient = scaled.T @ (p - targets) / n
        hessian = (scaled * (p * (1 - p))[:, None]).T @ scaled / n
        # What keeps the step finite where all probabilities are all but certain.
        hessian[np.diag_indices_from(hessian)] += 1e-12
        step = -np.linalg.solve(hessian, gradient)
        to_gain = -float(gradient @ step)  # twice what the loss can still fall by
        if to_gain < 1e-16:  # Newton's last step squares what is left of the error
            return np.asarray(back @ (weights + step))
        length = 1.0
        if to_gain > 1e-10:  # below, rounding hides the fall of the loss, and full steps converge anyway
            current = loss(weights)
            while loss(weights + length * step) > current - 1e-4 * length * to_gain:
                length /= 2
        weights = weights + length * step
    raise InputError(f"no maximum of the likelihood was found in {_MAX_STEPS} steps: are some scores extremely large?")
