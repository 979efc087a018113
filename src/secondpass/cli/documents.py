"""Documents from files: JSON, JSON lines, CSV and plain lines, compressed by gzip or not."""

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from secondpass.cli.reading import decoded, read_bytes
from secondpass.errors import InputError
from secondpass.evaluate.reading import beir_document
from secondpass.tabular import long_cells

__all__ = ["Numbered", "as_document", "documents_in", "passages_in", "text_of"]

Numbered = tuple[int, dict[str, Any]]
"""A document with its number: that of its line, in an array that of the item, in CSV that of the row; from 1."""

_GZIP = b"\x1f\x8b"
_JSON_NAMES = (".json", ".jsonl", ".ndjson")
_CSV_DELIMITERS = {".csv": ",;\t", ".tsv": "\t"}
_TEXT_COLUMN = "text"
# How JSON begins, and prose with a footnote or a set of braces does not.
_LIKE_JSON = re.compile(r'\s*(?:\{\s*(?:"|\}|$)|\[\s*(?:["{\[\]]|$))', re.MULTILINE)
_SPACE = re.compile(r"[ \t\r\n]*")


def documents_in(name: str) -> list[Numbered]:
    """Read the documents of a file, or of "standard input": for `secondpass rerank`.

    Values of JSON, one after the other or in an array, over one line or several: strings, or objects with a string
    under ``text``. ``.csv`` and ``.tsv`` with a column ``text``; a column ``id`` is the id, others are metadata. All
    else is plain text with a document in each line that is not blank.

    Raises:
        InputError: it can't be read, or is JSON or CSV of another shape; the message names the file.
    """
    kind, text = _opened(name)
    if kind in _CSV_DELIMITERS:
        return _rows(name, kind, text)
    if kind in _JSON_NAMES or _LIKE_JSON.match(text):
        return _documents(name, *_values(name, text))
    try:
        unit, values = _values(name, text) if text.lstrip().startswith('"') else ("line", [])
    except InputError:
        values = []  # lines of prose that begin with a quotation
    if values:
        return _documents(name, unit, values)
    lines = [line.rstrip("\r") for line in text.split("\n")]
    return [(number, {"text": line}) for number, line in enumerate(lines, start=1) if line.strip()]


def passages_in(name: str) -> list[Numbered] | None:
    """Read the passages of a file, or of "standard input": for `secondpass verify`.

    As `documents_in`, except that a file that holds no documents is one passage: plain text, and JSON or CSV whose
    items have no ``text``, which are data.

    Returns:
        The passages; None for a file that is one.

    Raises:
        InputError: it can't be read, or some of its items are documents and others not.
    """
    kind, text = _opened(name)
    if kind in _CSV_DELIMITERS:
        return _rows(name, kind, text) if _TEXT_COLUMN in _header(kind, text) else None
    if name != "standard input" and kind not in _JSON_NAMES:
        return None
    unit, values = _values(name, text)
    if kind == ".json" and not any(isinstance(value, str) or _has_text(value) for _, value in values):
        return None
    return _documents(name, unit, values)


def as_document(read: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was read as a reranker or a verifier reads it.

    Of an object in BEIR's form, ``_id`` is the id, and the title stands before the text; all others are as they were.
    """
    return beir_document(read) if "_id" in read else dict(read)


def text_of(name: str) -> str:
    """Return the text of a file, decompressed if need be.

    Raises:
        InputError: it can't be read.
    """
    return _opened(name)[1]


def _opened(name: str) -> tuple[str, str]:
    """Return the kind of a file, by its name without ``.gz``, and its text."""
    data, path = read_bytes(name), PurePath(name.lower())
    if data.startswith(_GZIP):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as exc:
            raise InputError(f"{name} can't be decompressed: {exc}") from exc
    kind = PurePath(path.stem).suffix if path.suffix == ".gz" else path.suffix
    return kind, decoded(name, data)


def _values(name: str, text: str) -> tuple[str, list[tuple[int, Any]]]:
    """Return what the values of JSON are called, and each with its number: a "line", or an "item" of a single array."""
    values: list[tuple[int, Any]] = []
    decoder, at, line = json.JSONDecoder(), _end_of_space(text, 0), 1
    line += text.count("\n", 0, at)
    while at < len(text):
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as exc:
            wrong = line + text.count("\n", at, getattr(exc, "pos", at))
            raise InputError(f"{name}, line {wrong} is not JSON: {exc}") from exc
        values.append((line, value))
        after = _end_of_space(text, end)
        line += text.count("\n", at, after)
        at = after
    if len(values) == 1 and isinstance(values[0][1], list):
        return "item", list(enumerate(values[0][1], start=1))
    return "line", values


def _end_of_space(text: str, start: int) -> int:
    space = _SPACE.match(text, start)
    return space.end() if space else start


def _has_text(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("text"), str)


def _documents(name: str, unit: str, values: list[tuple[int, Any]]) -> list[Numbered]:
    for number, value in values:
        if not (isinstance(value, str) or _has_text(value)):
            raise InputError(f'{name}, {unit} {number} is not a JSON object with a string under "text", nor a string')
    return [(number, {"text": value} if isinstance(value, str) else value) for number, value in values]


def _delimiter(kind: str, text: str) -> str:
    header = text.partition("\n")[0]
    return max(_CSV_DELIMITERS[kind], key=header.count)


def _header(kind: str, text: str) -> list[str]:
    try:
        with long_cells(len(text)):
            return next(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(kind, text)), [])
    except csv.Error:
        return []


def _rows(name: str, kind: str, text: str) -> list[Numbered]:
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=_delimiter(kind, text), strict=True)
    try:
        with long_cells(len(text)):
            columns, rows = list(reader.fieldnames or []), list(reader)
    except csv.Error as exc:
        raise InputError(f"{name} can't be read as CSV: {exc}") from exc
    if _TEXT_COLUMN not in columns:
        raise InputError(f"{name} has no column {_TEXT_COLUMN!r}, only: {', '.join(map(repr, columns)) or 'none'}")
    return [(number, _of_row(row, f"{name}, row {number}")) for number, row in enumerate(rows, start=1)]


def _of_row(row: dict[str | None, Any], where: str) -> dict[str, Any]:
    if any(row.get(None, ())):
        raise InputError(f"{where}: has more fields than the header; put those that hold the delimiter in quotes")
    rest = {key: value for key, value in row.items() if key and key not in (_TEXT_COLUMN, "id")}
    document: dict[str, Any] = {"text": row[_TEXT_COLUMN] or ""}
    document |= {"id": row["id"]} if row.get("id") else {}
    return document | ({"metadata": rest} if rest else {})
