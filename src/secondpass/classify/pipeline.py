"""One run of a classifier: texts and labels in, every label's probability out."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from secondpass.classify.ensemble import Choice, Panel
from secondpass.classify.hierarchy import Asked, Node, descend
from secondpass.classify.hypotheses import Wording
from secondpass.classify.tournament import contenders, play
from secondpass.errors import InputError
from secondpass.logistic import FloatArray
from secondpass.types import well_formed
from secondpass.windows import Span

__all__ = ["Scored", "break_ties", "checked_texts", "score_texts"]


@dataclass(slots=True)
class Scored:
    """What is known about a text before its labels are chosen.

    Attributes:
        text: the text.
        probabilities: of each label that was looked at, by each member, shape (n_members,).
        windows: the window that speaks most for a label, if the text was cut.
        counts: for the trace.
        notes: for the trace.
    """

    text: str
    probabilities: dict[Node, FloatArray] = field(default_factory=dict)
    windows: dict[str, Span] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    notes: tuple[str, ...] = ()

    def means(self) -> dict[Node, float]:
        """Return the mean over the members, best first; equal ones as the labels came."""
        means = {node: float(values.mean()) for node, values in self.probabilities.items()}
        return dict(sorted(means.items(), key=lambda each: -each[1]))


def score_texts(
    panel: Panel,
    wording: Wording,
    texts: Sequence[str],
    tree: Node,
    multi_label: bool,
    opened: Callable[[Node, float], bool] | None,
) -> list[Scored]:
    """Return the probabilities of the labels that have to be looked at; arguments as in `descend`."""
    scored = [Scored(text) for text in texts]

    def score(asked: Sequence[Asked]) -> list[FloatArray]:
        choices: list[Choice] = [
            (texts[at], [wording.of(child.label) for child in node.children]) for at, node in asked
        ]
        outcomes = panel.decide(choices, independent=multi_label)
        for (at, node), outcome in zip(asked, outcomes, strict=True):
            scored[at].counts.update(outcome.counts)
            for child, window in zip(node.children, outcome.windows, strict=True):
                if window is not None:
                    scored[at].windows[child.label] = window
        return [outcome.probabilities for outcome in outcomes]

    for each, found in zip(scored, descend(tree, len(texts), score, opened), strict=True):
        each.probabilities = found
    return scored


def break_ties(panel: Panel, wording: Wording, scored: Sequence[Scored], margin: float) -> None:
    """Reassign the probabilities of near ties in the order of a tournament."""
    tied: list[tuple[Scored, list[Node]]] = []
    for each in scored:
        nodes = list(each.probabilities)
        near = contenders(np.array([each.probabilities[node].mean() for node in nodes]), margin)
        if near:
            tied.append((each, [nodes[at] for at in near]))
    if not tied:
        return
    orders, costs = play(panel, wording, [(each.text, [node.label for node in nodes]) for each, nodes in tied])
    for (each, nodes), order, cost in zip(tied, orders, costs, strict=True):
        by_label = {node.label: node for node in nodes}
        values = [each.probabilities[node] for node in nodes]
        winners = {by_label[label]: value for label, value in zip(order, values, strict=True)}
        # They come first, as equal probabilities are told apart by their places only.
        each.probabilities = winners | {n: value for n, value in each.probabilities.items() if n not in winners}
        each.counts.update(cost)
        each.notes = (f"near ties decided pair by pair: {', '.join(order)}",)


def checked_texts(texts: Any) -> list[str]:
    """Return texts as models can take them.

    Raises:
        InputError: one of them is not a text, or empty.
    """
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise InputError(f"texts must be a list of texts, not {type(texts).__name__}; for one text use classify")
    checked = list(texts)
    for at, text in enumerate(checked):
        if not isinstance(text, str):
            raise InputError(f"texts[{at}] must be a str, not {type(text).__name__}")
        if not text.strip():
            raise InputError(f"texts[{at}] is empty: there is nothing to classify; leave it out")
    return [well_formed(text) for text in checked]
