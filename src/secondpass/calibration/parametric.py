"""Calibration by a curve of one, two or three parameters: temperature, Platt, beta."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from secondpass.calibration.base import Calibrator, not_rising
from secondpass.errors import ConfigError
from secondpass.logistic import FloatArray, maximum_likelihood, sigmoid, softplus
from secondpass.validation import NOT_NEGATIVE, POSITIVE, Number, check

__all__ = ["BetaCalibrator", "PlattCalibrator", "TemperatureCalibrator"]


@dataclass(frozen=True, kw_only=True)
class TemperatureCalibrator(Calibrator):
    """Divides logits by one number: sigmoid(x / temperature) (Guo et al. 2017, arXiv:1706.04599).

    It can't move the point of probability one half, which stays at a logit of 0. Relevance models are
    trained with another share of relevant documents than candidates have, so prefer Platt.

    Args:
        temperature: above 0; above 1 makes the model less sure of itself.
    """

    registry_name: ClassVar[str] = "temperature"

    temperature: float

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self, temperature=POSITIVE)

    def _curve(self, x: FloatArray) -> FloatArray:
        return sigmoid(x / self.temperature)

    @classmethod
    def _fitted(cls, logits: FloatArray, targets: FloatArray) -> Self:
        (slope,) = maximum_likelihood(logits[:, None], targets).tolist()
        if not slope > 0:
            raise not_rising()
        return cls(temperature=1 / slope)


@dataclass(frozen=True, kw_only=True)
class PlattCalibrator(Calibrator):
    """A logistic regression on the logit: sigmoid(slope * x + intercept) (Platt 1999).

    Start with this one: two parameters, good from a few dozen relevant examples on.

    Args:
        slope: above 0.
        intercept: moves the point of probability one half.
    """

    registry_name: ClassVar[str] = "platt"

    slope: float
    intercept: float

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self, slope=POSITIVE, intercept=Number())

    def _curve(self, x: FloatArray) -> FloatArray:
        return sigmoid(self.slope * x + self.intercept)

    @classmethod
    def _fitted(cls, logits: FloatArray, targets: FloatArray) -> Self:
        # Around the mean: a model whose logits are all near 1000 is as easily fitted as one around 0.
        mean = float(logits.mean())
        centred = logits - mean
        slope, height = maximum_likelihood(np.column_stack([centred, np.ones_like(centred)]), targets).tolist()
        if not slope > 0:
            raise not_rising()
        return cls(slope=slope, intercept=height - slope * mean)


@dataclass(frozen=True, kw_only=True)
class BetaCalibrator(Calibrator):
    """A curve that bends differently at both ends: sigmoid(a log p - b log(1 - p) + c), with p = sigmoid(x).

    After Kull, Silva Filho and Flach 2017 ("Beta calibration"). With a = b it is Platt's. It suits
    probabilities, and logits that are roughly log-odds.

    Args:
        a: how steep it is where p is small; not below 0.
        b: how steep it is where p is large; not below 0, and not 0 as well.
        c: the intercept.
    """

    registry_name: ClassVar[str] = "beta"

    a: float
    b: float
    c: float

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self, a=NOT_NEGATIVE, b=NOT_NEGATIVE, c=Number())
        if not self.a + self.b > 0:
            raise ConfigError("BetaCalibrator: a and b must not both be 0: the curve would be flat")

    def _curve(self, x: FloatArray) -> FloatArray:
        return sigmoid(-self.a * softplus(-x) + self.b * softplus(x) + self.c)

    @classmethod
    def _fitted(cls, logits: FloatArray, targets: FloatArray) -> Self:
        columns = {"a": -softplus(-logits), "b": softplus(logits), "c": np.ones_like(logits)}
        while True:
            found = maximum_likelihood(np.column_stack(list(columns.values())), targets).tolist()
            fitted = dict(zip(columns, found, strict=True))
            falling = [name for name in ("a", "b") if fitted.get(name, 0.0) < 0]
            if not falling:
                break
            # As in the paper: one that would let the curve fall is fixed at 0, and the rest is fitted again.
            columns.pop(min(falling, key=lambda name: fitted[name]))
        if not fitted.get("a", 0.0) + fitted.get("b", 0.0) > 0:
            raise not_rising()
        return cls(a=fitted.get("a", 0.0), b=fitted.get("b", 0.0), c=fitted["c"])
