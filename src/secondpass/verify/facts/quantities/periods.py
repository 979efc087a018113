"""How often: every three months, monthly, quarterly, once a year."""

from secondpass.verify.facts.quantities.numerals import Figures
from secondpass.verify.facts.quantities.units import REGULARLY, Unit, often
from secondpass.verify.words import word_set

__all__ = ["PERIODS", "regularly"]

_PERIODS = ("s", "min", "h", "day", "week", "month", "year")
PERIODS = frozenset(often(period).name for period in _PERIODS)
"""Names of the units of how often something is."""

# Adverbs of several periods: how often in which.
_SEVERAL = {"quarterly": (1 / 3, "month"), "fortnightly": (1 / 2, "week"), "semiannually": (2.0, "year")}
_HOW_OFTEN = word_set("time times once twice thrice twofold threefold")
_EACH = frozenset({"every", "each"})


def regularly(tokens: Figures, at: int) -> tuple[float, Unit, int] | None:
    """Return how often, its unit, and the index of the token after it, for what recurs.

    "Every three months" is a third of a time a month, as "quarterly" is; "every month" and "monthly" are once a month.
    """
    word = tokens[at].lower
    if at and tokens[at - 1].lower in _HOW_OFTEN:
        return None  # "three times weekly": the unit of that
    if word in REGULARLY:
        return 1.0, often(REGULARLY[word]), at + 1
    if word in _SEVERAL:
        times, period = _SEVERAL[word]
        return times, often(period), at + 1
    if word not in _EACH:
        return None
    here, number = at + 1, 1.0
    if here < len(tokens) and tokens[here].lower in {"other", "second"}:
        here, number = here + 1, 2.0
    elif numeral := tokens.numeral(here):
        here, number = numeral.end, numeral.value
    found = tokens.unit(here)
    if found is None or found[0].dimension != "time" or found[0].name not in _PERIODS or not number:
        return None
    return 1 / number, often(found[0].name), found[1]
