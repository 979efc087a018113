"""The blocks of a markdown answer, read line by line: which parts are prose, and which are not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise
from typing import NamedTuple

from secondpass.verify.claims.citations import DEFAULT
from secondpass.verify.claims.lines import FENCE, INDENT, QUOTE, LineKind, Place, Read, read_line, width
from secondpass.verify.claims.markup import code_spans
from secondpass.verify.claims.sentences import SentenceScanner

__all__ = ["BlockReader", "Part", "PartKind"]


_ALWAYS_READ = 200  # characters of a line


class PartKind(Enum):
    """What a part of an answer is."""

    SENTENCE = auto()
    HEADING = auto()
    CODE = auto()
    TABLE_HEADER = auto()
    TABLE_ROW = auto()
    REFERENCE = auto()
    """The address behind a link, or behind a footnote."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an answer: ``answer[start:end]``.

    Attributes:
        cells: of a table's row, with the header of each, which is empty if there is none.
    """

    start: int
    end: int
    kind: PartKind
    cells: tuple[tuple[str, str], ...] = ()


class _Fence(NamedTuple):
    """Fenced code: what it began with, where it begins and ends so far, and in how many quotations it stands."""

    mark: str
    start: int
    end: int
    quoted: int


# Nothing is given back (*+), so a line of blanks takes linear time.
_DELIMITERS = re.compile(r"\s*+\|?+(?:\s*+:?+-++:?+\s*+\|)*+\s*+(?::?+-++:?+)?+\s*+\|?+\s*+")


class BlockReader:
    """Reads an answer in pieces, and gives its parts as soon as they have ended.

    Paragraphs, items of lists and quotations are split into sentences. A heading, a block of code (fenced, or
    indented if it begins like code), a row of a table (whose lines begin with ``|``) and a definition of a link is a
    part each. Rules, the lines under a table's header, and the marks of lists and quotations belong to no part.
    """

    def __init__(self, pattern: re.Pattern[str] = DEFAULT) -> None:
        self._pattern = pattern
        self._line: list[str] = []
        self._offset = 0  # of the current line
        self._passed = 0  # how much of the line the paragraph has
        self._waiting = True  # whether the line's kind is unknown
        self._held = self._tried = 0  # how much of it is here, and how much there was when it was last read
        self._scanner: SentenceScanner | None = None
        self._quoted, self._in_list = 0, False
        self._fence: _Fence | None = None
        self._code: tuple[int, int] | None = None
        self._row: tuple[str, int] | None = None  # a first row that may be a header
        self._headers: list[str] | None = None

    def feed(self, text: str) -> Iterator[Part]:
        """Add text, and yield the parts that have ended."""
        pieces = text.split("\n")
        for piece in pieces[:-1]:
            yield from self._add(piece, ended=True)
        yield from self._add(pieces[-1], ended=False)

    def finish(self) -> Iterator[Part]:
        """End the answer, and yield the parts that are left."""
        if self._waiting and self._line:
            yield from self._whole("".join(self._line))
        yield from self._end_all()

    def _add(self, piece: str, *, ended: bool) -> Iterator[Part]:
        if not self._waiting:
            self._passed += len(piece)
            yield from self._to_paragraph(piece + "\n" * ended)
        elif ended:
            line = "".join([*self._line, piece])
            self._passed = len(line)
            yield from self._whole(line)
            yield from self._to_paragraph("\n")
        elif piece:
            self._line.append(piece)
            self._held += len(piece)
            # A long line that may still be anything is read again when it has grown by a half: linear time in all.
            if self._held <= _ALWAYS_READ or self._held > 3 * self._tried // 2:
                self._tried = self._held
                yield from self._early()
        if ended:
            self._offset += self._passed + 1
            self._line, self._passed, self._waiting = [], 0, True
            self._held = self._tried = 0

    def _early(self) -> Iterator[Part]:
        """Hand the beginning of a line to its paragraph once it can be nothing else."""
        if self._fence or self._code or self._row:
            return
        line = "".join(self._line)
        self._line = [line]
        read = read_line(line, complete=False, place=self._place())
        if read is not None and read.kind is LineKind.TEXT:
            self._waiting, self._passed = False, len(line)
            yield from self._end_table()
            yield from self._text(line, read)

    def _place(self) -> Place:
        return Place(self._scanner is not None, self._in_list, self._code is not None, self._quoted)

    def _to_paragraph(self, text: str) -> Iterator[Part]:
        if self._scanner is not None:
            for start, end in self._scanner.feed(text):
                yield Part(start, end, PartKind.SENTENCE)

    def _whole(self, line: str) -> Iterator[Part]:
        if self._fence is not None:
            yield from self._in_fence(line, self._fence)
            return
        read = read_line(line, complete=True, place=self._place())
        if read is None:
            raise AssertionError("unreachable: a whole line is something")
        if self._code is not None:
            if read.kind is LineKind.BLANK:
                return
            if read.kind is LineKind.CODE or width(line) >= INDENT:
                self._code = self._code[0], self._offset + len(line.rstrip())
                return
        if read.kind is not LineKind.CODE:
            yield from self._end_code()
        if read.kind is not LineKind.ROW:
            yield from self._end_table()
        if read.kind is LineKind.TEXT:
            yield from self._text(line, read)
            return
        heading = read.kind is LineKind.RULE and self._scanner is not None and not self._scanner.released
        yield from self._end_paragraph(PartKind.HEADING if heading else PartKind.SENTENCE)
        start, end = self._offset + read.at, self._offset + len(line.rstrip())
        self._in_list |= read.item
        if read.kind is LineKind.BLANK:
            self._quoted = 0
        elif read.kind is LineKind.HEADING:
            self._in_list = False
            yield Part(start, end, PartKind.HEADING)
        elif read.kind is LineKind.REFERENCE:
            yield Part(start, end, PartKind.REFERENCE)
        elif read.kind is LineKind.FENCE:
            mark = FENCE.match(line, read.at)
            self._fence = _Fence(mark[1] or mark[2], start, end, read.quoted) if mark else None
        elif read.kind is LineKind.CODE:
            self._code = start, end
        elif read.kind is LineKind.ROW:
            yield from self._table_row(line[read.at :].rstrip(), start)

    def _text(self, line: str, read: Read) -> Iterator[Part]:
        if read.item or self._scanner is None or read.quoted > self._quoted:
            yield from self._end_paragraph()
            if read.item or width(line) == 0:
                self._in_list = read.item
            self._quoted = read.quoted
            self._scanner = SentenceScanner(self._offset + read.at, self._pattern, quoted=read.quoted > 0)
            line = line[read.at :]
        yield from self._to_paragraph(line)

    def _in_fence(self, line: str, fence: _Fence) -> Iterator[Part]:
        """Add a line to the code, and yield that if it ends."""
        depth, at = 0, 0
        while depth < fence.quoted and (match := QUOTE.match(line, at)) is not None:
            depth, at = depth + 1, match.end()
        if depth < fence.quoted:  # the quotation has ended, and so has the code in it
            yield from self._end_fence()
            yield from self._whole(line)
            return
        closing = line[at:].strip()
        if closing:
            self._fence = fence._replace(end=self._offset + len(line.rstrip()))
        if closing.startswith(fence.mark) and not closing.strip(fence.mark[0]):
            yield from self._end_fence()

    def _end_fence(self) -> Iterator[Part]:
        if self._fence is not None:
            yield Part(self._fence.start, self._fence.end, PartKind.CODE)
            self._fence = None

    def _end_code(self) -> Iterator[Part]:
        if self._code is not None:
            yield Part(*self._code, PartKind.CODE)
            self._code = None

    def _end_paragraph(self, kind: PartKind = PartKind.SENTENCE) -> Iterator[Part]:
        if self._scanner is not None:
            spans = self._scanner.finish()
            self._scanner = None
            for start, end in spans:
                yield Part(start, end, kind if len(spans) == 1 else PartKind.SENTENCE)

    def _table_row(self, line: str, start: int) -> Iterator[Part]:
        delimits = "-" in line and _DELIMITERS.fullmatch(line) is not None
        if self._headers is None and self._row is not None and delimits:
            header, begin = self._row
            self._row, self._headers = None, [text for text, _ in _cells(header)]
            yield Part(begin, begin + len(header), PartKind.TABLE_HEADER)
        elif self._headers is not None:
            if not delimits:
                yield self._as_part(line, start, self._headers)
        else:
            yield from self._end_table()
            self._row = line, start

    def _end_table(self) -> Iterator[Part]:
        if self._row is not None:
            yield self._as_part(*self._row, [])
        self._row = self._headers = None

    @staticmethod
    def _as_part(line: str, start: int, headers: list[str]) -> Part:
        cells = _cells(line)
        named = [*headers[: len(cells)], *[""] * (len(cells) - len(headers))]
        paired = tuple((name, text) for name, (text, _) in zip(named, cells, strict=True))
        return Part(start, start + len(line), PartKind.TABLE_ROW, paired)

    def _end_all(self) -> Iterator[Part]:
        yield from self._end_fence()
        yield from self._end_code()
        yield from self._end_table()
        yield from self._end_paragraph()


def _cells(row: str) -> list[tuple[str, int]]:
    """Return the cells of a table's row, and where each begins."""
    hidden = list(row)
    for begin, end in code_spans(row):
        hidden[begin:end] = "x" * (end - begin)
    bars = [at for at, sign in enumerate(hidden) if sign == "|" and (at == 0 or hidden[at - 1] != "\\")]
    edges = [-1, *bars, len(row)]
    cells = [(row[a + 1 : b].strip(), a + 1) for a, b in pairwise(edges)]
    return cells[1 if bars and bars[0] == 0 else 0 : -1 if bars and not row[bars[-1] + 1 :].strip() else None]
