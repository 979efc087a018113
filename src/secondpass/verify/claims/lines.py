"""What a line of a markdown answer is, told from as little of it as can be."""

import re
from enum import Enum, auto
from typing import NamedTuple

__all__ = ["FENCE", "INDENT", "QUOTE", "LineKind", "Place", "Read", "read_line", "width"]


class LineKind(Enum):
    """What a line is; ``CODE`` is indented, ``REFERENCE`` says what address a bracketed name stands for."""

    BLANK = auto()
    RULE = auto()
    HEADING = auto()
    FENCE = auto()
    CODE = auto()
    ROW = auto()
    REFERENCE = auto()
    TEXT = auto()


class Read(NamedTuple):
    """What a line is; ``at`` is where its content begins."""

    kind: LineKind
    at: int
    quoted: int
    item: bool


class Place(NamedTuple):
    """Where a line stands: what is open before it, and in how many quotations."""

    in_paragraph: bool
    in_list: bool
    in_code: bool
    quoted: int


QUOTE = re.compile(r"[ \t]*>")
_ITEM = re.compile(r"[ \t]*(?:[-*+\u2022\u2013]|\d{1,3}[.)])[ \t]{1,20}(?=\S)")
_MAX_ITEMS = 3  # in one line: "- 1. text"
_LEAD = re.compile(r"[\s\d\-*+_=:|#`~>.)\u2022\u2013]*")
_MAX_LEAD = 100  # a longer run of signs is a line of text
_RULE = re.compile(r"\s*[-*_=](?:[-*_=\s])*")
_HEADING = re.compile(r"#{1,6}(?=[ \t]|$)")
FENCE = re.compile(r"(`{3,})[^`]*\Z|(~{3,})")
_BRACKETED = re.compile(r"\[[^\]]{0,100}\]")
_ADDRESS = re.compile(r":\s*<?(?:https?://|www\.)\S+>?\s*(?:[\"'(][^\"')]{0,200}[\"')])?\s*\Z")
_CODE_SIGN = re.compile(
    r"[{}]|[;\\]\s*\Z|->|\w\([^()]{0,200}\)\s*:?\s*\Z|\w\s?[-+*/]?==?\s?\S|\A\s*(?:>>>|\$\s|#|//|@\w|import\s|"
    r"from\s+\S+\s+import|def\s|class\s+\w+\s*[(:]|for\s.{1,100}:\s*\Z|(?:pip|npm|git|sudo|cd|docker|python)\s)"
)
_PROSE = re.compile(r"\s*[\"'\u201c(*_]{0,4}[A-Z](?:\S*\s+){3}")
_PROSE_END = re.compile(r"[.!?][\"'\u201d)*_]*(?:\s*\[[\d, ]{1,20}\])*\s*\Z")
INDENT = 4


def read_line(line: str, *, complete: bool, place: Place) -> Read | None:
    """Return what a line is, without its line break; None for a beginning of a line that may still be anything."""
    at = quoted = 0
    while (match := QUOTE.match(line, at)) is not None:
        at, quoted = match.end(), quoted + 1
    content = line[at:]
    if not content.strip():
        return Read(LineKind.BLANK, at, quoted, False) if complete else None
    begin = at + len(content) - len(content.lstrip())
    if not place.in_paragraph and width(content) >= INDENT * (1 + place.in_list) and not _ITEM.match(line, at):
        if not complete:
            return None
        # Prose that is indented as a whole must not pass for code, and so unchecked.
        if place.in_code or _looks_like_code(content):
            return Read(LineKind.CODE, begin, quoted, False)
    lead = _LEAD.match(line, begin, begin + _MAX_LEAD)
    signs = lead.end() - begin if lead else 0
    if begin + signs == len(line) and signs < _MAX_LEAD and not complete:
        return None
    if line[begin] == "|" and (quoted == place.quoted or not place.in_paragraph):
        return Read(LineKind.ROW, begin, quoted, False) if complete else None
    if complete and signs < _MAX_LEAD and len(content.strip()) >= 3 and _RULE.fullmatch(line, begin):
        return Read(LineKind.RULE, begin, quoted, False)
    item = False
    for _ in range(_MAX_ITEMS):
        if (match := _ITEM.match(line, at)) is not None:
            at, item = match.end(), True
    begin = at if item else begin
    return _special(line, begin, quoted, item, complete)


def _special(line: str, begin: int, quoted: int, item: bool, complete: bool) -> Read | None:
    kind = LineKind.TEXT
    if _HEADING.match(line, begin):
        kind = LineKind.HEADING
    elif line.startswith(("```", "~~~"), begin):
        if not complete or FENCE.match(line, begin):
            kind = LineKind.FENCE
    elif line[begin] == "[":
        bracketed = _BRACKETED.match(line, begin)
        if not complete and (bracketed is None and len(line) - begin < 103):
            return None
        if bracketed is not None:
            rest = line[bracketed.end() :]
            if not complete and (not rest or rest[0] == ":"):
                return None
            kind = LineKind.REFERENCE if _ADDRESS.match(rest) else kind
    if kind is not LineKind.TEXT and not complete:
        return None
    return Read(kind, begin, quoted, item)


def _looks_like_code(line: str) -> bool:
    if _PROSE.match(line) and _PROSE_END.search(line, max(0, len(line) - _MAX_LEAD)):
        return False
    return _CODE_SIGN.search(line) is not None


def width(line: str) -> int:
    """Return how far a line is indented; a tab counts for four."""
    blanks = line[: len(line) - len(line.lstrip(" \t"))]
    return len(blanks.replace("\t", " " * INDENT))
