"""Datasets from files of question-answer pairs, of clicks, and of feedback."""

import csv
import io
import itertools
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from secondpass.errors import InputError
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.reading import json_lines, read_texts
from secondpass.learn.data.answers import from_answers
from secondpass.learn.data.example import TrainingExample, checked_examples
from secondpass.learn.data.feedback import from_clicks, from_feedback
from secondpass.tabular import long_cells
from secondpass.types import is_blank
from secondpass.validation import shown

__all__ = ["as_dataset", "read_judged"]

_DELIMITERS = {".csv": ",;\t", ".tsv": "\t"}
_ANSWERS = ("question", "answer")
_CLICKS = ("query", "document", "clicked")
_FEEDBACK = ("query", "document", "relevant")
_FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


def read_judged(path: str | os.PathLike[str], documents: object = None) -> Dataset:
    """Read the dataset that a file of question-answer pairs, clicks or feedback makes.

    Which of them it is, its columns say:

    - ``question`` and ``answer``: see `from_answers`;
    - ``query``, ``document`` and ``clicked``, perhaps ``rank`` and ``session``: see `from_clicks`;
    - ``query``, ``document`` and ``relevant``: see `from_feedback`.

    Other columns are not looked at. In a ``.csv`` or ``.tsv`` file, flags are 1 or 0, true or false, yes or no.

    Args:
        path: a ``.csv`` or ``.tsv`` file with a header, or JSON lines.
        documents: the corpus, as `Dataset.of` takes it; ``document`` is then an id in it. None if ``document`` is the
            text itself; the corpus is then what the file has. Answers are added to it where it does not have them.

    Raises:
        InputError: it can't be read, has other columns, or nothing can be learned from it; says which row.
    """
    source = Path(path).expanduser()
    corpus = None if documents is None else read_texts(documents, "document")
    rows = _rows(source)
    by_id = None if corpus is None else {each["id"]: each for each in corpus}
    try:
        return as_dataset(_examples(rows, by_id), corpus)
    except InputError as exc:
        raise InputError(f"{source}: {exc}") from exc


def as_dataset(examples: Iterable[TrainingExample], documents: object = None) -> Dataset:
    """Return examples as a dataset, which `learn` splits, trains on and measures by.

    Args:
        examples: queries with judged documents; those of one query are put together, and a document that is judged
            twice for it keeps the higher grade.
        documents: the corpus, as `Dataset.of` takes it, which is searched; documents of examples that it does not have
            are added. None if it has no others.

    Raises:
        InputError: there are no examples, one is of another kind, or the documents can't be read.
    """
    corpus = [] if documents is None else read_texts(documents, "document")
    ids: dict[str, str] = {}
    for each in corpus:
        ids.setdefault(each["text"], each["id"])
    taken = {each["id"] for each in corpus}
    free = (name for number in itertools.count(1) if (name := f"d{number}") not in taken)
    queries: dict[str, str] = {}
    qrels: dict[str, dict[str, int]] = {}
    for example in checked_examples(examples):
        if not isinstance(example, TrainingExample):
            raise InputError(f"only a TrainingExample has a query and documents, not a {type(example).__name__}")
        grades = qrels.setdefault(queries.setdefault(example.query, f"q{len(queries) + 1}"), {})
        for text, grade in zip(example.documents, example.grades, strict=True):
            if text not in ids:
                ids[text] = next(free)
                corpus.append({"id": ids[text], "text": text})
            grades[ids[text]] = max(grade, grades.get(ids[text], 0))
    return Dataset(tuple(corpus), {name: query for query, name in queries.items()}, qrels)


def _examples(rows: list[dict[str, Any]], documents: Mapping[str, Any] | None) -> list[TrainingExample]:
    columns = set(rows[0]) if rows else set()
    if columns.issuperset(_ANSWERS):
        return from_answers(_filled(rows, *_ANSWERS))
    if columns.issuperset(_CLICKS):
        return from_clicks(_filled(rows, "query", "document"), documents=documents)
    if columns.issuperset(_FEEDBACK):
        return from_feedback(_filled(rows, "query", "document"), documents=documents)
    raise InputError(
        f"has {'the columns ' + ', '.join(sorted(columns)) if columns else 'no rows'}, but answers have "
        f"{' and '.join(_ANSWERS)}, clicks {', '.join(_CLICKS)}, feedback {', '.join(_FEEDBACK)}"
    )


def _rows(path: Path) -> list[dict[str, Any]]:
    if path.suffix not in _DELIMITERS:
        return list(json_lines(path))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as exc:
        raise InputError(f"{path} can't be read as UTF-8 text: {exc}") from exc
    header = text.partition("\n")[0]
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter=max(_DELIMITERS[path.suffix], key=header.count), strict=True
    )
    try:
        with long_cells(len(text)):
            return [_typed(row, f"{path}, row {number}") for number, row in enumerate(reader, start=1)]
    except csv.Error as exc:
        raise InputError(f"{path} can't be read as CSV: {exc}") from exc


def _typed(row: Mapping[str | None, Any], where: str) -> dict[str, Any]:
    """Return a row of CSV, where everything is a text, with its flags and ranks as what they are."""
    if None in row or None in row.values():
        raise InputError(f"{where}: has {'more' if None in row else 'fewer'} fields than the header")
    found: dict[str, Any] = {str(name): value for name, value in row.items()}
    for name in ("clicked", "relevant"):
        if name in found:
            flag = _FLAGS.get(found[name].strip().lower())
            if flag is None:
                raise InputError(f"{where}: {name} must be 1 or 0, true or false, yes or no, not {shown(found[name])}")
            found[name] = flag
    if found.get("rank", "").strip().isdecimal():
        found["rank"] = int(found["rank"])
    return {name: value for name, value in found.items() if value != "" or name not in ("rank", "session")}


def _filled(rows: list[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    """Return rows, of which none has nothing but spaces under a name: such a text can't be searched for, or found."""
    for at, row in enumerate(rows):
        for name in names:
            if isinstance(row.get(name), str) and is_blank(row[name]):
                raise InputError(f"row {at}: {name} is empty")
    return rows
