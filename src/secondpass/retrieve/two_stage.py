"""Both stages: retrieve many candidates fast, then rerank them well."""

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self, overload

from secondpass.base import Reranker
from secondpass.composition.prior import with_prior
from secondpass.config import Configured
from secondpass.errors import CompositionError, InputError
from secondpass.loading import RerankerLike, load
from secondpass.retrieve.base import Retriever, checked_queries, retriever_of
from secondpass.types import Document, Ranking, Request, Trace
from secondpass.validation import Flag, Whole, check, checked_k

__all__ = ["RetrieveRerank"]


class RetrieveRerank(Configured):
    """Retrieves ``depth`` candidates and reranks them.

    What the retriever's order says counts beside a cross-encoder's scores, so that reranking does not hurt where the
    model knows little of the subject or the language (see `PriorReranker`).

    Args:
        retriever: the first stage: a retriever, its name ("bm25", "dense:MODEL") or its configuration.
        reranker: the second stage: a reranker, its name or its configuration, as `secondpass.load` takes it.
        depth: candidates that are reranked for each query, and so the most that are returned. More candidates find
            more and take longer.
        prior: whether a cross-encoder gets the retriever's prior; a reranker that looks at the order or the first
            stage's scores by itself, and one whose scores are not a cross-encoder's, never does.

    Raises:
        CompositionError: one of them is of the wrong type.
        InputError: ``depth`` is below 1.
        ConfigError: another setting can't be used.
    """

    registry_name: ClassVar[str] = "retrieve-rerank"

    def __init__(
        self,
        retriever: Retriever | str | Mapping[str, Any],
        reranker: RerankerLike,
        *,
        depth: int = 100,
        prior: bool = True,
    ) -> None:
        reranker = load(reranker) if isinstance(reranker, str | os.PathLike | Mapping) else reranker
        retriever = retriever_of(retriever)  # type: ignore[assignment]  # what it is, is checked next
        if not isinstance(retriever, Retriever) or not isinstance(reranker, Reranker):
            given = f"{type(retriever).__name__} and {type(reranker).__name__}"
            raise CompositionError(f"RetrieveRerank takes a Retriever and a Reranker, not {given}")
        self.retriever, self.reranker = retriever, reranker
        self.depth = Whole(at_least=1).checked(depth, "RetrieveRerank: depth", error=InputError)
        self.prior = prior
        check(self, prior=Flag())
        self._second = with_prior(reranker) if prior else reranker

    def __repr__(self) -> str:
        return f"RetrieveRerank({self.retriever!r}, {self.reranker!r}, depth={self.depth})"

    def index(self, documents: Iterable[Document], *, progress: bool = False) -> Self:
        """Build the first stage's index; returns itself. See `Retriever.index`."""
        self.retriever.index(documents, progress=progress)
        return self

    @overload  # a str is a sequence of str too; the first match is meant
    def search(self, queries: str, k: int | None = 10) -> Ranking: ...  # type: ignore[overload-overlap]
    @overload
    def search(self, queries: Sequence[str], k: int | None = 10) -> list[Ranking]: ...
    def search(self, queries: str | Sequence[str], k: int | None = 10) -> Ranking | list[Ranking]:
        """Return the best documents for a query, reranked, or a list of rankings for a list of queries.

        In the rankings ``index`` is the document's position in the corpus, and the explanations hold its
        ``retrieval_rank`` and ``retrieval_score`` (with a prior, also what was added to which score: ``prior``,
        ``reranker_score``). The trace has a stage for retrieval and one for
        reranking, with their times; queries that are searched together share both.

        Args:
            queries: one query or several.
            k: how many documents to return at most; never more than ``depth``, and that many for None.

        Raises:
            InputError: a query or ``k`` can't be used, or nothing was indexed.
        """
        if isinstance(queries, str):
            return self.search([queries], k)[0]
        k, queries = checked_k(k), checked_queries(queries)
        start = time.perf_counter()
        candidates = self.retriever.search(queries, self.depth)
        requests = [
            Request(found.query, [hit.document for hit in found], k, initial_scores=[hit.score for hit in found])
            for found in candidates
        ]
        rankings = self._second.rerank_many(requests)
        latency_s = time.perf_counter() - start
        return [_joined(found, ranking, latency_s) for found, ranking in zip(candidates, rankings, strict=True)]


def _joined(candidates: Ranking, ranking: Ranking, latency_s: float) -> Ranking:
    """Put the positions in the corpus, and the first stage's ranks and scores, into the second stage's ranking."""
    documents = []
    for document in ranking:
        hit = candidates[document.index]
        first_stage = {"retrieval_rank": hit.rank, "retrieval_score": hit.score}
        documents.append(
            replace(document, index=hit.index, explanation={**hit.explanation, **document.explanation, **first_stage})
        )
    trace = Trace("RetrieveRerank", latency_s, stages=(candidates.trace, ranking.trace))
    return replace(ranking, documents=tuple(documents), trace=trace)
