"""A claim in the words of its evidence: quantities, dates, names, codes, nouns and denials as they are there."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from secondpass.verify.facts import dates
from secondpass.verify.facts.abbreviations import spelt_as_in
from secondpass.verify.facts.groups import limited_as_in
from secondpass.verify.facts.kinds import DATES, NAMES, NEGATIONS, NUMBERED, NUMBERS
from secondpass.verify.facts.modifiers import modified
from secondpass.verify.facts.names import Name, regnal
from secondpass.verify.facts.negation import denied_as_in
from secondpass.verify.facts.numbers import said_alike, says
from secondpass.verify.facts.opening import closed_as_open
from secondpass.verify.facts.quantities import agreement
from secondpass.verify.facts.quantities.captions import SCALED
from secondpass.verify.facts.quantities.changes import CHANGE, is_so_much, told_change, way_in
from secondpass.verify.facts.quantities.numerals import Figures
from secondpass.verify.facts.quantities.quantity import Quantity
from secondpass.verify.facts.quantities.units import period_at
from secondpass.verify.facts.slots import alikeness
from secondpass.verify.facts.text import Facts

__all__ = ["in_words_of"]

_MIN_ALIKE = 1.2  # of 2: how alike the neighbours, and how much of the sentence is shared
_MOST_FACTS = 16  # of a claim, and as many times as many of its evidence
_SHORTEST_CODE, _LONGEST_CODE = 4, 64  # characters
_BETWEEN_GROUPS = re.compile("[ -]")
_ENDS = ".,;:!?()[]'\""
# "By 30 June", which is "no later than 30 June".
_TIME_LIMIT = re.compile(
    r"\b(?P<words>(?P<last>no later than|not later than|on or before|by)|no earlier than|not earlier than|on or after)"
    r"(?= (?P<time>(?:\d\S{0,20}|[A-Z][a-z]{2,15})(?: (?:\d{1,4}|[A-Z][a-z]{2,15}|[ap]\.?m)\b)?))"
)
_VERSION = re.compile(r"(?<![\w.])(?:version |release |v\.? ?)(\d{1,6}(?:\.\d{1,6}){1,4})(?!\.?\w)", re.IGNORECASE)


def in_words_of(claim: Facts, evidence: Facts) -> str:
    """Return a claim with its numbers, dates, names and codes as the evidence writes them, where they are the same.

    A model reads "14 days" in both, and need not know that these are two weeks, nor what "EU" stands for; nor does it
    doubt that the bridge is the old bridge, and that what is untested is not tested. What the
    evidence says is the same or more precise, so that the claim follows from what is returned. In a claim with a
    denial, where the more precise number may say less, numbers and dates stay as they are.
    """
    if not evidence.found:
        return claim.text
    changes = [*_renamed(claim, evidence), *_renumbered(claim, evidence), *closed_as_open(claim, evidence)]
    changes += limited_as_in(claim, evidence)
    if not any(clause.has_cue for clause in NEGATIONS.of(claim)):
        changes += _requantified(claim, evidence)
    taken = {at for first, end, _ in changes for at in range(first, end)}
    others = (*modified(claim, evidence), *denied_as_in(claim, evidence))
    changes += [change for change in others if taken.isdisjoint(range(*change[:2]))]
    text, tokens = claim.text, claim.read.tokens
    for first, end, words in sorted(changes, reverse=True):
        text = text[: tokens[first].start] + words + text[tokens[end - 1].end :]
    text = _limited(_respelt(text, claim.unread, evidence.text), evidence.text)
    return spelt_as_in(text, evidence.text)


def _requantified(claim: Facts, evidence: Facts) -> list[tuple[int, int, str]]:
    numbers = [item for item in NUMBERS.of(claim) if item.is_single or not item.is_vague]
    held = [item for item in NUMBERS.of(evidence) if NUMBERS.is_checked(item) or item.form == SCALED]
    rechanged = _rechanged(claim, numbers, evidence, held)
    numbers = [item for item in numbers if item.first not in rechanged]
    changes = [*rechanged.values(), *_changes(claim, numbers, evidence, held, _says_number)]
    said = [item for item in DATES.of(claim) if DATES.is_checked(item)]
    dated = [item for item in DATES.of(evidence) if not item.is_span or item.weekday is not None]
    return changes + _changes(claim, said, evidence, dated, dates.agree)


def _rechanged(
    claim: Facts, ours: Sequence[Quantity], evidence: Facts, held: Sequence[Quantity]
) -> dict[int, tuple[int, int, str]]:
    """Return changes as the evidence tells of them, by where their numbers are: "from 4 to 8" for "by 4" or "to 8"."""
    found: dict[int, tuple[int, int, str]] = {}
    if any(item.form == CHANGE for item in NUMBERS.of(claim)):
        return found  # it tells of both ends itself
    changed = [item for item in NUMBERS.of(evidence) if item.form == CHANGE][: _MOST_FACTS**2]
    for fact in ours[:_MOST_FACTS] if changed else ():
        told = told_change(claim.read.tokens, fact)
        if told is None or not fact.is_single or fact.first in found:
            continue
        way, first, end = told
        ends = [item for item in held[: _MOST_FACTS**2] if says(fact, item)]
        if way == "by":
            amounts = [item for item in changed if is_so_much(claim.read.tokens, fact, item)]
            same = [item for item in amounts if not ends and says(fact, item)]
        else:
            places = [item.first for item in ends if way_in(fact, item, evidence.read.tokens) == way]
            same = [item for item in changed if any(item.first <= place < item.end for place in places)]
        if same:
            found[fact.first] = first, end, _told(evidence, same[0])
    return found


def _told(evidence: Facts, change: Quantity) -> str:
    """Return the words of a change: "from 4 to 8", or "to 8, up from 4", where it is 8 now."""
    before = evidence.read.tokens[change.first - 1].lower if change.first else ""
    words = evidence.read.words(change.first, change.end)
    return f"{before if before == 'from' else 'to'} {words}"


def _renamed(claim: Facts, evidence: Facts) -> Iterator[tuple[int, int, str]]:
    """Yield the names of a claim that the evidence has by their initials only, or the other way round, or as "XIV"."""
    ours, theirs = NAMES.of(claim), NAMES.of(evidence)
    for name in ours[:_MOST_FACTS]:
        if all(part in theirs.words for part in name.parts):
            continue
        for other in theirs[: _MOST_FACTS**2]:
            if _called(name, claim) == _called(other, evidence):
                yield name.first, name.end, evidence.read.words(other.first, other.end)
                break
            short, long = (name, other) if name.is_acronym else (other, name)
            tokens = (evidence if long is other else claim).read.tokens
            if not long.is_acronym and _stands_for(short, long, tokens):
                yield name.first, name.end, evidence.read.words(other.first, other.end)
                break


def _renumbered(claim: Facts, evidence: Facts) -> Iterator[tuple[int, int, str]]:
    """Yield the numbers of things that the evidence writes in other signs: chapter IX for chapter 9."""
    held = {
        (item.head, item.number): evidence.read.words(item.end - 1, item.end)
        for item in NUMBERED.of(evidence)[: _MOST_FACTS**2]
    }
    for item in NUMBERED.of(claim)[:_MOST_FACTS]:
        words = held.get((item.head, item.number))
        if words and words != claim.read.words(item.end - 1, item.end):
            yield item.end - 1, item.end, words


def _called(name: Name, facts: Facts) -> list[str]:
    """Return the words of a name, its number in figures: "Louis the Fourteenth" is "Louis XIV"."""
    words = [token.lower for token in facts.read.tokens[name.first : name.end] if token.kind == "word"]
    return [*words[:1], *(str(regnal(word) or word) for word in words[1:] if word != "the")]


def _stands_for(short: Name, long: Name, tokens: Figures) -> bool:
    letters = short.parts[0]
    if not short.is_acronym or letters != "".join(part[0] for part in long.parts):
        return False
    # Two letters are the initials of many a person; "the" stands before no person.
    return len(letters) > 2 or (long.first > 0 and tokens[long.first - 1].lower == "the")


def _respelt(text: str, codes: Sequence[str], evidence: str) -> str:
    """Return a claim with versions and codes as the evidence spells them: "v2.1" for "version 2.1"."""
    for code in (chunk.strip(_ENDS) for chunk in codes[:_MOST_FACTS]):
        if code not in evidence and _SHORTEST_CODE <= len(code) <= _LONGEST_CODE:
            groups = _BETWEEN_GROUPS.split(code)
            # Where both sides have groups, they are the same: 12-34 is not 1-234.
            parts = groups if len(groups) > 1 else list(code)
            found = re.search(rf"(?<!\w){'[ -]?'.join(map(re.escape, parts))}(?![\w-])", evidence)
            text = _with(text, code, found[0]) if found else text
    held = {match[1]: match[0] for match in _VERSION.finditer(evidence)}
    return _VERSION.sub(lambda match: match[0] if match[0] in evidence else held.get(match[1], match[0]), text)


def _limited(text: str, evidence: str) -> str:
    """Return a claim with its time limits in the words of the evidence: "no later than 30 June" for "by 30 June"."""
    held = {_time_of(match): match["words"] for match in _TIME_LIMIT.finditer(evidence)}
    return _TIME_LIMIT.sub(lambda match: held.get(_time_of(match), match["words"]), text) if held else text


def _time_of(limit: re.Match[str]) -> tuple[bool, str]:
    """Return whether a time is the last one, and which it is."""
    return limit["last"] is not None, limit["time"].lower()


def _with(text: str, code: str, spelt: str) -> str:
    return re.sub(rf"(?<!\w){re.escape(code)}(?!\w)", lambda _: spelt, text)


def _says_number(claim: Quantity, evidence: Quantity) -> bool | None:
    """Return whether the evidence's number can stand for the claim's; None if they measure different things."""
    if said_alike(claim, evidence) or (evidence.form == SCALED and says(claim, evidence)):
        return True
    if claim.unit.dimension != evidence.unit.dimension:
        return None
    return agreement.agree(claim, evidence) is True


def _changes(
    claim: Facts, ours: Sequence[Any], evidence: Facts, held: Sequence[Any], agree: Callable[[Any, Any], bool | None]
) -> list[tuple[int, int, str]]:
    changes = []
    for fact in ours[:_MOST_FACTS]:
        words = claim.read.words(fact.first, fact.end).lower()
        pairs = [(agree(fact, item), item) for item in held[: _MOST_FACTS**2]]
        if isinstance(fact, Quantity) and fact.is_approximate:
            # "About 1.28 million" may be 1.23 million, but not where 1,283,466 stands there too.
            firm = replace(fact, is_approximate=False)
            rounded = [item for says, item in pairs if says and agree(firm, item)]
            pairs = [(says, item) for says, item in pairs if not (says and rounded) or item in rounded]
        alike = [(_alike(claim, fact, evidence, item), says, item) for says, item in pairs if says is not None]
        if any(says and evidence.read.words(item.first, item.end).lower() == words for says, item in pairs):
            continue  # the evidence has it as it is
        if isinstance(fact, Quantity) and not fact.is_single and any(_touches(fact, item) for item in held):
            continue  # the bound itself is spoken of
        captioned = [item for says, item in pairs if says and isinstance(item, Quantity) and item.form == SCALED]
        if len(captioned) == 1:
            alike = [(_MIN_ALIKE, True, captioned[0])]
        place, says, best = max(alike, key=lambda found: found[:2], default=(0.0, False, fact))
        # In its place the evidence has another, or what is not quite the same stands in another place.
        if not says or (place < _MIN_ALIKE and not _equal(fact, best)):
            continue
        first, end = _extent(claim.read.tokens, fact.first, fact.end)
        changes.append((first, end, evidence.read.words(*_extent(evidence.read.tokens, best.first, best.end))))
    return changes


def _touches(bound: Quantity, item: Any) -> bool:
    """Return whether a number is an end of a bound: "more than 100", where the evidence says 100."""
    same = bound.unit.dimension == item.unit.dimension and bound.converted() != item.converted()
    return same and bool(set(bound.converted()) & set(item.converted()))


def _equal(fact: Any, item: Any) -> bool:
    """Return whether two numbers that agree are one and the same; dates, and what is for two periods, need not be."""
    if not isinstance(fact, Quantity) or fact.period != item.period:
        return True
    return all(math.isclose(ours, theirs) for ours, theirs in zip(fact.converted(), item.converted(), strict=True))


def _extent(tokens: Figures, first: int, end: int) -> tuple[int, int]:
    """Return where the words of a fact begin and end, with "the" before it and the period after it: "once a year"."""
    if first and tokens[first - 1].lower == "the":
        first -= 1
    period = period_at(tokens, end)
    return first, period[1] if period else end


def _alike(claim: Facts, fact: Any, evidence: Facts, item: Any) -> float:
    place, other = (fact.first, fact.end), (item.first, item.end)
    return sum(alikeness(claim.read.slots, place, evidence.read.slots, other))
