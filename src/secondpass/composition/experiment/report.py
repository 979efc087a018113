"""An experiment in numbers that may be looked at every day."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from secondpass.composition.experiment.outcomes import Outcomes
from secondpass.composition.experiment.sequential import half_width, mixing_variance, p_value
from secondpass.errors import InputError

__all__ = ["ArmComparison", "ArmResult", "ExperimentReport", "report_of", "report_of_clicks"]

Vector = npt.NDArray[np.float64]

_LEAST = 100  # units, of fewer of which a mean is not near enough to normal


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One arm.

    Attributes:
        arm: its name.
        units: how many have a value.
        mean: over the units; None if there are none.
        low: the lower end of the interval; None if there are fewer than 100 units.
        high: its upper end.
    """

    arm: str
    units: int
    mean: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class ArmComparison:
    """A treatment against the control.

    Attributes:
        treatment: its name.
        difference: of the means, the treatment's minus the control's; of interleaving, the share of units that prefer
            the treatment minus the share of those that prefer the control. None if there is nothing to tell it from.
        low: the lower end of the interval; None if either arm has fewer than 100 units.
        high: its upper end.
        p: always valid: see `secondpass.composition.experiment.sequential`.
        verdict: ``higher`` or ``lower`` than the control, if the interval leaves out 0; else ``undecided``.
    """

    treatment: str
    difference: float | None
    low: float | None
    high: float | None
    p: float
    verdict: Literal["higher", "lower", "undecided"]


@dataclass(frozen=True, slots=True, repr=False)
class ExperimentReport:
    """What an experiment says about one metric, up to now.

    All intervals, and the verdicts, hold for every look together: one may look each day, and stop at the first that is
    decided, and still be wrong in at most ``alpha`` of the experiments without a difference.

    Attributes:
        experiment: its name.
        metric: what was measured.
        shares: of the arms, under which it was.
        alpha: one minus the confidence; each of several treatments has its part of it.
        arms: each arm, the control first.
        comparisons: each treatment against the control.
        dropped: values that were not counted, for want of room.
    """

    experiment: str
    metric: str
    shares: str
    alpha: float
    arms: tuple[ArmResult, ...]
    comparisons: tuple[ArmComparison, ...]
    dropped: int = 0

    @property
    def decided(self) -> bool:
        """Whether any treatment is known to differ from the control."""
        return any(comparison.verdict != "undecided" for comparison in self.comparisons)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return asdict(self)

    def __repr__(self) -> str:
        lines = [f"{self.experiment}: {self.metric} ({self.shares})"]
        lines += [
            f"  {arm.arm:<20} {arm.units:>9} units  {_number(arm.mean)}  {_interval(arm.low, arm.high)}".rstrip()
            for arm in self.arms
        ]
        lines += [
            f"  {each.treatment} against the control: {_number(each.difference, '+')}  "
            f"{_interval(each.low, each.high, '+')}  p {each.p:.3g}  {each.verdict}"
            for each in self.comparisons
        ]
        return "\n".join(lines)


def report_of(
    outcomes: Outcomes,
    experiment: str,
    metric: str,
    weights: Mapping[str, float],
    shares: str,
    *,
    alpha: float,
    planned: int,
) -> ExperimentReport:
    """Return the report of a split.

    Args:
        outcomes: what was seen.
        experiment: its name.
        metric: of which the means are compared.
        weights: of the arms, the control first.
        shares: under which it was seen.
        alpha: one minus the confidence.
        planned: for how many units in all the intervals shall be narrowest.
    """
    values = {arm: outcomes.values(shares, metric, arm) for arm in weights}
    _require(values, outcomes, metric, shares)
    control, *treatments = weights
    each = alpha / max(1, len(treatments))
    # An arm's own variance can't fall below that of all: by luck, a rare event may be absent from one of them.
    spread = _variance(np.concatenate(list(values.values())))
    variances = {arm: max(_variance(of), spread) for arm, of in values.items()}
    comparisons = []
    for treatment in treatments:
        pair = [control, treatment]
        sizes = [len(values[arm]) for arm in pair]
        if not all(sizes):
            comparisons.append(ArmComparison(treatment, None, None, None, 1.0, "undecided"))
            continue
        difference = float(values[treatment].mean() - values[control].mean())
        variance = sum(variances[arm] / size for arm, size in zip(pair, sizes, strict=True))
        comparisons.append(_compared(treatment, difference, variance, min(sizes), sum(sizes), planned, each))
    arms = tuple(_arm(arm, of, variances[arm], planned, alpha) for arm, of in values.items())
    return ExperimentReport(experiment, metric, shares, alpha, arms, tuple(comparisons), outcomes.dropped)


def report_of_clicks(
    outcomes: Outcomes,
    experiment: str,
    metric: str,
    weights: Mapping[str, float],
    shares: str,
    *,
    alpha: float,
    planned: int,
) -> ExperimentReport:
    """Return the report of interleaving, where each unit compares both arms; arguments as for `report_of`."""
    _, treatment = weights
    values = outcomes.values(shares, metric, treatment)
    _require({treatment: values}, outcomes, metric, shares)
    variance = float((values**2).mean())  # around 0, the mean if there is no difference
    arm = _arm(treatment, values, variance, planned, alpha)
    compared = _compared(treatment, arm.mean, variance / len(values), len(values), len(values), planned, alpha)
    return ExperimentReport(experiment, metric, shares, alpha, (arm,), (compared,), outcomes.dropped)


def _compared(
    treatment: str, difference: float | None, variance: float, fewest: int, units: int, planned: int, alpha: float
) -> ArmComparison:
    if fewest < _LEAST or variance <= 0 or difference is None:
        return ArmComparison(treatment, difference, None, None, 1.0, "undecided")
    mixing = mixing_variance(variance * units / planned, alpha)
    half = half_width(variance, mixing, alpha)
    low, high = difference - half, difference + half
    verdict: Literal["higher", "lower", "undecided"] = "higher" if low > 0 else "lower" if high < 0 else "undecided"
    return ArmComparison(treatment, difference, low, high, p_value(difference, variance, mixing), verdict)


def _arm(arm: str, values: Vector, variance: float, planned: int, alpha: float) -> ArmResult:
    n = len(values)
    mean = float(values.mean()) if n else None
    if n < _LEAST or mean is None:
        return ArmResult(arm, n, mean, None, None)
    half = half_width(variance / n, mixing_variance(variance / planned, alpha), alpha)
    return ArmResult(arm, n, mean, mean - half, mean + half)


def _variance(values: Vector) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0


def _require(values: Mapping[str, Vector], outcomes: Outcomes, metric: str, shares: str) -> None:
    if not any(len(of) for of in values.values()):
        known = ", ".join(outcomes.metrics(shares)) or "nothing"
        raise InputError(f"no value of {metric!r} was recorded while the shares were {shares}; recorded was: {known}")


def _number(value: float | None, sign: str = "") -> str:
    return "none" if value is None else f"{value:{sign}.4g}"


def _interval(low: float | None, high: float | None, sign: str = "") -> str:
    return "" if low is None or high is None else f"({low:{sign}.4g} to {high:{sign}.4g})"
