"""Captions that say in what the figures of a table are given: "(in millions, except per share amounts)", "£m"."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from secondpass.verify.facts.quantities.numerals import Figures
from secondpass.verify.facts.quantities.quantity import Quantity
from secondpass.verify.facts.quantities.units import COUNT, CURRENCIES, Unit

__all__ = ["SCALED", "Caption", "captions", "is_scaled", "scaled"]

SCALED = "scaled"
"""The form of a quantity as a caption makes it larger."""

_MONEY = (
    r"(?P<{0}>US dollars?|U\.S\. dollars?|USD|US\$|dollars?|\$|euros?|EUR|€|pounds(?: sterling)?|GBP|£|yen|JPY|¥"
    r"|rupees|INR|₹|CHF|CNY|CAD|AUD|SEK|NOK|DKK)"
)
_SCALE = r"(?P<{0}>thousand|million|billion)s?"
_SIGNED = r"(?P<sign>US\$|[$€£¥₹])\s?(?P<short>m|mn|mm|bn|k|['\u2019]?000s?)(?![\w'])"
# "In millions" alone is a caption in brackets, or in a short line of its own; "deaths in millions of birds" is none.
_IN_WORDS = "|".join(
    (
        rf"\([^()\n]{{0,40}}?\b{_SCALE.format('a')}\b(?:\s(?:of\s)?{_MONEY.format('b')})?[^()\n]{{0,80}}\)",
        rf"^[^\S\n]*(?:[A-Za-z]+\s){{0,4}}in\s(?:{_MONEY.format('c')}\s)?{_SCALE.format('d')}\b"
        rf"(?:\sof\s{_MONEY.format('e')})?(?:,\s?(?:except|unless)\b[^\n]{{0,80}})?[^\S\n]*$",
        rf"\b(?:in|of)\s{_MONEY.format('f')}\s{_SCALE.format('g')}\b",
    )
)
_CAPTION = re.compile(rf"(?:{_IN_WORDS}|(?<![\w$€£]){_SIGNED})", re.IGNORECASE | re.MULTILINE)
_MONEY_BEFORE = re.compile(_MONEY.format("money"), re.IGNORECASE)
_FACTORS = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "m": 1e6, "mn": 1e6, "mm": 1e6, "bn": 1e9, "k": 1e3}
_SIGNS = {"dollar": "$", "usd": "$", "euro": "€", "pound": "£", "yen": "¥", "rupee": "₹"}
_CUES = re.compile(r"thousand|million|billion|[$€£¥₹]\s?(?:m|bn|k|['\u2019]?000)", re.IGNORECASE)
_NOT_SCALED = re.compile(r"\bper\b|percent|%|\bshares?\b|\bratio\b|\brate\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d")
_MOST = 400  # figures of a text


class Caption(NamedTuple):
    """A caption.

    Attributes:
        start: where it begins in the text, in characters.
        end: where it ends.
        factor: what the figures are to be multiplied by.
        unit: their currency; a plain number if it names none.
        text: in plain words, in brackets.
    """

    start: int
    end: int
    factor: float
    unit: Unit
    text: str


def captions(text: str) -> Iterator[Caption]:
    """Yield the captions of a text, in order and in linear time."""
    if not _CUES.search(text):
        return
    for match in _CAPTION.finditer(text):
        # "(about 5 million people)" tells a number.
        if match["a"] and (_NUMBER.search(match[0]) or not re.search(r"\bin\b|[$€£]|s\b", match[0][: match.end("a")])):
            continue
        scale = match["a"] or match["d"] or match["g"]
        name = match["short"].lower() if match["short"] else scale.lower()
        factor = _FACTORS.get(name.removesuffix("s"), 1e3)
        money = match["b"] or match["c"] or match["e"] or match["f"] or match["sign"] or _money_in(match[0])
        unit = _currency(money) if money else COUNT
        said = f"(in {unit.name} {_word(factor)}s)" if money else f"(in {_word(factor)}s)"
        yield Caption(match.start(), match.end(), factor, unit, said)


def _money_in(words: str) -> str:
    found = _MONEY_BEFORE.search(words)
    return found[0] if found else ""


def _word(factor: float) -> str:
    return {1e3: "thousand", 1e6: "million", 1e9: "billion"}[factor]


def _currency(name: str) -> Unit:
    lower = name.lower().replace("us$", "$").replace("u.s. ", "").replace("us ", "").split()[0].rstrip("s")
    return CURRENCIES.get(_SIGNS.get(lower, lower.upper()), COUNT)


def is_scaled(line: str) -> bool:
    """Return whether the figures of a line are what a caption above makes of them: not those per share, nor shares."""
    return _NOT_SCALED.search(line) is None


def scaled(text: str, tokens: Figures, found: Sequence[Quantity]) -> Iterator[Quantity]:
    """Yield what the plain figures of a text are by its captions, as vague quantities; they are what they are, too.

    Figures in a line about something per share, or about a share, are left as they are.

    Args:
        text: that was read.
        tokens: of the text.
        found: its quantities.
    """
    known = dict.fromkeys((caption.factor, caption.unit) for caption in captions(text))
    if not known:
        return
    start = end = 0  # of the line
    has_scale = True
    for item in found[:_MOST]:
        own = tokens[item.first : item.end]
        is_money = item.unit.dimension.isupper()
        is_plain = item.form == "digits" and not item.is_vague and (item.unit is COUNT or is_money)
        if not is_plain or any(token.kind == "word" and token.text not in CURRENCIES for token in own):
            continue
        if not start <= own[0].start < end:
            start, end = text.rfind("\n", 0, own[0].start) + 1, text.find("\n", own[0].start) % (len(text) + 1)
            has_scale = is_scaled(text[start:end])
        if not has_scale:
            continue
        for factor, unit in known:
            low, high, step = item.low * factor, item.high * factor, item.step * factor
            unit = item.unit if is_money else unit
            yield replace(item, low=low, high=high, step=step, unit=unit, is_vague=True, form=SCALED)
