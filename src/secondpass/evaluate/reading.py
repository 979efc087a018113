"""Judgements, runs and texts from files, mappings and DataFrames, as plain mappings."""

import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from secondpass.errors import InputError, reason
from secondpass.types import document_text
from secondpass.validation import Text, Whole, shown

__all__ = ["ScoredRun", "read_qrels", "read_run", "read_texts"]

ScoredRun = Mapping[str, Mapping[str, float]]
"""What a system returned: query id to document id to score, best first."""

# Names of columns: ours and ir-measures', PyTerrier's, BEIR's.
_QUERY = ("query_id", "qid", "query-id")
_DOCUMENT = ("doc_id", "docno", "corpus-id", "docid")
_GRADE = ("relevance", "label", "grade", "score")
_SCORE = ("score",)

_GRADE_TEXT = re.compile(r"-?[0-9]+")


def read_qrels(source: object) -> dict[str, dict[str, int]]:
    """Return judgements: query id to document id to grade.

    Args:
        source: the path of a file in TREC's form (query, ignored, document, grade) or BEIR's (a header line, then
            query, document, grade); or a mapping of mappings; or a DataFrame with columns such as ``query_id``,
            ``doc_id`` and ``relevance``. Ids that are whole numbers become texts.

    Raises:
        InputError: it can't be read, is empty, a grade is not a whole number, or a document has two; says where.
    """
    rows = _frame(source, _QUERY, _DOCUMENT, _GRADE) if _is_frame(source) else None
    if rows is None and isinstance(source, str | os.PathLike):
        rows = _qrels_rows(Path(source).expanduser())
    elif rows is None:
        rows = _nested(source, "qrels")
    qrels: dict[str, dict[str, int]] = {}
    for query, document, grade in rows:
        name, checked = _id(document, "document"), _grade(grade, query, document)
        if qrels.setdefault(_id(query, "query"), {}).setdefault(name, checked) != checked:
            raise InputError(f"document {name!r} has two grades for query {str(query)!r}: which one is right?")
    if not qrels:
        raise InputError("the qrels are empty: they need judgements, such as {'query id': {'document id': 1}}")
    return qrels


def read_run(source: object) -> dict[str, dict[str, float]]:
    """Return a run: query id to document id to score, best first.

    Equal scores are ordered as trec_eval does: by document id, the greater one first.

    Args:
        source: the path of a file in TREC's form (query, ignored, document, rank, score, name); or a mapping of query
            ids to document ids, best first, which get falling scores, or to mappings of document ids to scores; or a
            DataFrame with columns such as ``query_id``, ``doc_id`` and ``score``.

    Raises:
        InputError: it can't be read, is empty, a score is not finite, or a document stands twice in a ranking.
    """
    rows = _frame(source, _QUERY, _DOCUMENT, _SCORE) if _is_frame(source) else None
    if rows is None and isinstance(source, str | os.PathLike):
        rows = _run_rows(Path(source).expanduser())
    elif rows is None:
        rows = _nested(source, "run")
    found: dict[str, dict[str, float]] = {}
    for query, document, score in rows:
        ranking = found.setdefault(_id(query, "query"), {})
        name = _id(document, "document")
        if name in ranking:
            raise InputError(f"the ranking of query {str(query)!r} contains document {name!r} twice")
        ranking[name] = _score(score, query, document)
    if not found:
        raise InputError("the run is empty: it needs rankings, such as {'query id': ['best document', 'second']}")
    return {query: dict(sorted(ranking.items(), key=_as_trec_eval, reverse=True)) for query, ranking in found.items()}


def read_texts(source: object, what: str) -> list[dict[str, Any]]:
    """Return texts as mappings with ``id``, ``text`` and, where there is any, ``metadata``.

    Args:
        source: the path of a ``.jsonl`` file in BEIR's form (``_id``, ``text``, perhaps ``title`` and ``metadata``) or
            of a ``.tsv`` file of ids and texts; or a mapping of ids to texts; or mappings with ``id`` and ``text``; or
            a DataFrame with a column of ids and one of texts.
        what: "document" or "query".

    Raises:
        InputError: it can't be read, or something in it is not a text with an id.
    """
    if _is_frame(source):
        ids, texts = (_DOCUMENT, ("text", "contents")) if what == "document" else (_QUERY, ("text", "query"))
        rows: Iterable[Any] = ({"id": name, "text": text} for name, text in _frame(source, ids, texts))
    elif isinstance(source, str | os.PathLike):
        rows = _text_rows(Path(source).expanduser())
    elif isinstance(source, Mapping):
        rows = ({"id": name, "text": text} for name, text in source.items())
    elif isinstance(source, Iterable):
        rows = source
    else:
        raise InputError(f"{what} texts come from a file, a mapping or a DataFrame, not {shown(source)}")
    return [_with_id(row, at, what) for at, row in enumerate(rows)]


def beir_document(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row in BEIR's form (``_id``, ``text``, perhaps ``title`` and ``metadata``) as a document.

    It has ``id``, ``text``, before which the title stands, and ``metadata``.
    """
    text = "\n".join(part for part in (str(row.get("title") or ""), str(row["text"])) if part)
    return {"id": row["_id"], "text": text, "metadata": row.get("metadata") or {}}


def json_lines(path: Path, *needed: str) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSONL file, each with the names that are needed.

    Raises:
        InputError: it can't be read, or a line is something else; the message has its number.
    """
    for number, line in _lines(path):
        try:
            row = json.loads(line)
            yield {**row, **{name: row[name] for name in needed}}
        except (ValueError, KeyError, TypeError, RecursionError) as exc:
            raise InputError(f"{path}, line {number}: not a JSON object with {' and '.join(needed)} ({exc})") from exc


def _text_rows(path: Path) -> Iterator[dict[str, Any]]:
    if path.suffix in (".tsv", ".csv", ".txt"):
        for number, line in _lines(path):
            name, tab, text = line.partition("\t")
            if not tab:
                raise InputError(f"{path}, line {number}: not an id, a tab and a text ({shown(line)})")
            yield {"id": name, "text": text}
        return
    yield from map(beir_document, json_lines(path, "_id", "text"))


def _with_id(row: object, at: int, what: str) -> dict[str, Any]:
    if not isinstance(row, Mapping) or "id" not in row:
        raise InputError(f"{what} {at} has no id: pass a mapping with 'id' and 'text', not {shown(row)}")
    if not isinstance(row.get("text"), str):
        raise InputError(f"the text of {what} {row['id']!r} must be a str, not {shown(row.get('text'))}")
    return {**row, "id": _id(row["id"], what), "text": document_text(row, at)}


def _qrels_rows(path: Path) -> Iterator[tuple[str, str, int]]:
    for at, (number, line) in enumerate(_lines(path)):
        fields = line.split()
        if at == 0 and fields[-1][0].isalpha():
            continue  # the header of BEIR's form; a grade that can't be read is not one
        if len(fields) not in (3, 4) or not _GRADE_TEXT.fullmatch(fields[-1]):
            raise InputError(f"{path}, line {number}: not 'query document grade' ({shown(line)})")
        yield fields[0], fields[-2], int(fields[-1])


def _run_rows(path: Path) -> Iterator[tuple[str, str, float]]:
    for number, line in _lines(path):
        try:
            query, _, document, _, score, *_ = line.split()
            yield query, document, float(score)
        except ValueError as exc:
            raise InputError(f"{path}, line {number}: not 'query Q0 document rank score name' ({shown(line)})") from exc


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, with their numbers from 1."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise InputError(f"{path} can't be read: {reason(exc)}") from exc
    except ValueError as exc:
        raise InputError(f"{path} can't be read as UTF-8 text: {exc}") from exc
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line.rstrip("\r")


def _nested(source: object, what: str) -> Iterator[tuple[object, object, Any]]:
    if not isinstance(source, Mapping):
        raise InputError(f"{what}: pass a file, a mapping by query id, or a DataFrame, not {shown(source)}")
    for query, inner in source.items():
        if isinstance(inner, Mapping):
            yield from ((query, document, value) for document, value in inner.items())
        elif what == "run" and isinstance(inner, Sequence) and not isinstance(inner, str | bytes):
            yield from ((query, document, -float(rank)) for rank, document in enumerate(inner, start=1))
        else:
            takes = "a list of document ids or a mapping of them to scores" if what == "run" else "a mapping to grades"
            raise InputError(f"{what}: query {str(query)!r} must have {takes}, not {shown(inner)}")


def _is_frame(source: object) -> bool:
    return hasattr(source, "columns") and hasattr(source, "__getitem__")


def _frame(source: Any, *columns: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a DataFrame, of each column under the first of its names that there is."""
    there = [str(name) for name in source.columns]
    chosen = []
    for names in columns:
        name = next((name for name in names if name in there), None)
        if name is None:
            raise InputError(f"the DataFrame needs a column {' or '.join(map(repr, names))}; it has {shown(there)}")
        chosen.append(list(source[name]))
    return iter(zip(*chosen, strict=True))


def _id(value: object, what: str) -> str:
    return str((Text() | Whole()).checked(value, f"the id of a {what}", error=InputError))


def _grade(value: object, query: object, document: object) -> int:
    name = f"the grade of document {str(document)!r} for query {str(query)!r}"
    return Whole().checked(value, name, error=InputError)


def _score(value: Any, query: object, document: object) -> float:
    try:
        score = float(value)
    except (TypeError, ValueError):
        score = math.nan
    if not math.isfinite(score):
        raise InputError(
            f"the score of document {str(document)!r} for query {str(query)!r} must be a finite number, not "
            f"{shown(value)}"
        )
    return score


def _as_trec_eval(scored: tuple[str, float]) -> tuple[float, str]:
    return scored[1], scored[0]
