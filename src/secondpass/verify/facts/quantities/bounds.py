"""Bounds and limits of numbers, and rough ones: "at least 5", "the maximum is 5", "just under 60 %", "about 5"."""

import math
from dataclasses import replace

from secondpass.verify.facts.quantities.numerals import Figures
from secondpass.verify.facts.quantities.quantity import Quantity
from secondpass.verify.facts.quantities.units import ORDINAL
from secondpass.verify.words import AUXILIARIES, Token, word_set

__all__ = ["bounded", "open_ended"]

_APPROXIMATE = word_set(
    "about around approximately roughly nearly almost circa ca c some approx estimated perhaps ~ \u2248 \u223c near"
)


def _phrases(text: str) -> list[tuple[str, ...]]:
    return [tuple(words.split()) for words in text.split("|")]


# Words before a number that make it a bound: 1 for a lower one, -1 for an upper one. Some tell where a limit is: "more
# than 5" is true of many numbers, "at least 5" names the one in question.
_LOWER_LIMIT = "at least|no fewer than|no less than|not less than|minimum of|lower limit of"
_LOWER = (
    "more than|greater than|over|above|in excess of|upwards of|exceeding|exceeds|exceeded|>|\u2265|larger than|"
    "longer than|higher than|older than"
)
_UPPER_LIMIT = (
    "at most|up to|no more than|not more than|within|maximum of|upper limit of|limit of|limited to|cap of|capped at|"
    "ceiling of"
)
_UPPER = "less than|fewer than|under|below|<|\u2264|smaller than|shorter than|lower than|younger than"
_LIMITS = dict.fromkeys(_phrases(_LOWER_LIMIT), 1) | dict.fromkeys(_phrases(_UPPER_LIMIT), -1)
_EITHER = {("age", "limit", "of"): 0}  # of children it is an upper one, of voters a lower one
_BOUNDS = _EITHER | _LIMITS | dict.fromkeys(_phrases(_LOWER), 1) | dict.fromkeys(_phrases(_UPPER), -1)
_BOUNDS_AFTER = dict.fromkeys(word_set("more greater larger older above over higher longer"), 1) | dict.fromkeys(
    word_set("less fewer smaller younger under below lower shorter"), -1
)
_MAX_BOUND_WORDS = 3
_LIMIT_NOUNS = {"minimum": 1, "min": 1} | dict.fromkeys(word_set("maximum max limit cap ceiling"), -1)
_WHICH_LIMIT = {"lower": 1, "age": 0}  # by the word before it
_LIMIT_VERBS = word_set("is are was were be : =")
_MOST_LIMITED = 4  # words of what is limited: "the maximum file size is"
# Of whom or when something holds, before a bound: "for orders over 20", "if it is more than 20 days late".
_CONDITIONS = word_set("if when whenever unless once for who whose aged")
_FAR_CONDITION, _MOST_MEMBERS = 8, 3  # words before the bound
_MANY = word_set("children people men women students persons")
_COMPARED = word_set("times twice percent points point cent")  # "4 % more than 120", "twice more than 5"
_BARELY = word_set("just slightly barely")  # "just under 60 %" is no less than 57 %
_NEARLY, _NEARLY_ONE = 0.05, 0.2  # "just over half an hour" may be 35 minutes


def bounded(tokens: Figures, quantity: Quantity) -> Quantity:
    """Return a quantity with the bound or the approximation that the words around it express."""
    first = quantity.first
    if first and tokens[first - 1].lower in {"the", "a", "an", "only", "just"}:
        first -= 1
    approximate = bool(first) and tokens[first - 1].lower in _APPROXIMATE
    if approximate:
        quantity = replace(quantity, first=first - 1, is_approximate=True)
        first -= 1
    if quantity.unit is ORDINAL or not (quantity.is_single or quantity.is_vague):
        return quantity
    side, words = _bound_before(tokens, first)
    if side and first > words and tokens[first - words - 1].lower in _BARELY and quantity.low > 0:
        is_one = quantity.form == "fraction" or (quantity.unit.dimension == "time" and quantity.low == 1)
        near = quantity.low * (1 + side * (_NEARLY_ONE if is_one else _NEARLY))
        low, high = sorted((quantity.low, near))
        return replace(quantity, first=first - words - 1, low=low, high=high)
    if side:
        limit = _LIMITS.get(_phrase(tokens, first - words, first), 0)
        is_condition = _is_condition(tokens, first - words)
        return open_ended(replace(quantity, first=first - words, limit=limit, is_condition=is_condition), side)
    quantity = replace(quantity, limit=_limit_before(tokens, first))
    end = quantity.end
    if end < len(tokens) and tokens[end].text == "+" and tokens[end].glued:
        return open_ended(replace(quantity, end=end + 1), 1)
    if [token.lower for token in tokens[end : end + 2]] == ["or", "so"]:
        return replace(quantity, end=end + 2, is_approximate=True)
    if end + 1 < len(tokens) and tokens[end].lower in {"or", "and"} and tokens[end + 1].lower in _BOUNDS_AFTER:
        return open_ended(replace(quantity, end=end + 2), _BOUNDS_AFTER[tokens[end + 1].lower])
    return quantity


def _phrase(tokens: Figures, first: int, end: int) -> tuple[str, ...]:
    return tuple(token.lower for token in tokens[first:end])


def _bound_before(tokens: Figures, first: int) -> tuple[int, int]:
    for words in range(min(_MAX_BOUND_WORDS, first), 0, -1):
        phrase = _phrase(tokens, first - words, first)
        if phrase in _BOUNDS:
            side = _BOUNDS[phrase]
            is_comparison = phrase[-1] == "than" and first > words and _is_compared(tokens[first - words - 1])
            return (0, 0) if is_comparison else (side, words)
    return 0, 0


def _is_condition(tokens: Figures, at: int) -> bool:
    """Return whether a bound at a place says of whom, or when, something holds: "if over 20", "orders over 20 are".

    What is so from 50 on need not be so from 30 on.
    """
    if not at:
        return False
    sentence = tokens[at].sentence
    for before in range(at - 1, max(at - 1 - _FAR_CONDITION, -1), -1):
        token = tokens[before]
        if token.sentence != sentence or token.text in {",", ";", ":"} or token.kind == "number":
            return False
        if token.lower in _CONDITIONS and (token.lower, before) != ("for", at - 1):  # "for over 30 years"
            return True
    # "Members over 60 pay half."
    opened = [token for token in tokens[max(at - _MOST_MEMBERS, 0) : at] if token.sentence == sentence]
    begins = opened and opened[0].first
    return bool(begins) and _is_plural(opened[-1]) and not any(token.lower in AUXILIARIES for token in opened)


def _is_plural(token: Token) -> bool:
    return token.lower in _MANY or (token.kind == "word" and token.lower.endswith("s") and token.is_content)


def _is_compared(before: Token) -> bool:
    """Return whether "more than" compares what stands before it: 4.7 % more than the 120 of 2010."""
    return before.text == "%" or before.kind == "number" or before.lower in _COMPARED


def _limit_before(tokens: Figures, first: int) -> int:
    """Return the side of a limit that is named by a noun: 1 for "the minimum age is 18", -1 for "max. size: 5"."""
    if not first or tokens[first - 1].lower not in _LIMIT_VERBS:
        return 0
    for at in range(first - 2, max(first - 3 - _MOST_LIMITED, -1), -1):
        if tokens[at].sentence != tokens[first].sentence:
            return 0
        if tokens[at].lower in _LIMIT_NOUNS:
            before = tokens[at - 1].lower if at else ""
            return _WHICH_LIMIT.get(before, _LIMIT_NOUNS[tokens[at].lower])
        if tokens[at].kind == "number" or tokens[at].text in {",", ";"}:
            return 0
    return 0


def open_ended(quantity: Quantity, side: int) -> Quantity:
    """Return a quantity without its upper end for a side of 1, without its lower one for -1."""
    return replace(quantity, high=math.inf) if side > 0 else replace(quantity, low=-math.inf)
