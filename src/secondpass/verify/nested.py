"""Entries of XML and of files of settings, each value with the names that it stands under."""

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from secondpass.verify.entries import priced
from secondpass.verify.words import word_set

__all__ = ["Entry", "config_entries", "xml_entries"]

_ATTRIBUTE = re.compile(r"\s+([\w:.-]{1,60})\s?=\s?(?:\"([^\"<]{0,300})\"|'([^'<]{0,300})')")
_TAG = re.compile(
    r"<(/?)([A-Za-z_][\w:.-]{0,60})((?:\s+[\w:.-]{1,60}\s?=\s?(?:\"[^\"<]{0,300}\"|'[^'<]{0,300}'))*+)\s*+(/?)>"
    r"|<!\[CDATA\[([^\]]{0,2000})\]\]>|<!--[^<>]{0,1000}-->|<\?[^<>]{0,300}\?>|<![A-Z][^<>\[\]]{0,300}>"
)
# Prose that is marked up, and tables, which are read as such.
_OF_HTML = word_set("html head body p div span a ul ol li br b i em strong h1 h2 h3 h4 section article table tr td img")
_SENTENCE = re.compile(r"(?:\S+\s+){5,}\S*[.!?]", re.DOTALL)
_UNITS = frozenset({"unit", "units", "uom", "currency"})
_MOST_WORDS = 40  # of a value; what has more is prose
_MOST_DEPTH = 20
_SECTION = re.compile(r"\s*\[{1,2}([\w .:/\"-]{1,80})\]{1,2}\s*(?:[#;].*)?")
_SETTING = re.compile(r"\s*([A-Za-z_][\w.-]{0,60})\s*(?:=|:(?=\s))\s*(.*?)\s*")
_ASSIGNED = re.compile(r"\s*(?:export\s+)?([A-Za-z_][\w.-]{0,60})\s*=\s*(.*?)\s*")
_NOTE = re.compile(r"\s*(?:[#;].*)?")
_MOST_WORDS_OF_A_SETTING = 12
_MIN_SETTINGS = 2


class Entry(NamedTuple):
    """What stands in ``text[start:end]``: names and their values."""

    start: int
    end: int
    names: list[str]
    values: list[str]


@dataclass(slots=True)
class _Element:
    name: str
    start: int
    attributes: list[tuple[str, str]]
    end: int = 0
    text: str = ""
    inner: list["_Element"] = field(default_factory=list)


def xml_entries(text: str) -> list[Entry]:
    """Return the entries of a text that is XML, of which the end may be cut off; none for HTML, or for prose in tags.

    An element that stands beside others of its name is an entry of its own if it holds more than one value.
    """
    if not text.lstrip().startswith("<"):
        return []
    root = _Element("", 0, [], len(text))
    path, at = [root], 0
    for tag in _TAG.finditer(text):
        if not _add(path[-1], text[at : tag.start()]):
            return []
        at = tag.end()
        closes, name, attributes, is_empty, data = tag.groups()
        if name is None:
            if data and not _add(path[-1], data):
                return []
        elif name.lower() in _OF_HTML:
            return []
        elif closes:
            if path[-1].name != name or len(path) < 2:
                return []
            path.pop().end = at
        else:
            found = [(each[1], html.unescape(each[2] or each[3] or "")) for each in _ATTRIBUTE.finditer(attributes)]
            element = _Element(name, tag.start(), found, at)
            path[-1].inner.append(element)
            if not is_empty:
                path.append(element)
            if len(path) > _MOST_DEPTH:
                return []
    left = text[at:].strip()
    if (len(path) == 1 and left) or "\n\n" in left or not root.inner:
        return []
    for element in path[1:]:
        element.end = len(text.rstrip())
    entries = list(_entries(root, ""))
    return entries if sum(len(entry.names) for entry in entries) >= _MIN_SETTINGS else []


def _add(element: _Element, text: str) -> bool:
    """Add text to an element, and return whether it can be a value there: short, and not beside elements."""
    text = text.strip()
    if text:
        element.text = f"{element.text} {text}".strip()
    if not element.text:
        return True
    is_prose = len(element.text.split()) > _MOST_WORDS or _SENTENCE.fullmatch(element.text)
    return bool(element.name) and not element.inner and not is_prose


def _entries(element: _Element, prefix: str) -> Iterator[Entry]:
    """Yield the entry of an element, and then those of the elements in it that are entries of their own."""
    values: dict[str, list[str]] = {}
    apart: list[tuple[_Element, str]] = []
    _collect(element, prefix, values, apart)
    if values:
        yield Entry(element.start, element.end, list(values), [", ".join(each) for each in values.values()])
    for inner, name in apart:
        yield from _entries(inner, name)


def _collect(element: _Element, prefix: str, values: dict[str, list[str]], apart: list[tuple[_Element, str]]) -> None:
    """Add the values in an element by their names, and those elements in it that are entries of their own."""
    text = html.unescape(element.text)
    for name, value in element.attributes:
        if name.lower() in _UNITS and element.text:
            text = priced(text, value) if name.lower() == "currency" else f"{text} {value}"
        else:
            values.setdefault(f"{prefix}_{name}" if prefix else name, []).append(value)
    if element.text:
        values.setdefault(prefix, []).append(text)
    times = Counter(inner.name for inner in element.inner)
    for inner in element.inner:
        is_of_several = times[inner.name] > 1 or not element.name
        if is_of_several and len(inner.inner) + len(inner.attributes) > 1:
            apart.append((inner, inner.name if prefix else ""))
        elif element.name:
            _collect(inner, f"{prefix}_{inner.name}" if prefix else inner.name, values, apart)
        else:
            _collect(inner, "", values, apart)


def config_entries(lines: Sequence[tuple[int, str]]) -> list[Entry]:
    """Return the entry of each section of a text that is nothing but sections and settings, or of settings alone.

    That is INI, TOML of one line each, ``.env`` and properties. Without a section, settings have signs of equality.
    """
    entries: list[Entry] = []
    section, setting = "", _ASSIGNED
    for start, line in lines:
        if _NOTE.fullmatch(line):
            continue
        end = start + len(line.rstrip())
        if head := _SECTION.fullmatch(line):
            section, setting = re.sub(r"[\s.:/\"]+", "_", head[1].strip()), _SETTING
            entries.append(Entry(start, end, [], []))
            continue
        found = setting.fullmatch(line)
        if found is None or len(found[2].split()) > _MOST_WORDS_OF_A_SETTING or found[2] in {"[", "{"}:
            return []
        if not entries:
            entries.append(Entry(start, end, [], []))
        entries[-1].names.append(f"{section}_{found[1]}" if section else found[1])
        entries[-1].values.append(_value(found[2]))
        entries[-1] = entries[-1]._replace(end=end)
    entries = [entry for entry in entries if entry.names]
    return entries if sum(len(entry.names) for entry in entries) >= _MIN_SETTINGS else []


def _value(written: str) -> str:
    """Return a value without quotation marks, and of a list of them what it holds."""
    if written.startswith("[") and written.endswith("]"):
        return ", ".join(part.strip().strip("\"'") for part in written[1:-1].split(","))
    return written.strip("\"'")
