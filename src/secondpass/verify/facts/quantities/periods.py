"""Frequencies: every three months, monthly, quarterly, once a year."""

from dataclasses import replace

from secondpass.verify.facts.quantities.numerals import Figures
from secondpass.verify.facts.quantities.units import FREQUENCY_ADVERBS, TIMES, Unit, frequency_unit
from secondpass.verify.words import word_set

__all__ = ["FIRST_WORDS", "PERIODS", "frequency_at", "is_always", "is_of_things", "often_at", "times_in"]

_PERIODS = ("s", "min", "h", "day", "week", "month", "year")
PERIODS = frozenset(frequency_unit(period).name for period in _PERIODS)
"""The names of the units of frequencies."""

# Adverbs that are not once in a period: how often in which.
_SEVERAL = {
    "quarterly": (1 / 3, "month"),
    "fortnightly": (1 / 2, "week"),
    **dict.fromkeys(word_set("semiannually semiannual biannually biannual"), (2.0, "year")),
    **dict.fromkeys(word_set("biennially biennial"), (1 / 2, "year")),
}
# With a hyphen: "semi-annual", "half-yearly". What is bi-monthly may be so twice a month, or every two months.
_HALVES = word_set("semi half bi")
# How many of a period the next one has, where that is exact.
_IN_THE_NEXT = (("min", "h", 60), ("s", "min", 60), ("h", "day", 24), ("day", "week", 7), ("month", "year", 12))
_IN_ANOTHER = {
    (frequency_unit(short).name, frequency_unit(long).name): float(number) for short, long, number in _IN_THE_NEXT
}
_MOST_BETWEEN = 3
_MULTIPLES = word_set("time times once twice thrice twofold threefold")
_EACH = frozenset({"every", "each"})
_TO = frozenset({"to", "or", "-", "\u2013"})
_PER = frozenset({"a", "per", "every", "each"})
_ALL_DAYS = frozenset({"7", "seven"})
_ALWAYS = ["24", "/", "7"]
FIRST_WORDS = frozenset({"once", *_EACH, *_HALVES, *_SEVERAL, *FREQUENCY_ADVERBS})
"""What a frequency begins with, if not with a number."""

_PARTS_OF_DAY = word_set("night morning afternoon evening noon midnight")


def frequency_at(tokens: Figures, at: int) -> tuple[float, Unit, int] | None:
    """Return the frequency that begins at a token, its unit, and the index of the token after it; or None.

    "Every three months" is a third of a time a month, as "quarterly" is; "every month" and "monthly" are once a month.
    """
    word = tokens[at].lower
    if is_always(tokens, at):
        return 1.0, frequency_unit("day"), at + len(_ALWAYS)
    if tokens[at].stem in _ALL_DAYS and (every := _every_day(tokens, at)):
        return 1.0, frequency_unit("day"), every
    if at and tokens[at - 1].lower in _MULTIPLES and not _is_once_in_several(tokens, at):
        return None  # "three times weekly": the unit of the number
    if word in _HALVES and [token.text for token in tokens[at + 1 : at + 2]] == ["-"] and at + 2 < len(tokens):
        yearly = tokens[at + 2].lower in {"annual", "annually", "yearly"}
        return (2.0, frequency_unit("year"), at + 3) if yearly and word != "bi" else None
    if at > 1 and tokens[at].glued and tokens[at - 1].text == "-" and tokens[at - 2].lower in _HALVES:
        return None  # "bi-monthly"
    if word in FREQUENCY_ADVERBS:
        return 1.0, frequency_unit(FREQUENCY_ADVERBS[word]), at + 1
    if word in _SEVERAL:
        times, period = _SEVERAL[word]
        return times, frequency_unit(period), at + 1
    if word == "once" and [token.lower for token in tokens[at + 2 : at + 3]] == ["quarter"]:
        return (1 / 3, frequency_unit("month"), at + 3) if tokens[at + 1].lower in _PER else None
    if word not in _EACH:
        return None
    here, number = at + 1, 1.0
    if here < len(tokens) and tokens[here].lower in _PARTS_OF_DAY:
        return 1.0, replace(frequency_unit("day"), name=f"{TIMES.name} a {tokens[here].lower}"), here + 1
    if here < len(tokens) and tokens[here].lower == "quarter":
        return 1 / 3, frequency_unit("month"), here + 1
    if here < len(tokens) and tokens[here].lower in {"other", "second"}:
        here, number = here + 1, 2.0
    elif numeral := tokens.numeral(here):
        here, number = numeral.end, numeral.value
    found = tokens.unit(here)
    if found is None or found[0].dimension != "time" or found[0].name not in _PERIODS or not number:
        return None
    return 1 / number, frequency_unit(found[0].name), found[1]


def is_always(tokens: Figures, at: int) -> bool:
    """Return whether "24/7" begins at a token: all day, and every day; "24/7/2019" is a date."""
    if [token.text for token in tokens[at : at + 3]] != _ALWAYS or not (tokens[at + 1].glued and tokens[at + 2].glued):
        return False
    return [token.text for token in tokens[at + 3 : at + 4]] != ["/"]


def often_at(tokens: Figures, at: int) -> tuple[float, float, Unit, int] | None:
    """Return the least and the most of a frequency that is a range, "every 4 to 6 hours", its unit, and its end."""
    low = tokens.numeral(at + 1) if tokens[at].lower in _EACH else None
    if low is None or low.end >= len(tokens) or tokens[low.end].lower not in _TO:
        return None
    high = tokens.numeral(low.end + 1)
    found = tokens.unit(high.end) if high and 0 < low.value < high.value else None
    if high is None or found is None or found[0].name not in _PERIODS:
        return None
    return 1 / high.value, 1 / low.value, frequency_unit(found[0].name), found[1]


def _is_once_in_several(tokens: Figures, at: int) -> bool:
    """Return whether "once every two years", or "once every other year", is said: more than the unit of a number."""
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    is_several = after is not None and (after.lower in {"other", "second"} or tokens.numeral(at + 1) is not None)
    return tokens[at - 1].lower == "once" and tokens[at].lower in _EACH and is_several


def _every_day(tokens: Figures, at: int) -> int:
    """Return where "seven days a week" ends that begins at a token; 0 if it does not."""
    words = [token.lower for token in tokens[at + 1 : at + 4]]
    return at + 4 if words in (["days", "a", "week"], ["days", "per", "week"], ["days", "each", "week"]) else 0


def times_in(times: float, unit: Unit, other: Unit) -> float | None:
    """Return how many times in another period a frequency is; None if the periods are not multiples of each other."""
    if unit == other:
        return times
    if (unit.name, other.name) in _IN_ANOTHER:
        return times * _IN_ANOTHER[unit.name, other.name]
    if (other.name, unit.name) in _IN_ANOTHER:
        return times / _IN_ANOTHER[other.name, unit.name]
    return None


def is_of_things(tokens: Figures, end: int, at: int) -> bool:
    """Return whether a period behind a number is of the things that it counts: "four sailings daily".

    Args:
        tokens: of the text.
        end: the index after the number.
        at: the index of the period.
    """
    word, between = tokens[at].lower, tokens[end:at]
    is_period = word in FREQUENCY_ADVERBS or word in _SEVERAL or word in _EACH  # not "one pill twice a day"
    return is_period and 0 < len(between) <= _MOST_BETWEEN and all(token.kind == "word" for token in between)
