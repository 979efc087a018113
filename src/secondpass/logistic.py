"""Logistic functions without overflow, and the fitting of logistic models by Newton's method."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from secondpass.errors import InputError
from secondpass.forking import before_any_fork, product

__all__ = [
    "FloatArray",
    "fit_multinomial",
    "fit_temperature",
    "log_odds",
    "maximum_likelihood",
    "sigmoid",
    "smoothed_targets",
    "softmax",
    "softplus",
]

FloatArray = npt.NDArray[np.float64]

# A probability of exactly 0 or 1 has no log-odds: it is taken for the nearest number below 1, or its mirror.
_SMALLEST = 2.0**-53

_MAX_STEPS = 200
_TEMPERATURES = (0.05, 20.0)


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


def softmax(logits: FloatArray) -> FloatArray:
    """Return probabilities that sum to 1 over the last axis; a logit of -inf has none."""
    grown = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=-1, keepdims=True))


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
    with before_any_fork():
        left, sizes, right = np.linalg.svd(features / largest, full_matrices=False)
    told_apart = sizes > 1e-14 * sizes[0]
    scaled = left[:, told_apart] * np.sqrt(n)
    back = right[told_apart].T / sizes[told_apart] * np.sqrt(n) / largest[:, None]

    def loss(weights: FloatArray) -> float:
        z = scaled @ weights
        return float((softplus(z) - targets * z).mean())

    def derivatives(weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        p = sigmoid(scaled @ weights)
        gradient = scaled.T @ (p - targets) / n
        hessian = (scaled * (p * (1 - p))[:, None]).T @ scaled / n
        # What keeps the step finite where all probabilities are all but certain.
        hessian[np.diag_indices_from(hessian)] += 1e-12
        return gradient, hessian

    found = _minimum(loss, derivatives, np.zeros(scaled.shape[1]), tolerance=1e-16)
    if found is None:
        raise InputError(
            f"no maximum of the likelihood was found in {_MAX_STEPS} steps: are some scores extremely large?"
        )
    return product(back, found)


def fit_multinomial(
    features: FloatArray, labels: npt.NDArray[np.intp], n_classes: int, l2: float
) -> tuple[FloatArray, FloatArray]:
    """Fit a logistic regression over several classes.

    The weights and intercepts minimise the summed log loss plus l2 / 2 times the squared weights.

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

    def loss(at: FloatArray) -> float:
        logits = x @ at.reshape(n_classes, width).T
        top = logits.max(axis=1)
        logsum = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
        return float(logsum.sum() - (logits * targets).sum() + 0.5 * (penalty * at * at).sum())

    def derivatives(at: FloatArray) -> tuple[FloatArray, FloatArray]:
        p = softmax(x @ at.reshape(n_classes, width).T)
        gradient = ((p - targets).T @ x).ravel() + penalty * at
        hessian = np.diag(penalty + 1e-9 * n)  # the intercepts' common shift has no curvature of its own
        for i in range(n_classes):
            for j in range(n_classes):
                curvature = p[:, i] * ((i == j) - p[:, j])
                hessian[i * width : (i + 1) * width, j * width : (j + 1) * width] += (x * curvature[:, None]).T @ x
        return gradient, hessian

    found = _minimum(loss, derivatives, np.zeros(n_classes * width), tolerance=1e-10)
    if found is None:
        raise InputError(f"the weights did not converge in {_MAX_STEPS} steps: raise l2")
    fitted = found.reshape(n_classes, width)
    return fitted[:, :-1], fitted[:, -1] - fitted[:, -1].mean()


def fit_temperature(logits: FloatArray, labels: npt.NDArray[np.intp]) -> float:
    """Return the temperature that maximises the likelihood of softmax(logits / temperature) (Guo et al. 2017).

    The log loss is convex in 1 / temperature, so its slope is bisected; the result lies in [0.05, 20].
    """
    right = logits[np.arange(len(logits)), labels]

    def slope(inverse: float) -> float:
        return float(((softmax(inverse * logits) * logits).sum(axis=1) - right).sum())

    low, high = 1 / _TEMPERATURES[1], 1 / _TEMPERATURES[0]
    if slope(low) >= 0:
        return _TEMPERATURES[1]
    if slope(high) <= 0:
        return _TEMPERATURES[0]
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return 2 / (low + high)


def _minimum(
    loss: Callable[[FloatArray], float],
    derivatives: Callable[[FloatArray], tuple[FloatArray, FloatArray]],
    start: FloatArray,
    *,
    tolerance: float,
) -> FloatArray | None:
    """Return where a convex function is least, by Newton's method with backtracking; None if it does not converge.

    Args:
        loss: the function.
        derivatives: its gradient and its Hessian, which must be positive definite.
        start: where to start.
        tolerance: what the function may still fall by, times two, before the last step.
    """

    def at(weights: FloatArray) -> float:
        with before_any_fork():
            return loss(weights)

    weights = start
    for _ in range(_MAX_STEPS):
        with before_any_fork():  # as for `product`
            gradient, hessian = derivatives(weights)
            step = -np.linalg.solve(hessian, gradient)
        to_gain = -float(gradient @ step)  # twice what the loss can still fall by
        if to_gain < tolerance:  # Newton's last step squares what is left of the error
            return np.asarray(weights + step)
        length = 1.0
        if to_gain > 1e-10:  # below, rounding hides the fall of the loss, and full steps converge anyway
            current = at(weights)
            while at(weights + length * step) > current - 1e-4 * length * to_gain and length > 1e-8:
                length /= 2
        weights = weights + length * step
    return None
