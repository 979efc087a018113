"""What every calibrator has in common: checks, smoothing, plain data."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from secondpass.config import Configured
from secondpass.counts import counted
from secondpass.errors import InputError
from secondpass.logistic import FloatArray, smoothed_targets
from secondpass.validation import OPEN_SHARE, Whole, check

__all__ = ["Calibrator"]

# The part of a probability that separates logits where the curve is level.
_TIE_BREAK = 1e-6


@dataclass(frozen=True, kw_only=True)
class Calibrator(Configured, ABC):
    """A rising map from logits to probabilities, learnt from judged examples.

    Logits are a model's scores, in any unit; probabilities are calibrated by their log-odds. Where a curve is
    level, on a step or where rounding makes it 1, all scores would get one probability; a part in a million, which
    rises with the logit, keeps their order. A subclass is a frozen dataclass of its parameters and writes `_curve`
    and `_fitted`.

    Args:
        base_rate: the share of relevant examples among those that it was fitted on; None if unknown.
        n_examples: how many these were; 0 if unknown.
    """

    min_examples: ClassVar[int] = 2

    base_rate: float | None = None
    n_examples: int = 0

    def __post_init__(self) -> None:
        check(self, base_rate=OPEN_SHARE | None, n_examples=Whole(at_least=0))

    def apply(self, logits: npt.ArrayLike) -> FloatArray:
        """Return probabilities, of the logits' shape: the curve's height, but for the part that keeps the order."""
        x = np.asarray(logits, dtype=np.float64)
        rising = 0.5 + 0.5 * x / (1 + np.abs(x))
        return np.asarray((1 - _TIE_BREAK) * self._curve(x) + _TIE_BREAK * rising)

    @abstractmethod
    def _curve(self, x: FloatArray) -> FloatArray:
        """Return the curve's height at the logits, in [0, 1]; it never falls where they rise."""

    @classmethod
    @abstractmethod
    def _fitted(cls, logits: FloatArray, targets: FloatArray) -> Self:
        """Return the calibrator that maximises the likelihood of the targets, which lie in (0, 1)."""

    @classmethod
    def fit(cls, logits: npt.ArrayLike, relevant: npt.ArrayLike) -> Self:
        """Learn the map from examples.

        The targets are smoothed (Platt 1999), so that scores that separate the relevant examples from the
        others do not lead to probabilities of 0 and 1.

        Args:
            logits: shape (n_examples,).
            relevant: shape (n_examples,), true for the relevant ones.

        Raises:
            InputError: there are too few examples, none or only relevant ones, a logit is not finite, or
                relevant examples don't score higher than the others.
        """
        x, y = checked_examples(logits, relevant)
        if len(x) < cls.min_examples:
            raise InputError(
                f"{cls.registry_name} calibration has one free parameter for every step of its curve, and follows the "
                f"noise of {counted(len(x), 'example')}: it needs at least {cls.min_examples}; use 'platt' or "
                "'temperature'"
            )
        return cls.fit_unchecked(x, y)

    @classmethod
    def fit_unchecked(cls, logits: FloatArray, relevant: npt.NDArray[np.bool_]) -> Self:
        """Fit on arrays that are checked already, however short: for the folds of a fit."""
        if logits.min() == logits.max():
            raise not_rising()
        fitted = cls._fitted(logits, smoothed_targets(relevant))
        return cls(**{**fitted._fields(), "base_rate": float(relevant.mean()), "n_examples": len(relevant)})

    def _fields(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


def checked_examples(scores: npt.ArrayLike, relevant: npt.ArrayLike) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Return scores and judgements as arrays.

    Raises:
        InputError: they differ in length, a score is not a finite number, or all or none of them are relevant.
    """
    try:
        x, y = np.asarray(scores, dtype=np.float64), np.asarray(relevant).astype(bool)
    except (TypeError, ValueError, OverflowError) as exc:
        raise InputError(f"scores must be numbers, one for each judgement: {exc}") from exc
    if x.ndim != 1 or x.shape != y.shape:
        raise InputError(
            f"scores and judgements must be lists of the same length, not of shapes {x.shape} and {y.shape}"
        )
    if not np.isfinite(x).all():
        raise InputError(f"the score of example {int(np.flatnonzero(~np.isfinite(x))[0])} is not finite")
    if y.all() or not y.any():
        found = "all" if len(y) and y.all() else "none"
        raise InputError(f"relevant and irrelevant examples are needed, but {found} of the {len(y)} are relevant")
    return x, y


def not_rising() -> InputError:
    """Return the error for scores that don't rise with relevance."""
    return InputError(
        "relevant examples don't score higher than the others, so no rising curve fits them: check that the "
        "judgements are not swapped, that the model reads this language, and that there are enough examples"
    )
