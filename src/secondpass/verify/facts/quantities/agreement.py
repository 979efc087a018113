"""Whether one quantity agrees with another."""

import math
from dataclasses import replace

from secondpass.verify.facts.quantities.clock import HALF_CLOCK, HALF_DAY
from secondpass.verify.facts.quantities.periods import PERIODS, times_in
from secondpass.verify.facts.quantities.quantity import Quantity
from secondpass.verify.facts.quantities.units import ORDINAL, TIMES, frequency_unit

__all__ = ["agree"]

# How far apart two numbers may be and still count as equal, as a share of the claim's.
_ROUNDED = 0.05
_ABOUT = 0.12
_PRECISE = 0.01  # of a rough number with three digits that say something, such as "about 94.6"
_MOST_ROUND = 2  # digits
_CONVERTED = 0.025
_PERIODS_DIFFER = 0.1  # a month has four weeks or more
_OF_YEARS = {frequency_unit("month"), frequency_unit("year")}
_CONVERTED_DATA = 0.1  # a kilobyte is 1000 or 1024 bytes, and a gigabyte three times that


def agree(claim: Quantity, evidence: Quantity) -> bool | None:
    """Return whether the evidence's quantity agrees with the claim's; None if that can't be decided.

    Both must have the same dimension. A number agrees with one that rounds to it, and with one within what "about"
    allows; if the evidence is the vaguer of the two, it can't be decided. Bounds and ranges are intervals. A vague
    quantity never disagrees, and a frequency per day says nothing about one per week. $120 a year is $10 a month.
    """
    if claim.period and evidence.period and claim.period != evidence.period:
        return _as_much(claim, evidence)
    low, high = claim.converted()
    held_low, held_high = evidence.converted()
    ours, theirs = _tolerance(claim, evidence), _tolerance(evidence, claim)
    if claim.is_vague:
        return True if low - ours <= held_high and held_low <= high + ours else None
    if evidence.is_vague:
        return True if low - ours <= held_low and held_high <= high + ours else None
    if claim.unit.dimension == HALF_CLOCK.dimension and low % 1 != held_low % 1 and 0 in (low % 1, held_low % 1):
        low, high, held_low, held_high = map(math.floor, (low, high, held_low, held_high))  # one of them in seconds
    if HALF_CLOCK in (claim.unit, evidence.unit):
        return (low - held_low) % HALF_DAY == 0  # "5:30" may be 17:30
    if claim.unit.dimension == TIMES.dimension and claim.unit != evidence.unit:
        return _as_often(claim, evidence)
    if claim.is_single and evidence.is_single:
        apart = abs(low - held_low)
        return True if apart <= ours else None if apart <= theirs else False
    if _is_strict(claim) and claim.unit == evidence.unit and evidence.is_single:
        ours = 0.0  # what rounds to 5 is not more than 5 if it is less
    same_low, same_high = _near(low, held_low, ours), _near(high, held_high, ours)
    is_same_limit = claim.limit != 0 and claim.limit == evidence.limit
    if claim.is_single:
        if same_low or same_high:
            return True
        if is_same_limit:
            return False
        return None if held_low - theirs < low < held_high + theirs else False
    if same_low and same_high:
        return True
    if claim.is_range and evidence.is_range and not (claim.is_approximate or evidence.is_approximate):
        return False
    if claim.limit and not evidence.is_single and _is_another_limit(claim, evidence, same_low, same_high):
        return False if claim.limit == evidence.limit else None
    if claim.is_condition and not evidence.is_single and _is_another_limit(claim, evidence, same_low, same_high):
        return False if evidence.is_condition else None  # what holds over 50 need not hold over 30
    if held_low >= low - ours and held_high <= high + ours:
        if evidence.is_single and claim.limit and not (same_low or same_high):
            # Where 5 came, at least 3 did; but that up to 10 may is not said.
            return False if is_same_limit else None if claim.limit < 0 else True
        # Strictly, "5" agrees with "up to 5" but not with "fewer than 5"; both are let through.
        return True
    apart = held_high < low or high < held_low or (not claim.is_range and _only_touch(claim, evidence))
    return False if apart else None


def _as_much(claim: Quantity, evidence: Quantity) -> bool | None:
    """Return whether two quantities for different periods agree: $120 a year is $10 a month.

    Only months and years are told apart, as forty hours a week may well be eight a day.
    """
    units = frequency_unit(claim.period), frequency_unit(evidence.period)
    factor = times_in(1.0, *units)
    if factor is None:
        return None
    scaled = replace(claim, low=claim.low * factor, high=claim.high * factor, step=claim.step * factor, period="")
    agreed = agree(scaled, replace(evidence, period=""))
    return agreed if agreed or set(units) == _OF_YEARS else None


def _as_often(claim: Quantity, evidence: Quantity) -> bool | None:
    """Return whether two frequencies in different periods agree; only months and years are told apart, and periods.

    Once a year is not every six months, and every six weeks is neither; but what is done twice a day may be done on one
    day a week.
    """
    if not (claim.is_single and evidence.is_single):
        return None
    if claim.form == evidence.form == "period":
        if claim.unit.name not in PERIODS:
            return None  # every night is daily, but daily need not be every night
        return math.isclose(claim.converted()[0], evidence.converted()[0], rel_tol=_PERIODS_DIFFER)
    times = times_in(claim.low, claim.unit, evidence.unit)
    if times is None:
        return True if claim.low == evidence.low else None
    if math.isclose(times, evidence.low, rel_tol=_CONVERTED):
        return True
    return False if {claim.unit, evidence.unit} == _OF_YEARS else None


def _is_strict(claim: Quantity) -> bool:
    """Return whether it is a bound in digits that names no limit: more than 5."""
    is_bound = math.isinf(claim.low) != math.isinf(claim.high)
    return is_bound and not (claim.limit or claim.is_approximate) and claim.form == "digits"


def _is_another_limit(claim: Quantity, evidence: Quantity, same_low: bool, same_high: bool) -> bool:
    """Return whether the evidence has a limit on the claim's side, and another one: up to 90 is not up to 95."""
    if math.isfinite(claim.high):
        return math.isfinite(evidence.high) and not same_high
    return math.isfinite(evidence.low) and not same_low


def _only_touch(claim: Quantity, evidence: Quantity) -> bool:
    low, high = claim.converted()
    held_low, held_high = evidence.converted()
    return low == held_high or high == held_low


def _near(first: float, second: float, tolerance: float) -> bool:
    return first == second or (math.isfinite(first) and math.isfinite(second) and abs(first - second) <= tolerance)


def _tolerance(rough: Quantity, other: Quantity) -> float:
    """Return how far the other quantity may be from a rough one and still agree with it, in the base unit."""
    size = max((abs(end) for end in (rough.low, rough.high) if math.isfinite(end)), default=0.0)
    factor = abs(rough.unit.factor)
    slack = size * 1e-9
    if rough.unit is ORDINAL:
        return slack
    slack = max(slack, min(rough.step / 2 * (1 + 1e-9), _ROUNDED * size))
    if rough.is_approximate:
        place = size if rough.form == "fraction" else _last_place(size) / 2  # "nearly half" may well be 45%
        slack = max(slack, (_PRECISE if _is_precise(rough) else _ROUNDED) * size, min(place, _ABOUT * size))
    if rough.unit != other.unit and not rough.unit.dimension.isupper():  # 100 cents are a dollar
        share = _CONVERTED_DATA if rough.unit.dimension == "data" else _CONVERTED
        slack = max(slack, share * size, rough.step / 2 if rough.unit.dimension == "temperature" else 0.0)
    return slack * factor


def _is_precise(rough: Quantity) -> bool:
    """Return whether a single number is given in more digits than what is only roughly so: not 1,300, nor 225."""
    if not rough.is_single or rough.form != "digits" or not 0 < rough.step <= 1:
        return False
    digits = str(round(abs(rough.low) / rough.step)).rstrip("0")
    return len(digits.removesuffix("5")) > _MOST_ROUND


def _last_place(size: float) -> float:
    """Return the place value of the last digit that is not 0: 100 for 1500."""
    if size < 1 or size % 1:
        return 0.0
    digits = str(int(size))
    return 10.0 ** (len(digits) - len(digits.rstrip("0")))
