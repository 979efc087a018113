"""Which labels are chosen, given their probabilities."""

from collections.abc import Callable, Mapping
from itertools import takewhile

from secondpass.classify.hierarchy import Node

__all__ = ["chosen_label", "chosen_labels"]

ThresholdOf = Callable[[Node], float]


def chosen_labels(means: Mapping[Node, float], threshold: ThresholdOf) -> tuple[list[Node], str]:
    """Return every label that reaches its threshold, best first, or why there is none.

    Of a path in a tree only its lowest label; one below a label that was not reached does not count.
    """
    reached = [node for node, probability in means.items() if probability >= threshold(node)]
    names = {node.label for node in reached}
    kept = [node for node in reached if names.issuperset(node.path)]
    above = {label for node in kept for label in node.path[:-1]}
    chosen = [node for node in kept if node.label not in above]
    return chosen, "" if chosen else "no label reaches its threshold"


def chosen_label(means: Mapping[Node, float], threshold: ThresholdOf, margin: float | None) -> tuple[list[Node], str]:
    """Return the best label as a list of one, or none and why.

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
