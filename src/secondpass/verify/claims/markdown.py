"""The blocks of a markdown answer: which of its parts are prose, and which are not."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import pairwise
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock, code, fence, heading, hr, lheading, paragraph

from secondpass.verify.claims.citations import DEFAULT
from secondpass.verify.claims.markup import all_bold, code_spans
from secondpass.verify.claims.sentences import SentenceScanner

__all__ = ["MarkdownReader", "Part", "PartKind"]


class PartKind(Enum):
    """What a part of an answer is."""

    SENTENCE = auto()
    HEADING = auto()
    CODE = auto()
    DATA = auto()
    """JSON, or what a tool was called with or gave, in the tags that models write around it."""
    TABLE_HEADER = auto()
    TABLE_ROW = auto()
    REFERENCE = auto()
    """The address behind a link, or behind a footnote."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an answer: ``answer[start:end]``.

    Attributes:
        cells: of a table's row, with the header of each, which is empty if there is none.
        depth: in how many items of lists it stands, one in another.
        is_followed: whether more is behind it, in an item of a list in the same item, as far as is known when it is
            given. Of a paragraph that is bold as a whole it is always known: before others it may be their title, and
            at the end it is not.
    """

    start: int
    end: int
    kind: PartKind
    cells: tuple[tuple[str, str], ...] = ()
    depth: int = 0
    is_followed: bool = False

    @property
    def in_list(self) -> bool:
        """Whether it stands in an item of a list."""
        return self.depth > 0


Rule = Callable[[StateBlock, int, int, bool], bool]

# CommonMark nests without end; deeper text is still read, as a paragraph.
_MAX_NESTING = 20
# Blanks and rules are not given back (*+) where something else follows them: a line takes linear time.
_REFERENCE = re.compile(r"\[[^\]]{0,100}\]:\s*<?(?:https?://|www\.)\S+>?\s*+(?:[\"'(][^\"')]{0,200}[\"')])?\s*+\Z")
_DOUBLE_RULE = re.compile(r"={3}[\s=]*+\Z")
_CODE_SIGN = re.compile(
    r"[{}]|[;\\]\s*+\Z|->|\w\([^()]{0,200}\)\s*+:?\s*+\Z|\w\s?[-+*/]?==?\s?\S|\A\s*(?:>>>|\$\s|#|//|@\w|import\s|"
    r"from\s+\S+\s+import|def\s|class\s+\w+\s*[(:]|for\s.{1,100}:\s*\Z|(?:pip|npm|git|sudo|cd|docker|python)\s)"
)
_PROSE = re.compile(r"\s*[\"'\u201c(*_]{0,4}[A-Z](?:\S*\s+){3}")
_PROSE_END = re.compile(r"[.!?][\"'\u201d)*_]*(?:\s*\[[\d, ]{1,20}\])*\s*\Z")
_LINE_END = 100
_KEPT = 160  # characters of a line that has been read: as many as may be a title
_TOOL = r"<(?:tool|function)_(?:calls?|response|results?|output)>"
_DATA = re.compile(rf"\{{\s{{0,50}}(?:\"|\}}|\Z)|\[\s{{0,50}}(?:[\"{{]|\[\s{{0,50}}[\"{{\[]|\Z)|{_TOOL}")
_MAX_DATA_LINES = 100  # more are read as prose, so that lines of open brackets take linear time
_JSON = json.JSONDecoder()
_OPEN = "open"  # what marks data of which the end has not come


def _placed(rule: Rule) -> Rule:
    """Let a rule of markdown-it note where the block begins, in characters: it keeps lines only."""

    def noting(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        n, at = len(state.tokens), state.bMarks[start] + state.tShift[start]
        found = rule(state, start, end, silent)
        if found and len(state.tokens) > n:
            state.tokens[n].meta["start"] = at
        return found

    return noting


def _one_line(name: str, matches: Callable[[str], bool]) -> Rule:
    """Return a rule for blocks of one line."""

    def rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        at = state.bMarks[start] + state.tShift[start]
        if state.is_code_block(start) or not matches(state.src[at : state.eMarks[start]]):
            return False
        if not silent:
            token = state.push(name, "", 0)
            token.map = [start, start + 1]
            state.line = start + 1
        return True

    return rule


def _code(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read indented code, if it looks like code: prose that is indented must not go unchecked."""
    line = state.src[state.bMarks[start] : state.eMarks[start]]
    if _PROSE.match(line) and _PROSE_END.search(line, max(0, len(line) - _LINE_END)):
        return False
    return _CODE_SIGN.search(line) is not None and code(state, start, end, silent)


def _data(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read lines that are one JSON object or array, or stand between the tags of a tool's call or output.

    Where the last line that is there may go on, the block is held open: nothing is known of it until more has come.
    """
    begin, limit = state.bMarks[start] + state.tShift[start], state.eMarks[min(end, start + _MAX_DATA_LINES) - 1]
    if state.is_code_block(start) or _DATA.match(state.src, begin, state.eMarks[start]) is None:
        return False
    blank = state.src.find("\n\n", begin, limit)
    text = state.src[begin : limit if blank < 0 else blank]
    length, failure = _data_in(text)
    last = start + 1 + text.count("\n")
    is_open = not length and last == state.env["lines"] and "\n" not in text[failure:] and not state.env["final"]
    if not is_open and (not length or text[length:].split("\n", 1)[0].strip(" \t,;")):
        return False  # nothing is read of what goes on with prose in the same line
    if not silent:
        token = state.push("data", "", 0)
        token.map = [start, last if is_open else start + 1 + text.count("\n", 0, length)]
        token.markup = _OPEN if is_open else ""
        state.line = token.map[1]
    return True


def _data_in(text: str) -> tuple[int, int]:
    """Return how long the data is that a text begins with, 0 for none; and where it can't be read on."""
    if text[0] == "<":
        tag = text[1 : text.index(">")]
        end = text.find(f"</{tag}>")
        return (end + len(tag) + 3, 0) if end >= 0 else (0, len(text))
    try:
        return _JSON.raw_decode(text)[1], 0
    except json.JSONDecodeError as exc:
        return 0, exc.pos
    except (RecursionError, ValueError):  # nested too deeply, or an integer of very many digits
        return 0, 0


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING})
    parser.disable("html_block")
    ruler = parser.block.ruler
    ends: RuleOptionsType = {"alt": ["paragraph", "blockquote", "list"]}
    # A row begins with a bar, and needs no header; a definition of a link has an address.
    ruler.before("code", "data", _placed(_data), ends)
    ruler.before("code", "row", _placed(_one_line("row", lambda line: line.startswith("|"))), ends)
    ruler.at("reference", _placed(_one_line("reference", lambda line: _REFERENCE.match(line) is not None)), ends)
    ruler.before("lheading", "double_rule", _placed(_one_line("hr", lambda line: _DOUBLE_RULE.match(line) is not None)))
    ruler.at("code", _placed(_code))
    ruler.at("fence", _placed(fence), ends)
    ruler.at("hr", _placed(hr), ends)
    ruler.at("heading", _placed(heading), {"alt": ["paragraph", "blockquote"]})
    ruler.at("lheading", _placed(lheading))
    ruler.at("paragraph", _placed(paragraph))
    return parser


_PARSER = _parser()
_BLANK = re.compile(r"[^\S\n\t ]")
# Bullets that Markdown does not know: dots and dashes, arrows, ticks and crosses, boxes, stars, hands.
_BULLETS = (
    "\u2022\u2013\u25e6\u25aa\u2023\u00b7\u2192\u27a1\u27a4\u25b6\u25ba\u25cf\u25cb\u25a0\u25a1\u2605\u2606"
    "\u2705\u2714\u2713\u2611\u274c\u2716\u2717\u2718\u26a0\U0001f539\U0001f538\U0001f449\U0001f4cc"
)
_BULLET = re.compile(rf"^([ \t>]*)[{_BULLETS}](\ufe0f?)(?=[ \t])")
# What a line that may still be anything consists of.
_LEAD = re.compile(rf"[\s\d\-*+_=:|#`~>.){_BULLETS}\ufe0f]*")
_MAX_LEAD = 100  # a longer run of signs is a line of text
_INDENT = re.compile(r"\t| {4}")
_BOLD_SO_FAR = re.compile(r"(?:[\s>]{0,20}\d{1,9}[.)]\s)?[^\w*`]{0,8}\*{2,3}[^*\n]{0,100}\*{0,3}\s*")
_BRACKETED = re.compile(r"\[[^\]]{0,100}\][^:]")
_MARKS = re.compile(r"(?:[ \t]*+(?:>|(?:[-*+]|\d{1,9}[.)])(?=\s|\Z)))*+\s*")
# Nothing is given back (*+), so a line of blanks takes linear time.
_DELIMITERS = re.compile(r"\s*+\|?+(?:\s*+:?+-++:?+\s*+\|)*+\s*+(?::?+-++:?+)?+\s*+\|?+\s*+")
# For each character of the answer, so many may be parsed; a container of very many blocks is read in larger steps.
_CREDIT = 6
_FIRST_CREDIT = 4_000


@dataclass(slots=True)
class _Line:
    """A line that matters for what comes: what markdown-it reads, what stands there, and where.

    Attributes:
        view: with a letter for what has been read of a paragraph, and a hyphen for other bullets.
        is_fed: whether its paragraph has it.
    """

    view: str
    raw: str
    offset: int
    is_fed: bool = False

    @property
    def end(self) -> int:
        """Where its last character that is not blank ends."""
        return self.offset + len(self.raw.rstrip())


class _Leaf(NamedTuple):
    """A block that holds no other block.

    Attributes:
        kind: its token's type in markdown-it.
        first: its first line.
        column: where it begins in that.
        end: the line after it.
        quoted: whether it stands in a quotation.
        depth: in how many items of lists it stands.
        is_final: whether it is the last of its item.
        mark: what fences it.
    """

    kind: str
    first: int
    column: int
    end: int
    quoted: bool
    depth: int
    is_final: bool
    mark: str


def _as_hyphen(bullet: re.Match[str]) -> str:
    return f"{bullet[1]}-{' ' * len(bullet[2])}"  # as many characters as before


def _leaves(lines: list[str], *, final: bool) -> tuple[list[_Leaf], int]:
    """Return the blocks of a text, in order, and the line of the last block, or item of a list, at the top.

    Every line with words is in a block, and what follows that line can be read without what is before it.

    Args:
        lines: of the text.
        final: whether nothing follows them.
    """
    known = {"final": final, "lines": len(lines)}
    tokens = _PARSER.block.parse("".join(f"{line}\n" for line in lines), _PARSER, known, []) or []
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    leaves: list[_Leaf] = []
    cut = depth = listed = 0
    for at, token in enumerate(tokens):
        first, end = token.map or (0, 0)
        if token.map and (token.level == 0 or (token.type == "list_item_open" and token.level == 1)):
            cut = first
        depth += (token.type == "blockquote_open") - (token.type == "blockquote_close")
        listed += (token.type == "list_item_open") - (token.type == "list_item_close")
        if "start" in token.meta:
            kind = "setext" if token.type == "heading_open" and token.markup in {"=", "-"} else token.type
            column = token.meta["start"] - starts[first]
            is_final = [after.type for after in tokens[at + 3 : at + 4]] == ["list_item_close"]
            leaves.append(_Leaf(kind, first, column, end, depth > 0, listed, is_final, token.markup))
    return sorted([*leaves, *_beyond(lines, leaves)], key=lambda leaf: leaf.first), cut


def _beyond(lines: list[str], leaves: list[_Leaf]) -> Iterator[_Leaf]:
    """Yield what is nested too deeply to be read, line by line."""
    seen = {at for leaf in leaves for at in range(leaf.first, leaf.end)}
    for at, line in enumerate(lines):
        if at not in seen and line:
            column = _MARKS.match(line).end()  # type: ignore[union-attr]  # it matches the empty text
            if column < len(line):
                yield _Leaf("paragraph_open", at, column, at + 1, True, _MAX_NESTING, True, "")


class MarkdownReader:
    """Reads an answer in pieces, and gives its parts as soon as they have ended.

    The blocks are those that markdown-it-py finds, with five differences. A line that begins with ``|`` is a row of a
    table, with or without a header; lines of JSON, or between the tags of a tool, are data; a definition of a link
    holds an address; what is indented is code only if it looks like it; and other bullets than markdown's begin an
    item as well. Paragraphs, items of lists and quotations are split into sentences. Rules, the lines under a table's
    header, and the marks of lists and quotations belong to no part. The time is linear in the length.

    Args:
        pattern: finds citation markers.
    """

    def __init__(self, pattern: re.Pattern[str] = DEFAULT) -> None:
        self._pattern = pattern
        self._lines: list[_Line] = []  # since the last block or item at the top, without what no longer matters
        self._size = 0  # of these, in characters
        self._line: list[str] = []  # the current one
        self._offset = 0  # of the current line
        self._length = 0  # of the current line, so far
        self._in_text = False  # whether the current line goes straight to its paragraph
        self._was_tried = False
        self._credit = _FIRST_CREDIT
        self._awaited = 0  # the size from which on data that is open is looked at again
        self._done = -1  # where the last block began that has been given
        self._scanner: SentenceScanner | None = None
        self._depth = 0  # in how many items the paragraph stands that is read
        self._open = -1  # where the block begins that may go on
        self._open_end = 0  # where it ends so far
        self._row: tuple[str, int] | None = None  # a first row that may be a header
        self._headers: list[str] | None = None
        self._row_end = -1  # where the line after the last row begins

    def feed(self, text: str) -> Iterator[Part]:
        """Add text, and yield the parts that have ended."""
        pieces = text.split("\n")
        for piece in pieces[:-1]:
            yield from self._add(piece, ended=True)
        yield from self._add(pieces[-1], ended=False)

    def finish(self) -> Iterator[Part]:
        """End the answer, and yield the parts that are left."""
        if self._line:
            self._keep("".join(self._line))
        yield from self._read(final=True, partial=bool(self._line))
        yield from self._end_table()

    def _add(self, piece: str, *, ended: bool) -> Iterator[Part]:
        self._length += len(piece)
        self._credit += _CREDIT * (len(piece) + 1)
        if self._in_text:
            yield from self._to_paragraph(piece + "\n" * ended)
        elif ended:
            self._keep("".join([*self._line, piece]))
            yield from self._read()
        elif piece:
            self._line.append(piece)
            yield from self._early()
        if ended:
            self._offset += self._length + 1
            self._line, self._length, self._in_text, self._was_tried = [], 0, False, False

    def _keep(self, raw: str) -> None:
        view = _BULLET.sub(_as_hyphen, _BLANK.sub(" ", raw)).rstrip()
        if view or (self._lines and self._lines[-1].view):  # of several blank lines one is enough
            self._lines.append(_Line(view, raw, self._offset))
            self._size += len(view) + 1

    def _early(self) -> Iterator[Part]:
        """Hand the beginning of a line to its paragraph once it can be nothing else."""
        if self._was_tried or (len(self._line) > 1 and self._length > 2 * _MAX_LEAD):
            return
        line = "".join(self._line)
        self._line = [line]
        lead = _LEAD.match(line, 0, _MAX_LEAD)
        at = lead.end() if lead else 0
        if not line[at:].strip() or _INDENT.search(line, 0, at):
            return
        if _DATA.match(line, at) or (line[at] == "<" and len(line) - at < _MAX_LEAD):
            return
        if _BOLD_SO_FAR.fullmatch(line):
            return  # it may be a title
        if line[at] == "[" and not _BRACKETED.match(line, at) and len(line) - at < _MAX_LEAD:
            return
        self._was_tried = True
        self._keep(line)
        before = len(self._lines)
        yield from self._read(partial=True)
        if self._in_text:
            self._line = []
        elif len(self._lines) == before:
            self._size -= len(self._lines.pop().view) + 1

    def _read(self, *, final: bool = False, partial: bool = False) -> Iterator[Part]:
        """Parse what is there, and yield what has ended.

        Args:
            final: whether nothing follows.
            partial: whether the last line goes on; nothing is read of it if it may still be something else than text.
        """
        if self._size > self._credit and not final:
            return
        if self._size < self._awaited and not final:
            return
        self._credit -= self._size
        leaves, cut = _leaves([line.view for line in self._lines], final=final)
        is_open = bool(leaves) and leaves[-1].mark == _OPEN
        self._awaited = self._size * 5 // 4 if is_open else 0  # long data is not parsed again with each line of it
        if is_open:
            return
        if partial and not final:
            if not leaves or leaves[-1].kind != "paragraph_open" or leaves[-1].end < len(self._lines):
                return
            self._in_text = True
        for at, leaf in enumerate(leaves):
            start = self._lines[leaf.first].offset + leaf.column
            if start <= self._done:
                continue
            if leaf.kind != "row" or self._lines[leaf.first].offset != self._row_end:
                yield from self._end_table()
            is_last = at + 1 == len(leaves)
            ended = final or not is_last or leaf.first < cut or self._has_ended(leaf)
            yield from self._leaf(leaf, start, ended=ended, partial=partial and is_last, is_last=is_last)
            if ended:
                self._done = start
        if self._lines and self._lines[-1].offset + len(self._lines[-1].raw) + 1 > self._row_end and not partial:
            yield from self._end_table()
        self._forget(leaves, cut)

    def _has_ended(self, leaf: _Leaf) -> bool:
        """Return whether the last block can't go on."""
        if leaf.kind == "fence":
            closing = self._lines[leaf.end - 1].view[-_MAX_LEAD:].strip(" \t>")
            is_closed = leaf.end - leaf.first > 1 and closing.startswith(leaf.mark) and not closing.strip(leaf.mark[0])
            return is_closed or leaf.end < len(self._lines)
        if leaf.kind == "paragraph_open":
            first = self._lines[leaf.first]
            may_be_title = leaf.end - leaf.first == 1 and all_bold(first.raw[leaf.column :])
            return leaf.end < len(self._lines) and not may_be_title
        return leaf.kind != "code_block"

    def _leaf(self, leaf: _Leaf, start: int, *, ended: bool, partial: bool, is_last: bool) -> Iterator[Part]:
        lines = self._lines[leaf.first : leaf.end]
        if leaf.kind in {"paragraph_open", "setext"}:
            yield from self._prose(leaf, start, ended=ended, partial=partial, is_last=is_last)
            return
        if start != self._open:
            self._open, self._open_end = start, 0
        self._open_end = max(self._open_end, *(line.end for line in lines if line.view))
        if not ended:
            return
        if leaf.kind == "row":
            self._row_end = lines[0].offset + len(lines[0].raw) + 1
            yield from self._table_row(lines[0].raw[leaf.column :].rstrip(), start)
        elif leaf.kind == "heading_open":
            yield Part(start, self._open_end, PartKind.HEADING)
        elif leaf.kind == "reference":
            yield Part(start, self._open_end, PartKind.REFERENCE)
        elif leaf.kind in {"fence", "code_block"}:
            yield Part(start, self._open_end, PartKind.CODE)
        elif leaf.kind == "data":
            yield Part(start, self._open_end, PartKind.DATA)

    def _prose(self, leaf: _Leaf, start: int, *, ended: bool, partial: bool, is_last: bool) -> Iterator[Part]:
        if start != self._open or self._scanner is None:
            self._depth = leaf.depth
            self._open, self._scanner = start, SentenceScanner(start, self._pattern, quoted=leaf.quoted)
        lines = self._lines[leaf.first : leaf.end - (leaf.kind == "setext")]
        for at, line in enumerate(lines):
            if not line.is_fed:
                line.is_fed = True
                text = line.raw[leaf.column :] if at == 0 else line.raw
                yield from self._to_paragraph(text if partial and at + 1 == len(lines) else text + "\n")
        if ended:
            scanner, self._scanner = self._scanner, None
            is_heading = leaf.kind == "setext" and not scanner.released
            spans = scanner.finish()
            kind = PartKind.HEADING if is_heading and len(spans) == 1 else PartKind.SENTENCE
            for at, (begin, end) in enumerate(spans):
                is_followed = not (is_last or leaf.is_final) or at + 1 < len(spans)
                yield Part(begin, end, kind, depth=leaf.depth, is_followed=is_followed)

    def _to_paragraph(self, text: str) -> Iterator[Part]:
        if self._scanner is not None:
            for start, end in self._scanner.feed(text):
                yield Part(start, end, PartKind.SENTENCE, depth=self._depth, is_followed=True)

    def _forget(self, leaves: list[_Leaf], cut: int) -> None:
        """Keep of the lines no more than what the next ones can depend on."""
        dropped: set[int] = set()
        for leaf in leaves:
            first = self._lines[leaf.first]
            if leaf.kind == "paragraph_open" and first.is_fed:
                self._lines[leaf.first] = replace(first, view=first.view[: leaf.column] + "x", raw=first.raw[:_KEPT])
                dropped.update(range(leaf.first + 1, leaf.end))
            elif leaf.kind in {"fence", "code_block"}:
                dropped.update(range(leaf.first + 1, leaf.end - 1))
        self._lines = [line for at, line in enumerate(self._lines) if at >= cut and at not in dropped]
        self._size = sum(len(line.view) + 1 for line in self._lines)

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


def _cells(row: str) -> list[tuple[str, int]]:
    """Return the cells of a table's row, and where each begins."""
    hidden = list(row)
    for begin, end in code_spans(row):
        hidden[begin:end] = "x" * (end - begin)
    bars = [at for at, sign in enumerate(hidden) if sign == "|" and (at == 0 or hidden[at - 1] != "\\")]
    edges = [-1, *bars, len(row)]
    cells = [(row[a + 1 : b].strip(), a + 1) for a, b in pairwise(edges)]
    return cells[1 if bars and bars[0] == 0 else 0 : -1 if bars and not row[bars[-1] + 1 :].strip() else None]
