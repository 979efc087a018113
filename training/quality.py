"""How well labels are told apart: accuracy and macro-F1, and what counting shared words would do."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from secondpass.models.nli import LABELS
from training.examples import Example

__all__ = ["Quality", "overlap_probabilities", "quality"]

Probabilities = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Quality:
    """How well three labels were told apart.

    Attributes:
        n: examples.
        accuracy: share of right labels, in [0, 1].
        macro_f1: the mean F1 of the labels that occur, in [0, 1].
    """

    n: int
    accuracy: float
    macro_f1: float


def quality(examples: Sequence[Example], probabilities: Probabilities) -> Quality:
    """Return the quality of predictions.

    Args:
        examples: with the true labels.
        probabilities: shape (n_examples, 3), in the order of `secondpass.models.nli.LABELS`.
    """
    true = np.array([LABELS.index(example.label) for example in examples])
    predicted = probabilities.argmax(axis=1)
    scores = []
    for label in np.unique(true):
        hits = np.sum((true == label) & (predicted == label))
        scores.append(2 * hits / (np.sum(true == label) + np.sum(predicted == label)))
    return Quality(len(true), float(np.mean(true == predicted)), float(np.mean(scores)))


def overlap_probabilities(train: Sequence[Example], examples: Sequence[Example]) -> Probabilities:
    """Return what a baseline says that only counts the hypothesis's words which the premise has.

    A multinomial logistic regression (scikit-learn's) on that share, its square and the difference of lengths.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=1000).fit(_features(train), [LABELS.index(example.label) for example in train])
    columns = model.predict_proba(_features(examples))
    probabilities = np.zeros((len(examples), 3))
    probabilities[:, model.classes_] = columns
    return probabilities


def _features(examples: Sequence[Example]) -> npt.NDArray[np.float64]:
    rows = []
    for example in examples:
        premise, hypothesis = (set(text.lower().split()) for text in (example.premise, example.hypothesis))
        share = len(premise & hypothesis) / max(len(hypothesis), 1)
        rows.append((share, share**2, (len(premise) - len(hypothesis)) / 20))
    return np.array(rows)
