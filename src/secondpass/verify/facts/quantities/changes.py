"""Changes: "rose from 4 to 8", "to 8 from 4" or "to 8, up from 4" say that something doubled, or rose by 4."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from secondpass.verify.facts.quantities.clock import CLOCK
from secondpass.verify.facts.quantities.numerals import Figures
from secondpass.verify.facts.quantities.quantity import Quantity
from secondpass.verify.facts.quantities.units import COUNT, ORDINAL, RATIO, TIMES
from secondpass.verify.words import word_set

__all__ = ["CHANGE", "changes", "is_so_much", "told_change", "way_in", "way_of_change"]

CHANGE = "change"
"""The form of a quantity that follows from two others."""

_VERBS = word_set(
    "rose rise rises risen rising fell fall falls fallen falling grew grow grows grown growing went go goes gone going "
    "increase increases increased increasing decrease decreases decreased decreasing raise raises raised raising "
    "lower lowers lowered lowering reduce reduces reduced reducing cut cuts cutting drop drops dropped dropping climb "
    "climbs climbed jump jumps jumped decline declines declined declining shrink shrinks shrank shrunk expand expands "
    "expanded improve improves improved moved changed up down slid sank soared plunged surged dipped doubled halved"
)
_DIRECTIONS = word_set("up down")
_BEFORE, _BETWEEN = 8, 10  # tokens from the verb to "from", and from one number to the other
_STEP = 0.01
_POINTS = word_set("point points pp")
_WITHOUT_AMOUNT = {CLOCK.dimension, ORDINAL.dimension, TIMES.dimension, "odds"}  # an hour later is not "1:00"
_WAYS = frozenset({"by", "from", "to"})
_FROM_THE_VERB = 6  # tokens to "by" or "to"


def changes(tokens: Figures, found: Sequence[Quantity]) -> Iterator[Quantity]:
    """Yield what follows from the numbers of a text that tell of a change: by which factor, share and amount.

    Args:
        tokens: of the text.
        found: its quantities, in order.
    """
    for at, item in enumerate(found):
        if item.is_vague:
            continue
        before = found[at - 1] if at else None
        if before and before.is_single and item.is_single and _comes_from(tokens, before, item):
            yield from _change(before, item, before, item.end)
        if not _is_changed(tokens, item):
            continue
        if item.is_range:
            yield from _change(item, replace(item, high=item.low), replace(item, low=item.high), item.end)
            continue
        later = found[at + 1] if at + 1 < len(found) else None
        if later and item.is_single and later.is_single and _leads_to(tokens, item, later):
            yield from _change(item, item, later, later.end)


def way_of_change(tokens: Figures, first: int) -> str:
    """Return "by", "from" or "to" before a number by, from or to which something changed; else nothing."""
    way = tokens[first - 1].lower if first else ""
    if way not in _WAYS:
        return ""
    before = tokens[max(first - _FROM_THE_VERB, 0) : first - 1]
    is_change = any(token.lower in _VERBS and token.sentence == tokens[first - 1].sentence for token in before)
    return way if is_change else ""


def is_so_much(tokens: Figures, fact: Quantity, item: Quantity) -> bool:
    """Return whether a number tells how much a change is: 2 points of one from 3 to 5 %, or 67 % of it, not 2 %."""
    if fact.unit.dimension != RATIO.dimension:
        return True
    return _is_in_points(tokens, fact) == (item.unit != RATIO)


def _is_in_points(tokens: Figures, fact: Quantity) -> bool:
    words = {token.lower for token in tokens[fact.first : fact.end + 1]}
    return fact.unit.name == "bp" or not words.isdisjoint(_POINTS)


def way_in(fact: Quantity, item: Quantity, tokens: Figures) -> str:
    """Return how a text tells of a number that a claim has: "from" of 4 in "from 4 to 8", and "to" of 8."""
    way = way_of_change(tokens, item.first)
    if not (item.is_range and way == "from"):
        return way
    low, high = item.converted()
    return {low: "from", high: "to"}.get(fact.converted()[0], "") if fact.is_single else ""


def told_change(tokens: Figures, item: Quantity) -> tuple[str, int, int] | None:
    """Return how a number tells of a change, and where its words begin and end.

    Returns:
        "by" of "by 4 points", "an increase of 4" and "grew 4"; "from" or "to"; None if it tells of no change.
    """
    way = way_of_change(tokens, item.first)
    words = [token.lower for token in tokens[max(item.first - 2, 0) : item.first]]
    end = item.end + (item.end < len(tokens) and tokens[item.end].lower in _POINTS)
    if way or (words[-1:] == ["of"] and words[0] in _VERBS):
        return way or "by", item.first - 1, end
    return ("by", item.first, end) if words and words[-1] in _VERBS else None


def _is_changed(tokens: Figures, item: Quantity) -> bool:
    first = item.first
    if not first or tokens[first - 1].lower != "from":
        return False
    before = tokens[max(first - _BEFORE, 0) : first - 1]
    return any(token.lower in _VERBS and token.sentence == tokens[first].sentence for token in before)


def _leads_to(tokens: Figures, item: Quantity, later: Quantity) -> bool:
    # "From 60 to 30 euros": the unit may stand with the second number only.
    is_alike = later.unit.dimension == item.unit.dimension or item.unit.dimension == "count"
    return is_alike and tokens[later.first - 1].lower == "to" and later.first - item.end <= _BETWEEN


def _comes_from(tokens: Figures, later: Quantity, item: Quantity) -> bool:
    words = [token.lower for token in tokens[max(item.first - 2, 0) : item.first]]
    is_said = words[-1:] == ["from"] and (words[0] in _DIRECTIONS or way_of_change(tokens, later.first) == "to")
    return is_said and later.unit.dimension == item.unit.dimension and item.first - later.end <= _BETWEEN


def _change(item: Quantity, before: Quantity, after: Quantity, end: int) -> Iterator[Quantity]:
    old, new = before.converted()[0], after.converted()[0]
    if old <= 0 or new <= 0:
        return
    unit = after.unit if before.unit.dimension == COUNT.dimension else before.unit
    factor, share, amount = new / old, abs(new - old) / old, abs(new - old) / abs(unit.factor)
    yield Quantity(item.first, end, factor, factor, TIMES, _STEP, form=CHANGE)
    yield Quantity(item.first, end, share, share, RATIO, _STEP, form=CHANGE)
    if unit.dimension not in _WITHOUT_AMOUNT:
        yield Quantity(item.first, end, amount, amount, unit, min(before.step, after.step), form=CHANGE)
