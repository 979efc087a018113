"""Training examples from what users did: clicks on results, and judgements such as thumbs up and down."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from secondpass.errors import InputError
from secondpass.learn.data.example import TrainingExample
from secondpass.types import document_text
from secondpass.validation import SHARE, Text, Whole, shown

__all__ = ["from_clicks", "from_feedback"]


@dataclass(slots=True)
class _Tally:
    """How often a document was wanted for a query, and how often it was seen and not wanted."""

    for_it: int = 0
    against: int = 0


@dataclass(slots=True)
class _Impression:
    document: str
    clicked: bool
    rank: int | None


@dataclass(slots=True)
class _Session:
    query: str
    shown: list[_Impression] = field(default_factory=list)


def from_clicks(
    rows: Iterable[Mapping[str, Any]],
    *,
    documents: Mapping[str, Any] | None = None,
    min_clicks: int = 1,
    min_rate: float = 0.2,
    min_skips: int = 1,
) -> list[TrainingExample]:
    """Return an example for each query with a document that was clicked.

    Users read from the top, so a document counts as seen if it was clicked or stands above one that was ("skip above",
    Joachims 2002). Seen and never clicked, it is not relevant; clicked often enough among those who saw it, it is
    relevant; what lies between is left out. Without ranks, all that was shown in a session with a click counts as seen.

    Args:
        rows: one for each document that was shown: ``query``, ``document`` (a text, or an id if there are
            ``documents``), ``clicked`` (True or False, 1 or 0) and, if you like, ``rank`` (from 1) and ``session``.
            Rows of one query and session are one page of results.
        documents: from an id to the document.
        min_clicks: how often a relevant document was clicked at least.
        min_rate: in what share of the cases in which it was seen, in [0, 1].
        min_skips: how often one that is not relevant was seen.

    Raises:
        InputError: a row is something else, names a document that is missing, or nothing was clicked often enough.
        ConfigError: a setting is out of range.
    """
    Whole(at_least=1).checked(min_clicks, "min_clicks")
    SHARE.checked(min_rate, "min_rate")
    Whole(at_least=1).checked(min_skips, "min_skips")
    sessions: dict[tuple[str, Any], _Session] = {}
    for at, row in enumerate(_rows(rows, "query", "document", "clicked")):
        query = Text().checked(row["query"], f"row {at}: query", error=InputError)
        rank = (Whole(at_least=1) | None).checked(row.get("rank"), f"row {at}: rank", error=InputError)
        session = (Text() | Whole() | None).checked(row.get("session"), f"row {at}: session", error=InputError)
        document, clicked = _document(row["document"], documents, at), _flag(row["clicked"], f"row {at}: clicked")
        sessions.setdefault((query, session), _Session(query)).shown.append(_Impression(document, clicked, rank))
    tallies: dict[str, dict[str, _Tally]] = {}
    for each in sessions.values():
        for impression in _seen(each.shown):
            tally = tallies.setdefault(each.query, {}).setdefault(impression.document, _Tally())
            tally.for_it += impression.clicked
            tally.against += not impression.clicked

    def label(tally: _Tally) -> float | None:
        if not tally.for_it:
            return 0.0 if tally.against >= min_skips else None
        rate = tally.for_it / (tally.for_it + tally.against)
        return 1.0 if tally.for_it >= min_clicks and rate >= min_rate else None

    return _examples(tallies, label, "was clicked often enough")


def from_feedback(
    rows: Iterable[Mapping[str, Any]], *, documents: Mapping[str, Any] | None = None
) -> list[TrainingExample]:
    """Return an example for each query with a document that users found relevant; a majority decides, a tie does not.

    Args:
        rows: one for each judgement: ``query``, ``document`` (a text, or an id if there are ``documents``) and
            ``relevant`` (True or False, 1 or 0).
        documents: from an id to the document.

    Raises:
        InputError: a row is something else, names a document that is missing, or nothing was found relevant.
    """
    tallies: dict[str, dict[str, _Tally]] = {}
    for at, row in enumerate(_rows(rows, "query", "document", "relevant")):
        query = Text().checked(row["query"], f"row {at}: query", error=InputError)
        tally = tallies.setdefault(query, {}).setdefault(_document(row["document"], documents, at), _Tally())
        relevant = _flag(row["relevant"], f"row {at}: relevant")
        tally.for_it += relevant
        tally.against += not relevant

    def label(tally: _Tally) -> float | None:
        return None if tally.for_it == tally.against else float(tally.for_it > tally.against)

    return _examples(tallies, label, "was found relevant")


def _seen(shown_: list[_Impression]) -> list[_Impression]:
    clicked = [impression for impression in shown_ if impression.clicked]
    if not clicked:
        return []
    if any(impression.rank is None for impression in shown_):
        return shown_
    lowest = max(impression.rank or 0 for impression in clicked)
    return [impression for impression in shown_ if (impression.rank or 0) <= lowest]


def _examples(tallies: Mapping[str, Mapping[str, _Tally]], label: Any, what: str) -> list[TrainingExample]:
    examples = []
    for query, of in tallies.items():
        judged = [(document, value) for document, tally in of.items() if (value := label(tally)) is not None]
        if any(value for _, value in judged):
            documents, labels = zip(*judged, strict=True)
            examples.append(TrainingExample(query, documents, labels))
    if not examples:
        raise InputError(f"no document {what}, so there is nothing to learn from")
    return examples


def _rows(rows: object, *needed: str) -> Iterator[Mapping[str, Any]]:
    if isinstance(rows, str | bytes | Mapping) or not isinstance(rows, Iterable):
        raise InputError(f"rows must be a list of mappings with {', '.join(needed)}, not {shown(rows)}")
    for at, row in enumerate(rows):
        missing = [name for name in needed if not isinstance(row, Mapping) or name not in row]
        if missing:
            wanted = ", ".join(needed)
            raise InputError(f"row {at} has no {missing[0]!r}: a row is a mapping with {wanted}, not {shown(row)}")
        yield row


def _document(value: Any, documents: Mapping[str, Any] | None, at: int) -> str:
    if documents is None:
        return Text().checked(value, f"row {at}: document", error=InputError)
    if not isinstance(value, str | int) or value not in documents:
        raise InputError(f"row {at}: documents has no {shown(value)}: pass the whole corpus, or leave the row out")
    return document_text(documents[value], at)  # type: ignore[index]  # an id may be a number


def _flag(value: Any, name: str) -> bool:
    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):
        return bool(value)
    return bool(Whole(at_least=0, at_most=1).checked(value, name, error=InputError))
