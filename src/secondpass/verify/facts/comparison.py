"""Which facts of a claim a text has, has differently, or does not have: one function for each kind."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, TypeVar

from secondpass.verify.facts import dates
from secondpass.verify.facts.dates import Date
from secondpass.verify.facts.identifiers import Numbered
from secondpass.verify.facts.names import Name, Presence, Vocabulary
from secondpass.verify.facts.negation import EMPTY_STEMS, Clause, denied
from secondpass.verify.facts.quantities.agreement import agree
from secondpass.verify.facts.quantities.clock import CLOCK, hours_of
from secondpass.verify.facts.quantities.numerals import literal
from secondpass.verify.facts.quantities.parse import Quantity
from secondpass.verify.facts.slots import Slots, alikeness
from secondpass.verify.types import Mismatch
from secondpass.verify.words import Token, stem

__all__ = ["Facts", "compare_dates", "compare_names", "compare_negations", "compare_numbered", "compare_quantities"]

# From these on two facts stand in the same place: how alike their neighbours are, and how much of the claim's
# sentence the other one's has. Found on pairs of sentences whose labels are known, so that hardly any true claim
# is said to be contradicted.
_MIN_ALIKE = 0.5
_MIN_ALIKE_UNIT = 0.4
_MIN_SHARED = 0.6
_NEAR = 3
_MIN_SHARED_NAME = 0.6
_MIN_SHARED_NEGATION = 0.85

# A claim is a sentence. In a text that is none, this many facts that are not found at once are looked into.
_MAX_FACTS = 32
_MAX_SENTENCES = 8
_MIN_WORDS_FOR_OTHERS = 8
_UNITLESS = frozenset({"count", "ordinal", "ratio"})
# A name in code says in its last part what kind of thing it is: ValueError, ZipFile.
_HUMPED = re.compile(r"(?:[A-Z][a-z0-9]+)+([A-Z][a-z]+)")
# Units that one word stands for: degrees, pounds.
_ALIKE = ({"°", "°C"}, {"°", "°F"}, {"lb", "£"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What a text holds that can be checked. Its vague quantities are not: they only keep others from being denied."""

    text: str
    tokens: list[Token]
    numbered: list[Numbered]
    dates: list[Date]
    quantities: list[Quantity]
    vague: list[Quantity]
    names: list[Name]
    clauses: list[Clause]
    vocabulary: Vocabulary
    slots: Slots

    def words(self, first: int, end: int) -> str:
        """Return the words from one token to before another, as they stand in the text."""
        return self.text[self.tokens[first].start : self.tokens[end - 1].end]


class _Placed(Protocol):
    @property
    def first(self) -> int: ...
    @property
    def end(self) -> int: ...


Fact = TypeVar("Fact", bound=_Placed)


def _best(claim: Facts, fact: Fact, evidence: Facts, others: Sequence[Fact], min_alike: float) -> Fact | None:
    """Return which of the evidence's facts stands where the claim's stands, or None."""
    best, best_score = None, 0.0
    is_count = isinstance(fact, Quantity) and fact.unit.dimension == "count"
    for other in others:
        if is_count and not _same_head(claim, fact, evidence, other):
            continue
        alike, shared = alikeness(claim.slots, (fact.first, fact.end), evidence.slots, (other.first, other.end))
        if alike >= min_alike and shared >= _MIN_SHARED and alike + shared > best_score:
            best, best_score = other, alike + shared
    return best


def _same_head(claim: Facts, fact: _Placed, evidence: Facts, other: _Placed) -> bool:
    """Return whether two plain numbers count the same: the next word behind one is near the other."""
    left, right = claim.slots.around(fact.first, fact.end)
    held_left, held_right = evidence.slots.around(other.first, other.end)
    if right:
        return right[0] in held_right[:_NEAR]
    return not left or left[0] in held_left[:_NEAR]


def _finding(kind: str, claim: Facts, fact: _Placed, evidence: Facts, other: _Placed | None) -> Mismatch:
    there = "" if other is None else evidence.words(other.first, other.end)
    return Mismatch(kind, claim.words(fact.first, fact.end), there)


def compare_quantities(claim: Facts, evidence: Facts) -> Iterator[Mismatch]:
    """Yield the quantities of a claim that the evidence does not have."""
    held = evidence.quantities
    # What reads as a year, or as the number of a thing ("In Berlin 500 people"), may be a plain number after all.
    named: set[float] = {year for date in evidence.dates for year in date.years or ()}
    named |= {parsed[0] for item in evidence.numbered if (parsed := literal(item.number))}
    names = {(number, number) for number in named}
    plain = {(item.low, item.high) for item in held if item.unit.dimension == "count"} | names
    written = {(item.low, item.high) for item in held} | names
    exact = {_key(item) for item in held}
    ends = {(item.unit.dimension, end) for item in held for end in item.converted() if math.isfinite(end)}
    spoken = {_key(item) for item in claim.quantities}
    free = [item for item in held if _key(item) not in spoken]
    lost = 0
    for fact in claim.quantities:
        key = _key(fact)
        # A plain number may be in the text with its unit, and the other way round: "distances in km: 5, 7".
        alone = written if fact.unit.dimension == "count" else plain
        if key in exact or (fact.low, fact.high) in alone or {(key[0], key[1]), (key[0], key[2])} <= ends:
            continue
        if fact.unit.dimension == CLOCK.dimension and hours_of(fact.low) & {low for low, _ in plain}:
            continue
        lost += 1
        near = held if lost <= _MAX_FACTS else []
        if any(_said_alike(fact, item) for item in near):
            continue
        verdicts = {agree(fact, item) for item in near if item.unit.dimension == key[0]}
        vague = [item for item in evidence.vague if lost <= _MAX_FACTS and item.unit.dimension == key[0]]
        if True in verdicts or any(agree(fact, item) for item in vague):
            continue
        others = [] if None in verdicts else [item for item in free if lost <= _MAX_FACTS and _comparable(fact, item)]
        min_alike = _MIN_ALIKE if key[0] in _UNITLESS else _MIN_ALIKE_UNIT
        other = _best(claim, fact, evidence, [*vague, *others] if others else [], min_alike)
        if other is not None and other.is_vague:
            other = None  # where the claim has a number, the evidence leaves it open
        is_unit = other is not None and other.unit != fact.unit and (other.low, other.high) == (fact.low, fact.high)
        yield _finding("unit" if is_unit else "number", claim, fact, evidence, other)


def _key(item: Quantity) -> tuple[str, float, float]:
    return (item.unit.dimension, *item.converted())


def _said_alike(fact: Quantity, item: Quantity) -> bool:
    """Return whether two quantities are the same in words: "20 degrees" are angles too, and "5 pounds" are money."""
    return (fact.low, fact.high) == (item.low, item.high) and {fact.unit.name, item.unit.name} in _ALIKE


def _comparable(fact: Quantity, item: Quantity) -> bool:
    """Return whether two quantities that don't agree measure the same thing, or differ in nothing but the unit."""
    if fact.unit.dimension == item.unit.dimension:
        return True
    is_measured = not {fact.unit.dimension, item.unit.dimension} & _UNITLESS
    return is_measured and (fact.low, fact.high) == (item.low, item.high)


def compare_dates(claim: Facts, evidence: Facts) -> Iterator[Mismatch]:
    """Yield the dates of a claim that the evidence does not have."""
    held = evidence.dates
    numbers = {item.low for item in evidence.quantities if item.is_single}
    exact = {_parts(item) for item in held}
    spoken = {_parts(item) for item in claim.dates}
    lost = 0
    for fact in claim.dates:
        if fact.is_span or _parts(fact) in exact:
            continue  # both years of a span are dates of their own
        if fact.years and fact.month is None and fact.years[0] == fact.years[1] and fact.years[0] in numbers:
            continue
        lost += 1
        near = held if lost <= _MAX_FACTS else []
        verdicts = [dates.agree(fact, item) for item in near]
        if True in verdicts or _has_in_parts(fact, near):
            continue
        others = [
            item for item, verdict in zip(near, verdicts, strict=True) if verdict is False and _is_free(item, spoken)
        ]
        if any(verdict is None and _same_parts(fact, item) for item, verdict in zip(near, verdicts, strict=True)):
            others = []
        yield _finding("date", claim, fact, evidence, _best(claim, fact, evidence, others, _MIN_ALIKE))


def _is_free(item: Date, spoken: set[tuple[object, ...]]) -> bool:
    """Return whether the claim has no such date itself."""
    return not item.is_span and _parts(item) not in spoken


def _parts(date: Date) -> tuple[object, ...]:
    return date.years, date.month, date.day, date.weekday, date.days


def _same_parts(fact: Date, item: Date) -> bool:
    """Return whether two dates have a part in common."""
    return any(
        getattr(fact, part) is not None and getattr(item, part) is not None
        for part in ("years", "month", "day", "weekday")
    )


def _has_in_parts(fact: Date, held: Sequence[Date]) -> bool:
    """Return whether a text has a date's day in one place and its year in another."""
    if fact.years is None or fact.month is None:
        return False
    year = Date(fact.first, fact.end, fact.years)
    day = Date(fact.first, fact.end, None, fact.month, fact.day, days=fact.days)
    return all(any(dates.agree(part, item) for item in held if _open(fact, item)) for part in (year, day))


def _open(fact: Date, item: Date) -> bool:
    return dates.agree(fact, item) is not False


def compare_numbered(claim: Facts, evidence: Facts) -> Iterator[Mismatch]:
    """Yield the versions and other numbered things of a claim that the evidence does not have."""
    held = {(item.head, item.number) for item in evidence.numbered}
    anywhere = {token.text for token in evidence.tokens if token.kind == "number"}
    values = {f"{item.low:g}" for item in evidence.quantities}
    spoken = {(item.head, item.number) for item in claim.numbered}
    by_head: dict[str, list[Numbered]] = {}
    for item in evidence.numbered:
        if (item.head, item.number) not in spoken:
            by_head.setdefault(item.head, []).append(item)
    for fact in claim.numbered:
        if (fact.head, fact.number) in held or fact.number in anywhere or fact.number in values:
            continue
        others = by_head.get(fact.head, [])[:_MAX_FACTS]
        yield _finding("number", claim, fact, evidence, _best(claim, fact, evidence, others, _MIN_ALIKE))


def compare_names(claim: Facts, evidence: Facts) -> Iterator[Mismatch]:
    """Yield the names of a claim that the evidence does not have."""
    known = claim.vocabulary
    free = [name for name in evidence.names if not any(map(known.has_part, name.parts))]
    lost = 0
    for fact in claim.names:
        presence = evidence.vocabulary.presence(fact)
        if presence is Presence.FOUND:
            continue
        lost += 1
        others = free
        if presence is Presence.OTHER:
            others = [name for name in evidence.vocabulary.akin(fact) if set(name.parts) - set(fact.parts)]
        other = next((name for name in others if lost <= _MAX_FACTS and _same_place(claim, fact, evidence, name)), None)
        yield _finding("name", claim, fact, evidence, other)


def _same_place(claim: Facts, fact: Name, evidence: Facts, other: Name) -> bool:
    """Return whether two names have the same next content words, in sentences that share most of theirs."""
    ours, theirs = claim.slots.around(fact.first, fact.end), evidence.slots.around(other.first, other.end)
    same = [mine[:1] == yours[:1] for mine, yours in zip(ours, theirs, strict=True)]
    if not any(same) or not any(mine and mine[:1] == yours[:1] for mine, yours in zip(ours, theirs, strict=True)):
        return False
    _, shared = alikeness(claim.slots, (fact.first, fact.end), evidence.slots, (other.first, other.end))
    return shared >= (_MIN_SHARED_NAME if all(same) else _MIN_SHARED_NEGATION)


def compare_negations(claim: Facts, evidence: Facts) -> Iterator[Mismatch]:
    """Yield where the claim denies what the evidence says in much the same words, or the other way round."""
    ours, theirs = _by_sentence(claim.clauses), _by_sentence(evidence.clauses)
    known = {token.text for token in evidence.tokens}
    calls, called, kinds = _calls(claim.tokens, known), _calls(evidence.tokens, known), _kinds(evidence.tokens)
    for sentence, clauses in list(ours.items())[:_MAX_SENTENCES]:
        said = claim.slots.sentences.get(sentence, set()) - EMPTY_STEMS
        rivals: list[tuple[int, int]] = []
        for other, held in theirs.items():
            there = evidence.slots.sentences.get(other, set()) | kinds.get(other, set())
            # The function that a page is about is named in its heading, and not in every sentence.
            stems = said if other in called else said - calls.get(sentence, set())
            shared = len(stems & there)
            if shared < max(len(stems) - 1, 1):
                continue
            words = denied(clauses, held)
            if words and _is_plain(claim, sentence, words, stems - there):
                rivals.append((shared, other))
            elif not words and (shared == len(stems) or len(stems) >= _MIN_WORDS_FOR_OTHERS):
                rivals = []
                break  # one sentence says it as the claim does
        if rivals:
            yield Mismatch("negation", _sentence(claim, sentence), _sentence(evidence, max(rivals)[1]))


def _calls(tokens: Sequence[Token], known: set[str]) -> dict[int, set[str]]:
    """Return those of some words that are named as functions, such as "open()", by sentence."""
    found: dict[int, set[str]] = {}
    for token, after in pairwise(tokens):
        if token.kind == "word" and after.text == "(" and after.glued and token.text in known:
            found.setdefault(token.sentence, set()).add(token.stem)
    return found


def _kinds(tokens: Sequence[Token]) -> dict[int, set[str]]:
    """Return what names in code are by their last part, by sentence: a ValueError is an error."""
    found: dict[int, set[str]] = {}
    for token in tokens:
        if match := _HUMPED.fullmatch(token.text):
            found.setdefault(token.sentence, set()).add(stem(match[1]))
    return found


def _is_plain(claim: Facts, sentence: int, words: frozenset[str], lacking: set[str]) -> bool:
    """Return whether nothing but a denial differs: "not good" is "bad", another word makes up for the denial."""
    others = lacking - words
    if not others:
        return True
    if len(claim.slots.sentences[sentence]) < _MIN_WORDS_FOR_OTHERS:
        return False
    places = [at for at, token in enumerate(claim.tokens) if token.sentence == sentence and token.stem in words]
    return not any(others & set(side) for at in places for side in claim.slots.around(at, at + 1))


def _by_sentence(clauses: Sequence[Clause]) -> dict[int, list[Clause]]:
    found: dict[int, list[Clause]] = {}
    for clause in clauses:
        found.setdefault(clause.sentence, []).append(clause)
    return found


def _sentence(facts: Facts, sentence: int) -> str:
    places = [at for at, token in enumerate(facts.tokens) if token.sentence == sentence]
    return facts.words(places[0], places[-1] + 1)
