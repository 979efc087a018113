"""Logistic regression over several classes, by Newton's method."""

import numpy as np
import numpy.typing as npt

from secondpass.errors import InputError
from secondpass.logistic import FloatArray

__all__ = ["fit_multinomial", "fit_temperature", "softmax"]

_MAX_STEPS = 200
_RANGE = (0.05, 20.0)  # of a temperature


def softmax(logits: FloatArray) -> FloatArray:
    """Return probabilities, rows summing to 1, of logits of shape (n, n_classes)."""
    grown = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=1, keepdims=True))


def fit_multinomial(
    features: FloatArray, labels: npt.NDArray[np.intp], n_classes: int, l2: float
) -> tuple[FloatArray, FloatArray]:
    """Return the weights and intercepts that minimise the summed log loss plus l2 / 2 times the squared weights.

    Intercepts are not penalised; they sum to 0, as only their differences matter.

    Args:
        features: shape (n, n_features), better standardised.
        labels: the class of each row, from 0, shape (n,).
        n_classes: how many classes there are.
        l2: the penalty, above 0: 1 / C of scikit-learn.

    Returns:
        Weights of shape (n_classes, n_features) and intercepts of shape (n_classes,).

    Raises:
        InputError: it does not converge.
    """
    n, width = len(features), features.shape[1] + 1
    x = np.hstack([features, np.ones((n, 1))])
    targets = np.eye(n_classes)[labels]
    penalty = np.tile(np.append(np.full(width - 1, l2), 0.0), n_classes)
    weights = np.zeros(n_classes * width)

    def loss(at: FloatArray) -> float:
        logits = x @ at.reshape(n_classes, width).T
        top = logits.max(axis=1)
        logsum = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
        return float(logsum.sum() - (logits * targets).sum() + 0.5 * (penalty * at * at).sum())

    for _ in range(_MAX_STEPS):
        p = softmax(x @ weights.reshape(n_classes, width).T)
        gradient = ((p - targets).T @ x).ravel() + penalty * weights
        hessian = np.diag(penalty + 1e-9 * n)  # the intercepts' common shift has no curvature of its own
        for i in range(n_classes):
            for j in range(n_classes):
                curvature = p[:, i] * ((i == j) - p[:, j])
                hessian[i * width : (i + 1) * width, j * width : (j + 1) * width] += (x * curvature[:, None]).T @ x
        step = -np.linalg.solve(hessian, gradient)
        to_gain = -float(gradient @ step)
        if to_gain < 1e-10:
            fitted = (weights + step).reshape(n_classes, width)
            return fitted[:, :-1], fitted[:, -1] - fitted[:, -1].mean()
        length, current = 1.0, loss(weights)
        while loss(weights + length * step) > current - 1e-4 * length * to_gain and length > 1e-8:
            length /= 2
        weights = weights + length * step
    raise InputError(f"the signals' weights did not converge in {_MAX_STEPS} steps: raise l2")


def fit_temperature(logits: FloatArray, labels: npt.NDArray[np.intp]) -> float:
    """Return the temperature that maximises the likelihood of softmax(logits / temperature) (Guo et al. 2017).

    The log loss is convex in 1 / temperature, so its slope is bisected; the result lies in [0.05, 20].
    """
    right = logits[np.arange(len(logits)), labels]

    def slope(inverse: float) -> float:
        return float(((softmax(inverse * logits) * logits).sum(axis=1) - right).sum())

    low, high = 1 / _RANGE[1], 1 / _RANGE[0]
    if slope(low) >= 0:
        return _RANGE[1]
    if slope(high) <= 0:
        return _RANGE[0]
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return 2 / (low + high)
