"""Tables of figures in plain text, as PDFs of accounts give them: a line of years, and a label before each figure."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

__all__ = ["StatementRow", "statement_rows"]

_CELL = r"[$€£¥]?[^\S\n]?\(?[-\u2212\u2013]?\d(?:[\d,]{0,20}\d)?(?:\.\d{1,6})?\)?[^\S\n]?%?|[-\u2013\u2014]"
_CELLS = re.compile(rf"(?:[^\S\n]{{0,9}}(?:{_CELL})(?=[^\S\n$€£¥]|$)){{1,12}}[^\S\n]{{0,9}}[$€£¥]?")
_ONE = re.compile(_CELL)
_MONEY = re.compile(r"[$€£¥]")
_YEAR = re.compile(r"(?:19|20)\d\d")
_LABEL = re.compile(r"[A-Za-z(][^\n|]{1,100}")
_FIGURE = re.compile(r"\d")
_MIN_COLUMNS, _MIN_ROWS, _MOST_COLUMNS = 2, 2, 8
_LONGEST = 140  # characters of a line that may be a row


class StatementRow(NamedTuple):
    """A row: ``text[start:end]``, with its label, the years above its figures, and these."""

    start: int
    end: int
    label: str
    years: tuple[str, ...]
    cells: tuple[str, ...]


def statement_rows(lines: Sequence[tuple[int, str]]) -> list[StatementRow]:
    """Return the rows of a table whose columns are years, wherever its lines break; none if there are fewer than two.

    Args:
        lines: of a text, each with where it begins.
    """
    rows = list(_rows([(start, line) for start, line in lines if line.strip()]))
    return rows if len(rows) >= _MIN_ROWS else []


def _rows(lines: Sequence[tuple[int, str]]) -> Iterator[StatementRow]:
    years: list[str] = []
    heading = label = ""
    cells: list[str] = []
    begin = 0
    is_header = False  # whether the last figures were years
    for start, line in lines:
        text = line.strip()
        own, figures = _parted(text) if len(line) <= _LONGEST else ("", [])
        if not own and not figures:
            if not _MONEY.fullmatch(text):  # prose, or a line of signs
                label, cells = "", []
            continue
        if figures and all(_YEAR.fullmatch(each) for each in figures):
            years = [*years, *figures] if is_header else figures
            is_header, label, cells = True, "", []
            continue
        if own:
            is_header = is_header and not figures
            if label.endswith(":") and not cells:
                heading = label
            label, cells, begin = own, [], start
        if not figures:
            continue
        is_header = False
        cells += figures
        if label and _MIN_COLUMNS <= len(years) <= _MOST_COLUMNS and len(cells) == len(years):
            whole = f"{heading} {label}".strip() if not label.endswith(":") else label
            yield StatementRow(begin, start + len(line.rstrip()), whole.rstrip(": "), tuple(years), tuple(cells))
            label, cells = "", []


def _parted(text: str) -> tuple[str, list[str]]:
    """Return the label and the figures of a line, either of which may be missing."""
    if _CELLS.fullmatch(text) and _FIGURE.search(text):
        return "", _figures(text)
    words = text.split()
    at = len(words)
    while at and (_MONEY.fullmatch(words[at - 1]) or _CELLS.fullmatch(words[at - 1])):
        at -= 1
    own = " ".join(words[:at])
    rest = " ".join(words[at:])
    if not _LABEL.fullmatch(own):
        return "", []
    return own, _figures(rest) if _FIGURE.search(rest) else []


def _figures(text: str) -> list[str]:
    return [re.sub(r"\s", "", match[0]) for match in _ONE.finditer(text)]
