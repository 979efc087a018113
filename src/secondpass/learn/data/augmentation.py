"""Augmentation: variants of texts that mean the same, or nearly (Wei and Zou 2019, arXiv:1901.11196).

What a text hinges on is left alone: words with digits, and words that deny.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from secondpass.errors import ConfigError, InputError
from secondpass.learn.data.example import E, LabelledPair, LabelledText, TrainingExample, checked_examples
from secondpass.retrieve.expanders import SynonymExpander
from secondpass.validation import OPEN_SHARE, Function, OneOf, Whole, check, shown

__all__ = ["Augmenter", "BackTranslation", "Deletion", "Swap", "Synonyms", "augment"]

_DENYING = frozenset(
    re.findall(
        r"\S+",
        "no not never none nobody nothing neither nor without cannot nicht kein keine keinen nie niemals ohne "
        "ne pas jamais rien aucun sans nunca ningún ninguna sin non mai senza",
    )
)
_DIGIT = re.compile(r"\d")


class Augmenter(ABC):
    """Makes variants of texts."""

    @abstractmethod
    def variants(self, texts: Sequence[str], random: np.random.Generator) -> list[str]:
        """Return a variant of each text, in their order; the text itself where there is none."""


class Synonyms(Augmenter):
    """Replaces one word or phrase by a synonym.

    Args:
        synonyms: from a word or phrase to its synonyms, as `secondpass.retrieve.SynonymExpander` takes them.

    Raises:
        ConfigError: it is something else.
    """

    def __init__(self, synonyms: Mapping[str, Sequence[str]]) -> None:
        self.synonyms = synonyms
        self._expander = SynonymExpander(synonyms)

    def variants(self, texts: Sequence[str], random: np.random.Generator) -> list[str]:
        """Return each text with one word replaced."""
        return [_one_of(self._expander.expand(text, ()), text, random) for text in texts]


class Deletion(Augmenter):
    """Leaves words out.

    Args:
        share: how likely each word is to be left out, in (0, 1); one always is, if the text has three.
    """

    def __init__(self, share: float = 0.1) -> None:
        self.share = share
        check(self, share=OPEN_SHARE)

    def variants(self, texts: Sequence[str], random: np.random.Generator) -> list[str]:
        """Return each text without some words."""
        return [self._variant(text.split(), random) or text for text in texts]

    def _variant(self, words: list[str], random: np.random.Generator) -> str:
        free = [at for at, word in enumerate(words) if not _matters(word)]
        if len(words) < 3 or not free:
            return ""
        chosen = {at for at in free if random.random() < self.share} or {free[int(random.integers(len(free)))]}
        return " ".join(word for at, word in enumerate(words) if at not in chosen)


class Swap(Augmenter):
    """Swaps two neighbouring words, so many times.

    Args:
        times: how often, at least 1.
    """

    def __init__(self, times: int = 1) -> None:
        self.times = times
        check(self, times=Whole(at_least=1))

    def variants(self, texts: Sequence[str], random: np.random.Generator) -> list[str]:
        """Return each text with neighbouring words swapped."""
        return [self._variant(text.split(), random) or text for text in texts]

    def _variant(self, words: list[str], random: np.random.Generator) -> str:
        free = [at for at in range(len(words) - 1) if not (_matters(words[at]) or _matters(words[at + 1]))]
        for at in random.permutation(free)[: self.times].tolist():
            words[at], words[at + 1] = words[at + 1], words[at]
        return " ".join(words)


class BackTranslation(Augmenter):
    """Translates into another language and back, by functions of yours.

    Args:
        there: from a list of texts to their translations.
        back: from these to texts in the first language.
    """

    def __init__(self, there: Callable[[list[str]], list[str]], back: Callable[[list[str]], list[str]]) -> None:
        self.there, self.back = there, back
        takes = Function("from a list of texts to their translations")
        check(self, there=takes, back=takes)

    def variants(self, texts: Sequence[str], random: np.random.Generator) -> list[str]:
        """Return each text as it comes back.

        Raises:
            InputError: a function does not return a text for each text.
        """
        return self._translated(self._translated(list(texts), self.there, "there"), self.back, "back")

    def _translated(self, texts: list[str], function: Callable[[list[str]], list[str]], name: str) -> list[str]:
        found = function(texts)
        is_list = isinstance(found, Sequence) and not isinstance(found, str | bytes)
        if not is_list or len(found) != len(texts) or not all(isinstance(text, str) for text in found):
            raise InputError(f"BackTranslation: {name} must return a text for each of {len(texts)}, not {shown(found)}")
        return list(found)


def augment(
    examples: Iterable[E],
    augmenters: Sequence[Augmenter],
    *,
    n: int = 1,
    part: Literal["query", "positive"] = "query",
    seed: int = 0,
) -> list[E]:
    """Return the examples, and behind them variants.

    An example and its variants share a group, so that a later `split` keeps them together; better split first, and
    augment what is trained on only.

    Args:
        examples: of one kind.
        augmenters: taken in turn.
        n: how many variants each example gets at most; those that came out before, or as the text was, don't count.
        part: what is changed: the ``query`` (the text of a `LabelledText`, the second of a `LabelledPair`, as what
            follows from a premise may not follow from half of it), or the ``positive`` documents of a
            `TrainingExample`.
        seed: of all that is random.

    Raises:
        InputError: there are no examples, or a function of yours returns something else than texts.
        ConfigError: a setting is out of range.
    """
    Whole(at_least=1).checked(n, "n")
    OneOf("query", "positive").checked(part, "part")
    steps = list(augmenters) if isinstance(augmenters, Sequence) and not isinstance(augmenters, str) else [augmenters]
    if not steps or not all(isinstance(step, Augmenter) for step in steps):
        raise ConfigError(f"augmenters must be a list of them, such as [Deletion(), Swap()], not {shown(augmenters)}")
    found, random = checked_examples(examples), np.random.default_rng(Whole(at_least=0).checked(seed, "seed"))
    if part == "positive" and not isinstance(found[0], TrainingExample):
        raise ConfigError(f"part='positive' is for a TrainingExample, not for a {type(found[0]).__name__}")
    originals = [replace(example, group=example.group or example.key) for example in found]
    seen = set(map(_content, originals))
    added: list[E] = []
    for at in range(n):
        step = steps[at % len(steps)]
        for variant in _varied(originals, step, part, random):
            if _content(variant) not in seen:
                seen.add(_content(variant))
                added.append(variant)
    return originals + added


def _varied(examples: Sequence[E], step: Augmenter, part: str, random: np.random.Generator) -> list[E]:
    texts = [text for example in examples for text in _changing(example, part)]
    changed = iter(step.variants(texts, random) if texts else [])
    return [_changed(example, part, [next(changed) for _ in _changing(example, part)]) for example in examples]


def _changing(example: object, part: str) -> tuple[str, ...]:
    if isinstance(example, TrainingExample):
        return (example.query,) if part == "query" else example.positives
    if isinstance(example, LabelledPair):
        return (example.second,)
    return (example.text,) if isinstance(example, LabelledText) else ()


def _changed(example: E, part: str, texts: list[str]) -> E:
    if isinstance(example, LabelledPair):
        return replace(example, second=texts[0])
    if isinstance(example, LabelledText):
        return replace(example, text=texts[0])
    # A teacher's scores were of the texts as they were.
    if part == "query":
        return replace(example, query=texts[0], scores=None)
    new = iter(texts)
    judged = zip(example.documents, example.labels, strict=True)
    return replace(example, documents=tuple(next(new) if label > 0 else text for text, label in judged), scores=None)


def _content(example: object) -> tuple[object, ...]:
    if isinstance(example, TrainingExample):
        return (example.query, example.documents, example.labels)
    if isinstance(example, LabelledPair):
        return (example.first, example.second, example.label)
    return (example.text, example.label) if isinstance(example, LabelledText) else ()


def _one_of(variants: Sequence[str], text: str, random: np.random.Generator) -> str:
    return variants[int(random.integers(len(variants)))] if variants else text


def _matters(word: str) -> bool:
    plain = word.strip(".,;:!?\"'()").casefold()
    return bool(_DIGIT.search(word)) or plain in _DENYING or plain.endswith(("n't", "n’t"))  # noqa: RUF001
