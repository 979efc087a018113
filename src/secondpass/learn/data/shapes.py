"""Training examples as columns, in the shape that a loss wants: pairs, triplets, n-tuples, lists.

Each function returns what ``datasets.Dataset.from_dict`` takes, and sentence-transformers' trainers with it: a mapping
of columns, all of one length.
"""

from collections.abc import Iterable
from typing import Any

from secondpass.errors import InputError
from secondpass.learn.data.example import TrainingExample, checked_examples
from secondpass.validation import Whole

__all__ = ["as_lists", "as_pairs", "as_triplets", "as_tuples"]


def as_pairs(examples: Iterable[TrainingExample]) -> dict[str, list[Any]]:
    """Return labelled pairs, for binary cross-entropy: columns ``query``, ``document`` and ``label``.

    Labels are floats, as they were given: grades are not cut to 1.

    Raises:
        InputError: there are no examples.
    """
    rows = [
        (example.query, document, label)
        for example in _ranking(examples)
        for document, label in zip(example.documents, example.labels, strict=True)
    ]
    return _columns(("query", "document", "label"), rows)


def as_triplets(examples: Iterable[TrainingExample], *, margins: bool = False) -> dict[str, list[Any]]:
    """Return triplets: columns ``query``, ``positive`` and ``negative``, each relevant document with each other one.

    Args:
        examples: those without a relevant document, or without another one, have no triplet.
        margins: with a column ``label``, how far the teacher's score of the positive lies above the negative's, for
            margin MSE (Hofstätter et al. 2020, arXiv:2010.02666).

    Raises:
        InputError: there are no examples or no triplets, or one has no teacher's scores and ``margins`` asks for them.
    """
    rows: list[tuple[Any, ...]] = []
    for at, example in enumerate(_ranking(examples)):
        if margins and example.scores is None:
            raise InputError(f"examples[{at}] has no teacher's scores, which margins are made of")
        scores = example.scores or example.labels
        judged = list(zip(example.documents, example.labels, scores, strict=True))
        for positive, label, high in judged:
            if label > 0:
                others = ((text, low) for text, grade, low in judged if grade == 0)
                rows += [(example.query, positive, text, high - low) for text, low in others]
    _need(rows, "triplets: no example has both a relevant document and one that is not; mine_negatives finds those")
    names = ("query", "positive", "negative", "label")
    return _columns(names if margins else names[:3], rows)


def as_tuples(examples: Iterable[TrainingExample], n_negatives: int = 1) -> dict[str, list[Any]]:
    """Return n-tuples, for multiple negatives ranking: ``query``, ``positive``, ``negative_1``, ``negative_2``, ...

    Args:
        examples: one with fewer negatives is left out, as all tuples need the same number.
        n_negatives: how many of its negatives each has, the first ones; 0 for pairs of query and positive.

    Raises:
        InputError: there are no examples, or none has so many negatives.
        ConfigError: ``n_negatives`` is below 0.
    """
    n = Whole(at_least=0).checked(n_negatives, "n_negatives")
    rows = [
        (example.query, positive, *example.negatives[:n])
        for example in _ranking(examples)
        if len(example.negatives) >= n
        for positive in example.positives
    ]
    wanted = f"relevant document and {n} that are not; mine_negatives finds those" if n else "relevant document"
    _need(rows, f"tuples: no example has a {wanted}")
    return _columns(("query", "positive", *(f"negative_{at}" for at in range(1, n + 1))), rows)


def as_lists(examples: Iterable[TrainingExample], *, scores: bool = False) -> dict[str, list[Any]]:
    """Return lists, for ListNet and LambdaLoss: columns ``query``, ``documents`` and ``labels``.

    Args:
        examples: of any kind; one with a single label has nothing to put in order, and is left out.
        scores: the teacher's scores take the labels' place, for distillation.

    Raises:
        InputError: there are no examples or no lists, or one has no teacher's scores and ``scores`` asks for them.
    """
    rows = []
    for at, example in enumerate(_ranking(examples)):
        values = example.scores if scores else example.labels
        if values is None:
            raise InputError(f"examples[{at}] has no teacher's scores")
        if len(set(values)) > 1:
            rows.append((example.query, list(example.documents), list(values)))
    _need(rows, "lists: no example has documents with different labels; mine_negatives finds negatives")
    return _columns(("query", "documents", "labels"), rows)


def _ranking(examples: Iterable[TrainingExample]) -> list[TrainingExample]:
    found = checked_examples(examples)
    if not isinstance(found[0], TrainingExample):
        raise InputError(f"only a TrainingExample has a query and documents, not a {type(found[0]).__name__}")
    return found


def _need(rows: list[Any], what: str) -> None:
    if not rows:
        raise InputError(f"there are no {what}")


def _columns(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}
