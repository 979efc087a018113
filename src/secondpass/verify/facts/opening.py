"""On which days something is open or closed: what is open from Monday to Friday is closed on Saturdays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from secondpass.verify.facts.dates import Date
from secondpass.verify.facts.kind import FactKind, finding
from secondpass.verify.facts.text import Facts, Text
from secondpass.verify.types import Mismatch
from secondpass.verify.words import Token, word_set

__all__ = ["Opening", "OpeningKind", "closed_as_open"]

_WORDS = {"open": True, "closed": False, "shut": False}
_DENYING = word_set("not no never nor neither cannot only unless except if when while until")
_OF_HOURS = word_set("am pm noon midnight hour hours day days week all every daily public each well too also")
_MOST = 16  # of a text

Days = dict[int | None, Date]  # by the day of the week


@dataclass(frozen=True, slots=True)
class Opening:
    """A word that says that something is open or closed.

    Attributes:
        first: the index of its token, or of the "not" before it.
        end: the index of the token after it.
        is_open: which of the two it says.
    """

    first: int
    end: int
    is_open: bool


class OpeningKind(FactKind[Opening]):
    """Open and closed, on days of the week; the days themselves are dates."""

    name = "opening"
    counts_as = "negation"
    is_sought = False

    def find(self, text: Text) -> Sequence[Opening]:
        """Return the words of a text that say that something is open or closed."""
        places = (at for at, token in enumerate(text.tokens) if token.lower in _WORDS)
        return [_opening(text.tokens, at) for at in islice(places, _MOST)]

    def compare(self, claim: Facts, evidence: Facts) -> Iterator[Mismatch]:
        """Yield what a claim has closed on a day on which the evidence has it open, or the other way round."""
        said = _said(claim, self.of(claim))
        if said is None:
            return
        fact, on = said
        on_it = [other for other, days in _held(claim, evidence, self.of(evidence)) if on.keys() <= days.keys()]
        if on_it and all(other.is_open != fact.is_open for other in on_it):
            yield finding(self.name, claim, fact, evidence, on_it[0])


def _opening(tokens: Sequence[Token], at: int) -> Opening:
    is_open, before = _WORDS[tokens[at].lower], tokens[at - 1].lower if at else ""
    is_denied = before == "not" or before.endswith("n't")
    return Opening(at - is_denied, at + 1, is_open != is_denied)


def closed_as_open(claim: Facts, evidence: Facts) -> list[tuple[int, int, str]]:
    """Return how a claim that something is closed on a day is said of the days on which the evidence has it open.

    "Closed on Sundays" becomes "open on Monday to Saturday", where Sundays are not spoken of.

    Returns:
        Where the words begin and end that change, and what they become; nothing, if it does not follow.
    """
    said = _said(claim, claim.found.get(OpeningKind.name, ()))
    if said is None or said[0].is_open:
        return []
    fact, on = said
    held = _held(claim, evidence, evidence.found.get(OpeningKind.name, ()))
    if len(held) != 1 or not held[0][0].is_open or len(held[0][1]) == 1:
        return []
    spoken = {*held[0][1], *(date.weekday for date in evidence.found["date"] if not date.is_span)}
    if not spoken.isdisjoint(on):
        return []
    days, day = held[0][1].values(), next(iter(on.values()))
    words = evidence.read.words(min(date.first for date in days), max(date.end for date in days))
    verb = claim.read.tokens[fact.first].text  # "isn't open"
    state = f"{verb[:-3]} open" if verb.lower().endswith("n't") else "open"
    return [(fact.first, fact.end, state), (day.first, day.end, words)]


def _said(claim: Facts, found: Sequence[Opening]) -> tuple[Opening, Days] | None:
    """Return what a claim says of a day, or of the weekend, unless it denies or limits it, or says more."""
    days = {date.weekday: date for date in claim.found.get("date", ()) if date.weekday is not None}
    places = {(date.first, date.end) for date in days.values()}
    if len(found) != 1 or len(places) != 1 or _is_limited(claim, found[0]):
        return None
    return found[0], days


def _held(claim: Facts, evidence: Facts, found: Sequence[Opening]) -> list[tuple[Opening, Days]]:
    """Return what the evidence says of the claim's subject, and the days that it says it of."""
    said = claim.found[OpeningKind.name][0]
    dated = {at for date in (*claim.found["date"], said) for at in range(date.first, date.end)}
    tokens = claim.read.tokens
    subject = {token.stem for at, token in enumerate(tokens) if at not in dated and token.is_content}
    held = []
    for other in found:
        if _is_limited(evidence, other) or not subject <= _before(evidence, other):
            continue
        days = _days_behind(evidence, other)
        if days:
            held.append((other, days))
    return held


def _before(facts: Facts, opening: Opening) -> set[str]:
    """Return the words before an opening, those of the sentence before included where its own leans on that."""
    tokens, slots = facts.read.tokens, facts.read.slots
    sentence = tokens[opening.first].sentence
    behind = {token.stem for token in tokens[opening.end :] if token.sentence == sentence}
    first = next(at for at in range(opening.first, -1, -1) if at == 0 or tokens[at - 1].sentence != sentence)
    before = {token.stem for token in tokens[first : opening.first]}
    return before | (slots.sentence(opening.first) - behind)


def _days_behind(facts: Facts, opening: Opening) -> Days:
    """Return the days of the week behind an opening, up to where something else is spoken of."""
    tokens, dates = facts.read.tokens, facts.found["date"]
    dated = {at for date in dates for at in range(date.first, date.end)}
    end = opening.end
    while end < len(tokens) and tokens[end].sentence == tokens[opening.first].sentence:
        token = tokens[end]
        if token.kind == "word" and token.is_content and end not in dated and token.lower not in _OF_HOURS:
            break
        end += 1
    return {date.weekday: date for date in dates if date.weekday is not None and opening.end <= date.first < end}


def _is_limited(facts: Facts, opening: Opening) -> bool:
    sentence = facts.read.tokens[opening.first].sentence
    own = range(opening.first, opening.end)
    words = (token.lower for at, token in enumerate(facts.read.tokens) if token.sentence == sentence and at not in own)
    return any(word in _DENYING or word.endswith("n't") for word in words)
