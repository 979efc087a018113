"""When is a trained classifier better than a zero-shot one? Answered on the user's labelled texts."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from secondpass.classify.classifier import ZeroShotClassifier
from secondpass.counts import counted
from secondpass.errors import ConfigError, InputError, MissingExtraError
from secondpass.evaluate.label_report import LearningCurve, LearningPoint
from secondpass.evaluate.statistics import Difference, holm, mean_estimate, paired_difference
from secondpass.logistic import FloatArray
from secondpass.models.backends.load import load_embedding_model
from secondpass.models.embedding import EmbeddingModel
from secondpass.validation import OPEN_SHARE, Flag, Whole, must_be, shown

__all__ = ["Train", "learning_curve"]

Train = Callable[[list[str], list[str]], Callable[[list[str]], Sequence[str]]]
"""Trains a classifier: from texts and their labels to a function from texts to labels."""

_INVERSE_PENALTY = 10.0  # of the logistic regression: vectors have length 1, so a weak one suits them
_STEPS = (1, 2, 5)

Whichs = npt.NDArray[np.intp]


def learning_curve(
    texts: Iterable[str],
    labels: Iterable[str],
    *,
    zero_shot: Any = None,
    train: Train | None = None,
    model: str | EmbeddingModel = "bge-small-en-v1.5",
    sizes: Sequence[int] | None = None,
    balanced: bool = True,
    folds: int = 5,
    repeats: int = 3,
    confidence: float = 0.95,
    n_samples: int = 10_000,
    seed: int = 0,
    progress: bool = False,
) -> LearningCurve:
    """Compare a zero-shot classifier with one that is trained on ever more of the labelled texts.

    Each text is classified by models that were trained on other folds' texts, ``repeats`` times with other folds and
    other examples; smaller training sets are parts of the larger ones. Both classifiers are judged on the same texts,
    and intervals and tests go over texts.

    Args:
        texts: what was labelled.
        labels: one for each text.
        zero_shot: what has `ZeroShotClassifier`'s ``classify_many`` and returns labels of these; None for
            ``ZeroShotClassifier(labels=...)`` with theirs.
        train: trains the other classifier; None for a logistic regression on the vectors of ``model``.
        model: the embedding model for that.
        sizes: how many texts to train on; None for 1, 2, 5, 10 and so on times the number of labels, as far as they go.
        balanced: whether each label counts alike, or each text.
        folds: how many, at least 2.
        repeats: how often, at least once.
        confidence: of intervals and verdicts, in (0, 1).
        n_samples: of the bootstrap and of the randomisation tests.
        seed: of these, of folds and of examples.
        progress: show a bar.

    Raises:
        InputError: there are not as many labels as texts, only one label, or fewer texts of a label than folds.
        ConfigError: a setting can't be used.
        MissingExtraError: scikit-learn is not installed.
    """
    asked, true = _checked(texts, labels)
    known = tuple(sorted(set(true)))
    OPEN_SHARE.checked(confidence, "confidence")
    Whole(at_least=100).checked(n_samples, "n_samples")
    Whole(at_least=2).checked(folds, "folds")
    Whole(at_least=1).checked(repeats, "repeats")
    Flag().checked(balanced, "balanced")
    label, fewest = min(Counter(true).items(), key=lambda item: item[1])
    if fewest < folds:
        raise InputError(
            f"{label!r} has {counted(fewest, 'text')}, and {folds} folds need at least as many of each label"
        )
    steps = _sizes(sizes, len(known), len(asked) - -(-len(asked) // folds) - len(known))
    of = np.array([known.index(each) for each in true])
    weights = len(of) / (len(known) * np.bincount(of)[of]) if balanced else np.ones(len(of))
    said = _zero_shot(zero_shot, asked, known)
    first = weights * (said == np.array(true, dtype=object))
    fit = _logistic_regression(model, asked, progress) if train is None else train
    hits = np.zeros((len(steps), len(asked)))
    for pool, test in _splits(of, folds, repeats, seed, progress):
        for at, n in enumerate(steps):
            predict = fit([asked[i] for i in pool[:n]], [true[i] for i in pool[:n]])
            answers = _answers(predict([asked[i] for i in test]), len(test))
            hits[at, test] += [answer == true[i] for answer, i in zip(answers, test, strict=True)]
    values = weights * hits / repeats
    settings: dict[str, Any] = {"confidence": confidence, "n_samples": n_samples, "seed": seed}
    return LearningCurve(
        zero_shot=mean_estimate(first, **settings),
        points=tuple(_points(steps, values, first, settings)),
        n_texts=len(asked),
        labels=known,
        balanced=balanced,
        confidence=confidence,
    )


def _checked(texts: object, labels: object) -> tuple[list[str], list[str]]:
    for name, given in (("texts", texts), ("labels", labels)):
        if isinstance(given, str | bytes) or not isinstance(given, Iterable):
            raise InputError(must_be(name, "a list of texts", given))
    asked, true = list(texts), list(labels)  # type: ignore[call-overload]
    if len(asked) != len(true):
        raise InputError(f"there must be as many labels as texts, and there are {len(true)} and {len(asked)}")
    for name, each in [*(("text", text) for text in asked), *(("label", label) for label in true)]:
        if not isinstance(each, str) or not each.strip():
            raise InputError(f"each {name} must be a str that is not empty, not {shown(each)}")
    if len(set(true)) < 2:
        raise InputError("there must be at least two different labels, or there is nothing to tell apart")
    return asked, true


def _sizes(given: object, n_labels: int, most: int) -> list[int]:
    if given is None:
        steps = (n_labels * step * 10**power for power in range(9) for step in _STEPS)
        found = [n for n in steps if n <= most]
        return [*found, most] if not found or most > 1.2 * found[-1] else found
    if isinstance(given, str | bytes) or not isinstance(given, Sequence) or not given:
        raise ConfigError(must_be("sizes", "a list of whole numbers, such as (20, 50, 100)", given))
    checked = sorted({Whole(at_least=n_labels).checked(n, "each of sizes") for n in given})
    if checked[-1] > most:
        raise ConfigError(f"the greatest of sizes must be at most {most}, as the other texts are to be classified")
    return checked


def _splits(of: Whichs, folds: int, repeats: int, seed: int, progress: bool) -> Iterator[tuple[Whichs, Whichs]]:
    """Yield what may be trained on, in an order that begins with one text of each label, and what is classified."""
    try:
        from sklearn.model_selection import RepeatedStratifiedKFold
    except ImportError as exc:
        raise MissingExtraError.of("eval", "a learning curve") from exc
    from tqdm import tqdm

    random = np.random.default_rng(seed)
    split = RepeatedStratifiedKFold(n_splits=folds, n_repeats=repeats, random_state=seed)
    every = split.split(np.zeros(len(of)), of)
    for pool, test in tqdm(every, total=folds * repeats, unit="fold", delay=1, leave=False, disable=not progress):
        mixed = random.permutation(pool)
        _, ones = np.unique(of[mixed], return_index=True)
        yield np.concatenate([mixed[ones], np.delete(mixed, ones)]), test


def _zero_shot(classifier: Any, texts: list[str], labels: tuple[str, ...]) -> npt.NDArray[np.object_]:
    classifier = ZeroShotClassifier(labels=list(labels)) if classifier is None else classifier
    if not callable(getattr(classifier, "classify_many", None)):
        raise ConfigError(must_be("zero_shot", "a ZeroShotClassifier, or what else has classify_many", classifier))
    found = [each.labels[0] if each.labels else None for each in classifier.classify_many(texts)]
    if not set(found) & set(labels):
        raise ConfigError(
            f"zero_shot never says any of {', '.join(labels)}: give the classifier the same labels as the texts have"
        )
    return np.array(found, dtype=object)


def _logistic_regression(model: str | EmbeddingModel, texts: list[str], progress: bool) -> Train:
    """Return what trains on vectors, which are made once."""
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as exc:
        raise MissingExtraError.of("eval", "a learning curve") from exc
    encoder = model if isinstance(model, EmbeddingModel) else load_embedding_model(model)
    distinct = list(dict.fromkeys(texts))
    vectors = dict(zip(distinct, encoder.encode_documents(distinct, progress=progress), strict=True))

    def train(some: list[str], labels: list[str]) -> Callable[[list[str]], Sequence[str]]:
        fitted = LogisticRegression(C=_INVERSE_PENALTY, class_weight="balanced", max_iter=1000)
        fitted.fit([vectors[text] for text in some], labels)

        def predict(others: list[str]) -> Sequence[str]:
            answers: list[str] = fitted.predict([vectors[text] for text in others]).tolist()
            return answers

        return predict

    return train


def _answers(found: object, n: int) -> list[Any]:
    if isinstance(found, str | bytes) or not isinstance(found, Iterable):
        raise ConfigError(must_be("what train returns", "a function from texts to as many labels", found))
    answers = list(found)
    if len(answers) != n:
        raise ConfigError(f"what train returned gave {counted(len(answers), 'label')} for {counted(n, 'text')}")
    return answers


def _points(
    sizes: Sequence[int], values: FloatArray, zero_shot: FloatArray, settings: dict[str, Any]
) -> Iterator[LearningPoint]:
    gains = {str(n): paired_difference(values[at], zero_shot, **settings) for at, n in enumerate(sizes)}
    adjusted = holm({n: of.p for n, of in gains.items()})
    for at, n in enumerate(sizes):
        step: Difference | None = paired_difference(values[at], values[at - 1], **settings) if at else None
        gain = replace(gains[str(n)], p_adjusted=adjusted[str(n)])
        yield LearningPoint(n, mean_estimate(values[at], **settings), gain, step)
