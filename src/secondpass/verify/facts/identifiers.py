"""What holds figures and is no quantity: addresses, paths, code names, versions, numbered things."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from secondpass.verify.facts.quantities.numerals import literal, numeral_at, roman
from secondpass.verify.facts.quantities.units import unit_at
from secondpass.verify.words import STOP_WORDS, Token, word_set

__all__ = ["Numbered", "find_numbered", "identifier_tokens"]

_MARKER = re.compile(r"\[\s?\d{1,3}(?:\s?[,;\u2013-]\s?\d{1,3}){0,20}\s?\]")
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.|/|~/|\\\\|\.{1,2}/|[A-Za-z]:\\)", re.IGNORECASE)
# Letters with figures, or words with signs that only names in code have. Words before a dash as in "mid-1990s" are
# none of it, nor are statistics and ranks ("n=25", "#1").
_CODE = re.compile(
    r"[@\\]|[#=](?!\d|[-<>.~\u2212$\u20ac\u00a3]\d)|::|\(\)|__|\w_\w|[^\W\d_]{2}\.[^\W\d_]{2}|[^\W\d]/\w+[./]|\d/\d+[./]|://"
)
_DOTTED = re.compile(r"v?\d+(?:\.\d+){2,}|\d+:\d$|\d{3,}-\d+-\d+|\d+(?:\.\d+){3}", re.IGNORECASE)
_PREFIXES = word_set(
    "usd eur gbp jpy inr mid pre post early late over under sub top ca circa c us rs no nos p pp vol ad bc ce approx "
    "around"
)
_GLUED_ENDINGS = word_set("s st nd rd th am pm k m b mn bn tn x o'clock fold ish c f ad bc bce ce")
_BREAKS = frozenset(',;()[]{}"\u201c\u201d\u2014\u2026|\u00ab\u00bb!?')

# What is numbered, and so is not counted: "section 4", "episode 12", "RFC 2616".
_HEADS = word_set(
    "section chapter figure fig table page part volume vol issue line article rule paragraph appendix annex clause "
    "title episode season series book number no nos type class category level stage phase grade round route highway "
    "interstate version release chapter act scene step option question item room gate platform flight channel rfc iso "
    "pep ieee issn isbn din ean bug ticket case psalm verse opus op war division district ward unit apartment model "
    "mark group"
)
_NOT_NAMES = word_set(
    "about around over under nearly almost only approximately roughly some another more less fewer at between up than "
    "exactly just all most both these those there here every each first last next total"
)
_MARKER_SIGNS = frozenset(".):")
_ROMAN_WORTH = frozenset("VX")


@dataclass(frozen=True, slots=True)
class Numbered:
    """A thing that has a number for a name, as a version has: it is compared as it is written.

    Attributes:
        head: the stem of the word before the number.
        number: the number, in digits.
        first: the index of the head's token.
        end: the index of the token after the number.
    """

    head: str
    number: str
    first: int
    end: int


def _chunks(tokens: list[Token]) -> Iterator[tuple[int, int]]:
    """Yield where tokens stand together without a space, as first and last index (exclusive)."""
    first = 0
    for at, token in enumerate(tokens):
        if at > first and not token.glued:
            yield first, at
            first = at
    if tokens:
        yield first, len(tokens)


def identifier_tokens(text: str, tokens: list[Token]) -> set[int]:
    """Return the indices of tokens that are parts of identifiers: their figures count nothing."""
    masked: set[int] = set()
    for first, end in _chunks(tokens):
        if tokens[first].first and _is_list_marker(tokens, first, end):
            masked.add(first)
        if end - first == 1:
            continue
        chunk = text[tokens[first].start : tokens[end - 1].end].lstrip("(<\"'[{\u201c\u2018")
        if _ADDRESS.match(chunk):
            masked.update(range(first, end))
            continue
        for start, stop in _parts(tokens, first, end):
            part = text[tokens[start].start : tokens[stop - 1].end].rstrip(".:'\u2019")
            if _is_code(part) or _is_code_name(tokens, start, stop):
                masked.update(range(start, stop))
    if "[" in text:
        spans = [match.span() for match in _MARKER.finditer(text)]
        masked.update(_inside(tokens, spans))
    return masked


def _is_list_marker(tokens: list[Token], first: int, end: int) -> bool:
    """Return whether a number begins an item of a list: "3. Mix it", "3) Mix it", "3 Mix it"."""
    marker = tokens[first]
    if marker.kind != "number" or len(marker.text) > 2 or end >= len(tokens):
        return False
    after = tokens[end]
    if end - first == 2 and tokens[first + 1].text in _MARKER_SIGNS:
        return after.text[0].isupper()
    # "3 The dough rises": a capital behind a bare number, where no name or month begins.
    return end - first == 1 and after.text[0].isupper() and after.lower in STOP_WORDS - {"may"}


def _parts(tokens: list[Token], first: int, end: int) -> Iterator[tuple[int, int]]:
    start = first
    for at in range(first, end):
        if tokens[at].text in _BREAKS:
            if start < at:
                yield start, at
            start = at + 1
    if start < end:
        yield start, end


def _inside(tokens: list[Token], spans: list[tuple[int, int]]) -> Iterator[int]:
    at = 0
    for start, end in spans:
        while at < len(tokens) and tokens[at].start < start:
            at += 1
        while at < len(tokens) and tokens[at].end <= end:
            yield at
            at += 1


def _is_code(part: str) -> bool:
    if _DOTTED.fullmatch(part):
        return not part.replace(".", "").isdecimal() or literal(part) is None
    return bool(_CODE.search(part))


def _is_code_name(tokens: list[Token], start: int, stop: int) -> bool:
    """Return whether letters and figures stand together in another way than a number with its unit does."""
    for at in range(start, stop - 1):
        here, after = tokens[at], tokens[at + 1]
        if here.kind == "word" and after.kind == "number":
            if here.lower not in _PREFIXES:
                return True
        elif here.kind == "number" and after.kind == "word":
            numeral = numeral_at(tokens, at)
            known = after.lower in _GLUED_ENDINGS or unit_at(tokens, at + 1) or (numeral and numeral.end > at + 1)
            if not known:
                return True
        elif here.kind == "word" and after.text in {"-", "\u2011", "\u2013"} and at + 2 < stop:
            beyond = tokens[at + 2]
            is_number = beyond.kind == "number" and beyond.glued
            if is_number and here.lower not in _PREFIXES and at == start and here.lower not in STOP_WORDS:
                return True
    return False


def find_numbered(tokens: list[Token], masked: set[int]) -> list[Numbered]:
    """Return the numbered things of a text: versions, sections, kings and wars."""
    found: list[Numbered] = []
    for at in range(1, len(tokens)):
        token = tokens[at]
        head, first = tokens[at - 1], at - 1
        if token.glued and token.kind == "number" and head.lower == "v" and not _is_behind_a_letter(tokens, first):
            found.append(Numbered("version", token.text, first, at + 1))
            continue
        if head.text == "." and at > 1 and head.glued:
            head, first = tokens[at - 2], at - 2
        if at in masked or first in masked or head.kind != "word" or token.sentence != head.sentence:
            continue
        # "no 5", but not "no. Five people": the number's own token must not begin a sentence.
        is_head = head.lower in _HEADS
        if not is_head and (head.lower in _NOT_NAMES or head.lower in STOP_WORDS or not head.text[0].isupper()):
            continue
        number = _number(tokens, at, head, is_head)
        if number is not None and (is_head or not head.first or _is_title(tokens, at)):
            found.append(Numbered(head.stem, number, first, at + 1))
    return found


def _is_behind_a_letter(tokens: list[Token], at: int) -> bool:
    return at > 0 and tokens[at].glued and tokens[at - 1].kind != "symbol"


def _is_title(tokens: list[Token], at: int) -> bool:
    """Return whether a number behind a sentence's first word numbers that: "Python 3.11 is", not "Scoring 5 goals"."""
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    return "." in tokens[at].text or after is None or not after.is_content


def _number(tokens: list[Token], at: int, head: Token, is_head: bool) -> str | None:
    token = tokens[at]
    if token.kind == "number":
        after = tokens[at + 1] if at + 1 < len(tokens) else None
        numeral = numeral_at(tokens, at)
        if after is not None and (unit_at(tokens, at + 1) or (numeral and numeral.end > at + 1) or after.text == "%"):
            return None
        is_year = len(token.text) == 4 and "1000" <= token.text <= "2100"
        if "," in token.text or (is_year and not is_head and not (head.text.isupper() and len(head.text) > 1)):
            return None
        return token.text
    if token.kind != "word":
        return None
    if token.text[0].isupper():
        value = roman(token.text)
        if value is not None and (
            len(token.text) > 1 or token.text in _ROMAN_WORTH or (is_head and head.text[0].isupper())
        ):
            return str(value)
        if is_head:
            numeral = numeral_at(tokens, at)
            return str(int(numeral.value)) if numeral and numeral.form == "words" and numeral.end == at + 1 else None
    return None
