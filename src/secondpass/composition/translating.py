"""Translation before reranking, for a model that reads another language."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from secondpass.base import Reranker
from secondpass.calibration.ready import ReadyCalibration
from secondpass.composition.members import SETUP_FAULTS, member_of
from secondpass.config import unwritable
from secondpass.counts import counted
from secondpass.errors import ScoringError
from secondpass.loading import RerankerLike
from secondpass.types import Document, Request, Scores
from secondpass.validation import Function, OneOf, check

__all__ = ["TranslatingReranker"]

_log = logging.getLogger(__name__)


class TranslatingReranker(Reranker):
    """Scores translations of the texts; the documents themselves come back unchanged.

    With a `RoutedReranker`, only requests that need it are translated:
    ``RoutedReranker({"en": english, "de": TranslatingReranker(english, from_german)}, "language")``.

    Each distinct text of a call is translated once, all of them in one call of ``translate``. Character offsets in the
    wrapped reranker's explanations refer to the translation, which is explained under ``translation`` if documents are
    translated.

    Args:
        wrapped: the reranker, of any scale.
        translate: takes a list of texts and returns their translations, in order. It is called from several threads if
            the reranker is. A configuration can't hold it, as nothing could build it again. In the fingerprint, a
            function is identified by its name only, and an object with ``to_config`` by its settings.
        what: what is translated: ``query``, ``documents`` or ``both``.
        on_error: what happens if translating fails: ``raise``, or ``skip`` it and score the texts as they are, which is
            logged, noted in the trace, and counted there under ``fallbacks``.

    Raises:
        ConfigError: a setting can't be used.
        ScoringError: translating failed, or did not give one text for each.
    """

    registry_name: ClassVar[str] = "translated"

    def __init__(
        self,
        wrapped: RerankerLike,
        translate: Callable[[Sequence[str]], Sequence[str]],
        *,
        what: Literal["query", "documents", "both"] = "query",
        on_error: Literal["raise", "skip"] = "raise",
    ) -> None:
        wrapped = member_of(self, wrapped)
        self.wrapped, self.translate, self.what, self.on_error = wrapped, translate, what, on_error
        check(
            self,
            translate=Function("from a list of texts to their translations"),
            what=OneOf("query", "documents", "both"),
            on_error=OneOf("raise", "skip"),
        )
        self.scale, self.pointwise, self.log_odds = wrapped.scale, wrapped.pointwise, wrapped.log_odds

    @property
    def calibration(self) -> ReadyCalibration | None:
        """That of the wrapped reranker: it scores the translations."""
        return self.wrapped.calibration

    def to_config(self) -> dict[str, Any]:
        """Refused, as nothing could build ``translate`` again, not even if it has a configuration itself."""
        raise unwritable(self.translate, "TranslatingReranker.translate")

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        wanted: dict[str, None] = {}  # a set that keeps its order
        for request in requests:
            if self.what != "documents":
                wanted[request.query] = None
            if self.what != "query":
                wanted.update(dict.fromkeys(text for text in request.texts if text.strip()))
        try:
            translations = self._translations(list(wanted))
        except ScoringError as exc:
            if self.on_error == "raise":
                raise
            _log.warning("texts are scored untranslated: %s", exc)
            _log.debug("where translating failed", exc_info=exc)
            note = f"the texts were scored as they are: {exc}"
            scored = self.wrapped.score_many(requests)
            return [s.rescored(s.values, counts={"fallbacks": 1}, notes=(note,)) for s in scored]
        translated = [self._translated(request, translations) for request in requests]
        scored = self.wrapped.score_many(translated)
        return [self._explained(t, s) for t, s in zip(translated, scored, strict=True)]

    def _translations(self, texts: list[str]) -> dict[str, str]:
        if not texts:
            return {}
        try:
            translated = self.translate(list(texts))
        except SETUP_FAULTS:
            raise
        except Exception as exc:  # the function may be anyone's, and fail in any way
            raise ScoringError(f"translating {counted(len(texts), 'text')} failed: {exc!r}") from exc
        if isinstance(translated, str) or not isinstance(translated, Sequence) or len(translated) != len(texts):
            given = f"{len(translated)}" if isinstance(translated, list | tuple) else f"a {type(translated).__name__}"
            raise ScoringError(
                f"translate must return a list of {counted(len(texts), 'text')}, one for each, not {given}"
            )
        for text, translation in zip(texts, translated, strict=True):
            if not isinstance(translation, str) or not translation.strip():
                raise ScoringError(
                    f"translate returned {translation!r} for a text of {counted(len(text), 'character')}"
                )
        return dict(zip(texts, translated, strict=True))

    def _translated(self, request: Request, translations: Mapping[str, str]) -> Request:
        query = request.query if self.what == "documents" else translations[request.query]
        documents = request.documents
        if self.what != "query":
            texts = [translations.get(text, text) for text in request.texts]
            documents = [_with_text(*pair) for pair in zip(request.documents, texts, strict=True)]
        return Request(query, documents, request.k, request.initial_scores, request.instruction, request.unit)

    def _explained(self, translated: Request, scores: Scores) -> Scores:
        notes = () if self.what == "documents" else (f"the query was translated to {translated.query!r}",)
        if self.what == "query":
            return scores.rescored(scores.values, notes=notes)
        return scores.rescored(scores.values, notes=notes, translation=list(translated.texts))

    def __repr__(self) -> str:
        return f"TranslatingReranker({self.wrapped!r}, what={self.what!r})"


def _with_text(document: Document, text: str) -> Document:
    return text if isinstance(document, str) else {**document, "text": text}
