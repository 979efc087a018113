"""Rerankers whose scores are written down, and a clock that they let run on."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from secondpass.base import Reranker
from secondpass.types import Request, Scale, Scores, Trace


class Table(Reranker):
    """Looks a document's score up; remembers which documents it was asked for, and lets a clock run on."""

    registry_name: ClassVar[str] = "table"

    def __init__(
        self,
        table: dict[str, float],
        *,
        scale: Scale = Scale.LOGIT,
        pointwise: bool = True,
        clock: "Clock | None" = None,
        document_s: float = 0.0,
        column: str | None = None,
    ) -> None:
        self.table, self.scale, self.pointwise = table, scale, pointwise
        self.clock, self.document_s, self.column = clock, document_s, column
        self.calls: list[list[tuple[str, ...]]] = []
        self.requests: list[Request] = []

    @property
    def seen(self) -> list[str]:
        return [text for call in self.calls for texts in call for text in texts]

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        self.calls.append([request.texts for request in requests])
        self.requests += requests
        if self.clock:
            self.clock.now_s += self.document_s * sum(len(request) for request in requests)
        return [
            Scores(
                np.array([self.table[text] for text in request.texts]),
                {} if self.column is None else {self.column: [text.upper() for text in request.texts]},
                Trace(counts={"pairs": len(request)}, notes=("looked up",)),
            )
            for request in requests
        ]


class Clock:
    """A clock that only runs when it is told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


LETTERS = list("abcdefgh")
RISING = {letter: float(at) for at, letter in enumerate(LETTERS)}
FALLING = {letter: -float(at) for at, letter in enumerate(LETTERS)}


def ranked_texts(cascade: Reranker, documents: Sequence[str] = LETTERS, k: int | None = None) -> str:
    """Return the documents in a cascade's order, in one text."""
    return "".join(document.text for document in cascade.rerank("q", documents, k=k))
