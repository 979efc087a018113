"""Read a test collection in the layout of BEIR: corpus.jsonl, queries.jsonl and qrels."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from secondpass.errors import InputError
from secondpass.types import Document

__all__ = ["Collection", "read_beir"]


@dataclass(frozen=True, slots=True)
class Collection:
    """A corpus with queries and judgements.

    Attributes:
        documents: mappings with ``id``, ``text`` (the title before it, if there is one) and ``metadata``.
        queries: query id to text; only those that have judgements.
        qrels: query id to document id to grade.
    """

    documents: tuple[Document, ...]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]


def read_beir(folder: str | os.PathLike[str]) -> Collection:
    """Read a BEIR folder (Thakur et al. 2021).

    The judgements are ``qrels.txt`` (TREC form: query, ignored, document, grade), ``qrels.tsv`` or
    ``qrels/test.tsv`` (BEIR's form: a header line, then query, document, grade).

    Raises:
        InputError: a file is missing or can't be read; says which, and the line.
    """
    root = Path(folder)
    documents = tuple(
        {
            "id": str(row["_id"]),
            "text": "\n".join(part for part in (str(row.get("title") or ""), str(row["text"])) if part),
            "metadata": row.get("metadata") or {},
        }
        for row in _rows(root / "corpus.jsonl")
    )
    qrels = _read_qrels(root)
    texts = {str(row["_id"]): str(row["text"]) for row in _rows(root / "queries.jsonl")}
    queries = {query: text for query, text in texts.items() if query in qrels}
    return Collection(documents, queries, {query: qrels[query] for query in queries})


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        raise InputError(f"{path} is missing: a BEIR folder holds corpus.jsonl, queries.jsonl and qrels")
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                yield {**row, "_id": row["_id"], "text": row["text"]}
            except (ValueError, KeyError, TypeError) as exc:
                raise InputError(f"{path}, line {number}: not a JSON object with _id and text ({exc})") from exc


def _read_qrels(root: Path) -> dict[str, dict[str, int]]:
    path = next((root / name for name in ("qrels.txt", "qrels.tsv", "qrels/test.tsv") if (root / name).is_file()), None)
    if path is None:
        raise InputError(f"{root} has no qrels.txt, qrels.tsv or qrels/test.tsv")
    qrels: dict[str, dict[str, int]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        if number == 1 and not fields[-1].lstrip("-").isdigit():
            continue  # the header of BEIR's form
        try:
            query, *_, document, grade = fields
            qrels.setdefault(query, {})[document] = int(grade)
        except ValueError as exc:
            raise InputError(f"{path}, line {number}: not 'query document grade' ({line!r})") from exc
    return qrels
