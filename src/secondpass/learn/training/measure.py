"""What is measured while a model is trained: a ranking metric of ours on the dev set, or the accuracy of labels."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from secondpass.errors import InputError
from secondpass.evaluate.metrics import per_query
from secondpass.learn.data.example import LabelledPair, TrainingExample
from secondpass.learn.training.settings import TrainTask
from secondpass.models.nli import LABELS
from secondpass.types import well_formed

__all__ = ["ACCURACY", "Ranked", "dev_values", "label_accuracy", "measure_name", "ranking_values"]

ACCURACY = "balanced accuracy"
_BATCH = 64

Ranked = Mapping[str, float]
"""The value of each query, by its number."""

Score = Callable[[list[tuple[str, str]]], Any]


def measure_name(task: TrainTask, measure: str) -> str:
    """Return the name of what is measured: the ranking measure, or for NLI the balanced accuracy."""
    return ACCURACY if task == "nli" else measure


def dev_values(model: Any, task: TrainTask, examples: Sequence[Any], measure: str, places: Sequence[int]) -> Ranked:
    """Return the values of a model in training.

    Args:
        model: the ``CrossEncoder`` or ``SentenceTransformer``.
        task: what is trained.
        examples: the dev set.
        measure: of rankings, in the words of ir-measures.
        places: for NLI, which output each of `LABELS` is.
    """
    if task == "nli":
        pairs = [(well_formed(example.first), well_formed(example.second)) for example in examples]
        logits = np.asarray(model.predict(pairs, batch_size=_BATCH, show_progress_bar=False))
        return label_accuracy(logits[:, list(places)], examples)
    return ranking_values(_scores_of(model, task), examples, measure)


def ranking_values(score: Score, examples: Sequence[TrainingExample], measure: str) -> Ranked:
    """Return a ranking measure of each query, whose documents are ranked by what a function scores pairs.

    Raises:
        InputError: no query has a relevant document.
    """
    pairs = [(well_formed(example.query), well_formed(text)) for example in examples for text in example.documents]
    scores = np.asarray(score(pairs), dtype=np.float64).reshape(-1)
    qrels: dict[str, dict[str, int]] = {}
    run: dict[str, dict[str, float]] = {}
    start = 0
    for number, example in enumerate(examples):
        end = start + len(example.documents)
        grades = {str(at): grade for at, grade in enumerate(example.grades)}
        if any(grades.values()):
            qrels[str(number)] = grades
            run[str(number)] = {str(at): float(value) for at, value in enumerate(scores[start:end])}
        start = end
    if not qrels:
        raise InputError("no query of the dev set has a relevant document, so nothing can be measured on it")
    return per_query(qrels, run, measure)


def label_accuracy(logits: Any, examples: Sequence[LabelledPair]) -> Ranked:
    """Return for each pair whether its label is found, weighted such that the mean is the balanced accuracy.

    Args:
        logits: shape (n_pairs, 3), in the order of `LABELS`.
        examples: the pairs.
    """
    labels = np.array([LABELS.index(example.label) for example in examples])
    found = np.argmax(logits, axis=1) == labels
    present = np.unique(labels)
    sizes = np.bincount(labels, minlength=len(LABELS))
    weights = len(labels) / (len(present) * sizes[labels])
    return {str(at): float(value) for at, value in enumerate(found * weights)}


def _scores_of(model: Any, task: TrainTask) -> Score:
    if task == "rerank":
        return lambda pairs: model.predict(pairs, batch_size=_BATCH, show_progress_bar=False)

    def cosines(pairs: list[tuple[str, str]]) -> Any:
        sides = []
        for at, prompt in enumerate(("query", "document")):
            texts = list(dict.fromkeys(pair[at] for pair in pairs))
            vectors = model.encode(
                texts, prompt_name=prompt, batch_size=_BATCH, show_progress_bar=False, normalize_embeddings=True
            )
            sides.append(dict(zip(texts, vectors, strict=True)))
        return [float(sides[0][query] @ sides[1][text]) for query, text in pairs]

    return cosines
