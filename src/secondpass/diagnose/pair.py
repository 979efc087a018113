"""One query and one document: what the model sees of them, and what it makes of them."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from secondpass.base import Reranker
from secondpass.diagnose.finding import Finding
from secondpass.errors import MissingExtraError
from secondpass.language import detect_language, unread_language
from secondpass.models.pair import PairModel
from secondpass.models.sources.catalog import languages_of
from secondpass.monitor.event import all_counts
from secondpass.types import Request, Scale, Scores

__all__ = ["PairFacts", "pair_facts", "pair_findings"]


@dataclass(frozen=True, slots=True)
class PairFacts:
    """A query and a document, as a reranker sees them.

    Attributes:
        score: on the reranker's scale.
        scale: what the score means.
        probability: the calibrated one, that the document is relevant; None if nothing calibrates the reranker.
        swapped: the score if the document is the query and the query the document; None if the scores of two requests
            can't be compared.
        query_tokens: of the query alone; None if there is no model whose tokens can be counted.
        document_tokens: of the document alone; None likewise.
        room: how many tokens of the two the model takes together; None likewise.
        truncated: whether a model saw only the beginning of the document.
        query_truncated: likewise of the query.
        windows: whether the document was scored window by window.
        query_language: as far as it can be told; None if it can't.
        document_language: likewise.
        unread: a language that the catalogue says a model does not read, of the query or the document; empty if none.
        counts: what the trace counts.
    """

    score: float
    scale: Scale
    probability: float | None
    swapped: float | None
    query_tokens: int | None
    document_tokens: int | None
    room: int | None
    truncated: bool
    query_truncated: bool
    windows: bool
    query_language: str | None
    document_language: str | None
    unread: str
    counts: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return asdict(self) | {"scale": str(self.scale)}

    def lines(self) -> Iterator[str]:
        """Yield it as lines for a person to read."""
        calibrated = "" if self.probability is None else f", calibrated probability {self.probability:.3f}"
        swapped = "" if self.swapped is None else f"; with query and document swapped {self.swapped:.4f}"
        yield f"score: {self.score:.4f} ({self.scale}){calibrated}{swapped}"
        if self.room is not None:
            cut = ", cut to fit" if self.truncated else ", in windows" if self.windows else ""
            of_each = f"{self.query_tokens} of the query, {self.document_tokens} of the document"
            yield f"tokens: {of_each}, room for {self.room}{cut}"
        yield f"languages: query {self.query_language or 'unknown'}, document {self.document_language or 'unknown'}"


def pair_facts(reranker: Reranker, models: list[PairModel], query: str, document: str) -> PairFacts:
    """Score a pair, and count what the first model sees of it.

    Raises:
        InputError: the query or the document can't be used.
    """
    request = Request(query, [document], initial_scores=[0.0])
    (scores,) = reranker.score_many([request])
    swapped = None
    if reranker.pointwise and reranker.scale is not Scale.ORDINAL:
        (other,) = reranker.score_many([Request(document, [query], initial_scores=[0.0])])
        swapped = float(other.values[0])
    lengths = models[0].tokenizer.lengths([request.query, *request.texts]) if models else None
    return PairFacts(
        score=float(scores.values[0]),
        scale=reranker.scale,
        probability=_probability(reranker, scores),
        swapped=swapped,
        query_tokens=None if lengths is None else lengths[0],
        document_tokens=None if lengths is None else lengths[1],
        room=models[0].tokenizer.pair_room if models else None,
        truncated=scores.trace.total("truncated") > 0,
        query_truncated=scores.trace.total("query_truncated") > 0,
        windows="passage" in scores.explanations,
        query_language=_language(query),
        document_language=_language(document),
        unread=_unread(models, query, document),
        counts=all_counts(scores.trace),
    )


def pair_findings(facts: PairFacts) -> Iterator[Finding]:
    """Yield what is odd about a pair."""
    if facts.unread:
        yield Finding(
            "foreign-language",
            "fault",
            f"the model does not read the language of the query or the document ({facts.unread!r})",
            "take one that does, such as 'cross-encoder:mmarco-mMiniLMv2-L12-H384-v1', or a TranslatingReranker",
        )
    elif facts.query_language and facts.document_language and facts.query_language != facts.document_language:
        yield Finding(
            "two-languages",
            "note",
            f"the query looks like {facts.query_language!r} and the document like {facts.document_language!r}",
            "if that is so, a multilingual model is needed; short texts are often taken for another language",
        )
    if facts.truncated and facts.document_tokens and facts.room:
        seen = max(0, facts.room - (facts.query_tokens or 0))
        unseen = max(0, facts.document_tokens - seen) / facts.document_tokens
        yield Finding(
            "truncated",
            "warning",
            f"the model reads {seen} of the document's {facts.document_tokens} tokens: {unseen:.0%} of it do not count",
            "let it read windows (long_documents='windows', or a PassageReranker around it), or raise max_length",
        )
    elif facts.truncated:
        yield Finding("truncated", "warning", "a model saw only the beginning of the document", "let it read windows")
    if facts.query_truncated:
        yield Finding("query-truncated", "warning", "the query itself was cut to fit", "ask for less at a time")


def _probability(reranker: Reranker, scores: Scores) -> float | None:
    calibration = reranker.calibration
    if calibration is None or scores.trace.total("unread"):
        return None
    probabilities, _ = calibration.of(scores, reranker.scale)
    return float(probabilities[0])


def _language(text: str) -> str | None:
    try:
        return detect_language(text)
    except MissingExtraError:
        return None


def _unread(models: list[PairModel], query: str, document: str) -> str:
    for model in models:
        languages = languages_of(model.name)
        if languages is None:
            continue
        for asked, texts in ((query, [document]), (query, [query]), (document, [document])):
            if found := unread_language(asked, texts, languages):
                return found
    return ""
