"""Rerank long documents by their windows, so that nothing is cut off."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, TypedDict, get_args

import numpy as np
import numpy.typing as npt

from secondpass.base import Reranker, inner_rerankers
from secondpass.calibration.ready import ReadyCalibration
from secondpass.composition.portions import joined, portions
from secondpass.errors import ConfigError
from secondpass.logistic import sigmoid
from secondpass.types import Document, Request, Scale, Scores
from secondpass.validation import SHARE, OneOf, Whole, check, must_be
from secondpass.windows import (
    ApproximateTokenization,
    Borders,
    Span,
    Tokenization,
    cut,
    find_tokenization,
)

__all__ = ["Passage", "PassageReranker", "Pool", "uncut"]

Pool = Literal["max", "first", "mean", "top_mean", "decayed_sum"]

_OVERLAP = 8  # one token in so many, where nothing else is asked for
_FIRST: Pool = "first"
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


class PassageReranker(Reranker):
    """Scores the windows of long documents, and combines the scores of each document's windows.

    A document that fits into the model is scored as it is, and its score is the same to the bit. A longer document is
    cut into overlapping windows. The windows of all documents and requests are scored together, in portions of about a
    million characters, so that memory does not grow with their number. The best window of each document is explained
    as a `Passage` under ``passage``; the wrapped reranker's other explanations are those of this window.

    The length of a window follows from the wrapped reranker's model and the query, if the reranker (or one that it
    wraps) has a `Tokenization`, as cross-encoders do; otherwise tokens are estimated.

    With ``max``, a document with many windows has more chances of a high score. Means and ``first`` avoid that, but can
    miss the one relevant window. Maximum (MaxP), first (FirstP) and sum are those of Dai and Callan (2019,
    arXiv:1905.09217).

    Args:
        wrapped: the reranker that scores the windows; its scores must not depend on the other documents.
        max_tokens: the most tokens in a window, as the wrapped reranker's model counts them, and never more than fit
            beside the query. By default as many as fit, or 384 estimated ones if that is not known.
        overlap: the fewest tokens that neighbouring windows share; by default an eighth of a window, and half of it at
            most.
        borders: ``sentence`` ends a window with a sentence, if one ends in its second half; ``token`` only avoids
            cutting words.
        pool: how the scores of a document's windows are combined: ``max``, ``mean``, ``first`` (the other windows are
            not scored at all) or ``top_mean`` (the mean of the ``n_best`` highest), all on the wrapped reranker's
            scale; or ``decayed_sum``, the sum of their probabilities (the logistic function of logits) from the best
            to the worst, each weighted by ``decay`` times the weight of the one before; its scores are ordinal.
        n_best: how many windows ``top_mean`` takes.
        decay: for ``decayed_sum``, from 0 (the best window alone) to 1 (the plain sum).

    Raises:
        CompositionError: the wrapped reranker's scores depend on the other documents, or they are ordinal and ``pool``
            would calculate with them.
        ConfigError: a setting is out of range.
    """

    registry_name: ClassVar[str] = "passage"
    pointwise = True

    def __init__(
        self,
        wrapped: Reranker,
        *,
        max_tokens: int | None = None,
        overlap: int | None = None,
        borders: Borders = "sentence",
        pool: Pool = "max",
        n_best: int = 3,
        decay: float = 0.5,
    ) -> None:
        self.wrapped, self.max_tokens, self.overlap = wrapped, max_tokens, overlap
        self.borders, self.pool, self.n_best, self.decay = borders, pool, n_best, decay
        check(
            self,
            max_tokens=Whole(at_least=1) | None,
            overlap=Whole(at_least=0) | None,
            borders=OneOf(*get_args(Borders)),
            pool=OneOf(*get_args(Pool)),
            n_best=Whole(at_least=1),
            decay=SHARE,
        )
        # Means and sums are of numbers; a maximum only needs an order.
        scales = () if pool in ("max", _FIRST) else (Scale.LOGIT, Scale.PROBABILITY)
        self.require_traits(wrapped, *scales, pointwise=True)
        if self.max_tokens and self.overlap and 2 * self.overlap > self.max_tokens:
            most = f"at most half of max_tokens, which is {max_tokens}"
            raise ConfigError(must_be("PassageReranker: overlap", most, overlap))
        self.scale = Scale.ORDINAL if pool == "decayed_sum" else wrapped.scale
        self._tokenization: Tokenization = find_tokenization(wrapped) or ApproximateTokenization()

    @property
    def calibration(self) -> ReadyCalibration | None:
        """That of the wrapped reranker, if a document's score is that of one of its windows."""
        return self.wrapped.calibration if self.pool in ("max", _FIRST) else None

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        parts: list[list[Scores]] = [[] for _ in requests]
        for portion in portions(requests, _PORTION_CHARACTERS):
            asked = [
                requests[at] if len(part) == len(requests[at]) else requests[at].subset(part) for at, part in portion
            ]
            for (at, _), scores in zip(portion, self._of_portion(asked), strict=True):
                parts[at].append(scores)
        return [joined(scores) for scores in parts]

    def _of_portion(self, requests: Sequence[Request]) -> list[Scores]:
        spans = self._spans(requests)
        inner = [_windows_of(request, cuts) for request, cuts in zip(requests, spans, strict=True)]
        results = self.wrapped.score_many(inner)
        return [self._pooled(*each) for each in zip(requests, spans, results, strict=True)]

    def _spans(self, requests: Sequence[Request]) -> list[list[list[Span]]]:
        """Return the windows of each document of each request; a text is cut once for each length of a query."""
        texts = list(dict.fromkeys(text for request in requests for text in request.texts))
        lengths = dict(zip(texts, self._tokenization.lengths(texts), strict=True))
        done: dict[tuple[str, int], list[Span]] = {}

        def windows(text: str, size: int) -> list[Span]:
            if lengths[text] <= size:
                return [(0, len(text))]
            if (text, size) not in done:
                overlap = size // _OVERLAP if self.overlap is None else min(self.overlap, size // 2)
                spans = cut(text, size, overlap, self.borders, self._tokenization)
                done[text, size] = spans[:1] if self.pool == _FIRST else spans
            return done[text, size]

        sizes = [self._size(length) for length in self._tokenization.lengths([request.query for request in requests])]
        return [[windows(text, size) for text in request.texts] for request, size in zip(requests, sizes, strict=True)]

    def _size(self, query_length: int) -> int:
        room = self._tokenization.document_room(query_length)
        if self.max_tokens is None:
            return room
        # What fits is only estimated where the tokens are, so there the caller knows better.
        known = not isinstance(self._tokenization, ApproximateTokenization)
        return min(self.max_tokens, room) if known else self.max_tokens

    def _pooled(self, request: Request, spans: list[list[Span]], scores: Scores) -> Scores:
        ends = np.cumsum([len(windows) for windows in spans]).tolist()
        parts = [slice(end - len(windows), end) for windows, end in zip(spans, ends, strict=True)]
        best = [part.start + int(np.argmax(scores.values[part])) for part in parts]
        passages: list[Passage] = []
        for text, windows, part, at in zip(request.texts, spans, parts, best, strict=True):
            start, end = windows[at - part.start]
            passages.append({"start": start, "end": end, "text": text[start:end]})
        of_best = {name: [column[at] for at in best] for name, column in scores.explanations.items()}
        n_split = sum(windows[0] != (0, len(text)) for text, windows in zip(request.texts, spans, strict=True))
        counts = {"passages": len(scores), "documents_split": n_split}
        values = np.array([self._pool(scores.values[part]) for part in parts])
        return Scores(scores.values, of_best, scores.trace).rescored(values, counts=counts, passage=passages)

    def _pool(self, values: npt.NDArray[np.float64]) -> float:
        if self.pool == "mean":
            return float(values.mean())
        if self.pool in ("max", _FIRST):
            return float(values.max())
        ordered = np.sort(values)[::-1]
        if self.pool == "top_mean":
            return float(ordered[: self.n_best].mean())
        probabilities = sigmoid(ordered) if self.wrapped.scale is Scale.LOGIT else ordered
        return float(probabilities @ self.decay ** np.arange(len(ordered)))

    def __repr__(self) -> str:
        return f"PassageReranker({self.wrapped!r})"


def uncut(reranker: Reranker) -> Reranker:
    """Return a reranker that scores long documents by their windows, if it would cut them: a `PassageReranker` of it.

    It would if its model's limit is known and no `PassageReranker` is part of it. One whose scores depend on the other
    documents is returned unchanged as well: windows can't be put around it.
    """
    if not reranker.pointwise or find_tokenization(reranker) is None or _has_windows(reranker):
        return reranker
    return PassageReranker(reranker)


def _has_windows(reranker: Reranker) -> bool:
    return isinstance(reranker, PassageReranker) or any(map(_has_windows, inner_rerankers(reranker)))


def _windows_of(request: Request, spans: list[list[Span]]) -> Request:
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
    return Request(request.query, documents, initial_scores=repeated, instruction=request.instruction)
