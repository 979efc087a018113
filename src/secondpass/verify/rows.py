"""Which row of a table a claim speaks of: the suite's, and not that of the double room."""

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from secondpass.verify.record import BEHIND_NAME, fields_of
from secondpass.verify.words import STOP_WORDS, stem, word_set

__all__ = ["Named", "Rows"]

_MOST_NAMING = 3  # fields, the first of which that tells rows apart names them
_LONGEST_KEY = 8  # words
_TELLING = 0.8  # of the rows have a value of their own in the field that names them
_YEAR = re.compile(r"(?:19|20)\d\d")
_WORD = re.compile(r"[^\W_]+")
# With these a claim may speak of what a row does not have, or of another one.
_UNCLEAR = word_set(
    "not no never nor neither without unlike than whereas while or if unless instead except but only other others both "
    "formerly previously before until originally compared t"
)
_SAYING_LITTLE = STOP_WORDS | word_set("yes no true false none available included")

_Fields = Sequence[tuple[str, str]]
_Key = tuple[str, ...]


class Named(NamedTuple):
    """The rows that a claim names, by their numbers.

    Attributes:
        own: these rows.
        tables: the numbers of the tables that they are of.
        strays: of the own rows, those of which the claim says what others have in a column where they have something
            else; with the claim's words, and what stands there in their place.
    """

    own: frozenset[int]
    tables: frozenset[int]
    strays: Mapping[int, tuple[str, str]]


class Rows:
    """Rows of tables, by what names them: in one of the first columns, a value that others do not have.

    Args:
        texts: of rows, each by its number, with its passage and where it begins there; of one row there may be several.
    """

    def __init__(self, texts: Mapping[int, tuple[int, int, str]]) -> None:
        self._fields = {at: fields_of(text) for at, (_, _, text) in texts.items()}
        self._table: dict[int, int] = {}
        self._members: list[list[int]] = []
        self._columns: dict[int, dict[_Key, set[str]]] = {}  # of tables that were named: what stands in them, and where
        self._by_key: dict[_Key, list[int]] = {}
        tables: dict[tuple[int, str], list[int]] = {}
        for at, fields in self._fields.items():
            tables.setdefault((texts[at][0], fields[0][0]), []).append(at)
        for members in tables.values():
            rows = [list(group) for _, group in groupby(members, key=lambda at: texts[at][:2])]
            keys = _keys([self._fields[row[0]] for row in rows])
            if keys:
                self._table.update(dict.fromkeys(members, len(self._members)))
                self._members.append(members)
            for row, key in zip(rows, keys, strict=False):
                if key:
                    self._by_key.setdefault(key, []).extend(row)

    def named(self, claim: str) -> Named:
        """Return the rows that a claim names."""
        matches = list(_WORD.finditer(claim)) if self._by_key else []
        stems = [stem(match[0]) for match in matches]
        found = _held(stems, self._by_key)
        own = frozenset(at for key in found.values() for at in self._by_key[key])
        tables = frozenset(self._table[at] for at in own)
        strays: dict[int, tuple[str, str]] = {}
        if len(set(found.values())) == 1 and not any(match[0].lower() in _UNCLEAR for match in matches):
            (key, *_) = found
            for at in own:
                for first, end, there in self._strays(at, stems, key):
                    strays.setdefault(at, (claim[matches[first].start() : matches[end - 1].end()], there))
        return Named(own, tables, strays)

    def is_another(self, row: int, named: Named) -> bool:
        """Return whether a row is of the same table as a row that a claim names, and not itself named."""
        return row not in named.own and self._table.get(row, -1) in named.tables

    def _strays(self, at: int, stems: Sequence[str], key: tuple[int, int]) -> Iterator[tuple[int, int, str]]:
        """Yield where a claim has a value that only other rows have in its column, and what this one has there."""
        own, columns = dict(self._fields[at]), self._columns_of(self._table[at])
        here = {word for field in own.items() for text in field for word in _words(text)}
        for (first, end), value in _held(stems, columns).items():
            if (key[0] < end and first < key[1]) or here.issuperset(value) or not _is_word(value):
                continue
            for name in sorted(columns[value]):
                if own.get(name) and not set(_words(own[name])) <= set(stems):
                    yield first, end, f"{name}{BEHIND_NAME}{own[name]}"

    def _columns_of(self, table: int) -> Mapping[_Key, set[str]]:
        # Few of the tables are ever asked for. Two threads at once find the same.
        if table not in self._columns:
            columns: dict[_Key, set[str]] = {}
            for member in self._members[table]:
                for name, value in self._fields[member]:
                    columns.setdefault(_words(value), set()).add(name)
            self._columns[table] = columns
        return self._columns[table]


def _held(stems: Sequence[str], keys: Container[_Key]) -> dict[tuple[int, int], _Key]:
    """Return where some stems have a key that is not within a longer one: "junior suite" is not "suite"."""
    places = ((a, b) for a in range(len(stems)) for b in range(a + 1, min(a + _LONGEST_KEY, len(stems)) + 1))
    found = {(a, b): key for a, b in places if (key := tuple(stems[a:b])) in keys}
    longest: dict[tuple[int, int], _Key] = {}
    reached = 0
    for first, end in sorted(found, key=lambda place: (place[0], -place[1])):
        if end > reached:
            longest[first, end] = found[first, end]
            reached = end
    return longest


def _words(text: str) -> _Key:
    return tuple(map(stem, _WORD.findall(text)))


def _is_word(value: _Key) -> bool:
    """Return whether a value says something in letters by itself: numbers are compared elsewhere."""
    return not any(map(str.isdigit, "".join(value))) and not _SAYING_LITTLE.issuperset(value)


def _keys(rows: Sequence[_Fields]) -> list[_Key]:
    """Return what names each of some rows: words with a letter, a year, or a number with the name of its column."""
    if len(rows) < 2:
        return []
    for name, _ in rows[0][:_MOST_NAMING]:
        keys = [_key(name, dict(fields[:_MOST_NAMING]).get(name, "")) for fields in rows]
        if len(set(filter(None, keys))) >= max(2, _TELLING * len(rows)):
            return keys
    return []


def _key(name: str, value: str) -> _Key:
    words = _words(value)
    if len(words) > _LONGEST_KEY:
        return ()
    if any(map(str.isalpha, value)) or _YEAR.fullmatch(value):
        return words
    column = _words(name)
    return (*column[-1:], *words) if len(words) == 1 and column else ()
