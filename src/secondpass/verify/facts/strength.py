"""Whether a claim says more than the evidence: all for some, only one for both, must for may."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from secondpass.verify.facts.kind import FactKind, finding
from secondpass.verify.facts.slots import best_placed
from secondpass.verify.facts.text import Facts, Text
from secondpass.verify.types import Mismatch
from secondpass.verify.words import Token

__all__ = ["Strength", "StrengthKind"]

_MIN_ALIKE = 0.7  # how alike the neighbours are of what stands in the same place
# The longest first, as "only one" is not "one", and "not all" is not "all".
_WORDS: dict[str, str] = {
    **dict.fromkeys(("all", "every", "each", "both", "everyone", "everybody", "everything"), "all"),
    **dict.fromkeys(("most", "the majority"), "most"),
    **dict.fromkeys(("some", "several", "a few", "not all", "not every", "not both"), "some"),
    **dict.fromkeys(("few", "only some", "only a few", "very few"), "few"),
    **dict.fromkeys(("only one", "just one", "one of"), "one"),
    **dict.fromkeys(("must", "have to", "has to", "had to", "required to", "obliged to"), "must"),
    **dict.fromkeys(("may", "can", "could", "might", "allowed to", "permitted to", "free to"), "may"),
}
_LONGEST = 3  # words
_FIRST_WORDS = frozenset(words.split()[0] for words in _WORDS)
_MOST = 8  # of a claim, and as many times as many of its evidence
# What a claim may not say where the evidence says one of these.
_OVERSTATED = {
    "all": {"most", "some", "few", "one"},
    "most": {"some", "few", "one"},
    "few": {"all", "most"},
    "one": {"all", "most"},
    "must": {"may"},
}
_NOT = frozenset({"not", "no", "never", "nor", "neither", "without"})
_LIMITS = frozenset({"only", "unless", "except"})  # what may be done only so must be done so


@dataclass(frozen=True, slots=True)
class Strength:
    """How much, or how surely, something holds.

    Attributes:
        first: the index of its first token.
        end: the index of the token after it.
        degree: "all", "most", "some", "few" or "one" of several; "must" or "may".
    """

    first: int
    end: int
    degree: str


class StrengthKind(FactKind[Strength]):
    """How much of something, or how surely, where the evidence has less in the same place."""

    name = "strength"
    counts_as = "negation"
    is_sought = False

    def find(self, text: Text) -> Sequence[Strength]:
        """Return what tells how much something holds; none in other languages than English, nor where it is denied."""
        return list(_found(text.tokens)) if text.is_english else []

    def compare(self, claim: Facts, evidence: Facts) -> Iterator[Mismatch]:
        """Yield what a claim says of all where the evidence says it of some, or that must be where it may be."""
        theirs = self.of(evidence)[: _MOST**2]
        degrees = {other.degree for other in theirs}
        for fact in self.of(claim)[:_MOST]:
            less = _OVERSTATED.get(fact.degree, set())
            if degrees.isdisjoint(less):
                continue
            rivals = [other for other in theirs if other.degree in less or other.degree == fact.degree]
            other = best_placed(claim.read.slots, fact, evidence.read.slots, rivals, min_alike=_MIN_ALIKE)
            if other is not None and other.degree != fact.degree:
                yield finding(self.name, claim, fact, evidence, other)


def _found(tokens: Sequence[Token]) -> Iterator[Strength]:
    lower = [token.lower for token in tokens]
    limited = {token.sentence for token in tokens if token.lower in _LIMITS}
    at = 0
    while at < len(lower):
        longest = min(_LONGEST, len(lower) - at) if lower[at] in _FIRST_WORDS else 0
        end = next((at + n for n in range(longest, 0, -1) if " ".join(lower[at : at + n]) in _WORDS), at)
        if end == at:
            at += 1
            continue
        degree = _WORDS[" ".join(lower[at:end])]
        beside = (*lower[max(at - 1, 0) : at], *lower[end : end + 1])
        denied = any(word in _NOT or word.endswith("n't") for word in beside)
        if not denied and not (degree == "may" and (tokens[at].sentence in limited or _is_other(tokens, at, end))):
            yield Strength(at, end, degree)
        at = end


def _is_other(tokens: Sequence[Token], at: int, end: int) -> bool:
    """Return whether a "may" is the month, or what follows it says that something must be: "may have to"."""
    month = tokens[at].text == "May" and not tokens[at].first
    return month or [token.lower for token in tokens[end : end + 2]] in (["have", "to"], ["be", "required"])
