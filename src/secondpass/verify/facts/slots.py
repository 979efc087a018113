"""Whether two facts stand in the same place: among the same words."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from secondpass.verify.words import Token

__all__ = ["MIN_ALIKE", "Slots", "alikeness", "best_placed"]

# From these on two facts stand in the same place: how alike their neighbours are, and how much of the claim's
# sentence the other one's has. Found on pairs of sentences whose labels are known, so that hardly any true claim
# is said to be contradicted.
MIN_ALIKE = 0.5
_MIN_SHARED = 0.6

_WEIGHTS = (1.0, 0.7, 0.5, 0.4)  # of the nearest content words on one side
_MIN_WORDS = 2
_OTHER_SIDE = 0.5  # of the weight, for a word that stands on the other side of the fact

_PRONOUNS = frozenset({"it", "its", "he", "his", "she", "her", "they", "their", "this", "these"})

Sides = tuple[tuple[str, ...], tuple[str, ...]]


class Slots:
    """The content words of a text, by sentence and by place.

    Args:
        tokens: of the text.
    """

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._content = [at for at, token in enumerate(tokens) if token.is_content]
        self.sentences: dict[int, set[str]] = {}
        for at in self._content:
            self.sentences.setdefault(tokens[at].sentence, set()).add(tokens[at].stem)
        self._led_by_pronoun: set[int] = set()
        self._resolve()

    def _resolve(self) -> None:
        """Give a sentence that begins with a pronoun the words of the one before it: "It is 330 metres tall"."""
        previous = -1
        before: set[str] = set()
        for token in self._tokens:
            if token.sentence != previous:
                own = self.sentences.get(token.sentence, set())
                if previous >= 0 and token.stem in _PRONOUNS and own:
                    self.sentences[token.sentence] = own | before
                    self._led_by_pronoun.add(token.sentence)
                previous, before = token.sentence, set(own)

    def sentence(self, at: int) -> set[str]:
        """Return the stems of the content words in a token's sentence."""
        return self.sentences.get(self._tokens[at].sentence, set())

    def leans_back(self, at: int) -> bool:
        """Return whether a token's sentence begins with a pronoun, so that some of its words are in the one before."""
        return self._tokens[at].sentence in self._led_by_pronoun

    def around(self, first: int, end: int) -> Sides:
        """Return the content words on both sides of a fact within its sentence, the nearest first."""
        sentence, content = self._tokens[first].sentence, self._content
        low, high = bisect_left(content, first), bisect_left(content, end)
        left = content[max(low - len(_WEIGHTS), 0) : low][::-1]
        right = content[high : high + len(_WEIGHTS)]
        return self._stems(left, sentence), self._stems(right, sentence)

    def _stems(self, places: list[int], sentence: int) -> tuple[str, ...]:
        return tuple(self._tokens[at].stem for at in places if self._tokens[at].sentence == sentence)

    def within(self, first: int, end: int) -> set[str]:
        """Return the stems of a fact's own words."""
        return {token.stem for token in self._tokens[first:end] if token.stem}


def alikeness(claim: Slots, fact: tuple[int, int], evidence: Slots, other: tuple[int, int]) -> tuple[float, float]:
    """Return how alike the neighbours of two facts are, and how much of the claim's sentence the other's sentence has.

    Args:
        claim: the words of the claim.
        fact: the first token of the claim's fact, and the one after it.
        evidence: the words of the evidence.
        other: the same for the evidence's fact.

    A claim of one word beside its fact is alike only where the other's neighbours are no more than a few.

    Returns:
        Two shares in [0, 1], 1.0 where there are no words to compare. Near words weigh more.
    """
    ours, theirs = claim.around(*fact), evidence.around(*other)
    rest = claim.sentence(fact[0]) - claim.within(*fact)
    shared = len(rest & evidence.sentence(other[0])) / len(rest) if rest else 1.0
    alike = _alike(ours, theirs)
    if evidence.leans_back(other[0]):
        alike = max(alike, _alike(theirs, ours))
    return (min(alike, _alike(theirs, ours)) if len(rest) < _MIN_WORDS else alike), shared


def _alike(ours: Sides, theirs: Sides) -> float:
    total = got = 0.0
    for side in (0, 1):
        same, opposite = set(theirs[side]), set(theirs[1 - side])
        for weight, word in zip(_WEIGHTS, ours[side], strict=False):
            total += weight
            got += weight if word in same else weight * _OTHER_SIDE if word in opposite else 0.0
    return got / total if total else 1.0


class _Placed(Protocol):
    @property
    def first(self) -> int: ...
    @property
    def end(self) -> int: ...


Fact = TypeVar("Fact", bound=_Placed)


def best_placed(
    claim: Slots,
    fact: Fact,
    evidence: Slots,
    others: Sequence[Fact],
    *,
    min_alike: float = MIN_ALIKE,
    may: Callable[[Fact], bool] = lambda other: True,
) -> Fact | None:
    """Return which of the evidence's facts stands where the claim's stands, or None.

    Args:
        claim: the words of the claim.
        fact: a fact of it.
        evidence: the words of the evidence.
        others: facts of it.
        min_alike: how alike the neighbours must be at least, in [0, 1].
        may: whether one of the others can be meant at all.
    """
    best, best_score = None, 0.0
    for other in filter(may, others):
        alike, shared = alikeness(claim, (fact.first, fact.end), evidence, (other.first, other.end))
        if alike >= min_alike and shared >= _MIN_SHARED and alike + shared > best_score:
            best, best_score = other, alike + shared
    return best
