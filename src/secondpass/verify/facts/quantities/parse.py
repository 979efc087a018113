"""Where a text has numbers, with their units and precision."""

import math
from collections.abc import Iterator
from dataclasses import replace

from secondpass.verify.facts.quantities import clock, periods, vague
from secondpass.verify.facts.quantities.bounds import bounded, open_ended
from secondpass.verify.facts.quantities.clock import BEFORE_TIMES, CLOCK, HALF_CLOCK, clock_at
from secondpass.verify.facts.quantities.numerals import SCALES, Figures, Numeral, literal
from secondpass.verify.facts.quantities.periods import PERIODS, frequency_at, is_always, is_of_things, often_at
from secondpass.verify.facts.quantities.quantity import Quantity
from secondpass.verify.facts.quantities.units import (
    COUNT,
    CURRENCIES,
    HOUR,
    INCH,
    MINUTE,
    ODDS,
    ORDINAL,
    PERCENT,
    RATIO,
    TIMES,
    Unit,
    per,
    period_at,
)
from secondpass.verify.facts.quantities.vague import is_share, vague_at
from secondpass.verify.words import word_numbers, word_set

__all__ = ["MULTIPLE", "find_quantities", "is_so_many_times"]

_DASHES = frozenset("-\u2010\u2011\u2012\u2013")
_MINUS = frozenset("-\u2212\u2013")
_UNITLESS = frozenset({"count", "ordinal", "ratio"})
_HALF_STEP = 0.1
_GROUP = 3  # digits
# "Rose by 5 % to 40 %" has no range, while "rises of 5 % to 10 %" may have one.
_CHANGED = word_set("by rose fell grew climbed jumped dropped declined shrank slipped edged up down gained lost")
_FAR = 3
_PARTS = word_set("part parts")
_MOST_BETWEEN_PARTS = 6  # tokens
_RATIOS = word_set("ratio ratios odds dilution diluted dilute proportion proportions scale")
_MOST_BEFORE = 3  # tokens between them and the ratio, and itself
_POINTS = word_set("point points")
_SPANS = word_set("century")  # half a century is 50 years, not half of a thing
_TIMES = word_numbers(
    "once|twice twofold|thrice threefold|fourfold|fivefold|sixfold|sevenfold|eightfold|ninefold|tenfold", start=1
)
# What became so many times as much: "sales doubled", "cut in half".
MULTIPLE = "multiple"
_MULTIPLIED = {"doubled": 2.0, "doubling": 2.0, "tripled": 3.0, "trebled": 3.0, "quadrupled": 4.0, "halved": 0.5}
# What a quantity begins with, if not with a number or a currency.
_FIRST_WORDS = frozenset({"a", "an", "in", *_TIMES, *_MULTIPLIED}).union(
    clock.FIRST_WORDS, periods.FIRST_WORDS, vague.FIRST_WORDS
)
_ROUND = word_set("odd something some")
_NOT_ORDINAL = word_set("per split a every one")  # after these, "second" is a unit of time unless a noun follows
_NEGATIVE = word_set("minus negative")
# What stands right before the dollar sign, by whose dollar it is.
_DOLLARS = {
    **dict.fromkeys(("US", "U.S."), CURRENCIES["$"]),
    **dict.fromkeys(("A", "AU"), CURRENCIES["AUD"]),
    **dict.fromkeys(("C", "CA"), CURRENCIES["CAD"]),
    "HK": CURRENCIES["HKD"],
    "NZ": CURRENCIES["NZD"],
    "S": CURRENCIES["SGD"],
}
_MOST, _MOST_SCIENTIFIC = 1e18, 1e63
_COMPOUND = frozenset({"time", "length", "mass"})
_MOST_OF_ANY, _MOST_OF = 100, 1e6
_YEARS = range(1500, 2101)
_COUNTED = word_set(
    "users people customers subscribers followers viewers visitors members downloads views copies records rows "
    "parameters tokens jobs homes households"
)
_LASTING = word_set(
    "for lasts lasted last took takes take in within after is was about almost nearly over under than of"
)
_LATER = word_set("later earlier ago apart longer more faster slower behind ahead")


def find_quantities(tokens: Figures, masked: set[int]) -> list[Quantity]:
    """Return the quantities of a text in order, vague ones included; "one" is a quantity only with a unit."""
    found: list[Quantity] = []
    at = 0
    while at < len(tokens):
        quantity = _quantity_at(tokens, at, masked) if at not in masked and _may_begin(tokens, at) else None
        if quantity is None:
            at += 1
            continue
        if found and (whole := _compound(tokens, found[-1], quantity)):
            found[-1] = _for_a_period(tokens, whole)
            at = found[-1].end
            continue
        quantity = _for_a_period(tokens, quantity)
        at = quantity.end
        is_pronoun = _is_a_pronoun(tokens, quantity)
        if (is_pronoun and (is_share(tokens, at - 1) or _counts_one(tokens, quantity))) or _is_one_of_two(
            tokens, quantity
        ):
            found.append(replace(quantity, is_vague=True))
        elif not is_pronoun:
            # "Four sailings daily" may be "four times a day": it does not contradict "once a day".
            before = found[-1] if found else None
            is_several = before is not None and before.unit is COUNT and (before.low, before.high) != (1.0, 1.0)
            counted = before is not None and is_several and is_of_things(tokens, before.end, quantity.first)
            found.append(replace(quantity, is_vague=True) if counted and quantity.unit.name in PERIODS else quantity)
        before_it = [token.lower for token in tokens[max(quantity.first - 2, 0) : quantity.first]]
        if before_it == ["all", "but"] and found and found[-1].end == quantity.end:
            found[-1] = replace(found[-1], is_vague=True)  # 47 of 49 are "all but two"
        found += _read_otherwise(tokens, quantity)
        if quantity.unit.name in PERIODS and quantity.end - quantity.first > 2:
            # "Every three months" is also read as "three months", which it then does not contradict.
            inner = _quantity_at(tokens, quantity.first + 1, masked)
            if inner and inner.end == quantity.end:
                found.append(replace(inner, is_vague=True))
    return _on_24_hours(tokens, found)


def _on_24_hours(tokens: Figures, found: list[Quantity]) -> list[Quantity]:
    """Return the quantities with times in figures read as they are where one of them is 13:00 or later, or 08:00."""
    times = [item for item in found if item.unit.dimension == CLOCK.dimension and tokens[item.end - 1].kind == "number"]
    if not any(item.unit is CLOCK for item in times):
        return found
    return [replace(item, unit=CLOCK) if item in times else item for item in found]


def _read_otherwise(tokens: Figures, quantity: Quantity) -> Iterator[Quantity]:
    """Yield what a quantity may be as well, as vague ones: what it agrees with, and never contradicts.

    "1, 250 mm" and "1 250 mm" are 1,250 mm where a PDF or a tokenizer put the blank. "1:40" is one part to 40 parts,
    and these, like a "ratio of 1 to 40", are 1:40. What is halved falls by 50 %, and percentage points are points.
    "24/7" is 24 hours a day as well as every day, "4x" is four times, or four of a thing, and A$10 may be called $10.
    """
    if joined := _joined(tokens, quantity):
        yield joined
    yield from _rated(tokens, quantity)
    if tokens[quantity.first].text in _DOLLARS and quantity.unit is not CURRENCIES["$"]:
        yield replace(quantity, unit=CURRENCIES["$"], is_vague=True)
    if is_so_many_times(tokens, quantity):
        yield replace(quantity, unit=TIMES, is_vague=True)
    if is_always(tokens, quantity.first):
        yield replace(quantity, low=24.0, high=24.0, unit=HOUR, step=1.0, is_vague=True, period="day", form="digits")
    if quantity.form == MULTIPLE:
        share = abs(quantity.low - 1)
        yield replace(quantity, low=share, high=share, unit=RATIO, is_vague=True)
    signs = [token.text for token in tokens[max(quantity.end - 4, 0) : quantity.end : 2]]
    if quantity.unit.dimension == CLOCK.dimension and signs == [":", ":"]:  # 1:30:15 may be how long it took
        yield replace(quantity, unit=MINUTE, is_vague=True)
    elif _is_dotted_time(tokens, quantity):
        hour = math.floor(quantity.low)
        minutes = hour * 60 + round((quantity.low - hour) * 100)
        yield replace(quantity, low=minutes, high=minutes, unit=HALF_CLOCK if 0 < hour <= 12 else CLOCK, is_vague=True)
    last, *after = (token.lower for token in tokens[quantity.end - 1 : quantity.end + 1])
    if quantity.form == "digits" and quantity.unit is PERCENT and last in _POINTS:
        yield replace(quantity, unit=COUNT, is_vague=True)
    elif quantity.form == "digits" and quantity.unit is COUNT and _POINTS.intersection(after):
        yield replace(quantity, unit=PERCENT, is_vague=True)
    first = tokens.numeral(quantity.first)
    if first is None or quantity.is_vague:
        return
    if quantity.unit is ODDS:
        for number in (first, tokens.numeral(quantity.first + 2)):
            if number:
                yield replace(quantity, low=number.value, high=number.value, unit=COUNT, step=1.0, is_vague=True)
    elif quantity.unit is COUNT and (second := _other_part(tokens, first)):
        odds = first.value / second.value
        yield replace(quantity, low=odds, high=odds, unit=ODDS, step=0.0, is_vague=True, form="fraction")


def _rated(tokens: Figures, quantity: Quantity) -> Iterator[Quantity]:
    """Yield what a rating such as 4.5/5 or "4.5 out of 5" is otherwise: both of its numbers, or the share."""
    at, end = quantity.first, quantity.end
    part = literal(tokens[at].text) if tokens[at].kind == "number" else None
    if part is None or not part[0] % 1:
        return
    if quantity.form == "fraction" and tokens[at + 1].text == "/":
        whole = literal(tokens[at + 2].text)
        for value, step in filter(None, (part, whole)):
            yield replace(quantity, low=value, high=value, unit=COUNT, step=step, is_vague=True, form="digits")
    elif quantity.unit is COUNT and [token.lower for token in tokens[end : end + 2]] == ["out", "of"]:
        of = tokens.numeral(end + 2)
        if of and part[0] < of.value:
            share, step = part[0] / of.value, part[1] / of.value
            yield replace(quantity, low=share, high=share, unit=RATIO, step=step, is_vague=True, form="fraction")


def is_so_many_times(tokens: Figures, quantity: Quantity) -> bool:
    """Return whether an x is right behind a plain number, as in "4x faster", but not in "4x4"."""
    after = tokens[quantity.end : quantity.end + 2]
    if not after or quantity.unit is not COUNT or not after[0].glued or after[0].text not in {"x", "X", "\u00d7"}:
        return False
    return len(after) == 1 or not after[1].glued or after[1].kind == "symbol"


def _is_dotted_time(tokens: Figures, quantity: Quantity) -> bool:
    """Return whether a number may be a time as it is written in Europe: "at 17.30"."""
    if quantity.unit is not COUNT or not quantity.is_single or quantity.low != quantity.high or not quantity.first:
        return False
    hour, _, minutes = tokens[quantity.first].text.partition(".")
    return (
        len(minutes) == 2
        and minutes.isdecimal()
        and hour.isdecimal()
        and int(hour) < 24
        and int(minutes) < 60
        and tokens[quantity.first - 1].lower in BEFORE_TIMES
    )


def _other_part(tokens: Figures, first: Numeral) -> Numeral | None:
    """Return the 40 of "1 part soap to 40 parts water", or of "a ratio of 1 to 40"."""
    at = first.end
    if [token.lower for token in tokens[max(at - 3, 0) : at - 1]] == ["ratio", "of"] and at < len(tokens):
        second = tokens.numeral(at + 1) if tokens[at].lower == "to" else None
        return second if second and second.value else None
    if at == len(tokens) or tokens[at].lower not in _PARTS:
        return None
    for here in range(at + 1, min(at + _MOST_BETWEEN_PARTS, len(tokens) - 1)):
        second = tokens.numeral(here)
        if second and second.value and second.end < len(tokens):
            return second if tokens[second.end].lower in _PARTS else None
    return None


def _joined(tokens: Figures, quantity: Quantity) -> Quantity | None:
    end = quantity.end
    if quantity.unit is not COUNT or quantity.low not in range(1, 1000) or quantity.form != "digits":
        return None
    if end < len(tokens) and tokens[end].text == "," and tokens[end].glued:
        end += 1
    if end >= len(tokens) or tokens[end].glued:
        return None
    rest = tokens[end].text
    if tokens[end].kind != "number" or len(rest) != _GROUP or not rest.isdecimal():
        return None
    whole = quantity.low * 1000 + int(rest)
    unit, end = tokens.unit(end + 1) or (COUNT, end + 1)
    return replace(quantity, end=end, low=whole, high=whole, unit=unit, is_vague=True)


def _for_a_period(tokens: Figures, quantity: Quantity) -> Quantity:
    """Return a measured quantity with the period that it is for, if that comes next: "$10 a month", "5 mg daily"."""
    if quantity.unit.dimension in {*_UNITLESS, TIMES.dimension}:
        return quantity
    at = quantity.end
    if [token.lower for token in tokens[at : at + 1]] == ["per"] and period_at(tokens, at + 2):
        at += 2  # "per user per month"
    found = period_at(tokens, at)
    return replace(quantity, period=found[0], end=found[1]) if found else quantity


def _compound(tokens: Figures, large: Quantity, small: Quantity) -> Quantity | None:
    """Return the sum of two quantities that belong together: 1 hour 30 minutes, 6 ft 2 in, 4 dollars and 50 cents."""
    is_and = large.end < small.first and tokens[large.end].lower == "and"
    is_money = large.unit.dimension.isupper() and small.unit.factor < large.unit.factor
    if not (large.unit.dimension in _COMPOUND or is_money) or small.first != large.end + is_and:
        return None
    if large.unit.name == "ft" and small.unit is COUNT and small.end < len(tokens) and tokens[small.end].lower == "in":
        small = replace(small, unit=INCH, end=small.end + 1)
    if not (large.is_single and small.is_single and small.low >= 0) or small.unit.dimension != large.unit.dimension:
        return None
    size = large.unit.factor / small.unit.factor
    if size <= 1 or small.low >= size or large.low % 1:
        return None
    low = large.low * size + small.low
    return replace(large, end=small.end, low=low, high=low, unit=small.unit, step=small.step, form=small.form)


def _is_a_pronoun(tokens: Figures, quantity: Quantity) -> bool:
    """Return whether a word is not a quantity: one, half or second alone, or nine in "a quarter to nine"."""
    last = quantity.end - 1
    if quantity.first != last:
        return False
    word, before = tokens[last].lower, tokens[last - 1].lower if last else ""
    after = tokens[last + 1] if last + 1 < len(tokens) else None
    if word == "second":
        return before in _NOT_ORDINAL and (after is None or not after.is_content or after.lower in _LATER)
    if before in {"to", "past"} and last > 1 and tokens[last - 2].lower == "quarter":
        return True
    if word == "half":
        return quantity.unit is RATIO  # half a point is a count
    return word in {"one", "zero", "nought"} and quantity.unit in {COUNT, RATIO}


def _counts_one(tokens: Figures, quantity: Quantity) -> bool:
    """Return whether "one" counts a thing: "one dog" is 1 dog, but contradicts nothing."""
    after = tokens[quantity.end] if quantity.end < len(tokens) else None
    return tokens[quantity.first].lower == "one" and after is not None and after.is_content and after.kind == "word"


def _is_one_of_two(tokens: Figures, quantity: Quantity) -> bool:
    """Return whether a number of times is one of two alternatives: "once or twice", "twice or three times"."""
    if tokens[quantity.first].lower in {"every", "each"}:
        return False
    beside = (at for at in (quantity.first - 1, quantity.end) if 0 <= at < len(tokens))
    return quantity.unit.dimension == TIMES.dimension and any(tokens[at].lower == "or" for at in beside)


def _may_begin(tokens: Figures, at: int) -> bool:
    """Return whether a quantity may begin at a token, which few do."""
    is_first = tokens[at].lower in _FIRST_WORDS or tokens[at].text in CURRENCIES
    return is_first or tokens.numeral(at) is not None or tokens[at].kind == "number"


def _quantity_at(tokens: Figures, at: int, masked: set[int]) -> Quantity | None:
    first, currency = at, CURRENCIES.get(tokens[at].text)
    if currency is not None:
        if at and tokens[at].text == "$" and tokens[at].glued and tokens[at - 1].text in _DOLLARS:
            first, currency = at - 1, _DOLLARS[tokens[at - 1].text]
        at += 1
        if at + 1 < len(tokens) and tokens[at].text == "." and tokens[at].glued and tokens[at - 1].text == "Rs":
            at += 1
        if at == len(tokens) or tokens[at].kind != "number":
            return None
    phrase = None if currency else _phrase_at(tokens, at)
    if phrase:
        return bounded(tokens, phrase)
    time = None if currency else clock_at(tokens, at)
    if time and not _is_of_a_ratio(tokens, at, time[2]):
        minutes, unit, end = time
        return bounded(tokens, Quantity(at, end, minutes, minutes, unit, 1.0 if minutes % 1 == 0 else 1 / 60))
    share = None if currency else _one_in_four(tokens, at) or _odds(tokens, at)
    if share:
        return bounded(tokens, share)
    numeral = tokens.numeral(at)
    # A longer row of digits is a number of an account or the like, not a quantity.
    if numeral is None or numeral.value > (_MOST if numeral.step == 1 else _MOST_SCIENTIFIC):
        return None
    sign = 1
    if _is_negative(tokens, first):
        sign, first = -1, first - 1
    numeral = _in_millions(tokens, numeral, currency)
    ending, past = _ending(tokens, numeral)
    numeral = numeral._replace(end=past)
    unit, end = (currency, numeral.end) if currency else _unit(tokens, numeral)
    low, step = sign * numeral.value, numeral.step
    if numeral.scale == 1 and unit.dimension not in _UNITLESS and not step % 1 and _is_and_a_half(tokens, end):
        low, step, end = low + sign / 2, _HALF_STEP, end + 3
    found = Quantity(first, end, low, low, unit, step, is_vague=ending == "odd", form=numeral.form)
    if ending == "plus":
        return open_ended(found, 1)
    return bounded(tokens, _ranged(tokens, found, numeral, masked, currency))


def _is_negative(tokens: Figures, at: int) -> bool:
    """Return whether a minus before a number or its currency is a sign, and not a subtraction."""
    if not at:
        return False
    sign, before = tokens[at - 1], tokens[at - 2] if at > 1 else None
    if sign.lower in _NEGATIVE:
        return before is None or before.kind != "number"
    return sign.text in _MINUS and tokens[at].glued and (not sign.glued or (before is not None and before.text in "(["))


def _one_in_four(tokens: Figures, at: int) -> Quantity | None:
    """Return a share that is given as a part of a number: one in four, 2 out of 3, three of every five."""
    part = tokens.numeral(at)
    if part is None or part.form not in {"digits", "words"} or part.value not in range(1, 10):
        return None
    words = [token.lower for token in tokens[part.end : part.end + 3]]
    joint = next((n for n, first in enumerate((["in"], ["out", "of"]), start=1) if words[:n] == first), 0)
    here = part.end + joint + (words[joint : joint + 1] == ["every"])
    if words[:2] == ["of", "every"]:
        here = part.end + 2
    whole = tokens.numeral(here) if part.end < here else None
    if whole is None or whole.form != part.form or not part.value < whole.value <= _MOST_OF:
        return None
    if whole.value > _MOST_OF_ANY and (part.value > 1 or whole.value % 100 or whole.value in _YEARS):
        return None  # "1 in 1,000", but not "2 in 2019"
    if tokens.unit(whole.end):
        return None  # "three in five minutes"
    share = part.value / whole.value
    return Quantity(at, whole.end, share, share, RATIO, 0.1, form="fraction")


def _is_of_a_ratio(tokens: Figures, at: int, end: int) -> bool:
    """Return whether the words beside 1:40 say that it is a ratio, and no time: "diluted 1:40", "a ratio of 1:40"."""
    return any(token.lower in _RATIOS for token in (*tokens[max(at - _MOST_BEFORE, 0) : at], *tokens[end : end + 1]))


def _odds(tokens: Figures, at: int) -> Quantity | None:
    """Return a ratio such as 3:1."""
    if at + 2 >= len(tokens) or tokens[at + 1].text != ":" or not (tokens[at + 1].glued and tokens[at + 2].glued):
        return None
    first, second = tokens.numeral(at), tokens.numeral(at + 2)
    if not (first and second and first.end == at + 1 and first.form == second.form == "digits" and second.value):
        return None
    odds = first.value / second.value
    return Quantity(at, second.end, odds, odds, ODDS, 0.0, form="fraction")


def _ranged(tokens: Figures, found: Quantity, numeral: Numeral, masked: set[int], currency: Unit | None) -> Quantity:
    """Return a quantity with the other end of its range, if it has one; the currency is what stands before it."""
    second = _range_end(tokens, found.first, found.end, masked, bool(currency))
    if not second:
        return found
    other, unit, end = second
    size = other.step if other.form == "words" and other.step > 1 else other.scale
    is_either = tokens[found.end].lower == "or"
    if is_either and not _is_near(numeral, other, size):
        return found
    if not (is_either or other.value < 2 * numeral.value * size):
        size = other.scale  # "from one to two hundred" begins with one
    low, step = found.low, found.step
    if tokens[found.end].lower == "to" and _is_changed_by(tokens, found) and other.value > _FAR * low > 0:
        return found
    if found.unit.dimension == "count" or currency:
        scale = size if numeral.scale == 1 and low <= other.value / size else 1.0
        low, step = low * scale, step * scale
        found = replace(found, low=low, high=low, step=step, unit=currency or unit)
    if (found.unit == unit or currency) and low < other.value:
        return replace(found, high=other.value, end=end, is_approximate=is_either)
    return found


def _is_changed_by(tokens: Figures, found: Quantity) -> bool:
    """Return whether a number with its own unit says how much something rose or fell: "rose 5 % to 40 %"."""
    words = {token.lower for token in tokens[max(found.first - 2, 0) : found.first]}
    return found.unit is not COUNT and not words.isdisjoint(_CHANGED)


def _is_near(numeral: Numeral, other: Numeral, size: float) -> bool:
    """Return whether two numbers joined by "or" are one rough number with one scale: two or three hundred."""
    top = other.value / size
    furthest = 2 * numeral.value if numeral.form == other.form == "words" else numeral.value + 1
    return size > 1 and numeral.value < top <= furthest


def _phrase_at(tokens: Figures, at: int) -> Quantity | None:
    """Return a quantity that does not begin with a number: twice, a couple of days, an hour and a half."""
    word = tokens[at].lower
    frequency = frequency_at(tokens, at)
    if frequency:
        times, unit_of_times, end = frequency
        return Quantity(at, end, times, times, unit_of_times, 0.0, form="period")
    if often := often_at(tokens, at):
        low, high, unit_of_times, end = often
        return Quantity(at, end, low, high, unit_of_times, 0.0, form="period")
    if word in _TIMES:
        unit = per(tokens, at + 1)
        if unit is None and word == "once":
            return None
        return Quantity(at, at + 1, _TIMES[word], _TIMES[word], unit or TIMES, 1.0, form="words")
    if word in _MULTIPLIED or (word == "in" and [token.lower for token in tokens[at + 1 : at + 2]] == ["half"]):
        factor = _MULTIPLIED.get(word, 0.5)
        return Quantity(at, at + 1 + (word == "in"), factor, factor, TIMES, 0.0, form=MULTIPLE)
    vague = vague_at(tokens, at)
    if vague:
        low, high, end = vague
        here = end + (end < len(tokens) and tokens[end].lower == "of")
        unit, end = tokens.unit(here) or (COUNT, end)
        return Quantity(at, end, low, high, unit, 1.0, is_vague=True, form="words")
    measured = tokens.unit(at + 1) if word in {"a", "an"} else None
    if measured is None:
        return None
    unit, end = measured
    if unit.dimension not in _UNITLESS and _is_and_a_half(tokens, end):
        return Quantity(at, end + 3, 1.5, 1.5, unit, _HALF_STEP, form="words")
    if unit.dimension == "time" and at and tokens[at - 1].lower in _LASTING:
        # Vague, as it may be roughly one: "for a year" agrees with "12 months", and contradicts nothing.
        return Quantity(at, end, 1.0, 1.0, unit, 1.0, is_vague=True, form="words")
    return None


def _is_and_a_half(tokens: Figures, at: int) -> bool:
    """Return whether "and a half" comes next, after a unit, and is not half of what follows it."""
    words = [token.lower for token in tokens[at : at + 4]]
    if words[:3] != ["and", "a", "half"]:
        return False
    is_glued = at + 3 < len(tokens) and tokens[at + 3].glued and tokens[at + 3].text in _DASHES
    return not (is_glued or words[3:] == ["a"] or words[-1] in SCALES or tokens.unit(at + 3))


def _ending(tokens: Figures, numeral: Numeral) -> tuple[str, int]:
    """Return the ending that makes a number inexact, as in sixty-odd or thirty-plus, and the index after it."""
    end = numeral.end
    word = tokens[end].lower if end < len(tokens) else ""
    if numeral.form in {"ordinal", "fraction"} or not word:
        return "", end
    if word == "odd" and numeral.value >= 20 and not numeral.value % 10:
        return "odd", end + 1
    if word in _DASHES and end + 1 < len(tokens) and tokens[end].glued and tokens[end + 1].glued:
        word = tokens[end + 1].lower
        if word in _ROUND or word == "plus":
            return "plus" if word == "plus" else "odd", end + 2
    return "", end


def _in_millions(tokens: Figures, numeral: Numeral, currency: Unit | None) -> Numeral:
    """Read $5m, $5b, 5m euros and 5m users as millions and billions; elsewhere these are metres and bytes."""
    if numeral.end >= len(tokens):
        return numeral
    if not tokens[numeral.end].glued and not (currency and tokens[numeral.end].text == "m"):
        return numeral  # "EUR 5 m" are five million
    if currency is None and not _counts_or_costs(tokens, numeral.end + 1):
        return numeral
    factor = {"m": 1e6, "b": 1e9, "t": 1e12}.get(tokens[numeral.end].text.lower(), 0.0)
    if not factor or numeral.scale != 1:
        return numeral
    return Numeral(numeral.end + 1, numeral.value * factor, numeral.step * factor, factor, numeral.form)


def _counts_or_costs(tokens: Figures, at: int) -> bool:
    measured = tokens.unit(at)
    is_money = measured is not None and measured[0].dimension.isupper()
    return is_money or (at < len(tokens) and tokens[at].lower in _COUNTED)


def _unit(tokens: Figures, numeral: Numeral) -> tuple[Unit, int]:
    end = numeral.end
    if numeral.form == "ordinal":
        return ORDINAL, end
    here = end
    if here + 1 < len(tokens) and tokens[here].text in _DASHES and tokens[here].glued and tokens[here + 1].glued:
        here += 1
    if numeral.form == "fraction":
        return _unit_of_part(tokens, end, here)
    found = tokens.unit(here)
    if found and found[0] is TIMES:
        return per(tokens, found[1]) or TIMES, found[1]
    return found or (COUNT, end)


def _unit_of_part(tokens: Figures, end: int, here: int) -> tuple[Unit, int]:
    """Return what a fraction is of: a unit (half an hour, a quarter of a mile), a thing (half a point), or anything."""
    words = [token.lower for token in tokens[here : here + 3]]
    is_of = words[:1] == ["of"] and words[1:2] in (["a"], ["an"], ["one"])
    is_one = words[:1] in (["a"], ["an"])
    here += 2 if is_of else is_one
    found = tokens.unit(here)
    if found:
        return found
    thing = tokens[here] if here < len(tokens) else None
    is_half = tokens[end - 1].lower == "half" and is_one
    if thing and (thing.lower in _POINTS or (is_half and thing.is_content and thing.lower not in _SPANS)):
        return COUNT, end
    return RATIO, end


def _range_end(
    tokens: Figures, first: int, at: int, masked: set[int], has_currency: bool
) -> tuple[Numeral, Unit, int] | None:
    if at + 1 >= len(tokens):
        return None
    before = tokens[first - 1].lower if first else ""
    middle = tokens[at]
    is_dash = middle.text in _DASHES and (tokens[at + 1].kind == "number" or tokens[at + 1].text in CURRENCIES)
    if not (is_dash or middle.lower in {"to", "or"} or (middle.lower == "and" and before == "between")):
        return None
    at += 1
    if tokens[at].text in CURRENCIES and at + 1 < len(tokens):
        at += 1
    if at in masked or clock_at(tokens, at):
        return None
    numeral = tokens.numeral(at)
    if numeral is None or numeral.form in {"ordinal", "fraction"}:
        return None
    numeral = _in_millions(tokens, numeral, COUNT if has_currency else None)
    unit, end = _unit(tokens, numeral)
    return numeral, unit, end
