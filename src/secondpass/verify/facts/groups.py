"""Who alone may do something: "only members may vote" is "non-members may not vote", and "who are not members"."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from secondpass.verify.facts.kind import FactKind, finding
from secondpass.verify.facts.text import Facts, Text
from secondpass.verify.types import Mismatch
from secondpass.verify.words import stem

__all__ = ["Group", "GroupKind", "limited_as_in"]

_WHO = r"(?P<who>[a-z][a-z-]{1,30}) "
_MAY = (
    r"(?:(?P<not>can(?:not|['\u2019]t)|may not|(?:are|is)(?: not|n['\u2019]t) (?:allowed|permitted|able) to)"
    r"|may|can|(?:are|is) (?:allowed|permitted|able) to)(?! not\b)(?= (?P<verb>[a-z]+))"
)
_OTHERS = r"[A-Za-z]{3,12} (?:who|that) (?:are|is)(?: not|n['\u2019]t) (?:an? )?"
_GROUPS = re.compile(rf"\b(?:[Oo]nly (?:the )?|(?P<outside>[Nn]on-|{_OTHERS})){_WHO}{_MAY}")
_MOST = 16  # of a text
_BEHIND = 6  # tokens behind the verb


@dataclass(frozen=True, slots=True)
class Group:
    """What those who don't belong to some group may do, or may not.

    Attributes:
        first: the index of its first token.
        end: the index of the token after its verb.
        who: the stem of the group's name.
        verb: the stem of what is done.
        to_what: the stems behind it, in its sentence.
        is_barred: whether those outside may not do it.
    """

    first: int
    end: int
    who: str
    verb: str
    to_what: frozenset[str]
    is_barred: bool

    def speaks_of(self, other: "Group") -> bool:
        """Return whether another one is about the same people and the same act."""
        is_same = (self.who, self.verb) == (other.who, other.verb)
        return is_same and not (self.to_what and other.to_what and self.to_what.isdisjoint(other.to_what))


class GroupKind(FactKind[Group]):
    """What is kept to a group, said of it or of all others."""

    name = "group"
    counts_as = "negation"
    is_sought = False

    def find(self, text: Text) -> Sequence[Group]:
        """Return what a text says of those who don't belong to a group, "only" included."""
        return list(islice(_found(text), _MOST))

    def compare(self, claim: Facts, evidence: Facts) -> Iterator[Mismatch]:
        """Yield that a claim lets outsiders do what the evidence keeps from them, or the other way round."""
        for fact in self.of(claim):
            same = [other for other in self.of(evidence) if fact.speaks_of(other)]
            if same and all(other.is_barred != fact.is_barred for other in same):
                yield finding(self.name, claim, fact, evidence, same[0])


def limited_as_in(claim: Facts, evidence: Facts) -> Iterator[tuple[int, int, str]]:
    """Yield where a claim says who may do something, and the words that the evidence has for the same."""
    for fact in claim.found.get(GroupKind.name, ()):
        for other in evidence.found.get(GroupKind.name, ()):
            if fact.speaks_of(other) and fact.is_barred == other.is_barred:
                yield fact.first, fact.end, evidence.read.words(other.first, other.end)
                break


def _found(text: Text) -> Iterator[Group]:
    starts = {token.start: at for at, token in enumerate(text.tokens)}
    ends = {token.end: at + 1 for at, token in enumerate(text.tokens)}
    for match in _GROUPS.finditer(text.text):
        first, end = starts.get(match.start()), ends.get(match.end())
        is_outside = match["outside"] is not None
        if first is None or end is None or (match["not"] and not is_outside):
            continue  # "only members may not" keeps nothing to them
        behind = text.tokens[end + 1 : end + 1 + _BEHIND]  # the verb
        sentence = text.tokens[first].sentence
        to_what = frozenset(token.stem for token in behind if token.is_content and token.sentence == sentence)
        is_barred = not is_outside or bool(match["not"])
        yield Group(first, end, stem(match["who"]), stem(match["verb"]), to_what, is_barred)
