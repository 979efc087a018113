"""Near ties between labels, decided pair by pair."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from secondpass.classify.ensemble import Choice, Panel
from secondpass.classify.hypotheses import Wording
from secondpass.logistic import FloatArray

__all__ = ["contenders", "play"]

_MOST = 6  # contenders of one text: 15 pairs, each way


def contenders(probabilities: FloatArray, margin: float) -> list[int]:
    """Return the labels within ``margin`` of the best, best first, six at most; none if there is only the best.

    Args:
        probabilities: shape (n_labels,).
        margin: how far behind the best a near tie may be.
    """
    order = np.argsort(-probabilities, kind="stable")
    near = [int(at) for at in order if probabilities[order[0]] - probabilities[at] <= margin]
    return near[:_MOST] if len(near) > 1 else []


def play(
    panel: Panel, wording: Wording, matches: Sequence[tuple[str, Sequence[str]]]
) -> tuple[list[list[str]], list[dict[str, int]]]:
    """Return the labels of each match in the order of their victories.

    Each pair is asked both ways, "one rather than the other"; a label's points are its probabilities of winning.

    Args:
        panel: the models.
        wording: puts pairs of labels into sentences.
        matches: texts, each with its contenders, best first.

    Returns:
        The order of each match, equal ones as they came; and what it cost, as counts.
    """
    pairs = [(at, *pair) for at, (_, labels) in enumerate(matches) for pair in combinations(labels, 2)]
    choices: list[Choice] = [
        (matches[at][0], [wording.of_pair(one, other), wording.of_pair(other, one)]) for at, one, other in pairs
    ]
    points = [dict.fromkeys(labels, 0.0) for _, labels in matches]
    costs: list[dict[str, int]] = [{} for _ in matches]
    for (at, one, other), outcome in zip(pairs, panel.decide(choices, independent=False), strict=True):
        share = outcome.probabilities.mean(axis=0)
        points[at][one] += float(share[0])
        points[at][other] += float(share[1])
        for name, count in outcome.counts.items():
            costs[at][name] = costs[at].get(name, 0) + count
    return [sorted(each, key=lambda label, each=each: -each[label]) for each in points], costs  # type: ignore[misc]
