"""Labelled claims with their passages, from files, mappings and DataFrames."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from secondpass.errors import InputError
from secondpass.evaluate.reading import json_lines
from secondpass.types import Document, document_text
from secondpass.validation import shown

__all__ = ["LabelledClaim", "read_claims"]

_NAMES = ("claim", "passages", "label")
_OPTIONAL = ("question", "source")


@dataclass(frozen=True, slots=True)
class LabelledClaim:
    """A claim, or a whole answer, with its passages and a label.

    Attributes:
        claim: the text.
        passages: texts, or mappings with ``text``.
        label: whether the passages support all of it.
        question: what was asked; None if that is not known.
        source: where it is from; empty if that is not known. Figures are also given for each source.
    """

    claim: str
    passages: tuple[Document, ...]
    label: bool
    question: str | None = None
    source: str = ""


def read_claims(source: object) -> list[LabelledClaim]:
    """Return labelled claims.

    Args:
        source: the path of a ``.jsonl`` file; or mappings; or a DataFrame. Each has ``claim``, ``passages`` (a text or
            a list of them), ``label`` (1 or True: the passages support all of it; 0 or False: they do not) and, if you
            like, ``question`` and ``source``.

    Raises:
        InputError: it can't be read, is empty, or a row has something else; the message says which.
    """
    if isinstance(source, str | os.PathLike):
        rows: Iterable[Any] = json_lines(Path(source).expanduser(), *_NAMES)
    elif hasattr(source, "columns") and hasattr(source, "__getitem__"):
        rows = _frame(source)
    elif isinstance(source, Iterable) and not isinstance(source, Mapping | bytes):
        rows = source
    else:
        raise InputError(f"claims come from a .jsonl file, mappings or a DataFrame, not {shown(source)}")
    claims = [row if isinstance(row, LabelledClaim) else _claim(row, at) for at, row in enumerate(rows)]
    if not claims:
        raise InputError("there are no claims")
    return claims


def _frame(frame: Any) -> list[dict[str, Any]]:
    there = [name for name in (*_NAMES, *_OPTIONAL) if name in list(frame.columns)]
    columns = [list(frame[name]) for name in there]
    return [dict(zip(there, row, strict=True)) for row in zip(*columns, strict=True)]


def _claim(row: Any, at: int) -> LabelledClaim:
    missing = [name for name in _NAMES if not isinstance(row, Mapping) or name not in row]
    if missing:
        raise InputError(f"row {at} has no {missing[0]!r}: a row needs claim, passages and label, not {shown(row)}")
    claim, passages, question = row["claim"], row["passages"], row.get("question")
    if not isinstance(claim, str) or not claim.strip():
        raise InputError(f"row {at}: the claim must be a text, not {shown(claim)}")
    if isinstance(passages, str):
        passages = [passages]
    if isinstance(passages, Mapping | bytes) or not isinstance(passages, Sequence):
        raise InputError(f"row {at}: passages must be a text or a list of them, not {shown(passages)}")
    for number, passage in enumerate(passages):
        try:
            document_text(passage, number)
        except InputError as exc:
            raise InputError(f"row {at}: {exc}") from exc
    if question is not None and not isinstance(question, str):
        raise InputError(f"row {at}: the question must be a text or None, not {shown(question)}")
    return LabelledClaim(claim, tuple(passages), _label(row["label"], at), question, str(row.get("source") or ""))


def _label(value: Any, at: int) -> bool:
    if isinstance(value, bool | int | np.bool_ | np.integer) and int(value) in (0, 1):
        return bool(value)
    raise InputError(
        f"row {at}: the label must be 1 (the passages support all of the claim) or 0, not {shown(value)}: labels of "
        f"three classes become 1 for entailment and 0 for neutral and contradiction"
    )
