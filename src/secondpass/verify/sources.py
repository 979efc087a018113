"""Passages as a reader sees them: what PDFs break is mended, and a row of data names its columns."""

import csv
import html
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from secondpass.tabular import long_cells
from secondpass.verify.entries import said
from secondpass.verify.facts.quantities.captions import Caption, captions, is_scaled
from secondpass.verify.nested import Entry, config_entries, xml_entries
from secondpass.verify.statements import statement_rows
from secondpass.verify.tex import without_tex

__all__ = ["Data", "Record", "data_in", "mended"]

_LIGATURES = str.maketrans(
    {
        "\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\ufb05": "st",
        "\ufb06": "st", "\u00ad": None, "\u200b": None, "\u2060": None, "\ufeff": None,
    }
)  # fmt: skip
# A word that is broken at the end of a line; "well-\nknown" loses its hyphen too, which costs a model nothing.
_BROKEN = re.compile(r"(?<=[A-Za-z][a-z])[-\u2010][^\S\n]*\n[^\S\n]*(?=[a-z]{2})")
_BROKEN_SOFTLY = re.compile(r"\u00ad[^\S\n]*\n[^\S\n]*")
_TO_MEND = re.compile(r"[\ufb00-\ufb06\u00ad\u200b\u2060\ufeff]|[-\u2010][^\S\n]*\n")
_ROW = re.compile(r"[^\S\n]*\|.*")
_BAR = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"[\s|:-]+")
# Each is searched for from where the last one ended, so that rows without an end take linear time.
_ROW_BEGINS = re.compile(r"<tr\b[^<>]{0,200}>", re.IGNORECASE)
_ROW_ENDS = re.compile(r"</tr\s{0,20}>", re.IGNORECASE)
_HTML_CELL = re.compile(r"<t([hd])\b([^<>]{0,200})>", re.IGNORECASE)
_COLUMNS = re.compile(r"\bcolspan\s?=\s?[\"']?([1-9]\d?)\b", re.IGNORECASE)
_ROWS = re.compile(r"\browspan\s?=\s?[\"']?([1-9]\d?)\b", re.IGNORECASE)
_TABLE_TAG = re.compile(r"<(/?table|/?thead|tbody)\b", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,200}>")
_YAML = re.compile(r"(\s*)(- )?([A-Za-z_][\w .-]{0,60}):(?:[^\S\n]+(.*))?")
_COMMENTED = re.compile(r"(\"[^\"]*\"|'[^']*'|[^\"'#][^#]*?)\s+#+\s*(\S.*)")
_NOTHING = re.compile(r"\s*(?:#.*|---|\.\.\.)\s*")  # comments, and what is between documents
_NOTE = re.compile(r"\s*[#;]+\s*\w\S*(?:\s+\S+){2,}\s*")
_PLAIN_ITEM = re.compile(r"\s*- (\S+(?: \S+){0,2}?)\s*")
_TIGHT, _DIGIT = re.compile(r",\S"), re.compile(r"\d")
_HEADER = re.compile(r"[A-Za-z_][\w .()/%-]{0,40}")
_WRAPPED = re.compile(r'\{\s*"[^"\\]{0,60}"\s*:\s*\[')
_MAY_HOLD_BLOCKS = re.compile(r"^[^\S\n]*(?:```|~~~|[{\[]\s*[{\[\"])", re.MULTILINE)
_FENCE = re.compile(r"[^\S\n]*(`{3,}|~{3,})")
_BRACE = re.compile(r"[^\S\n]*(?:\{(?=\s*(?:\"|\Z))|\[(?=\s*(?:\{|\Z)))")
_LINE_ENDS = re.compile(r"[^\S\n]*(?:\n|\Z)")
_SIGNS = re.compile(r'[{}\[\],]|"(?:[^"\\]|\\.)*+(?:"|\Z)', re.DOTALL)  # of JSON, and the texts in it, as a whole
_MOST_TRIES = 20  # to read JSON that is none
_BLANK, _BETWEEN = re.compile(r"\s*"), re.compile(r"[\s,]*")
_MIN_COLUMNS, _MIN_ROWS = 2, 2
_MOST_FIELDS = 40
# How settings are switched on and off; models know best what "yes" means.
_TRUTHS = {"true": "yes", "on": "yes", "false": "no", "off": "no"}
_MOST_DEPTH = 20


class Record(NamedTuple):
    """A row of a table, or an entry of data: ``passage[start:end]`` and what it says, with the name of each value."""

    start: int
    end: int
    text: str


def mended(text: str) -> str:
    """Return a text as it is read.

    That is without ligatures, soft hyphens, signs of no width, words that are broken at line ends, and TeX.
    """
    text = without_tex(text)
    if _TO_MEND.search(text) is None:
        return text
    return _BROKEN.sub("", _BROKEN_SOFTLY.sub("", text)).translate(_LIGATURES)


class Data(NamedTuple):
    """What of a passage is data.

    Attributes:
        records: its rows and entries, in order.
        regions: where they stand, headers included: what stands there is not prose.
    """

    records: tuple[Record, ...] = ()
    regions: tuple[tuple[int, int], ...] = ()

    def before(self, at: int) -> int:
        """Return how many regions begin before a place in the passage."""
        return bisect_right(self.regions, at, key=itemgetter(0))

    def holds(self, start: int, end: int) -> bool:
        """Return whether a part of the passage stands in a region, if only by a part of it."""
        at = self.before(start)
        return (at > 0 and self.regions[at - 1][1] > start) or (at < len(self.regions) and self.regions[at][0] < end)

    def spelt_out(self, text: str, start: int) -> str:
        """Return a part of the passage, which begins at ``start``, with what its rows say in their place."""
        first, end = bisect_left(self.records, start, key=itemgetter(0)), start + len(text)
        done, parts = 0, []
        for at in range(first, len(self.records)):
            record = self.records[at]
            if record.end > end:
                break
            parts += [text[done : record.start - start], record.text]
            done = record.end - start
        return "".join([*parts, text[done:]])


def data_in(text: str) -> Data:
    """Return what of a passage is data, each row with the caption above it that says in what its figures are.

    See `_data_in`; so "(in millions)" stands in every row of its table.
    """
    data = _data_in(text)
    if not data.records:
        return data
    above = list(captions(text))
    return data._replace(records=tuple(_captioned(record, above) for record in data.records))


def _captioned(record: Record, above: list[Caption]) -> Record:
    at = bisect_right(above, record.start, key=itemgetter(0))
    if not at or any(captions(record.text)) or not is_scaled(record.text):
        return record
    return record._replace(text=f"{record.text.removesuffix('.')} {above[at - 1].text}.")


def _data_in(text: str) -> Data:
    """Return the rows and entries of a passage that is data: JSON, YAML, CSV, XML, INI, or with tables.

    A value stands with the name of its column or key, and a unit that is part of this behind it: of ``weight_kg`` 1.2,
    "weight: 1.2 kg". There are none in prose. It takes linear time.
    """
    whole = _whole(text, _json(text))
    if whole.records:
        return whole
    blocks = [(block, data) for block in _blocks(text) if (data := block.data(text)).records]
    if not blocks:
        return _rows_in(text)
    records, regions, rest, done = [], [], [], 0
    for block, data in blocks:
        records += [Record(block.first + start, block.first + end, said) for start, end, said in data.records]
        regions.append((block.start, block.end))
        rest += [text[done : block.start], re.sub(r"[^\n]", " ", text[block.start : block.end])]
        done = block.end
    around = _rows_in("".join([*rest, text[done:]]))
    if around.regions != ((0, len(text)),):
        records, regions = [*records, *around.records], [*regions, *around.regions]
    return Data(tuple(sorted(records)), tuple(sorted(regions)))


def _rows_in(text: str) -> Data:
    """Return what is data of a text that is CSV, YAML, XML or INI, or has tables of Markdown or HTML."""
    if _ROW_BEGINS.search(text):
        rows = list(_html_rows(text))
        records = (Record(start, end, each) for start, end, texts in rows for each in texts)
        return Data(tuple(records), tuple(row[:2] for row in rows))
    found = _whole(text, _said(xml_entries(text)))
    if found.records:
        return found
    lines = list(_lines(text))
    tabled = _in_tables(lines)
    if any(tabled):
        regions = tuple(
            (start, start + len(line)) for (start, line), is_row in zip(lines, tabled, strict=True) if is_row
        )
        return Data(tuple(_markdown_rows(lines, tabled)), regions)
    found = _whole(text, _csv_rows(lines))
    found = found if found.records else _without_notes(_whole(text, _yaml(lines)), lines)
    found = found if found.records else _without_notes(_whole(text, _said(config_entries(lines))), lines)
    if found.records:
        return found
    below_years = statement_rows(lines)
    return Data(
        tuple(
            Record(row.start, row.end, each)
            for row in below_years
            for each in said(["", *row.years], [row.label, *row.cells])
        )
    )  # the text stays as well: a label may be in other words than the claim


def _said(entries: Sequence[Entry]) -> Iterator[Record]:
    for entry in entries:
        for each in said(entry.names, [_TRUTHS.get(value.lower(), value) for value in entry.values]):
            yield Record(entry.start, entry.end, each)


class _Block(NamedTuple):
    """A part of a passage that may be data: ``passage[start:end]``, in fences, or ``passage[first:last]`` without."""

    start: int
    end: int
    first: int
    last: int

    def data(self, text: str) -> Data:
        """Return what of it is data, in characters of what stands between the fences."""
        inner = text[self.first : self.last]
        found = _whole(inner, _json(inner))
        return found if found.records else _rows_in(inner)


def _blocks(text: str) -> Iterator[_Block]:
    """Yield what stands in fences, and lines of JSON among others; nothing of a fence that is not closed."""
    opened: tuple[int, int, str] | None = None  # where the fence and what is in it begin, and its sign
    tries, done = 0, 0
    for start, line in _lines(text) if _MAY_HOLD_BLOCKS.search(text) else ():
        fence = _FENCE.match(line)
        if opened is not None:
            begin, first, sign = opened
            if fence and fence[1].startswith(sign) and not line[fence.end() :].strip():
                yield _Block(begin, start + len(line), first, start)
                opened = None
        elif fence:
            opened = start, start + len(line) + 1, fence[1]
        elif start >= done and tries < _MOST_TRIES and (brace := _BRACE.match(line)):
            first = start + brace.end() - 1
            end = _json_end(text, first)
            tries += not end
            if end:
                yield _Block(first, end, first, end)
                done = end


def _json_end(text: str, at: int) -> int:
    """Return where the JSON ends that begins somewhere, if it ends its line as well; else 0."""
    try:
        _, end = json.JSONDecoder().raw_decode(text, at)
    except (ValueError, RecursionError):
        return 0
    return end if _LINE_ENDS.match(text, end) else 0


def _whole(text: str, records: Iterator[Record]) -> Data:
    found = tuple(records)
    return Data(found, ((0, len(text)),)) if found else Data()


def _without_notes(data: Data, lines: Sequence[tuple[int, str]]) -> Data:
    """Return the data of a text of keys and values without the lines of comments that say something in words."""
    regions: list[tuple[int, int]] = []
    begin = 0
    for start, line in lines if data.records else ():
        if _NOTE.fullmatch(line) and _YAML.fullmatch(line.lstrip("#; \t")) is None:
            regions.append((begin, start))
            begin = start + len(line)
    ends = data.regions[-1:] and [(begin, data.regions[-1][1])]
    return data._replace(regions=tuple(region for region in (*regions, *ends) if region[0] < region[1]))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    at = 0
    for line in text.split("\n"):
        yield at, line
        at += len(line) + 1


def _in_tables(lines: list[tuple[int, str]]) -> list[bool]:
    """Return of each line whether it is of a table of Markdown: it begins with a bar, or a rule is below the first."""
    tabled: list[bool] = []
    is_open = False
    for (_, line), (_, after) in zip(lines, [*lines[1:], (0, "")], strict=True):
        is_open = "|" in line and (is_open or ("|" in after and _is_rule(after)))
        tabled.append(is_open or _ROW.fullmatch(line) is not None)
    return tabled


def _is_rule(line: str) -> bool:
    return "-" in line and _RULE.fullmatch(line) is not None


def _markdown_rows(lines: list[tuple[int, str]], tabled: list[bool]) -> Iterator[Record]:
    header: list[str] = []
    for at, (start, line) in enumerate(lines):
        if not tabled[at]:
            header = []
            continue
        cells = _cells(line.strip())
        if at + 1 < len(lines) and _is_rule(lines[at + 1][1]) and not (at and tabled[at - 1]):
            header = cells
        elif not _RULE.fullmatch(line):
            for each in said(header, cells):
                yield Record(start + len(line) - len(line.lstrip()), start + len(line.rstrip()), each)


def _cells(row: str) -> list[str]:
    """Return the cells of a row of Markdown; a bar behind a backslash is a part of one."""
    inner = row.removeprefix("|")
    if inner.endswith("|") and not inner.endswith("\\|"):
        inner = inner[:-1]
    return [cell.replace("\\|", "|").strip() for cell in _BAR.split(inner)]


def _html_rows(text: str) -> Iterator[tuple[int, int, list[str]]]:
    """Yield where the rows of tables stand, and what they say; nothing for headers."""
    header: list[str] = []
    tall: dict[int, tuple[int, str]] = {}  # for how many rows below a cell reaches into a column, and what it says
    at, in_head = 0, False
    while (row := _ROW_BEGINS.search(text, at)) and (closing := _ROW_ENDS.search(text, row.end())):
        for tag in _TABLE_TAG.finditer(text, at, row.start()):
            in_head = tag[1].lower() == "thead"
            if tag[1].lower().endswith("table"):
                header, tall = [], {}
        at = closing.end()
        pieces = _HTML_CELL.split(text[row.end() : closing.start()])
        is_header = in_head or {kind.lower() for kind in pieces[1::3]} == {"h"}
        cells: list[str] = []
        for attributes, inner in zip(pieces[2::3], pieces[3::3], strict=True):
            _reach_down(tall, cells)
            wide, high, cell = _COLUMNS.search(attributes), _ROWS.search(attributes), _prose(inner)
            # The columns below a wide header have its name; a wide cell is said once.
            wider = [cell, *[cell if is_header else ""] * (min(int(wide[1]), _MOST_FIELDS) - 1 if wide else 0)]
            if high and len(cells) < _MOST_FIELDS:
                tall.update((len(cells) + at_cell, (int(high[1]), each)) for at_cell, each in enumerate(wider))
            cells += wider
        _reach_down(tall, cells)
        tall = {column: (left - 1, cell) for column, (left, cell) in tall.items() if left > 1}
        if is_header:
            header = cells
            yield row.start(), at, []
        else:
            yield row.start(), at, said(header, cells)


def _reach_down(tall: Mapping[int, tuple[int, str]], cells: list[str]) -> None:
    """Add to the cells of a row what reaches down into its next columns from the rows above."""
    while len(cells) in tall:
        cells.append(tall[len(cells)][1])


def _prose(cell: str) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", cell)).split())


def _csv_rows(lines: list[tuple[int, str]]) -> Iterator[Record]:
    """Yield the rows of a text that is a table from its first line on, with as many cells in each."""
    filled = [(start, line) for start, line in lines if line.strip()]
    for sign in ("\t", ",", ";"):
        if len(filled) < _MIN_ROWS or sign not in filled[0][1]:
            continue
        with long_cells(max(len(line) for _, line in filled)):
            rows = [next(csv.reader([line], delimiter=sign), []) for _, line in filled]
        header = [name.strip() for name in rows[0]]
        if len(header) < _MIN_COLUMNS or any(len(row) != len(header) for row in rows):
            continue
        if not all(_HEADER.fullmatch(name) for name in header):
            continue
        if sign == "," and _is_prose([line for _, line in filled]):
            continue
        for (start, line), row in list(zip(filled, rows, strict=True))[1:]:
            for each in said(header, row):
                yield Record(start, start + len(line.rstrip()), each)
        return


def _is_prose(lines: Sequence[str]) -> bool:
    """Return whether lines with as many commas each are sentences or places: "Rome, Italy", below "Paris, France".

    A blank is behind all of their commas, and a line ends a sentence, or none but the first has a figure.
    """
    if any(_TIGHT.search(line) for line in lines):
        return False
    return any(line.rstrip().endswith((".", "!", "?")) for line in lines) or not any(map(_DIGIT.search, lines[1:]))


def _yaml(lines: list[tuple[int, str]]) -> Iterator[Record]:
    """Yield the entry of a text of nothing but keys and values, or those of its list; nested keys are joined."""
    filled = [(start, line) for start, line in lines if line.strip()]
    if len(filled) < _MIN_ROWS:
        return
    entries: list[Entry] = []
    path: list[tuple[int, str]] = []
    is_plain = False  # whether a value stands behind its key: "Notes:" with dashes below is prose
    listed: tuple[int, str] | None = None  # how far the items of the list are indented, and their first key
    for start, line in filled:
        if _NOTHING.fullmatch(line):
            continue
        match = _YAML.fullmatch(line)
        item_of_a_list = _PLAIN_ITEM.fullmatch(line) if match is None else None
        if item_of_a_list and path and entries:
            if entries[-1].names[-1:] != [_key(path)]:
                entries[-1].names.append(_key(path))
                entries[-1].values.append("")
            entries[-1].values[-1] = ", ".join(filter(None, (entries[-1].values[-1], item_of_a_list[1].strip("\"'"))))
            continue
        if match is None or (match[4] and len(match[4].split()) > 8):
            return
        depth = len(match[1]) + len(match[2] or "")
        while path and path[-1][0] >= depth:
            path.pop()
        if len(path) > _MOST_DEPTH:
            return
        item = (depth, match[3]) if match[2] and len(path) <= 1 else None
        if not entries or (item and item == listed):
            entries.append(Entry(start, start, [], []))
        listed = listed or item
        if match[4]:
            entries[-1].names.append(_key([*path, (depth, match[3])]))
            is_plain = True
            entries[-1].values.append(_without_comment(match[4].strip()))
        else:
            path.append((depth, match[3]))
    if not is_plain:
        return
    ends = [*(entry.start - 1 for entry in entries[1:]), filled[-1][0] + len(filled[-1][1])]
    yield from _said([entry._replace(end=end) for entry, end in zip(entries, ends, strict=True)])


def _without_comment(value: str) -> str:
    """Return a value without quotation marks, and with the comment behind it in brackets."""
    found = _COMMENTED.fullmatch(value)
    if found is None:
        return value.strip("\"'")
    own = found[1].strip("\"'")
    return f"{own} ({found[2]})"


def _key(path: list[tuple[int, str]]) -> str:
    return "_".join(name for _, name in path).replace(" ", "_")


def _json(text: str) -> Iterator[Record]:
    """Yield an object, or the objects of a list, each where it stands; the list may be all there is of an object.

    There are none where something else stands behind them. What is cut off at the end is left out.
    """
    records: list[Record] = []
    decode = json.JSONDecoder().raw_decode
    at = _BLANK.match(text).end()  # type: ignore[union-attr]  # it matches the empty text
    is_list = text[at : at + 1] == "["
    at = _BLANK.match(text, at + is_list).end()  # type: ignore[union-attr]
    while at < len(text) and text[at] in "{[":
        try:
            entry, end = decode(text, at)
        except RecursionError:
            return
        except ValueError as exc:
            rest = _cut_off(text, at, exc)
            for fields in () if rest is None else _entries(rest):
                texts = said([name for name, _ in fields], [value for _, value in fields])
                records += (Record(at, len(text.rstrip()), each) for each in texts)
            if rest is not None:
                yield from records
            return
        inside = _WRAPPED.match(text, at)
        if inside and not is_list and end == len(text.rstrip()) and _wraps_a_list(entry):
            at = _BLANK.match(text, inside.end()).end()  # type: ignore[union-attr]
            continue
        for fields in _entries(entry):
            texts = said([name for name, _ in fields], [value for _, value in fields])
            records += (Record(at, end, each) for each in texts)
        at = _BETWEEN.match(text, end).end()  # type: ignore[union-attr]
    if not text[at:].strip("]} \n\t") and text.rstrip().endswith(("]", "}")):
        yield from records


def _cut_off(text: str, at: int, exc: ValueError) -> Any:
    """Return what can be read of JSON that begins at a place, and that the end of the text cuts off; None if it isn't.

    It is all up to the last comma, or inner bracket that closes, with the brackets closed that are open there.
    """
    is_open = isinstance(exc, json.JSONDecodeError) and (
        exc.pos >= len(text.rstrip()) or exc.msg.startswith("Untermin")
    )
    if not is_open:
        return None
    open_brackets: list[str] = []
    kept, closing = 0, ""
    for sign in _SIGNS.finditer(text, at):
        if sign[0] in "{[":
            open_brackets.append("}" if sign[0] == "{" else "]")
            if len(open_brackets) > _MOST_DEPTH:
                return None
        elif sign[0] in "}]":
            if not open_brackets or open_brackets.pop() != sign[0]:
                return None
            kept, closing = sign.end(), "".join(reversed(open_brackets))
        elif sign[0] == ",":
            kept, closing = sign.start(), "".join(reversed(open_brackets))
    try:
        return json.loads(text[at:kept] + closing) if kept else {}
    except (ValueError, RecursionError):
        return None


def _wraps_a_list(entry: Any) -> bool:
    listed = next(iter(entry.values())) if isinstance(entry, dict) and len(entry) == 1 else None
    return isinstance(listed, list) and len(listed) > 1 and all(isinstance(inner, dict) for inner in listed)


def _entries(value: Any) -> Iterator[list[tuple[str, str]]]:
    """Yield the names and values of an object, and then those of each object of the lists in it."""
    own: list[tuple[str, str]] = []
    listed: list[tuple[str, Any]] = []
    _flatten(value, "", 0, own, listed)
    yield own
    for name, inner in listed:
        fields: list[tuple[str, str]] = []
        _flatten(inner, name, 1, fields, None)
        yield fields


def _flatten(
    value: Any, name: str, depth: int, fields: list[tuple[str, str]], listed: list[tuple[str, Any]] | None
) -> None:
    """Add the names and values of what JSON holds to ``fields``, and the objects of its lists to ``listed``."""
    if depth > _MOST_DEPTH:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            _flatten(inner, f"{name}_{key}" if name else str(key), depth + 1, fields, listed)
    elif isinstance(value, list):
        if all(not isinstance(inner, dict | list) for inner in value):
            fields.append((name, ", ".join(str(inner) for inner in value)))
            return
        apart = listed is not None and sum(isinstance(inner, dict) and len(inner) > 1 for inner in value) > 1
        for inner in value:
            if apart and listed is not None:
                listed.append((name, inner))
            else:
                _flatten(inner, name, depth + 1, fields, listed)
    elif value is not None:
        fields.append((name, {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)))
