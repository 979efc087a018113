"""Read a test collection in the layout of BEIR: corpus.jsonl, queries.jsonl and qrels."""

import os
from pathlib import Path
from typing import Literal

from secondpass.errors import InputError
from secondpass.evaluate.dataset import Dataset

__all__ = ["read_beir"]

_QRELS = ("qrels.txt", "qrels.tsv", "qrels/test.tsv")


def read_beir(
    folder: str | os.PathLike[str], *, candidates: object = None, missing: Literal["raise", "drop"] = "raise"
) -> Dataset:
    """Read a BEIR folder (Thakur et al. 2021).

    The judgements are ``qrels.txt`` (TREC form: query, ignored, document, grade), ``qrels.tsv`` or
    ``qrels/test.tsv`` (BEIR's form: a header line, then query, document, grade). The title stands before the text.

    Args:
        folder: where it is.
        candidates: what a first stage found, as `secondpass.evaluate.read_run` takes it; None for none.
        missing: what happens to judgements of documents that the corpus does not have: see `Dataset.of`.

    Raises:
        InputError: a file is missing or can't be read, or they don't fit together; says which, and the line.
    """
    root = Path(folder).expanduser()
    for name in ("corpus.jsonl", "queries.jsonl"):
        if not (root / name).is_file():
            raise InputError(f"{root / name} is missing: a BEIR folder holds corpus.jsonl, queries.jsonl and qrels")
    qrels = next((root / name for name in _QRELS if (root / name).is_file()), None)
    if qrels is None:
        raise InputError(f"{root} has no {', '.join(_QRELS[:-1])} or {_QRELS[-1]}")
    return Dataset.of(root / "corpus.jsonl", root / "queries.jsonl", qrels, candidates, missing=missing)
