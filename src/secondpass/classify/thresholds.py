"""Thresholds on labels' probabilities: checked, looked up, fitted by F-beta, and what is chosen by them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any

import numpy as np

from secondpass.calibration.examples import ScoredExamples
from secondpass.calibration.selection import Threshold, best_f_beta
from secondpass.classify.hierarchy import Node
from secondpass.errors import InputError
from secondpass.logistic import FloatArray
from secondpass.types import Scale
from secondpass.validation import SHARE

__all__ = [
    "Thresholds",
    "checked_thresholds",
    "chosen_label",
    "chosen_labels",
    "fitted_thresholds",
    "threshold_of",
    "truths",
]

Thresholds = float | Mapping[str, float] | None

ThresholdOf = Callable[[Node], float]


def checked_thresholds(thresholds: Any) -> Thresholds:
    """Return one threshold for all labels, one for each, or None.

    Raises:
        ConfigError: one of them is not a probability.
    """
    if thresholds is None:
        return None
    if isinstance(thresholds, Mapping):
        return {str(label): SHARE.checked(value, f"thresholds[{label!r}]") for label, value in thresholds.items()}
    return SHARE.checked(thresholds, "thresholds")


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
    found, there = [], frozenset(known)
    for at, one in enumerate(labels):
        each = [one] if isinstance(one, str) else [] if one is None else one
        several = list(each) if isinstance(each, Iterable) else [each]
        unknown = [repr(label) for label in several if not isinstance(label, str) or label not in there]
        if unknown:
            raise InputError(f"labels[{at}] is {unknown[0]}, which is not one of the classifier's: {', '.join(known)}")
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


def chosen_labels(means: Mapping[Node, float], threshold: ThresholdOf) -> tuple[list[Node], str]:
    """Return the labels that reach their thresholds, best first, or the reason why none does.

    Of a path in a tree only its lowest label; one below a label that was not reached does not count.
    """
    reached = [node for node, probability in means.items() if probability >= threshold(node)]
    names = {node.label for node in reached}
    kept = [node for node in reached if names.issuperset(node.path)]
    above = {label for node in kept for label in node.path[:-1]}
    chosen = [node for node in kept if node.label not in above]
    return chosen, "" if chosen else "no label reaches its threshold"


def chosen_label(means: Mapping[Node, float], threshold: ThresholdOf, margin: float | None) -> tuple[list[Node], str]:
    """Return the best label in a list, or an empty list and the reason.

    Args:
        means: each label's probability, best first; in a tree, the whole path's.
        threshold: a label's; in a tree the way to the best leaf ends above the first that does not reach it.
        margin: how far the best must be ahead of the next; None if that does not matter.
    """
    leaf = next(node for node in means if not node.children)
    way = sorted((node for node in means if leaf.path[: len(node.path)] == node.path), key=lambda node: len(node.path))
    reached = list(takewhile(lambda node: means[node] >= threshold(node), way))
    if not reached:
        top = way[0]
        return [], f"{top.label!r} is best with {means[top]:.4f}, below its threshold of {threshold(top):.4f}"
    if margin is not None:
        first, second, *_ = means.items()
        if first[1] - second[1] <= margin:
            near = f"{first[0].label!r} ({first[1]:.4f}) and {second[0].label!r} ({second[1]:.4f})"
            return [], f"{near} are within {margin} of each other"
    return [reached[-1]], ""
