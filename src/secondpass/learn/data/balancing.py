"""Balance: fewer of what is frequent, more of what is rare, or weights that make up for it."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from secondpass.errors import InputError
from secondpass.learn.data.example import E, LabelledPair, LabelledText, TrainingExample, checked_examples
from secondpass.logistic import FloatArray
from secondpass.validation import Number, Whole

__all__ = ["oversample", "sample_weights", "undersample", "weighted_sample"]

_RATIO = Number(at_least=1)


def undersample(examples: Iterable[E], *, ratio: float = 1.0, seed: int = 0) -> list[E]:
    """Return fewer of what is frequent, drawn at random, in the order in which they came.

    Args:
        examples: of labelled texts and pairs, no label keeps more than ``ratio`` times as many as the rarest has. Of a
            `TrainingExample`, the documents that are not relevant are cut to ``ratio`` for each that is; those without
            a relevant one stay as they are.
        ratio: at least 1.
        seed: of the drawing.

    Raises:
        InputError: there are no examples, or they are of several kinds.
        ConfigError: a setting is out of range.
    """
    _RATIO.checked(ratio, "ratio")
    found, random = checked_examples(examples), _random(seed)
    if isinstance(found[0], TrainingExample):
        return [_thinned(example, ratio, random) for example in found]
    groups = _by_label(found)
    most = int(ratio * min(map(len, groups.values())))
    kept = [at for members in groups.values() for at in random.permutation(members)[:most].tolist()]
    return [found[at] for at in sorted(kept)]


def oversample(examples: Iterable[E], *, ratio: float = 1.0, seed: int = 0) -> list[E]:
    """Return the examples, with those of rare labels repeated behind them, drawn at random, all equally often.

    Split first: what is repeated must not stand on both sides.

    Args:
        examples: labelled texts or pairs.
        ratio: how many times as many the most frequent label may have as any other, at least 1.
        seed: of the drawing.

    Raises:
        InputError: there are no examples, or they have no labels of their own.
        ConfigError: a setting is out of range.
    """
    _RATIO.checked(ratio, "ratio")
    found, random = checked_examples(examples), _random(seed)
    groups = _by_label(found)
    wanted = int(np.ceil(max(map(len, groups.values())) / ratio))
    added: list[E] = []
    for members in groups.values():
        times, rest = divmod(max(0, wanted - len(members)), len(members))
        added += [found[at] for at in members] * times
        added += [found[at] for at in random.permutation(members)[:rest].tolist()]
    return found + added


def sample_weights(labels: Sequence[Hashable]) -> FloatArray:
    """Return a weight for each label, inverse to how often it occurs, 1 on average; shape (n,).

    Raises:
        InputError: there are no labels.
    """
    if isinstance(labels, str | bytes) or not len(labels):
        raise InputError("labels must be a list of at least one label")
    n_of = Counter(labels)
    return np.array([len(labels) / (len(n_of) * n_of[label]) for label in labels])


def weighted_sample(examples: Iterable[E], n: int, *, weights: Sequence[float] | None = None, seed: int = 0) -> list[E]:
    """Return ``n`` examples, drawn with replacement.

    Args:
        examples: of one kind.
        n: how many to draw.
        weights: how likely each is to be drawn, at least 0; by default `sample_weights` of their labels, so that every
            label comes equally often.
        seed: of the drawing.

    Raises:
        InputError: there are no examples, they have no labels and there are no weights, or these don't fit.
        ConfigError: a setting is out of range.
    """
    Whole(at_least=1).checked(n, "n")
    found = checked_examples(examples)
    chances = sample_weights(_labels(found)) if weights is None else np.asarray(weights, dtype=np.float64)
    if chances.shape != (len(found),) or not np.isfinite(chances).all() or chances.min() < 0 or chances.sum() == 0:
        raise InputError(f"weights must be {len(found)} numbers of at least 0, one for each example, not all 0")
    drawn = _random(seed).choice(len(found), size=n, p=chances / chances.sum())
    return [found[at] for at in drawn.tolist()]


def _thinned(example: TrainingExample, ratio: float, random: np.random.Generator) -> TrainingExample:
    others = [at for at, label in enumerate(example.labels) if label == 0]
    n_positives = len(example.labels) - len(others)
    if not n_positives or len(others) <= ratio * n_positives:
        return example
    dropped = set(random.permutation(others)[int(ratio * n_positives) :].tolist())
    kept = [at for at in range(len(example.labels)) if at not in dropped]
    return replace(
        example,
        documents=tuple(example.documents[at] for at in kept),
        labels=tuple(example.labels[at] for at in kept),
        scores=None if example.scores is None else tuple(example.scores[at] for at in kept),
    )


def _labels(examples: Sequence[object]) -> list[str]:
    labels = [example.label for example in examples if isinstance(example, LabelledPair | LabelledText)]
    if len(labels) != len(examples):
        raise InputError("a TrainingExample has no label of its own: undersample drops documents, or pass weights")
    return labels


def _by_label(examples: Sequence[object]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for at, label in enumerate(_labels(examples)):
        groups.setdefault(label, []).append(at)
    return groups


def _random(seed: int) -> np.random.Generator:
    return np.random.default_rng(Whole(at_least=0).checked(seed, "seed"))
