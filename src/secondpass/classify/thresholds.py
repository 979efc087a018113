"""Thresholds on labels' probabilities: checked, looked up, and fitted by F-beta."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from secondpass.calibration.examples import ScoredExamples
from secondpass.calibration.selection import Threshold, best_f_beta
from secondpass.errors import ConfigError, InputError
from secondpass.logistic import FloatArray
from secondpass.types import Scale

__all__ = ["Thresholds", "checked_share", "checked_thresholds", "fitted_thresholds", "threshold_of", "truths"]

Thresholds = float | Mapping[str, float] | None


def checked_share(name: str, value: Any) -> float:
    """Return a number between 0 and 1 as a float.

    Raises:
        ConfigError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating) or not 0 <= value <= 1:
        raise ConfigError(f"{name} must lie between 0 and 1, not {value!r}")
    return float(value)


def checked_thresholds(thresholds: Any) -> Thresholds:
    """Return one threshold for all labels, one for each, or None for none.

    Raises:
        ConfigError: one of them is no probability.
    """
    if thresholds is None:
        return None
    if isinstance(thresholds, Mapping):
        return {str(label): checked_share(f"thresholds[{label!r}]", value) for label, value in thresholds.items()}
    return checked_share("thresholds", thresholds)


def threshold_of(thresholds: Thresholds, label: str, default: float) -> float:
    """Return the threshold of a label; ``default`` if it has none."""
    if isinstance(thresholds, Mapping):
        return thresholds.get(label, default)
    return default if thresholds is None else thresholds


def truths(labels: Sequence[Any], known: Sequence[str]) -> list[frozenset[str]]:
    """Return the true labels of each example as a set.

    Args:
        labels: for each example a label, or several, or none of them.
        known: the labels that there are.

    Raises:
        InputError: one of them is not known.
    """
    found = []
    for at, one in enumerate(labels):
        each = [one] if isinstance(one, str) else [] if one is None else one
        several = list(each) if isinstance(each, Iterable) else [each]
        unknown = [repr(label) for label in several if label not in known]
        if unknown:
            raise InputError(f"labels[{at}] is {unknown[0]}, which is none of the classifier's: {', '.join(known)}")
        found.append(frozenset(several))
    return found


def fitted_thresholds(
    probabilities: FloatArray, true: Sequence[frozenset[str]], labels: Sequence[str], beta: float
) -> dict[str, Threshold]:
    """Choose each label's threshold by its F-beta score.

    Args:
        probabilities: shape (n_examples, n_labels).
        true: the true labels of each example.
        labels: the labels, in the order of the columns.
        beta: how many times as much recall counts as precision.

    Raises:
        InputError: a label is true of no example, or of all of them.
        ConfigError: beta is not above 0.
    """
    fitted = {}
    for column, label in enumerate(labels):
        relevant = np.array([label in each for each in true], dtype=np.bool_)
        if relevant.all() or not relevant.any():
            share = "every example" if len(relevant) and relevant.all() else "no example"
            raise InputError(f"{label!r} is true of {share}, so no threshold can be fitted for it; add examples")
        examples = ScoredExamples(probabilities[:, column], relevant, np.arange(len(true)), Scale.PROBABILITY)
        fitted[label] = best_f_beta(examples, beta)
    return fitted
