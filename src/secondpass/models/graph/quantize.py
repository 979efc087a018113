"""Weights and activations as int8, with what keeps the scores near those of float32.

ONNX Runtime quantizes the activations of a layer with one step for all of them, from the smallest to the largest. In
BERT and its kin a few channels are ten times as large as all others, for the first token and the separators
(https://arxiv.org/abs/2402.17762), and cost the others nearly all of their precision. Where they are is a property
of the weights, and some sentences show it:

- what the second linear layer of the feed-forward part reads: the few neurons concerned run in float32
  (as in https://arxiv.org/abs/2208.07339);
- what a layer normalisation gives: such channels are divided by a whole number, and their rows of the next matrix
  are multiplied by it (as in https://arxiv.org/abs/2211.10438).
"""

import numpy as np
import numpy.typing as npt

__all__ = ["channel_divisors", "outlier_neurons", "quantize_columns"]

Floats = npt.NDArray[np.float32]

_MOST_OUTLIERS = 8


def quantize_columns(matrix: Floats, grid: Floats | None = None) -> tuple[npt.NDArray[np.int8], Floats]:
    """Round the columns of a matrix to int8, each with its own step, symmetric around zero.

    Args:
        matrix: shape (inputs, outputs).
        grid: steps of the integers that the matrix was made of, one or one for each output: columns that fit keep
            theirs, and lose nothing.

    Returns:
        Integers from -127 to 127, shape (inputs, outputs); steps, shape (outputs,).
    """
    steps = np.maximum(np.abs(matrix).max(axis=0) / np.float32(127), np.finfo(np.float32).tiny)
    if grid is not None:
        steps = np.where(steps <= grid * np.float32(1.0001), grid, steps)
    return np.clip(np.rint(matrix / steps), -127, 127).astype(np.int8), steps.astype(np.float32)


def outlier_neurons(largest: Floats) -> npt.NDArray[np.intp]:
    """Return the neurons that are better kept in float32: as few as possible, none if that gains little.

    Args:
        largest: the largest activation of each neuron, shape (neurons,).
    """
    order = np.argsort(-largest, kind="stable")[: _MOST_OUTLIERS + 1]
    ranges = largest[order]  # what is left after the removal of none, one, two...
    if ranges[0] < 1.5 * ranges[-1]:
        return np.empty(0, np.intp)
    return np.sort(order[: int(np.argmax(ranges <= 1.25 * ranges[-1]))])


def channel_divisors(largest: Floats, *, factor: float) -> Floats:
    """Return what to divide each channel by, so that none is larger than ``factor`` times the median.

    They are whole numbers: weights that were integers before stay so.

    Args:
        largest: the largest absolute activation of each channel, shape (channels,).
        factor: how far above the median a channel may be.
    """
    limit = max(factor * float(np.median(largest)), float(np.finfo(np.float32).tiny))
    return np.asarray(np.ceil(np.maximum(1.0, largest / limit) - 1e-6), dtype=np.float32)
