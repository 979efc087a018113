"""What holds figures and counts nothing: addresses, paths, names in code."""

import re
from collections.abc import Iterator

from secondpass.verify.claims.citations import DEFAULT as CITATIONS
from secondpass.verify.claims.citations import cited, is_marker
from secondpass.verify.facts.quantities.numerals import Figures, literal
from secondpass.verify.words import STOP_WORDS, word_set

__all__ = ["identifier_tokens", "marker_tokens"]

_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.|/|~/|\\\\|\.{1,2}/|[A-Za-z]:\\)", re.IGNORECASE)
# Letters with figures, or words with signs that only names in code have. Words before a dash as in "mid-1990s" are
# none of it, nor are statistics and ranks ("n=25", "#1").
_CODE = re.compile(
    r"[@\\]|[#=](?!\d|[-<>.~\u2212$\u20ac\u00a3]\d)|::|\(\)|__|\w_\w|[^\W\d_]{2}\.[^\W\d_]{2}|[^\W\d]/\w+[./]|\d/\d+[./]|://"
)
_DOTTED = re.compile(r"v?\d+(?:\.\d+){2,}|\d{3,}-\d+-\d+|\d+(?:\.\d+){3}", re.IGNORECASE)
_PREFIXES = word_set(
    "usd eur gbp jpy inr mid pre post early late over under sub top ca circa c us rs no nos p pp vol ad bc ce approx "
    "around fy"
)
_GLUED_ENDINGS = word_set("s st nd rd th am pm k m b t mn bn tn x o'clock fold ish c f ad bc bce ce")
_BREAKS = frozenset(',;()[]{}"\u201c\u201d\u2014\u2026|\u00ab\u00bb!?')

_MARKER_SIGNS = frozenset(".):")


def _chunks(tokens: Figures) -> Iterator[tuple[int, int]]:
    """Yield where tokens stand together without a space, as first and last index (exclusive)."""
    first = 0
    for at, token in enumerate(tokens):
        if at > first and not token.glued:
            yield first, at
            first = at
    if tokens:
        yield first, len(tokens)


def marker_tokens(text: str, tokens: Figures) -> set[int]:
    """Return the indices of tokens that are parts of citation markers, or number the items of a list."""
    chunks = _chunks(tokens)
    marking = {first for first, end in chunks if tokens[first].first and _is_list_marker(tokens, first, end)}
    if "[" in text:
        found = (match for match in CITATIONS.finditer(text) if match[0][0] == "[" and is_marker(match))
        spans = [match.span() for match in found if cited(match)]  # "[Smith 2010]" tells a year
        marking.update(_inside(tokens, spans))
    return marking


def identifier_tokens(text: str, tokens: Figures) -> set[int]:
    """Return the indices of tokens that are parts of identifiers: their figures count nothing."""
    masked: set[int] = set()
    for first, end in _chunks(tokens):
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
    return masked


def _is_list_marker(tokens: Figures, first: int, end: int) -> bool:
    """Return whether a number begins an item of a list: "3. Mix it", "3) Mix it", "3 Mix it"."""
    marker = tokens[first]
    if marker.kind != "number" or len(marker.text) > 2 or end >= len(tokens):
        return False
    after = tokens[end]
    if end - first == 2 and tokens[first + 1].text in _MARKER_SIGNS:
        return after.text[0].isupper()
    # "3 The dough rises": a capital behind a bare number, where no name or month begins.
    return end - first == 1 and after.text[0].isupper() and after.lower in STOP_WORDS - {"may"}


def _parts(tokens: Figures, first: int, end: int) -> Iterator[tuple[int, int]]:
    start = first
    for at in range(first, end):
        if tokens[at].text in _BREAKS:
            if start < at:
                yield start, at
            start = at + 1
    if start < end:
        yield start, end


def _inside(tokens: Figures, spans: list[tuple[int, int]]) -> Iterator[int]:
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


def _is_code_name(tokens: Figures, start: int, stop: int) -> bool:
    """Return whether letters and figures stand together in another way than a number with its unit does."""
    for at in range(start, stop - 1):
        here, after = tokens[at], tokens[at + 1]
        if here.kind == "word" and after.kind == "number":
            if here.lower not in _PREFIXES:
                return True
        elif here.kind == "number" and after.kind == "word":
            numeral = tokens.numeral(at)
            known = after.lower in _GLUED_ENDINGS or tokens.unit(at + 1) or (numeral and numeral.end > at + 1)
            if not known:
                return True
        elif here.kind == "word" and after.text in {"-", "\u2011", "\u2013"} and at + 2 < stop:
            beyond = tokens[at + 2]
            is_number = beyond.kind == "number" and beyond.glued
            if is_number and here.lower not in _PREFIXES and at == start and here.lower not in STOP_WORDS:
                return True
    return False
