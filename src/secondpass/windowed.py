"""Scores of long documents by their windows: what a `PassageReranker` does, and models that don't cut them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypedDict

import numpy as np
import numpy.typing as npt

from secondpass.portions import joined, portions
from secondpass.types import Document, Request, Scores, Trace
from secondpass.windows import ApproximateTokenization, Borders, Span, Tokenization, cut

__all__ = ["LONG_DOCUMENTS", "LongDocuments", "Passage", "Windows"]

LongDocuments = Literal["windows", "truncate"]
"""What a model does with a document that is longer than it reads: score its windows, or cut it."""

LONG_DOCUMENTS = ("windows", "truncate")

_OVERLAP = 8  # one token in so many, where nothing else is asked for
# Of the documents that are tokenized, cut and scored at once: hundreds of windows, so that batches are full. While a
# text is tokenized it takes some hundred times the memory of its characters.
_PORTION_CHARACTERS = 1 << 20


class Passage(TypedDict):
    """The window of a document that explains its score.

    Attributes:
        start: where it begins in the document's text, in characters.
        end: where it ends: it is ``document.text[start:end]``.
        text: that text (with U+FFFD for each lone surrogate, as the model read it).
    """

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Windows:
    """How long documents are cut into windows, and their windows' scores become one.

    Attributes:
        max_tokens: the most tokens in a window; None for as many as fit beside the query.
        overlap: the fewest tokens that neighbours share; None for an eighth of a window.
        borders: where windows end, see `secondpass.windows.cut`.
        pool: makes a document's score of those of its windows, shape (n_windows,).
        first_only: leave all windows but the first out.
        wrapping: whether it is a wrapper that scores by windows: then what scored them becomes a stage of the trace,
            and the passage of each document is named, not only of those that were cut.
    """

    max_tokens: int | None = None
    overlap: int | None = None
    borders: Borders = "sentence"
    pool: Callable[[npt.NDArray[np.float64]], float] = np.max
    first_only: bool = False
    wrapping: bool = False

    def scores(
        self,
        requests: Sequence[Request],
        score: Callable[[Sequence[Request]], list[Scores]],
        tokenization: Tokenization,
    ) -> list[Scores]:
        """Score requests, the documents that don't fit by their windows; the best one is explained as a `Passage`.

        The windows of all documents and requests are scored together, in portions of about a million characters, so
        that memory does not grow with their number. Counts of the trace, where a document was cut: ``passages`` (the
        windows and the documents that fit) and ``documents_split``.

        Args:
            requests: what to score.
            score: scores requests whose documents fit; each document's score is independent of the others.
            tokenization: counts the tokens.
        """
        parts: list[list[Scores]] = [[] for _ in requests]
        for portion in portions(requests, _PORTION_CHARACTERS):
            asked = [
                requests[at] if len(part) == len(requests[at]) else replace(requests[at].subset(part), k=requests[at].k)
                for at, part in portion
            ]
            for (at, _), scores in zip(portion, self._of_portion(asked, score, tokenization), strict=True):
                parts[at].append(scores)
        return [joined(scores) for scores in parts]

    def _of_portion(
        self,
        requests: Sequence[Request],
        score: Callable[[Sequence[Request]], list[Scores]],
        tokenization: Tokenization,
    ) -> list[Scores]:
        spans = self._spans(requests, tokenization)
        results = score([self._windows_of(request, cuts) for request, cuts in zip(requests, spans, strict=True)])
        return [self._pooled(*each) for each in zip(requests, spans, results, strict=True)]

    def _spans(self, requests: Sequence[Request], tokenization: Tokenization) -> list[list[list[Span]]]:
        """Return the windows of each document of each request; a text is cut once for each length of a query."""
        texts = list(dict.fromkeys(text for request in requests for text in (request.query, *request.texts)))
        lengths = dict(zip(texts, tokenization.lengths(texts), strict=True))
        done: dict[tuple[str, int], list[Span]] = {}

        def windows(text: str, size: int) -> list[Span]:
            if lengths[text] <= size:
                return [(0, len(text))]
            if (text, size) not in done:
                overlap = size // _OVERLAP if self.overlap is None else min(self.overlap, size // 2)
                spans = cut(text, size, overlap, self.borders, tokenization)
                done[text, size] = spans[:1] if self.first_only else spans
            return done[text, size]

        sizes = [self._size(lengths[request.query], tokenization) for request in requests]
        return [[windows(text, size) for text in request.texts] for request, size in zip(requests, sizes, strict=True)]

    def _size(self, query_length: int, tokenization: Tokenization) -> int:
        room = tokenization.document_room(query_length)
        if self.max_tokens is None:
            return room
        # What fits is only estimated where the tokens are, so there the caller knows better.
        known = not isinstance(tokenization, ApproximateTokenization)
        return min(self.max_tokens, room) if known else self.max_tokens

    def _pooled(self, request: Request, spans: list[list[Span]], scores: Scores) -> Scores:
        cut_up = [windows[0] != (0, len(text)) for text, windows in zip(request.texts, spans, strict=True)]
        if not any(cut_up) and not self.wrapping:
            return scores
        ends = np.cumsum([len(windows) for windows in spans]).tolist()
        parts = [slice(end - len(windows), end) for windows, end in zip(spans, ends, strict=True)]
        best = [part.start + int(np.argmax(scores.values[part])) for part in parts]
        passages: list[Passage | None] = []
        for text, windows, part, at, is_cut in zip(request.texts, spans, parts, best, cut_up, strict=True):
            start, end = windows[at - part.start]
            named = is_cut or self.wrapping
            passages.append({"start": start, "end": end, "text": text[start:end]} if named else None)
        columns: dict[str, Sequence[Any]] = {
            name: [column[at] for at in best] for name, column in scores.explanations.items()
        }
        columns["passage"] = passages
        counts = {"passages": len(scores), "documents_split": sum(cut_up)}
        trace = scores.trace
        if self.wrapping:
            trace = Trace(counts=counts, stages=(trace,))
        else:
            trace = replace(trace, counts={**trace.counts, **counts})
        return Scores(np.array([self.pool(scores.values[part]) for part in parts]), columns, trace)

    def _windows_of(self, request: Request, spans: list[list[Span]]) -> Request:
        # The best k documents are among so many of the best windows, as long as a document is as good as its best one.
        n_more = sum(map(len, spans)) - len(request)
        k = None if self.wrapping or request.k is None else request.k + n_more
        if all(windows == [(0, len(text))] for text, windows in zip(request.texts, spans, strict=True)):
            return request if request.k == k else replace(request, k=k)
        documents: list[Document] = []
        for document, text, windows in zip(request.documents, request.texts, spans, strict=True):
            for start, end in windows:
                if (start, end) == (0, len(text)):
                    documents.append(document)
                    continue
                window = text[start:end]
                documents.append({**document, "text": window} if isinstance(document, Mapping) else window)
        repeated = None
        if request.initial_scores is not None:
            repeated = [s for s, windows in zip(request.initial_scores, spans, strict=True) for _ in windows]
        return Request(request.query, documents, k, repeated, request.instruction, request.unit)
