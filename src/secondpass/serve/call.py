"""What an endpoint gets to answer a request with."""

from asyncio import to_thread
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from secondpass.errors import InputError
from secondpass.serve.errors import RefusedError
from secondpass.serve.scores import unit_scores
from secondpass.serve.served import Served
from secondpass.serve.settings import ServeSettings
from secondpass.types import Document, Ranking, Scale, Trace
from secondpass.types import Request as RerankRequest
from secondpass.windows import ApproximateTokenization

__all__ = ["Asked", "Call", "Reranked"]

_ARM = "arm."  # begins the counts by which an `ABTestReranker` tells who answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request to rerank says, in whatever dialect.

    Attributes:
        query: the query.
        documents: texts, or mappings with ``text``.
        model: the name of a reranker; None for the first.
        k: how many results are wanted; None for all.
        raw: whether the scores shall be the reranker's own rather than in [0, 1].
        truncate: whether a model may see only the beginning of a document.
        instruction: what counts as relevant, for models that were trained to be told.
    """

    query: str
    documents: Sequence[Document]
    model: str | None = None
    k: int | None = None
    raw: bool = False
    truncate: bool = True
    instruction: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reranked:
    """The ranking that answers a request.

    Attributes:
        request_id: of the HTTP request.
        model: the name of the reranker.
        ranking: its ranking.
        scores: of the documents in their order in the ranking.
        n_documents: how many were ranked.
        tokens: that the model was given; 0 if it does not say.
    """

    request_id: str
    model: str
    ranking: Ranking
    scores: list[float]
    n_documents: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Call:
    """One request: the models, the limits, and what is logged of it.

    Attributes:
        served: the models, which stay open until it is answered.
        settings: the limits.
        request_id: in the log and in the response.
        unit: who asks, for a reranker that is an experiment; None if that is not known.
        logged: fields of the line in the log.
    """

    served: Served
    settings: ServeSettings
    request_id: str = ""
    unit: str | None = None
    logged: dict[str, Any] = field(default_factory=dict)

    async def rerank(self, asked: Asked) -> Reranked:
        """Rerank documents together with those of other requests.

        Raises:
            InputError: something can't be used.
            RefusedError: there is no such model, or there are too many documents.
            ScoringError: the model failed.
        """
        name, reranker = self.served.reranker(asked.model)
        await self.check(asked.documents, "documents", query=asked.query)
        request = RerankRequest(asked.query, asked.documents, asked.k, instruction=asked.instruction, unit=self.unit)
        (ranking,) = await reranker.arerank_many([request])
        truncated, tokens = ranking.trace.total("truncated"), ranking.trace.total("tokens")
        self.logged.update(
            model=name, documents=len(request), tokens=tokens, coalesced=ranking.trace.total("coalesced")
        )
        if arms := _arms(ranking.trace):
            self.logged["arm"] = ", ".join(arms)
        if truncated and not asked.truncate:
            raise InputError(f"{truncated} of the documents are too long for {name}, and must not be truncated")
        if asked.raw and ranking.scale is Scale.ORDINAL:
            raise InputError(f"{name} has no raw scores: it only gives an order")
        scores = [document.score for document in ranking] if asked.raw else unit_scores(ranking, len(request))
        return Reranked(
            request_id=self.request_id,
            model=name,
            ranking=ranking,
            scores=scores,
            n_documents=len(request),
            tokens=tokens,
        )

    async def check(self, documents: Sequence[Document], what: str, *, query: str = "") -> None:
        """Check how many documents there are, and how long they are.

        Args:
            documents: texts, or mappings with ``text``.
            what: they are called.
            query: that is read beside each of them, and in any case once.

        Raises:
            RefusedError: there are too many, or they have too many tokens.
        """
        self.check_number(len(documents), what)
        texts = [each if isinstance(each, str) else str(each.get("text", "")) for each in documents]
        await self.check_tokens([(query, max(1, len(texts))), *((text, 1) for text in texts)])

    def check_number(self, number: int, what: str) -> None:
        """Check how many of something there are.

        Raises:
            RefusedError: there are too many.
        """
        if number > self.settings.max_documents:
            raise RefusedError(413, f"{number} {what} are more than {self.settings.max_documents}")

    async def check_tokens(self, texts: Sequence[tuple[str, int]]) -> None:
        """Check how long texts are, each with how often it is read.

        Raises:
            RefusedError: they have too many tokens.
        """
        if sum(len(text) * times for text, times in texts) <= self.settings.max_tokens:
            return  # no token is shorter than a character
        lengths = await to_thread(ApproximateTokenization().lengths, [text for text, _ in texts])
        n_tokens = sum(length * times for length, (_, times) in zip(lengths, texts, strict=True))
        if n_tokens > self.settings.max_tokens:
            raise RefusedError(413, f"about {n_tokens} tokens are more than {self.settings.max_tokens}")


def _arms(trace: Trace) -> list[str]:
    """Return the arms of experiments that answered a request."""
    own = [count.removeprefix(_ARM) for count in trace.counts if count.startswith(_ARM)]
    return own + [arm for stage in trace.stages for arm in _arms(stage)]
