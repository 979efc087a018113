"""Calibration by the best rising curve of any shape."""

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from secondpass.calibration.base import Calibrator, not_rising
from secondpass.errors import ConfigError
from secondpass.logistic import FloatArray

__all__ = ["IsotonicCalibrator"]


@dataclass(frozen=True, kw_only=True)
class IsotonicCalibrator(Calibrator):
    """The rising curve of any shape that fits best (Zadrozny and Elkan 2002), linear between its steps.

    Where a parametric curve has two or three parameters, this one has as many as it finds steps, so it needs
    many examples; below 200 it is refused. (Niculescu-Mizil and Caruana 2005 find it worse than Platt's below
    some 1000.)

    Args:
        logits: where the curve has its corners, rising; a curve ends level on both sides.
        values: the probabilities there, never falling.
    """

    registry_name: ClassVar[str] = "isotonic"
    min_examples: ClassVar[int] = 200

    logits: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            logits, values = tuple(map(float, self.logits)), tuple(map(float, self.values))
        except (TypeError, ValueError, OverflowError) as exc:
            raise ConfigError(f"logits and values of an isotonic calibrator must be lists of numbers: {exc}") from exc
        object.__setattr__(self, "logits", logits)
        object.__setattr__(self, "values", values)
        if len(logits) != len(values) or not logits or not all(map(math.isfinite, logits + values)):
            raise ConfigError("logits and values of an isotonic calibrator must be finite, and equally many")
        if any(np.diff(logits) <= 0) or any(np.diff(values) < 0) or values[0] < 0 or values[-1] > 1:
            raise ConfigError("logits of an isotonic calibrator must rise, values must not fall and lie in [0, 1]")

    def _curve(self, x: FloatArray) -> FloatArray:
        return np.asarray(np.interp(x, self.logits, self.values))

    @classmethod
    def _fitted(cls, logits: FloatArray, targets: FloatArray) -> Self:
        places, positions, n_at = np.unique(logits, return_inverse=True, return_counts=True)
        means = np.bincount(positions, weights=targets) / n_at
        heights = _pooled(means, n_at)
        if heights[0] == heights[-1]:
            raise not_rising()
        # Within a step only its ends are needed.
        inner = (heights[1:-1] == heights[:-2]) & (heights[1:-1] == heights[2:])
        corners = np.concatenate([[True], ~inner, [True]])
        return cls(logits=tuple(places[corners].tolist()), values=tuple(heights[corners].tolist()))


def _pooled(values: FloatArray, weights: npt.NDArray[np.intp]) -> FloatArray:
    """Return the rising values with the least weighted squared error, by pooling adjacent violators."""
    blocks: list[tuple[float, float, int]] = []  # mean, weight, length
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        mean, mass, length = value, float(weight), 1
        while blocks and blocks[-1][0] >= mean:
            last_mean, last_mass, last_length = blocks.pop()
            mean = (mean * mass + last_mean * last_mass) / (mass + last_mass)
            mass, length = mass + last_mass, length + last_length
        blocks.append((mean, mass, length))
    return np.repeat([mean for mean, _, _ in blocks], [length for _, _, length in blocks])
