"""Numbers with their units, bounds and precision, and whether one says what another says."""

import math
from dataclasses import dataclass, replace

from secondpass.verify.facts.numerals import Numeral, numeral_at
from secondpass.verify.facts.units import COUNT, CURRENCIES, ORDINAL, RATIO, Unit, unit_at
from secondpass.verify.words import Token, word_set

__all__ = ["Quantity", "agree", "find_quantities"]

_DASHES = frozenset("-\u2010\u2011\u2012\u2013")
_MINUS = frozenset("-\u2212\u2013")
_APPROXIMATE = word_set(
    "about around approximately roughly nearly almost circa ca c some approx estimated perhaps ~ \u2248 \u223c near"
)
# Words before a number that make it a bound: 1 for a lower one, -1 for an upper one.
_LOWER = (
    "at least|more than|greater than|over|above|no fewer than|no less than|not less than|minimum of|in excess of|"
    "upwards of|exceeding|exceeds|exceeded|>|\u2265|larger than|longer than|higher than|older than"
)
_UPPER = (
    "at most|less than|fewer than|under|below|up to|no more than|not more than|maximum of|<|\u2264|smaller than|"
    "shorter than|lower than|younger than|within"
)
_BOUNDS = {tuple(words.split()): side for side, names in ((1, _LOWER), (-1, _UPPER)) for words in names.split("|")}
_BOUNDS_AFTER = dict.fromkeys(word_set("more greater larger older above over higher longer"), 1) | dict.fromkeys(
    word_set("less fewer smaller younger under below lower shorter"), -1
)
_MAX_BOUND_WORDS = 3

# How far two numbers may lie apart, as a share of the claim's, and still be one and the same.
_ROUNDED = 0.05
_ABOUT = 0.12
_CONVERTED = 0.025
_CONVERTED_DATA = 0.1  # a kilobyte is 1000 or 1024 bytes, and a gigabyte three times that


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of a text, or an interval of numbers, with its unit.

    Attributes:
        first: the index of its first token, bounding words included.
        end: the index of the token after it, its unit included.
        low: the number as written, or the lower end of a range; minus infinity below an upper bound.
        high: equal to `low` for a single number; infinity above a lower bound.
        unit: what it counts in.
        step: the place of the last digit as written.
        is_approximate: whether a word such as "about" is before it.
        words: how it is written: ``digits``, ``words``, ``ordinal`` or ``fraction``.
    """

    first: int
    end: int
    low: float
    high: float
    unit: Unit
    step: float
    is_approximate: bool = False
    form: str = "digits"

    @property
    def is_single(self) -> bool:
        """Whether it is one number, neither a range nor a bound."""
        return self.low == self.high

    @property
    def is_range(self) -> bool:
        """Whether it is a range with two ends."""
        return self.low < self.high and math.isfinite(self.low) and math.isfinite(self.high)

    def converted(self) -> tuple[float, float]:
        """Return its ends in the base unit of its dimension."""
        factor, offset = self.unit.factor, self.unit.offset
        return self.low * factor + offset, self.high * factor + offset


def find_quantities(tokens: list[Token], masked: set[int]) -> list[Quantity]:
    """Return the quantities of a text, in order; "one" counts only with a unit."""
    found: list[Quantity] = []
    at = 0
    while at < len(tokens):
        quantity = None if at in masked else _quantity_at(tokens, at, masked)
        if quantity is None:
            at += 1
            continue
        at = quantity.end
        if not _is_a_pronoun(tokens, quantity):
            found.append(quantity)
    return found


def _is_a_pronoun(tokens: list[Token], quantity: Quantity) -> bool:
    """Return whether a word of a number counts nothing: one, half, and first or second by themselves."""
    word = tokens[quantity.end - 1].lower
    return (
        quantity.first == quantity.end - 1
        and word in {"one", "zero", "half", "second"}
        and quantity.unit in {COUNT, RATIO}
    )


def _quantity_at(tokens: list[Token], at: int, masked: set[int]) -> Quantity | None:
    first, currency = at, CURRENCIES.get(tokens[at].text)
    if currency is not None:
        at += 1
        if at == len(tokens) or tokens[at].kind != "number":
            return None
    numeral = numeral_at(tokens, at)
    if numeral is None or numeral.value > 1e18:
        return None
    sign = 1
    if at == first and at and tokens[at - 1].text in _MINUS and tokens[at].glued and not tokens[at - 1].glued:
        sign, first = -1, at - 1
    numeral = _in_millions(tokens, numeral, currency)
    unit, end = (currency, numeral.end) if currency else _unit(tokens, numeral)
    low, high, step = sign * numeral.value, sign * numeral.value, numeral.step
    second = _range_end(tokens, first, end, masked, bool(currency))
    if second:
        other, other_unit, other_end = second
        if unit.dimension == "count" or unit is currency:
            scale = other.scale if numeral.scale == 1 and low <= other.value / other.scale else 1.0
            low, step = low * scale, step * scale
            unit = currency or other_unit
        if unit == other_unit or currency:
            if low < other.value:
                high, end = other.value, other_end
            elif unit.dimension != "count" or low == other.value:
                return _bounded(tokens, Quantity(first, end, low, low, unit, step, form=numeral.form))
    return _bounded(tokens, Quantity(first, end, low, high, unit, step, form=numeral.form))


def _in_millions(tokens: list[Token], numeral: Numeral, currency: Unit | None) -> Numeral:
    """Read $5m and $5b as millions and billions, which are metres and bytes elsewhere."""
    if currency is None or numeral.end >= len(tokens) or not tokens[numeral.end].glued:
        return numeral
    factor = {"m": 1e6, "b": 1e9, "t": 1e12}.get(tokens[numeral.end].text.lower(), 0.0)
    if not factor or numeral.scale != 1:
        return numeral
    return Numeral(numeral.end + 1, numeral.value * factor, numeral.step * factor, factor, numeral.form)


def _unit(tokens: list[Token], numeral: Numeral) -> tuple[Unit, int]:
    end = numeral.end
    if numeral.form == "ordinal":
        return ORDINAL, end
    here = end
    if here + 1 < len(tokens) and tokens[here].text in _DASHES and tokens[here].glued and tokens[here + 1].glued:
        here += 1
    if numeral.form == "fraction" and here < len(tokens) and tokens[here].lower in {"a", "an"}:
        here += 1
    found = unit_at(tokens, here) if here < len(tokens) else None
    return found or ((RATIO if numeral.form == "fraction" else COUNT), end)


def _range_end(
    tokens: list[Token], first: int, at: int, masked: set[int], has_currency: bool
) -> tuple[Numeral, Unit, int] | None:
    if at + 1 >= len(tokens):
        return None
    before = tokens[first - 1].lower if first else ""
    middle = tokens[at]
    is_dash = middle.text in _DASHES and (tokens[at + 1].kind == "number" or tokens[at + 1].text in CURRENCIES)
    if not (is_dash or middle.lower == "to" or (middle.lower == "and" and before == "between")):
        return None
    at += 1
    if tokens[at].text in CURRENCIES and at + 1 < len(tokens):
        at += 1
    if at in masked:
        return None
    numeral = numeral_at(tokens, at)
    if numeral is None or numeral.form in {"ordinal", "fraction"}:
        return None
    numeral = _in_millions(tokens, numeral, COUNT if has_currency else None)
    unit, end = _unit(tokens, numeral)
    return numeral, unit, end


def _bounded(tokens: list[Token], quantity: Quantity) -> Quantity:
    """Return a quantity as the words around it bound it."""
    first = quantity.first
    if first and tokens[first - 1].lower in {"the", "a", "an", "only", "just"}:
        first -= 1
    approximate = bool(first) and tokens[first - 1].lower in _APPROXIMATE
    if approximate:
        quantity = replace(quantity, first=first - 1, is_approximate=True)
        first -= 1
    if quantity.unit is ORDINAL or not quantity.is_single:
        return quantity
    side, words = _bound_before(tokens, first)
    if side:
        return _open(replace(quantity, first=first - words), side)
    end = quantity.end
    if end < len(tokens) and tokens[end].text == "+" and tokens[end].glued:
        return _open(replace(quantity, end=end + 1), 1)
    if end + 1 < len(tokens) and tokens[end].lower in {"or", "and"} and tokens[end + 1].lower in _BOUNDS_AFTER:
        return _open(replace(quantity, end=end + 2), _BOUNDS_AFTER[tokens[end + 1].lower])
    return quantity


def _bound_before(tokens: list[Token], first: int) -> tuple[int, int]:
    for words in range(min(_MAX_BOUND_WORDS, first), 0, -1):
        side = _BOUNDS.get(tuple(token.lower for token in tokens[first - words : first]))
        if side:
            return side, words
    return 0, 0


def _open(quantity: Quantity, side: int) -> Quantity:
    return replace(quantity, high=math.inf) if side > 0 else replace(quantity, low=-math.inf)


def agree(claim: Quantity, evidence: Quantity) -> bool | None:
    """Return whether the evidence's quantity says what the claim's says: True, False, or None if it leaves it open.

    Both must be of one dimension. A number agrees with one that it is a rounding of, and with one that "about"
    allows for; it is left open where the evidence is the vaguer of the two. Bounds and ranges are intervals.
    """
    low, high = claim.converted()
    held_low, held_high = evidence.converted()
    ours, theirs = _tolerance(claim, evidence), _tolerance(evidence, claim)
    if claim.is_single and evidence.is_single:
        apart = abs(low - held_low)
        return True if apart <= ours else None if apart <= theirs else False
    same_low, same_high = _near(low, held_low, ours), _near(high, held_high, ours)
    if claim.is_single:
        if same_low or same_high:
            return True
        return None if held_low - theirs < low < held_high + theirs else False
    if same_low and same_high:
        return True
    if claim.is_range and evidence.is_range:
        return False
    if held_low >= low - ours and held_high <= high + ours:
        # A bound itself is not below itself: "fewer than 5" is not what "5" says, but "up to 5" is; both are let pass.
        return True
    apart = held_high < low or high < held_low or (not claim.is_range and _only_touch(claim, evidence))
    return False if apart else None


def _only_touch(claim: Quantity, evidence: Quantity) -> bool:
    low, high = claim.converted()
    held_low, held_high = evidence.converted()
    return low == held_high or high == held_low


def _near(first: float, second: float, tolerance: float) -> bool:
    return first == second or (math.isfinite(first) and math.isfinite(second) and abs(first - second) <= tolerance)


def _tolerance(rough: Quantity, other: Quantity) -> float:
    """Return how far the other may be from a quantity and still be meant by it, in the base unit."""
    size = max((abs(end) for end in (rough.low, rough.high) if math.isfinite(end)), default=0.0)
    factor = abs(rough.unit.factor)
    slack = size * 1e-9
    if rough.unit is ORDINAL:
        return slack
    slack = max(slack, min(rough.step / 2 * (1 + 1e-9), _ROUNDED * size))
    if rough.is_approximate:
        slack = max(slack, _ROUNDED * size, min(_last_place(size) / 2, _ABOUT * size))
    if rough.unit != other.unit:
        share = _CONVERTED_DATA if rough.unit.dimension == "data" else _CONVERTED
        slack = max(slack, share * size, rough.step / 2 if rough.unit.dimension == "temperature" else 0.0)
    return slack * factor


def _last_place(size: float) -> float:
    """Return the place of the last digit that is not 0: 100 for 1500."""
    if size < 1 or size % 1:
        return 0.0
    digits = str(int(size))
    return 10.0 ** (len(digits) - len(digits.rstrip("0")))
