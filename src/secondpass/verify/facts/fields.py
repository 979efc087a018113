"""Values that a claim gives to another name of the same record: the read timeout for the time to connect."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from secondpass.verify.facts import dates
from secondpass.verify.facts.dates import Date
from secondpass.verify.facts.quantities.quantity import Quantity
from secondpass.verify.facts.quantities.units import COUNT
from secondpass.verify.facts.text import Facts
from secondpass.verify.record import BEHIND_NAME, BETWEEN
from secondpass.verify.words import Token, tokenize

__all__ = ["misplaced"]

_FEWEST, _MOST, _MOST_RECORDS = 2, 40, 8
_LONGEST_NAME = 60  # characters
_JOINTS = frozenset({"in", "for", "at", "of"})  # "5 million in 2022"


class Field(NamedTuple):
    """A name of a record, and the quantities of its value: ``text[start:end]`` are both.

    Attributes:
        start: where the name begins.
        value: where the value begins.
        end: where it ends.
        held: the quantities of the value.
    """

    start: int
    value: int
    end: int
    held: tuple[Quantity, ...]


Says = Callable[[Quantity, Quantity], bool]


def misplaced(
    claim: Facts, ours: Sequence[Quantity], evidence: Facts, held: Sequence[Quantity], says: Says
) -> Iterator[tuple[Quantity, Quantity]]:
    """Yield the quantities of a claim that a record has under another name than the claim's, and what it has there.

    The claim's names and quantities belong together in their order, if there are as many of them: "2 bedrooms and 1
    bathroom", "4 in 2021 and 5 in 2022". Names of dates are those that the claim's dates agree with. A claim of more
    than forty quantities is not looked into.

    Args:
        claim: what is claimed.
        ours: its quantities.
        evidence: where the record may be: "bedrooms: 2; bathrooms: 1."
        held: its quantities, those included that it may be read as.
        says: whether a quantity of the evidence says what one of the claim says.
    """
    found: list[tuple[Quantity, Quantity]] = []
    if len(ours) > _MOST:
        return
    for fields in _records(evidence, held):
        told = [fact for fact in ours if any(says(fact, item) for field in fields for item in field.held)]
        pairs = _pairs(claim, told, _named(claim, evidence, fields))
        apart = [(fact, field) for fact, field in pairs if not any(says(fact, item) for item in field.held)]
        if any(_only_counts(fact, field, fields) for fact, field in apart):
            continue  # "$9 per user", beside "Users: up to 25"
        if pairs and not apart:
            return  # another record of the text has it
        found += ((fact, other) for fact, field in apart for other in _others(fact, field)[:1])
    yield from dict(found).items()


def _pairs(claim: Facts, told: Sequence[Quantity], named: Sequence[tuple[int, Field]]) -> list[tuple[Quantity, Field]]:
    """Return quantities with the fields that a claim gives them to: in their order, or those right before the name."""
    if len(told) == len(named):
        return [(fact, field) for fact, (_, field) in zip(told, named, strict=True)]
    before = {at - 2: field for at, field in named if at > 1 and claim.read.tokens[at - 1].lower in _JOINTS}
    return [(fact, before[fact.end - 1]) for fact in told if fact.end - 1 in before]


def _only_counts(fact: Quantity, field: Field, fields: Sequence[Field]) -> bool:
    """Return whether a field has plain numbers only where the claim's is of a unit that another field has."""
    dimension = fact.unit.dimension
    return (
        dimension != COUNT.dimension
        and all(item.unit is COUNT for item in field.held)
        and any(item.unit.dimension == dimension for other in fields for item in other.held)
    )


def _others(fact: Quantity, field: Field) -> list[Quantity]:
    plain = [item for item in field.held if not item.is_vague]
    return [item for item in plain if item.unit.dimension == fact.unit.dimension] or plain


def _records(evidence: Facts, held: Sequence[Quantity]) -> Iterator[list[Field]]:
    """Yield the fields of each line that is a record, of a few at most."""
    text, start, left = evidence.text, 0, _MOST_RECORDS
    if BETWEEN not in text:
        return
    places = [(evidence.read.tokens[item.end - 1].start, item) for item in held]
    for line in text.split("\n"):
        if line.count(BETWEEN) + 1 in range(_FEWEST, _MOST):
            fields = list(_fields(line, start, places))
            if len(fields) >= _FEWEST:
                yield fields
            left -= 1
            if not left:
                return
        start += len(line) + 1


def _fields(line: str, start: int, places: Sequence[tuple[int, Quantity]]) -> Iterator[Field]:
    for piece in line.split(BETWEEN):
        end = start + len(piece)
        name, sign, _ = piece.partition(BEHIND_NAME)
        value = start + len(name) + len(sign)
        inside = tuple(item for at, item in places if value <= at < end)
        if sign and inside and len(name) <= _LONGEST_NAME:
            yield Field(start, value, end, inside)
        start = end + len(BETWEEN)


def _named(claim: Facts, evidence: Facts, fields: Sequence[Field]) -> list[tuple[int, Field]]:
    """Return the fields whose names the claim has, in its order, each with the token at which the name begins there."""
    found: list[tuple[int, int, frozenset[str], Field]] = []
    held = [(evidence.read.tokens[item.first].start, item) for item in evidence.found.get("date", ())]
    words = {token.stem: at for at, token in reversed(list(enumerate(claim.read.tokens))) if token.is_content}
    for field in fields:
        own = [date for at, date in held if field.start <= at < field.value and not date.is_span]
        stems = frozenset(token.stem for token in tokenize(evidence.text[field.start : field.value]) if _tells(token))
        places = [_place(claim, date) for date in own] or [words.get(stem, -1) for stem in stems] or [-1]
        if min(places) >= 0:
            found.append((min(places), max(places), stems, field))
    # "read timeout" is not "timeout".
    whole = [item for item in found if not any(item[2] < other[2] for other in found)]
    return [(first, field) for first, _, _, field in sorted(whole, key=lambda item: item[:2])]


def _tells(token: Token) -> bool:
    return token.is_content and token.kind != "number"


def _place(claim: Facts, date: Date) -> int:
    ours = claim.found.get("date", ())
    alike = (
        item.first for item in ours if not item.is_span and True in (dates.agree(item, date), dates.agree(date, item))
    )
    return next(alike, -1)
