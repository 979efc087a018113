"""What a cascade's stage decides: which documents go on, and when the best can't change any more."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from secondpass.base import Reranker
from secondpass.errors import CompositionError, ConfigError
from secondpass.types import Scale
from secondpass.validation import NOT_NEGATIVE, Constraint, Number, Whole, must_be

__all__ = ["ExitRule", "KeepRule"]

_COUNT = Whole(at_least=1, unit="documents")

Values = npt.NDArray[np.float64]
# Which scale a bound is measured on: logits have no top, and a probability means the same for every query.
_SCALES = {"margin": Scale.LOGIT, "probability": Scale.PROBABILITY}


@dataclass(frozen=True, slots=True)
class KeepRule:
    """Which documents go on to the next stage: those that satisfy all bounds that are set.

    Attributes:
        count: at most so many, the best.
        margin: those at most so many logits below the best.
        probability: those of at least this probability.
    """

    count: int | None = None
    margin: float | None = None
    probability: float | None = None

    @classmethod
    def parse(cls, rule: object, name: str, stage: Reranker) -> Self:
        """Read a number, or a mapping with ``count``, ``margin`` or ``probability``.

        Raises:
            ConfigError: it is neither, or a bound is out of range.
            CompositionError: the stage's scale does not fit the bound.
        """
        bounds = _bounds(rule if isinstance(rule, Mapping) else {"count": rule}, name, stage, ("count", *_SCALES))
        return cls(**_in_range(bounds, name, Number(at_least=0, below=1)))

    @property
    def counts_only(self) -> bool:
        """Whether it is known beforehand how many go on."""
        return self.margin is None and self.probability is None

    def to_data(self) -> int | dict[str, float]:
        """Return what `parse` reads."""
        if self.count is not None and self.counts_only:
            return self.count
        return {bound: value for bound, value in asdict(self).items() if value is not None}

    def kept(self, values: Values) -> int:
        """Return how many of the best go on; ``values`` are scores, best first, at least one."""
        fits = np.ones(len(values), dtype=bool)
        if self.margin is not None:
            fits &= values >= values[0] - self.margin
        if self.probability is not None:
            fits &= values >= self.probability
        n_fitting = int(fits.sum())
        return n_fitting if self.count is None else min(self.count, n_fitting)


@dataclass(frozen=True, slots=True)
class ExitRule:
    """When a later stage can't put one document above another any more: one of the two bounds is set.

    Attributes:
        margin: the lower one is more than so many logits below.
        probability: the upper one has at least one minus this probability, the lower one at most this.
    """

    margin: float | None = None
    probability: float | None = None

    @classmethod
    def parse(cls, rule: object, name: str, stage: Reranker) -> Self:
        """Read a mapping with ``margin`` or ``probability``.

        Raises:
            ConfigError: it is none, or the bound is out of range.
            CompositionError: the stage's scale does not fit the bound.
        """
        bounds = _bounds(rule, name, stage, tuple(_SCALES))
        return cls(**_in_range(bounds, name, Number(at_least=0, below=0.5)))

    def to_data(self) -> dict[str, float]:
        """Return what `parse` reads."""
        return {bound: value for bound, value in asdict(self).items() if value is not None}

    def undecided(self, values: Values, k: int | None) -> int:
        """Return how many of the best have to go on so that the first ``k`` come out right.

        Args:
            values: scores, best first.
            k: how many results are wanted; None for all.
        """
        k = min(k or len(values), len(values))
        if all(self._decided(values[at], values[at + 1]) for at in range(min(k, len(values) - 1))):
            return 0  # the order of the first k, and that nothing else belongs to them
        # What can't pass the k-th can't pass any of the k, so it can't come among them.
        return next((at for at in range(k, len(values)) if self._decided(values[k - 1], values[at])), len(values))

    def _decided(self, upper: float, lower: float) -> bool:
        if self.margin is not None:
            return bool(upper - lower > self.margin)
        assert self.probability is not None
        return bool(upper >= 1 - self.probability and lower <= self.probability)


def _bounds(rule: object, name: str, stage: Reranker, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(rule, Mapping) or not rule or not set(rule) <= set(known):
        forms = ", ".join(f'{{"{bound}": ...}}' for bound in known)
        raise ConfigError(must_be(f"CascadeReranker: {name}", f"one of {forms}", rule))
    for bound, scale in _SCALES.items():
        if bound in rule and stage.scale is not scale:
            raise CompositionError(
                f"CascadeReranker: {name} sets a {bound}, which needs {scale} scores, but {type(stage).__name__} "
                f"gives {stage.scale} ones"
            )
    return dict(rule)


def _in_range(bounds: Mapping[str, Any], name: str, probability: Number) -> dict[str, Any]:
    """Return bounds as they are kept, with numbers of Python's."""
    takes: dict[str, Constraint[Any]] = {"count": _COUNT, "margin": NOT_NEGATIVE, "probability": probability}
    return {
        bound: takes[bound].checked(
            value, f"CascadeReranker: {name}" if bound == "count" else f"CascadeReranker: the {bound} of {name}"
        )
        for bound, value in bounds.items()
    }
