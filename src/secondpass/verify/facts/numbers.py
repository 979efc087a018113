"""Numbers with their units: those of a claim against those of its evidence."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from secondpass.verify.facts.fields import misplaced
from secondpass.verify.facts.kind import FactKind, finding
from secondpass.verify.facts.quantities.agreement import agree
from secondpass.verify.facts.quantities.captions import SCALED, scaled
from secondpass.verify.facts.quantities.changes import CHANGE, changes, way_in, way_of_change
from secondpass.verify.facts.quantities.clock import BEFORE_TIMES, CLOCK, hours_of
from secondpass.verify.facts.quantities.numerals import Figures
from secondpass.verify.facts.quantities.parse import MULTIPLE, find_quantities, is_so_many_times
from secondpass.verify.facts.quantities.periods import PERIODS
from secondpass.verify.facts.quantities.quantity import Quantity
from secondpass.verify.facts.quantities.units import COUNT, TIMES, Unit
from secondpass.verify.facts.rates import for_another
from secondpass.verify.facts.remainder import is_of_the_rest
from secondpass.verify.facts.series import exchanged, of_another_year
from secondpass.verify.facts.slots import MIN_ALIKE, Slots, best_placed
from secondpass.verify.facts.text import Facts, Text
from secondpass.verify.types import Mismatch

__all__ = ["NumberKind", "said_alike", "says"]

_MIN_ALIKE_UNIT = 0.4
_NEAR = 3
_DENIAL, _NEAR_DENIAL = re.compile("not?|never|cannot|nobody|none|neither|nor|.*n't"), 12  # tokens
_TO_THAN = 4  # tokens from a number to "than": "10 euros more a month than"
_MOST_COUNTED = 10  # things that the evidence lists without their number
_MOST_LOST = 32  # numbers of a text that are looked into when they are not found at once, and as many limits
# A number without a unit is not one of these: "50" is neither 50 % nor fifty minutes past midnight.
_NEVER_PLAIN = frozenset({"ratio", "clock", "odds"})
_UNITLESS = frozenset({"count", "ordinal", "ratio"})
_UNMEASURED = frozenset((dimension, False) for dimension in _UNITLESS)
_TO = frozenset({"to", "-", "\u2013"})  # between two times
# Units that one word stands for: degrees, pounds.
_ALIKE = ({"°", "°C"}, {"°", "°F"}, {"lb", "£"}, {"¢", "p"}, {"kcal", "calorie"})
_KINDS_OF_TIME = frozenset(
    {"paid", "unpaid", "full", "extra", "additional", "consecutive", "calendar", "whole", "free"}
)


class NumberKind(FactKind[Quantity]):
    """Numbers, with their units. A unit that differs is told apart, and counts as a number.

    Vague ones are not looked for: they only keep others from being denied.
    """

    name = "number"
    reports = ("number", "unit")
    precedence = 30
    is_hard = True
    reads_figures = True
    deferring = frozenset({"date"})  # what was counted at another time is another thing

    def find(self, text: Text) -> Sequence[Quantity]:
        """Return the quantities of a text, and then the changes that it tells of."""
        found = find_quantities(text.tokens, text.taken)
        return [*found, *changes(text.tokens, found), *scaled(text.text, text.tokens, found)]

    def takes(self, fact: Quantity) -> Iterable[int]:
        """Return its tokens, if it has a unit: EUR and Celsius are not names."""
        return () if fact.unit.dimension in _UNITLESS else range(fact.first, fact.end)

    def values(self, fact: Quantity) -> Iterable[float]:
        """Return the number, whatever its unit."""
        return (fact.low,) if fact.is_single and self.is_checked(fact) else ()

    def is_checked(self, fact: Quantity) -> bool:
        """Return whether it says how many, and not only what follows from it."""
        return not fact.is_vague and fact.form != CHANGE

    def is_needed(self, words: str, evidence: Facts) -> bool:
        """Return whether it is in digits, measures what the evidence measures too, or is too large to be counted.

        "Three weeks" for 14 days, "a team of twelve" for a team.
        """
        said = find_quantities(Figures(words), set())
        if any(item.unit is COUNT and item.is_single and item.low > _MOST_COUNTED for item in said):
            return True
        is_every = words.lower().startswith(("every ", "each "))  # "weekly" may be a paper, too
        measured = {_kind(item) for item in said if item.form != "period" or is_every} - _UNMEASURED
        known = [item for item in self.of(evidence) if not item.is_vague]
        held = {(item.unit.dimension, False) for item in known} | set(map(_kind, known))
        return super().is_needed(words, evidence) or not measured.isdisjoint(held)

    def compare(self, claim: Facts, evidence: Facts) -> Iterator[Mismatch]:
        """Yield the quantities of a claim that the evidence does not have."""
        ours, held = (list(filter(self.is_checked, self.of(facts))) for facts in (claim, evidence))
        # What follows from the claim's own numbers needs no evidence but theirs: "to 5, up from 4, or by 25 %".
        follows, changed = ([item for item in self.of(facts) if item.form == CHANGE] for facts in (claim, evidence))
        every_vague = [item for item in self.of(evidence) if item.is_vague]
        by_caption = [item for item in self.of(claim) if item.form == SCALED]  # "in USD billions? 16.1"
        # What reads as a year, or as the number of a thing ("In Berlin 500 people"), may be a plain number after all.
        names = {(number, number) for number in evidence.values_beside(self.name)}
        plain = {(item.low, item.high) for item in held if item.unit.dimension == "count"} | names
        ends = {end for both in plain for end in both}
        written = {(item.low, item.high) for item in held if item.unit.dimension not in _NEVER_PLAIN} | names
        hours = {hour for item in held if item.unit.dimension == CLOCK.dimension for hour in hours_of(item.low)}
        stated = {period: _Stated(held, period) for period in {fact.period for fact in ours}}
        spoken = {(*_key(item), item.period) for item in ours}
        free = [item for item in (*held, *changed) if (*_key(item), item.period) not in spoken]
        lost = n_sided = 0  # how many were not found at once, and how many are limits, or behind a way
        for fact in ours:
            way = way_of_change(claim.read.tokens, fact.first)
            is_bound = math.isinf(fact.low) or math.isinf(fact.high)
            n_sided += bool(way or fact.limit or is_bound)
            is_sided = n_sided <= _MOST_LOST
            if way and is_sided and (turned := _turned(way, fact, evidence.read.tokens, held, changed)):
                ours_and_by, theirs_and_by = (replace(item, first=item.first - 1) for item in (fact, turned))
                yield finding("number", claim, ours_and_by, evidence, theirs_and_by)
                continue
            if fact.limit and is_sided and _is_refused_beyond(evidence.read.tokens, fact, held):
                continue
            if fact.limit and is_sided and (opposite := _opposite_limit(fact, held)):
                yield finding("number", claim, fact, evidence, opposite)
                continue
            if is_bound and is_sided and _is_refused_up_to(claim.read.tokens, fact, held):
                continue
            key = _key(fact)
            # A plain number may be in the text with its unit, and the other way round: "distances in km: 5, 7".
            is_bare = fact.unit.dimension == "count" and not _has_head(claim.read.tokens, fact)
            alone = written if is_bare else plain
            if stated[fact.period].has(key) or (fact.low, fact.high) in alone:
                continue
            if fact.unit.dimension == CLOCK.dimension and not hours_of(fact.low).isdisjoint(ends):
                continue
            if is_bare and {fact.low, fact.high} <= hours and _may_be_a_time(claim.read.tokens, fact):
                continue
            if is_so_many_times(claim.read.tokens, fact) and stated[fact.period].has((TIMES.dimension, *key[1:])):
                continue
            lost += 1
            if lost > _MOST_LOST:
                if fact.form != MULTIPLE:
                    yield finding("number", claim, fact, evidence, None)
                continue
            near = [*held, *changed]
            inner = [item for item in self.of(claim) if item.is_vague and item.end == fact.end]
            if _in_another_form(claim.read.tokens, fact, inner, held):
                continue
            if any(said_alike(fact, item) for item in near):
                continue
            if any(_says_by_caption(fact, item) for item in every_vague):
                continue
            captioned = [item for item in by_caption if (item.first, item.end) == (fact.first, fact.end)]
            if any(says(one, item) for one in captioned for item in (*near, *every_vague)):
                continue
            verdicts = {agree(fact, item) for item in near if item.unit.dimension == key[0]}
            vague = [item for item in every_vague if item.unit.dimension == key[0]]
            own = [item for item in follows if item.unit.dimension == key[0]]
            if True in verdicts or any(agree(fact, item) for item in (*vague, *own)):
                continue
            if fact.form == MULTIPLE and False not in verdicts:
                continue  # "doubled", where nothing is said in such words
            if _is_a_difference(claim.read.tokens, fact, held):
                continue
            others = [] if None in verdicts else [item for item in free if _comparable(fact, item)]
            other = _in_its_place(claim.read.slots, fact, evidence.read.slots, [*vague, *others] if others else [])
            if other is not None and other.is_vague:
                other = None  # where the claim has a number, the evidence leaves it open
            if other is not None and is_of_the_rest(claim, fact, evidence, other):
                continue
            is_unit = other is not None and _measure(other) != _measure(fact) and _ends(other) == _ends(fact)
            yield finding("unit" if is_unit else "number", claim, fact, evidence, other)
        for fact, other in misplaced(claim, ours, evidence, [*held, *every_vague], says):
            yield finding("number", claim, fact, evidence, other)
        for fact, other in for_another(claim, ours, evidence, held, says):
            yield finding("unit", claim, fact, evidence, other)
        for differ in (exchanged, of_another_year):
            for fact, other in differ(claim, ours, evidence, held, says):
                yield finding("number", claim, fact, evidence, other)


class _Stated:
    """What a text states of a period, or of none.

    Args:
        held: its quantities.
        period: the period; empty for all.
    """

    def __init__(self, held: Sequence[Quantity], period: str) -> None:
        items = [item for item in held if not period or item.period in {"", period}]
        self._keys = {_key(item) for item in items}
        self._ends = {(item.unit.dimension, end) for item in items for end in item.converted() if math.isfinite(end)}

    def has(self, key: tuple[str, float, float]) -> bool:
        """Return whether it states a quantity as it is, or both ends of a range."""
        return key in self._keys or {(key[0], key[1]), (key[0], key[2])} <= self._ends


def _in_another_form(tokens: Figures, fact: Quantity, inner: Sequence[Quantity], held: Sequence[Quantity]) -> bool:
    """Return whether the evidence has a quantity in the form of a setting: "0.1" for 10 %, "30s" for every 30 s.

    "28 paid days" are 28 days as well.

    Args:
        tokens: of the claim.
        fact: a quantity of it.
        inner: what else that may be: the 30 s of "every 30 s".
        held: the quantities of the evidence.
    """
    if not fact.is_single:
        return False
    if fact.form == "period":
        keys = {_key(item) for item in inner if item.unit.dimension == "time"}
        return any(_key(item) in keys for item in held)
    if fact.unit.dimension == "ratio":
        shares = (item.low for item in held if item.unit is COUNT and item.is_single and 0 < item.low < 1)
        return any(math.isclose(share * 100, fact.low, rel_tol=1e-9) for share in shares)
    after = [token.lower for token in tokens[fact.end : fact.end + 2]]
    if fact.unit is not COUNT or len(after) < 2 or after[0] not in _KINDS_OF_TIME:
        return False
    return any(_ends(item) == _ends(fact) and item.unit.name == after[1].removesuffix("s") for item in held)


def says(fact: Quantity, item: Quantity) -> bool:
    """Return whether a quantity of the evidence says what one of the claim says, with or without its currency."""
    if fact.unit.dimension == item.unit.dimension:
        return agree(fact, item) is True
    is_bare = COUNT in {fact.unit, item.unit} and (fact.low, fact.high) == (item.low, item.high)
    return said_alike(fact, item) or is_bare or _says_by_caption(fact, item)


def _says_by_caption(fact: Quantity, item: Quantity) -> bool:
    """Return whether it is what a figure is by its caption; one that names no currency may be of any."""
    if item.form != SCALED:
        return False
    if COUNT in {fact.unit, item.unit} and (fact.unit.dimension.isupper() or item.unit.dimension.isupper()):
        fact, item = replace(fact, unit=COUNT), replace(item, unit=COUNT)
    return fact.unit.dimension == item.unit.dimension and agree(fact, item) is True


def _turned(
    way: str, fact: Quantity, theirs: Figures, held: Sequence[Quantity], changed: Sequence[Quantity]
) -> Quantity | None:
    """Return by what something changed where the claim says to what it did, or the other way round.

    Args:
        way: what stands before the fact: "by", "from" or "to".
        fact: of the claim.
        theirs: the tokens of the evidence.
        held: its quantities.
        changed: its changes.
    """
    alike = (item for item in (*held, *changed) if item.unit.dimension == fact.unit.dimension)
    same = [item for item in alike if agree(fact, item)]
    ways = {"by" if item.form == CHANGE else way_in(fact, item, theirs) for item in same}
    return same[0] if ways and ways <= {"by", "from", "to"} - {way} else None


def _is_a_difference(tokens: Figures, fact: Quantity, held: Sequence[Quantity]) -> bool:
    """Return whether a claim has by how much two numbers of the evidence differ: "10 euros more than", of 9 and 19."""
    sentence, after = tokens[fact.first].sentence, tokens[fact.end : fact.end + _TO_THAN]
    if not (fact.is_single and any(token.lower == "than" and token.sentence == sentence for token in after)):
        return False
    alike = [item for item in held if item.is_single and item.unit.dimension == fact.unit.dimension][:_MOST_LOST]
    amounts = [item.converted()[0] for item in alike]
    wanted = fact.converted()[0]
    return any(math.isclose(abs(one - other), wanted, rel_tol=1e-6) for one, other in combinations(amounts, 2))


def _is_refused_beyond(tokens: Figures, fact: Quantity, held: Sequence[Quantity]) -> bool:
    """Return whether what is beyond a claim's limit is denied: "not more than 60 days after it" for "within"."""
    return any(not item.limit and _meets(fact, item) and _is_denied(tokens, item) for item in held)


def _is_refused_up_to(tokens: Figures, fact: Quantity, held: Sequence[Quantity]) -> bool:
    """Return whether a claim denies what is beyond a limit: "not under 16" for "16 and over"."""
    return not fact.limit and _is_denied(tokens, fact) and any(_meets(fact, item) for item in held)


def _meets(fact: Quantity, item: Quantity) -> bool:
    """Return whether of two bounds one begins where the other one ends: at least 5, less than 5."""
    low, high = (fact, item) if math.isinf(fact.high) else (item, fact)
    return item.unit == fact.unit and low.low == high.high and math.isinf(low.high) and math.isinf(high.low)


def _is_denied(tokens: Figures, item: Quantity) -> bool:
    near = tokens[max(item.first - _NEAR_DENIAL, 0) : item.end + _NEAR_DENIAL]
    sentence = tokens[item.first].sentence
    return any(token.sentence == sentence and _DENIAL.fullmatch(token.lower) for token in near)


def _opposite_limit(fact: Quantity, held: Sequence[Quantity]) -> Quantity | None:
    """Return what is the largest where the claim says that it is the least, or the other way round."""
    ends = {(fact.unit.dimension, end) for end in fact.converted()}
    same = [item for item in held if not ends.isdisjoint((item.unit.dimension, end) for end in item.converted())]
    return same[0] if same and all(item.limit == -fact.limit for item in same) else None


def _kind(item: Quantity) -> tuple[str, bool]:
    """Return what it measures, and whether it is a period in which something is done: "every other year"."""
    return item.unit.dimension, item.form == "period" and item.unit.name in PERIODS


def _has_head(tokens: Figures, fact: Quantity) -> bool:
    """Return whether a plain number counts things that are named behind it: "500 responses" are not 500 ms."""
    after = tokens[fact.end] if fact.end < len(tokens) else None
    return after is not None and after.kind == "word" and after.is_content and not _is_a_side(tokens, fact)


def _is_a_side(tokens: Figures, fact: Quantity) -> bool:
    """Return whether a number is one side of an area or a body: the 120 of "120 x 60 cm"."""
    after = tokens[fact.end : fact.end + 2]
    return len(after) > 1 and after[0].lower == "x" and after[1].kind == "number"


def _may_be_a_time(tokens: Figures, fact: Quantity) -> bool:
    """Return whether a plain number stands where an hour does, among others: the 9 of "from 9 to 5 pm"."""
    after = tokens[fact.end : fact.end + 2]
    is_first = len(after) > 1 and after[0].lower in _TO and after[1].kind == "number"
    return is_first or (fact.first > 0 and tokens[fact.first - 1].lower in BEFORE_TIMES)


def _in_its_place(claim: Slots, fact: Quantity, evidence: Slots, others: Sequence[Quantity]) -> Quantity | None:
    min_alike = MIN_ALIKE if fact.unit.dimension in _UNITLESS else _MIN_ALIKE_UNIT
    if fact.unit.dimension != "count":
        return best_placed(claim, fact, evidence, others, min_alike=min_alike)

    def may(other: Quantity) -> bool:
        return _same_head(claim, fact, evidence, other)

    return best_placed(claim, fact, evidence, others, min_alike=min_alike, may=may)


def _same_head(claim: Slots, fact: Quantity, evidence: Slots, other: Quantity) -> bool:
    """Return whether two plain numbers count the same: the next word behind one is near the other."""
    left, right = claim.around(fact.first, fact.end)
    held_left, held_right = evidence.around(other.first, other.end)
    if right:
        return right[0] in held_right[:_NEAR]
    return not left or left[0] in held_left[:_NEAR]


def _key(item: Quantity) -> tuple[str, float, float]:
    return (item.unit.dimension, *item.converted())


def _ends(item: Quantity) -> tuple[float, float]:
    return item.low, item.high


def _measure(item: Quantity) -> tuple[Unit, str]:
    return item.unit, item.period


def said_alike(fact: Quantity, item: Quantity) -> bool:
    """Return whether two quantities are the same in words: "20 degrees" are angles too, and "2m" are two million."""
    units = {fact.unit.name, item.unit.name}
    if units == {"m", COUNT.name}:
        metres, number = (fact, item) if fact.unit.name == "m" else (item, fact)
        return (metres.low * 1e6, metres.high * 1e6) == (number.low, number.high)
    return (fact.low, fact.high) == (item.low, item.high) and units in _ALIKE


def _comparable(fact: Quantity, item: Quantity) -> bool:
    """Return whether two quantities that don't agree measure the same thing, or differ in nothing but the unit."""
    if fact.unit.dimension == item.unit.dimension:
        return True
    is_measured = not {fact.unit.dimension, item.unit.dimension} & _UNITLESS
    return is_measured and (fact.low, fact.high) == (item.low, item.high)
