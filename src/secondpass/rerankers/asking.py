"""What rerankers have in common that ask a model about texts: limits, failures, and what the trace says of them."""

import logging
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic

from secondpass.base import Reranker
from secondpass.counts import counted
from secondpass.errors import TruncationWarning, warn
from secondpass.llm.asked import A, AskedModel, Q
from secondpass.llm.pointwise import Verdicts
from secondpass.llm.prompts import cut
from secondpass.llm.session import Session
from secondpass.llm.types import CompletionError
from secondpass.network import Stop, side_by_side
from secondpass.types import Request, Scores, Trace

__all__ = ["AskingReranker"]

_log = logging.getLogger(__name__)


class AskingReranker(Reranker, Generic[Q, A]):
    """Scores documents by what a model answers; a subclass says in `_verdicts` what it is asked.

    A subclass sets ``max_document_chars`` and ``on_error``, and in ``_asked`` the model.
    """

    # They change how answers are obtained, not what they say.
    not_identity: ClassVar[frozenset[str]] = frozenset(
        {
            *("api_key", "api_key_variable", "timeout_s", "total_timeout_s", "max_retries", "backoff_s"),
            *("concurrency", "budget", "cache_size"),
        }
    )
    max_document_chars: int
    on_error: str
    _asked: AskedModel[Q, A]
    _warned = False

    @abstractmethod
    def _verdicts(self, session: Session[Q, A], request: Request, texts: list[str]) -> Verdicts:
        """Return a score for each document, and whether a usable answer covered it."""

    @abstractmethod
    def _why_unusable(self, counts: dict[str, int]) -> str:
        """Return why no answer can be used, and what to do, by what the session counted."""

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        stop = Stop()
        return side_by_side(
            lambda request: self._scores(request, stop), requests, workers=self._asked.concurrency, stop=stop
        )

    def _scores(self, request: Request, stop: Stop) -> Scores:
        session = Session(self._asked, stop, raises=self.on_error == "raise")
        shown = [cut(text, self.max_document_chars) for text in request.texts]
        values, judged = self._verdicts(session, request, [text for text, _ in shown])
        if not any(judged):
            self._report_no_answer(session, len(judged))
        truncated = [is_cut for _, is_cut in shown]
        notes = [*self._note_on_cut(truncated), *_notes_on(session, judged)]
        counts = {"pairs": len(request), **session.counts} | ({"truncated": sum(truncated)} if any(truncated) else {})
        columns: dict[str, Sequence[Any]] = {"judged": judged}
        if any(truncated):
            columns["truncated"] = truncated
        return Scores(values, columns, Trace(counts=counts, notes=tuple(notes)))

    def _report_no_answer(self, session: Session[Q, A], n_documents: int) -> None:
        """Raise or log that none of the answers could be used: a failure, though every call succeeded."""
        counts = session.counts
        n_unusable = counts.get("unusable_answers", 0)
        if not n_unusable:
            return  # all calls failed, which has been logged
        why = "the model refused" if counts.get("refusals", 0) == n_unusable else self._why_unusable(counts)
        message = f"{self!r}: none of {n_unusable} answers on {counted(n_documents, 'document')} could be used; {why}"
        if self.on_error == "raise":
            raise CompletionError(message)
        _log.warning("%s", message)

    def _note_on_cut(self, truncated: list[bool]) -> list[str]:
        if not any(truncated):
            return []
        note = (
            f"{sum(truncated)} of {len(truncated)} documents were cut to max_document_chars={self.max_document_chars}"
        )
        if not self._warned:
            self._warned = True
            warn(f"{self!r}: {note} (this warning is given once; each trace counts them)", TruncationWarning)
        return [note]


def _notes_on(session: Session[Q, A], judged: list[bool]) -> list[str]:
    notes = session.notes()
    if not all(judged):
        notes.append(f"no usable answer covers {len(judged) - sum(judged)} of {len(judged)} documents")
    return notes
