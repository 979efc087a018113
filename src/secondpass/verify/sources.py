"""Passages as a reader sees them: what PDFs break is mended, and a row of data names its columns."""

import csv
import html
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from operator import itemgetter
from typing import Any, NamedTuple

from secondpass.tabular import long_cells
from secondpass.verify.facts.quantities.captions import Caption, captions, is_scaled
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
_PLAIN_ITEM = re.compile(r"\s*- (\S+(?: \S+){0,2}?)\s*")
_TIGHT, _DIGIT = re.compile(r",\S"), re.compile(r"\d")
_HEADER = re.compile(r"[A-Za-z_][\w .()/%-]{0,40}")
_PERIOD = re.compile(
    r"(?:[\s_(]{1,2}(?:per|a)[\s_]([a-z]{3,12})|\s?/\s?(month|year|week|day|hour|night|person|user|seat))\)?$"
    r"|\s?\(((?:month|year|week|dai)ly)\)$",
    re.IGNORECASE,
)
_PRICE = re.compile(r"[$€£¥]?\s?\d[\d.,]*(?:\s?[$€£¥]|\s(?:euros|dollars|pounds|EUR|USD|GBP))?")
_FIGURE = re.compile(r"[-+]?\d[\d.,]*")
_UNITS = {
    "kg": "kg", "g": "g", "mg": "mg", "lb": "lb", "km": "km", "m": "m", "cm": "cm", "mm": "mm", "l": "l", "ml": "ml",
    "v": "V", "volts": "V", "volt": "V", "w": "W", "watts": "W", "kw": "kW", "kwh": "kWh", "mah": "mAh", "ah": "Ah",
    "hz": "Hz", "mhz": "MHz", "ghz": "GHz", "gb": "GB", "mb": "MB", "tb": "TB", "ms": "ms", "s": "s", "sec": "seconds",
    "seconds": "seconds", "min": "minutes", "minutes": "minutes", "h": "hours", "hours": "hours", "days": "days",
    "weeks": "weeks", "months": "months", "years": "years", "eur": "euros", "usd": "dollars", "gbp": "pounds",
    "pct": "%", "percent": "%", "km2": "km²", "m2": "m²", "sqm": "m²", "ha": "ha", "kmh": "km/h", "mph": "mph",
    "px": "pixels",
}  # fmt: skip
_WRAPPED = re.compile(r'\{\s*"[^"\\]{0,60}"\s*:\s*\[')
_BLANK, _BETWEEN = re.compile(r"\s*"), re.compile(r"[\s,]*")
_MIN_COLUMNS, _MIN_ROWS = 2, 2
_MOST_FIELDS = 40
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
    """Return the rows and entries of a passage that is data: JSON, YAML, CSV, or with tables of Markdown or HTML.

    A value stands with the name of its column or key, and a unit that is part of this behind it: of ``weight_kg`` 1.2,
    "weight: 1.2 kg". There are none in prose. It takes linear time.
    """
    stripped = text.strip()
    if stripped[:1] in {"{", "["} and stripped[-1:] in {"}", "]"}:
        return _whole(text, _json(text))
    if _ROW_BEGINS.search(text):
        rows = list(_html_rows(text))
        return Data(tuple(Record(*row) for row in rows if row[2]), tuple(row[:2] for row in rows))
    lines = list(_lines(text))
    tabled = _in_tables(lines)
    if any(tabled):
        regions = tuple(
            (start, start + len(line)) for (start, line), is_row in zip(lines, tabled, strict=True) if is_row
        )
        return Data(tuple(_markdown_rows(lines, tabled)), regions)
    found = _whole(text, _csv_rows(lines))
    found = found if found.records else _whole(text, _yaml(lines))
    if found.records:
        return found
    below_years = statement_rows(lines)
    said = (Record(row.start, row.end, _said(["", *row.years], [row.label, *row.cells])) for row in below_years)
    return Data(tuple(said))  # the text stays as well: a label may be in other words than the claim


def _whole(text: str, records: Iterator[Record]) -> Data:
    found = tuple(records)
    return Data(found, ((0, len(text)),)) if found else Data()


def _lines(text: str) -> Iterator[tuple[int, str]]:
    at = 0
    for line in text.split("\n"):
        yield at, line
        at += len(line) + 1


def _said(names: list[str], values: list[str]) -> str:
    fields = []
    for name, value in zip_longest(names[:_MOST_FIELDS], values[:_MOST_FIELDS], fillvalue=""):
        if value.strip():
            name, value = _named(name, value.strip())
            fields.append(f"{name}: {value}" if name else value)
    said = "; ".join(fields)
    return said if not said or said.endswith(".") else f"{said}."


def _named(name: str, value: str) -> tuple[str, str]:
    """Return the words of a name, and a value with the unit that the name ends in."""
    words = re.sub(r"[_\W]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)).split()
    unit = _UNITS.get(words[-1].lower()) if len(words) > 1 else None
    period = _PERIOD.search(name)
    if period and period.start() and _PRICE.fullmatch(value):
        each = (period[1] or period[2] or period[3]).lower()
        return name[: period.start()].strip(), f"{value} {each if each.endswith('ly') else f'per {each}'}"
    if unit and _FIGURE.fullmatch(value):
        rest = " ".join(words[:-1])
        return rest, f"{value}{'' if unit == '%' else ' '}{unit}"
    if any(captions(name)):
        return name.strip(), value
    return " ".join(words) if "_" in name or len(words) == 1 else name.strip(), value


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
            said = _said(header or [""] * len(cells), cells)
            if said:
                yield Record(start + len(line) - len(line.lstrip()), start + len(line.rstrip()), said)


def _cells(row: str) -> list[str]:
    """Return the cells of a row of Markdown; a bar behind a backslash is a part of one."""
    inner = row.removeprefix("|")
    if inner.endswith("|") and not inner.endswith("\\|"):
        inner = inner[:-1]
    return [cell.replace("\\|", "|").strip() for cell in _BAR.split(inner)]


def _html_rows(text: str) -> Iterator[tuple[int, int, str]]:
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
            wide, high, said = _COLUMNS.search(attributes), _ROWS.search(attributes), _prose(inner)
            # The columns below a wide header have its name; a wide cell is said once.
            wider = [said, *[said if is_header else ""] * (min(int(wide[1]), _MOST_FIELDS) - 1 if wide else 0)]
            if high and len(cells) < _MOST_FIELDS:
                tall.update((len(cells) + at_cell, (int(high[1]), each)) for at_cell, each in enumerate(wider))
            cells += wider
        _reach_down(tall, cells)
        tall = {column: (left - 1, said) for column, (left, said) in tall.items() if left > 1}
        if is_header:
            header = cells
            yield row.start(), at, ""
        else:
            yield row.start(), at, _said(header or [""] * len(cells), cells)


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
            said = _said(header, row)
            if said:
                yield Record(start, start + len(line.rstrip()), said)
        return


def _is_prose(lines: Sequence[str]) -> bool:
    """Return whether lines with as many commas each are sentences or places: "Rome, Italy", below "Paris, France".

    A blank is behind all of their commas, and a line ends a sentence, or none but the first has a figure.
    """
    if any(_TIGHT.search(line) for line in lines):
        return False
    return any(line.rstrip().endswith((".", "!", "?")) for line in lines) or not any(map(_DIGIT.search, lines[1:]))


class _Entry(NamedTuple):
    """Keys and values of YAML, and where the first of them stands."""

    start: int
    names: list[str]
    values: list[str]


def _yaml(lines: list[tuple[int, str]]) -> Iterator[Record]:
    """Yield the entry of a text of nothing but keys and values, or those of its list; nested keys are joined."""
    filled = [(start, line) for start, line in lines if line.strip()]
    if len(filled) < _MIN_ROWS:
        return
    entries: list[_Entry] = []
    path: list[tuple[int, str]] = []
    is_plain = False  # whether a value stands behind its key: "Notes:" with dashes below is prose
    listed: tuple[int, str] | None = None  # how far the items of the list are indented, and their first key
    for start, line in filled:
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
            entries.append(_Entry(start, [], []))
        listed = listed or item
        if match[4]:
            entries[-1].names.append(_key([*path, (depth, match[3])]))
            is_plain = True
            entries[-1].values.append(match[4].strip().strip("\"'"))
        else:
            path.append((depth, match[3]))
    if not is_plain:
        return
    ends = [*(entry.start - 1 for entry in entries[1:]), filled[-1][0] + len(filled[-1][1])]
    for entry, end in zip(entries, ends, strict=True):
        if said := _said(entry.names, entry.values):
            yield Record(entry.start, end, said)


def _key(path: list[tuple[int, str]]) -> str:
    return "_".join(name for _, name in path).replace(" ", "_")


def _json(text: str) -> Iterator[Record]:
    """Yield an object, or the objects of a list, each where it stands; the list may be all there is of an object."""
    decode = json.JSONDecoder().raw_decode
    at = _BLANK.match(text).end()  # type: ignore[union-attr]  # it matches the empty text
    is_list = text[at : at + 1] == "["
    at = _BLANK.match(text, at + is_list).end()  # type: ignore[union-attr]
    while at < len(text) and text[at] in "{[":
        try:
            entry, end = decode(text, at)
        except (ValueError, RecursionError):
            return
        inside = _WRAPPED.match(text, at)
        if inside and not is_list and end == len(text.rstrip()) and _wraps_a_list(entry):
            at = _BLANK.match(text, inside.end()).end()  # type: ignore[union-attr]
            continue
        fields = list(_flat(entry, "", 0))
        said = _said([name for name, _ in fields], [value for _, value in fields])
        if said:
            yield Record(at, end, said)
        at = _BETWEEN.match(text, end).end()  # type: ignore[union-attr]


def _wraps_a_list(entry: Any) -> bool:
    listed = next(iter(entry.values())) if isinstance(entry, dict) and len(entry) == 1 else None
    return isinstance(listed, list) and len(listed) > 1 and all(isinstance(inner, dict) for inner in listed)


def _flat(value: Any, name: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _MOST_DEPTH:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}_{key}" if name else str(key), depth + 1)
    elif isinstance(value, list):
        if all(not isinstance(inner, dict | list) for inner in value):
            yield name, ", ".join(str(inner) for inner in value)
        else:
            for inner in value:
                yield from _flat(inner, name, depth + 1)
    elif value is not None:
        yield name, {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
