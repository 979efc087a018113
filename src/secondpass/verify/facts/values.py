"""Values of a record that a claim has otherwise: yes for no, from for to, and the seller's name for the buyer's."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import attrgetter

from secondpass.verify.facts.kind import FactKind
from secondpass.verify.facts.text import Facts, Text
from secondpass.verify.record import BEHIND_NAME, BETWEEN, fields_of
from secondpass.verify.types import Mismatch
from secondpass.verify.words import STOP_WORDS, Token, stem, tokenize, word_set

__all__ = ["Value", "ValueKind", "answers"]

_FEWEST, _MOST = 2, 40  # fields of a record
_MOST_RECORDS = 8
_LONGEST_VALUE = 8  # words
_MOST_WORDS = 24  # of a claim
_YES = frozenset({"yes", "true", "included", "available"})
_NO = frozenset({"no", "false", "none", "not included", "not available", "unavailable"})
# What denies a word without a "not", or is said of more than one thing: no yes and no no can be told from it.
_UNCLEAR = word_set(
    "free unavailable excluded excludes exclude optional optionally extra prohibited forbidden banned missing absent "
    "omits omitted disabled off unlike than whereas while both either or if unless instead only except most some "
    "other others another against compared"
)
_RETURNING = word_set("back return returns returned returning again via through")
_FROM = frozenset(map(stem, word_set("from origin departure start departs starts leaves")))
_TO = frozenset(map(stem, word_set("to destination arrival arrives ends")))
_IS, _ARTICLES = word_set("is are was were"), word_set("the a an")
_LABELLED = re.compile(
    r"^[^\S\n]{0,8}(?:[-*\u2022][^\S\n]{1,4})?(?:\*\*)?([A-Za-z][A-Za-z '/-]{0,30}):(?:\*\*)?[^\S\n]{1,4}"
    r"([^\s,;(.][^\n,;(.]{0,60})",
    re.MULTILINE,
)
_LINES = -1  # instead of the number of a record
_NEAR = 4  # words between what belongs together


@dataclass(frozen=True, slots=True)
class Value:
    """A field of a record.

    Attributes:
        first: the index of its first token.
        end: the index of the token after it.
        record: the number of its record; -1 if it is a labelled line of a text.
        name: the stems of its name.
        value: those of its value.
        agrees: whether the value says yes, or no; None if it says neither.
    """

    first: int
    end: int
    record: int
    name: tuple[str, ...]
    value: tuple[str, ...]
    agrees: bool | None

    @property
    def is_name(self) -> bool:
        """Whether its value may name something: it has a letter, few words, and is neither yes nor no."""
        return self.agrees is None and any(map(str.isalpha, "".join(self.value))) and len(self.value) <= _LONGEST_VALUE


class ValueKind(FactKind[Value]):
    """Values of a record, such as a row of a table with the names of its columns, of which a claim speaks.

    Only a text of nothing but records has them, and lines with a label, such as those of an invoice; and only a record
    that the claim names, by its first value or by another one, is compared with it.
    """

    name = "value"
    counts_as = "negation"
    is_sought = False

    def find(self, text: Text) -> Sequence[Value]:
        """Return the fields of a text that is one record, or a few of them, a line each; else of its labelled lines."""
        if BEHIND_NAME not in text.text:
            return []
        if BETWEEN not in text.text or text.text.count("\n") >= _MOST_RECORDS:
            return _of_lines(text)
        fields = list(_fields(text.tokens, text.text))
        records = [list(group) for _, group in groupby(fields, key=attrgetter("record"))]
        are_records = all(_FEWEST <= len(each) <= _MOST and all(field.name for field in each[1:]) for each in records)
        return fields if are_records and len(records) == text.text.count("\n") + 1 else _of_lines(text)

    def compare(self, claim: Facts, evidence: Facts) -> Iterator[Mismatch]:
        """Yield what a claim says of a record that it names, and the record has otherwise."""
        for said, record in _records_of(claim, evidence):
            for field in dict.fromkeys(said.against(record)):
                yield Mismatch(self.name, claim.text, evidence.read.words(field.first, field.end))


def answers(claim: Facts, evidence: Facts) -> bool:
    """Return whether a claim denies what a record that it names has a "no" for, or says what it has a "yes" for."""
    return any(says for said, record in _records_of(claim, evidence) for _, says in said.yes_and_no(record))


def _records_of(claim: Facts, evidence: Facts) -> Iterator[tuple["_Said", list[Value]]]:
    """Yield the records that a claim of one sentence names."""
    fields, tokens = evidence.found.get("value", ()), claim.read.tokens
    if not fields or len(tokens) > _MOST_WORDS or any(token.sentence for token in tokens):
        return
    said = _Said(claim)
    for _, group in groupby(fields, key=attrgetter("record")):
        record = list(group)
        if said.is_of(record):
            yield said, record


def _fields(tokens: Sequence[Token], text: str) -> Iterator[Value]:
    """Yield the fields of a text of nothing but records, one a line."""
    starts = [token.start for token in tokens]
    begin = 0
    for at, line in enumerate(text.split("\n")):
        for name, value in fields_of(line):
            end = begin + len(name) + len(BEHIND_NAME) * bool(name) + len(value)
            first, last = bisect_left(starts, begin), bisect_left(starts, end)
            if first < last:
                told = " ".join(value.lower().split())
                agrees = True if told in _YES else False if told in _NO else None
                yield Value(first, last, at, _stems(name), _stems(value), agrees)
            begin = end + len(BETWEEN)
        begin += 1 + line.endswith(".") - len(BETWEEN)


def _of_lines(text: Text) -> list[Value]:
    """Return what stands behind the labels of lines, up to a comma: "Seller: Kolb Tools, Ulm"; none of a single one."""
    starts = [token.start for token in text.tokens]
    fields = []
    for line in islice(_LABELLED.finditer(text.text), _MOST):
        first, last = bisect_left(starts, line.start(1)), bisect_left(starts, line.end(2))
        if first < last:
            fields.append(Value(first, last, _LINES, _stems(line[1]), _stems(line[2]), None))
    return fields if len({field.name for field in fields}) == len(fields) >= _FEWEST else []


def _stems(text: str) -> tuple[str, ...]:
    return tuple(token.stem for token in tokenize(text) if token.stem)


def _telling(stems: Sequence[str]) -> frozenset[str]:
    return frozenset(stems) - STOP_WORDS


class _Said:
    """A claim, by where its words stand."""

    def __init__(self, claim: Facts) -> None:
        self._tokens: Sequence[Token] = [token for token in claim.read.tokens if token.stem]
        self._stems = [token.stem for token in self._tokens]
        self._words = {token.lower for token in self._tokens}
        self._clauses = [clause for clause in claim.found.get("negation", ()) if clause.stems]

    def _places(self, stems: Sequence[str]) -> list[int]:
        n = len(stems)
        return [at for at in range(len(self._stems) - n + 1) if n and tuple(self._stems[at : at + n]) == tuple(stems)]

    def is_of(self, record: Sequence[Value]) -> bool:
        """Return whether the claim has the record's first value, or another one that may name something."""
        first = record[0]
        if not first.is_name and first.value and set(first.name) <= set(self._stems):
            return True
        return any(field.is_name and self._places(field.value) for field in record)

    def against(self, record: Sequence[Value]) -> Iterator[Value]:
        """Yield the fields of a record that the claim has otherwise."""
        if record[0].record != _LINES:  # what stands in other lines may say more of it
            yield from (field for field, says in self.yes_and_no(record) if not says)
            yield from self._from_for_to(record)
        yield from self._one_for_another(record)

    def yes_and_no(self, record: Sequence[Value]) -> Iterator[tuple[Value, bool]]:
        """Yield the fields of yes and no that the claim speaks of, and whether it says the same."""
        named = [(_telling(field.name), field) for field in record if field.agrees is not None]
        stems, unclear = set(self._stems), self._words & _UNCLEAR
        whole = [(name, field) for name, field in named if name and name <= stems and unclear <= set(field.name)]
        whole = [(name, field) for name, field in whole if not any(name < other for other, _ in whole)]
        for clause in self._clauses:
            here = [field for name, field in whole if name <= clause.stems]
            if len(here) == 1 or (here and not clause.has_cue):  # "a balcony, and no bath" denies one of them
                yield from ((field, clause.has_cue is not field.agrees) for field in here)

    def _from_for_to(self, record: Sequence[Value]) -> Iterator[Value]:
        start = [field for field in record if field.is_name and not _FROM.isdisjoint(field.name)]
        goal = [field for field in record if field.is_name and not _TO.isdisjoint(field.name)]
        if len(start) != 1 or len(goal) != 1 or start[0].value == goal[0].value or self._words & _RETURNING:
            return
        rightly = self._behind(_FROM, start[0]) or self._behind(_TO, goal[0])
        wrongly = self._behind(_FROM, goal[0]) or self._behind(_TO, start[0])
        if wrongly and not rightly:
            yield from (start[0], goal[0])

    def _behind(self, words: frozenset[str], field: Value) -> bool:
        """Return whether one of some words stands before a value: "from Oslo", "the destination is Oslo"."""
        for at in self._places(field.value):
            before = reversed(self._tokens[max(0, at - _NEAR) : at])
            word = next((token for token in before if token.is_content or token.lower in _FROM | _TO), None)
            if word is not None and word.stem in words:
                return True
        return False

    def _one_for_another(self, record: Sequence[Value]) -> Iterator[Value]:
        names = [field for field in record if field.is_name]
        without = [field for field in names if self._places(field.name) and not self._places(field.value)]
        given = [field for field in names if self._places(field.value) and not self._places(field.name)]
        yield from (field for field in without if any(self._gives(field.name, other.value) for other in given))

    def _gives(self, name: Sequence[str], value: Sequence[str]) -> bool:
        """Return whether the claim gives a value to a name: "the buyer is Kolb", "buyer Kolb", "Kolb is the buyer"."""
        behind = (self._between(at + len(name), other) for at in self._places(name) for other in self._places(value))
        before = (self._between(at + len(value), other) for at in self._places(value) for other in self._places(name))
        return any(words is not None for words in behind) or any(words and words & _IS for words in before)

    def _between(self, first: int, end: int) -> frozenset[str] | None:
        """Return the words between two places where these are articles and "is" at most; else None."""
        words = frozenset(token.lower for token in self._tokens[first:end])
        return words if 0 <= end - first <= _NEAR and words <= _IS | _ARTICLES else None
