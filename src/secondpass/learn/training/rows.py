"""Examples laid out as a loss wants them: columns, which a trainer's data set is made of."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from secondpass.errors import InputError
from secondpass.learn.data.example import LabelledPair, TrainingExample
from secondpass.learn.data.shapes import as_lists, as_pairs, as_triplets, as_tuples
from secondpass.learn.training.settings import TrainSettings, TrainTask
from secondpass.models.nli import LABELS
from secondpass.types import well_formed

__all__ = ["Columns", "as_columns", "check_entailment"]

Columns = dict[str, list[Any]]
"""Column name to values, all of one length; the last is ``label`` or ``labels`` where the loss wants labels."""


def as_columns(examples: Sequence[Any], loss: str, settings: TrainSettings, task: TrainTask = "rerank") -> Columns:
    """Return the columns that a loss is computed from; a lone surrogate in a text is read as U+FFFD.

    Args:
        examples: what is learned from.
        loss: its name, not ``auto``.
        settings: how many negatives a tuple has at most, and the seed of which.
        task: what is trained: a bi-encoder's margins are those of pairs of documents, a cross-encoder's of lists.

    Raises:
        InputError: no example has what the loss needs, or a label is not one of the task's.
    """
    if loss == "margin-mse":
        for example in examples:
            if example.scores is None:
                raise InputError(
                    f"the loss 'margin-mse' learns from a teacher's scores, and the example of the query "
                    f"{example.query[:60]!r} has none: distil makes such examples"
                )
        columns = as_lists(examples, scores=True) if task == "rerank" else _margins(examples, settings)
    else:
        columns = _LAYOUTS[loss](examples, settings)
    return {
        name: values if name in ("label", "labels") else [_readable(value) for value in values]
        for name, values in columns.items()
    }


def _readable(value: str | list[str]) -> str | list[str]:
    return well_formed(value) if isinstance(value, str) else [well_formed(text) for text in value]


def _shares(examples: Sequence[TrainingExample], settings: TrainSettings) -> Columns:
    """Lay out pairs with a label in [0, 1]: grades are divided by the highest."""
    columns = as_pairs(examples)
    labels = columns["label"]
    highest = max(labels)
    if min(labels) == highest:
        kind, advice = (
            ("relevant", "mine hard negatives first, or take the loss 'multiple-negatives'")
            if highest
            else ("irrelevant", "label some of them above 0")
        )
        raise InputError(f"all documents of the examples are {kind}, so there is nothing to tell apart: {advice}")
    columns["label"] = [label / highest for label in labels]
    return columns


def _lists(examples: Sequence[TrainingExample], settings: TrainSettings) -> Columns:
    return as_lists(examples)


def _tuples(examples: Sequence[TrainingExample], settings: TrainSettings) -> Columns:
    """Lay out each relevant document with as many of its query's others as every query has."""
    fewest = min((len(example.negatives) for example in examples if example.positives), default=0)
    return as_tuples(examples, min(fewest, settings.negatives))


def _triplets(examples: Sequence[TrainingExample], settings: TrainSettings) -> Columns:
    return as_triplets(examples)


def _margins(examples: Sequence[TrainingExample], settings: TrainSettings) -> Columns:
    """Lay out two of a query's documents, the one that the teacher likes better first, with how much better.

    No labels are needed: what was never judged can be learned from as well.
    """
    rows: Columns = {"query": [], "positive": [], "negative": [], "label": []}
    draw = random.Random(settings.seed)  # noqa: S311  # a sample, not a secret
    for example in examples:
        ranked = sorted(zip(example.scores or (), example.documents, strict=True), reverse=True)
        for at, (score, text) in enumerate(ranked):
            below = ranked[at + 1 :]
            for other_score, other in draw.sample(below, min(len(below), settings.negatives)):
                for column, value in zip(rows.values(), (example.query, text, other, score - other_score), strict=True):
                    column.append(value)
    if not rows["query"]:
        raise InputError("there are no margins: no query has two documents")
    return rows


def _entailment(examples: Sequence[LabelledPair], settings: TrainSettings) -> Columns:
    """Lay out premises and hypotheses, with the number of their label among `LABELS`."""
    check_entailment(examples, "examples")
    if len({example.label for example in examples}) < 2:
        raise InputError(f"all examples have the label {examples[0].label!r}, so there is nothing to tell apart")
    return {
        "premise": [example.first for example in examples],
        "hypothesis": [example.second for example in examples],
        "label": [LABELS.index(example.label) for example in examples],
    }


def check_entailment(examples: Sequence[LabelledPair], name: str) -> None:
    """Refuse labels that an NLI model does not learn.

    Raises:
        InputError: an example has another label; says which.
    """
    for at, example in enumerate(examples):
        if example.label not in LABELS:
            raise InputError(
                f"{name}[{at}] has the label {example.label[:60]!r}, but an NLI model learns {', '.join(LABELS)}"
            )


_LAYOUTS: Mapping[str, Callable[[Sequence[Any], TrainSettings], Columns]] = {
    "binary-cross-entropy": _shares,
    "contrastive": _shares,
    "cross-entropy": _entailment,
    "lambda": _lists,
    "list-net": _lists,
    "multiple-negatives": _tuples,
    "triplet": _triplets,
}
