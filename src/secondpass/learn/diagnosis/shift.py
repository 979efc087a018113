"""Whether two sets of texts are about the same: by their words."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from secondpass.errors import InputError
from secondpass.validation import Whole

__all__ = ["Shift", "text_shift"]

_WORD = re.compile(r"\w+")
_MOST = 5_000  # texts of each side that are looked at
_MARGIN = 1.5  # times what chance makes, from which on words are others


@dataclass(frozen=True, slots=True)
class Shift:
    """How far the words of two sets of texts differ.

    Attributes:
        divergence: the Jensen-Shannon divergence of the words' frequencies, in bits: 0 for the same, 1 for no word in
            common.
        by_chance: what it is between two such sets drawn at random from both, on average.
        p: how often such random sets differ as much, in (0, 1].
        new_words: the words that became most frequent, at most ten.
    """

    divergence: float
    by_chance: float
    p: float
    new_words: tuple[str, ...]

    @property
    def shifted(self) -> bool:
        """Whether the texts are about other things: more than chance, and by far enough to matter."""
        return self.p <= 0.05 and self.divergence > _MARGIN * self.by_chance


def text_shift(old: Sequence[str], new: Sequence[str], *, n_permutations: int = 100, seed: int = 0) -> Shift:
    """Compare the words of two sets of texts, such as the queries of training and those of last week.

    Args:
        old: texts, of which 5,000 at most are looked at, drawn at random.
        new: likewise.
        n_permutations: how often texts are shuffled among the two sets, to know what chance makes.
        seed: of the shuffling.

    Raises:
        InputError: one side has no words.
    """
    n = Whole(at_least=20).checked(n_permutations, "n_permutations")
    draw = np.random.default_rng(Whole(at_least=0).checked(seed, "seed"))
    sides = [[Counter(_WORD.findall(text.lower())) for text in _some(texts, draw)] for texts in (old, new)]
    counters = sides[0] + sides[1]
    words = {word: at for at, word in enumerate(sorted({word for counter in counters for word in counter}))}
    rows = np.repeat(np.arange(len(counters)), [len(counter) for counter in counters])
    columns = np.array([words[word] for counter in counters for word in counter], dtype=np.intp)
    counts = np.array([count for counter in counters for count in counter.values()], dtype=np.float64)
    is_new = np.arange(len(counters)) >= len(sides[0])

    def frequencies(side: np.ndarray) -> np.ndarray:
        return np.bincount(columns, weights=counts * side[rows], minlength=len(words))

    if not all(frequencies(side).sum() for side in (is_new, ~is_new)):
        raise InputError("there are no words to compare: both sides need texts")
    before, after = (_shares(frequencies(side)) for side in (~is_new, is_new))
    found = _divergence(before, after)
    drawn = []
    for _ in range(n):
        shuffled = draw.permutation(is_new)
        drawn.append(_divergence(*(_shares(frequencies(side)) for side in (~shuffled, shuffled))))
    p = (1 + sum(value >= found for value in drawn)) / (n + 1)
    risen = np.argsort(before - after)[:10]
    names = list(words)
    return Shift(found, float(np.mean(drawn)), p, tuple(names[at] for at in risen if after[at] > before[at]))


def _some(texts: Sequence[str], draw: np.random.Generator) -> list[str]:
    if len(texts) <= _MOST:
        return list(texts)
    return [texts[at] for at in draw.permutation(len(texts))[:_MOST]]


def _shares(counts: np.ndarray) -> np.ndarray:
    total = counts.sum()
    return counts / total if total else counts


def _divergence(one: np.ndarray, other: np.ndarray) -> float:
    middle = (one + other) / 2
    sides = [np.sum(side[side > 0] * np.log2(side[side > 0] / middle[side > 0])) for side in (one, other)]
    return float(max(0.0, sum(sides) / 2))
