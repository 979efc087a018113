"""The reranking step as a LangChain runnable, from which tracing, streaming and batches come."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from langchain_core.documents import Document
from langchain_core.runnables import RunnableConfig, RunnableSerializable, ensure_config
from langchain_core.runnables.config import get_config_list
from pydantic import ConfigDict, InstanceOf, PlainSerializer, WithJsonSchema
from typing_extensions import TypedDict  # the one that pydantic needs before Python 3.12

from langchain_secondpass.answers import as_passage, kind_of
from secondpass import InputError, Ranking, Request, Reranker
from secondpass.adapters import known_scores
from secondpass.validation import checked_k

__all__ = ["RerankInput", "RerankRunnable"]


RerankerField = Annotated[
    InstanceOf[Reranker],
    PlainSerializer(lambda reranker: reranker.to_config(), return_type=dict[str, Any]),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object"}]}),
]


class RerankInput(TypedDict):
    """What goes into the step: a question, and the documents that a retriever found for it."""

    query: str
    documents: Sequence[Document]


class RerankRunnable(RunnableSerializable[dict[str, Any], list[Document]]):
    """What `SecondPassReranker.as_runnable` returns, and what the compressor itself runs.

    Each call is one chain run, whose metadata says which reranker it was. The settings are fields, so that
    ``configurable_fields`` can leave them to the call.
    """

    # A configuration can hold a key, which pydantic's messages would show.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    reranker: RerankerField
    top_n: int | None = 3
    threshold: float | None = None
    min_probability: float | None = None
    score_key: str | None = None

    @property
    def InputType(self) -> type[RerankInput]:  # type: ignore[override]  # noqa: N802  # for schemas; callers have plain dicts
        """What goes in, for schemas and graphs."""
        return RerankInput

    def invoke(
        self,
        input: dict[str, Any],  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Rerank the documents of one query."""

        def rerank(value: dict[str, Any]) -> list[Document]:
            return self._copies(value, self.reranker.rerank(**self._arguments(value)))

        return self._call_with_config(rerank, input, self._described(ensure_config(config)), **kwargs)

    async def ainvoke(
        self,
        input: dict[str, Any],  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Rerank the documents of one query, while the event loop goes on."""

        async def rerank(value: dict[str, Any]) -> list[Document]:
            return self._copies(value, await self.reranker.arerank(**self._arguments(value)))

        return await self._acall_with_config(rerank, input, self._described(ensure_config(config)), **kwargs)

    def batch(
        self,
        inputs: list[dict[str, Any]],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[list[Document]]:
        """Rerank the documents of many queries in one call; an input that can't be used fails alone."""

        def rerank(values: list[dict[str, Any]]) -> list[Exception | list[Document]]:
            requests = [self._request_or_error(value) for value in values]
            return self._results(values, requests, self.reranker.rerank_many(_usable(requests)))

        configs = [self._described(each) for each in get_config_list(config, len(inputs))]
        return self._batch_with_config(rerank, inputs, configs, return_exceptions=return_exceptions, **kwargs)

    async def abatch(
        self,
        inputs: list[dict[str, Any]],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[list[Document]]:
        """Async version of `batch`."""

        async def rerank(values: list[dict[str, Any]]) -> list[Exception | list[Document]]:
            requests = [self._request_or_error(value) for value in values]
            return self._results(values, requests, await self.reranker.arerank_many(_usable(requests)))

        configs = [self._described(each) for each in get_config_list(config, len(inputs))]
        return await self._abatch_with_config(rerank, inputs, configs, return_exceptions=return_exceptions, **kwargs)

    def _described(self, config: RunnableConfig) -> RunnableConfig:
        settings = {"reranker": repr(self.reranker), "top_n": self.top_n, "threshold": self.threshold}
        settings["min_probability"] = self.min_probability
        return {**config, "metadata": settings | (config.get("metadata") or {})}

    def _request(self, value: dict[str, Any]) -> Request:
        if not isinstance(value, Mapping) or not {"query", "documents"} <= value.keys():
            raise InputError(f"the input must be a mapping with 'query' and 'documents', not {kind_of(value)}")
        documents = value["documents"]
        if not isinstance(documents, Sequence) or isinstance(documents, str):
            raise InputError(f"documents must be a list of LangChain Documents, not {kind_of(documents)}")
        for at, document in enumerate(documents):
            if not isinstance(document, Document):
                raise InputError(f"documents[{at}] must be a LangChain Document, not {kind_of(document)}")
        key = self.score_key
        initial = None if key is None else known_scores(document.metadata.get(key) for document in documents)
        k = checked_k(self.top_n, "top_n")  # a call may have set it
        return Request(value["query"], [as_passage(document) for document in documents], k, initial)

    def _arguments(self, value: dict[str, Any]) -> dict[str, Any]:
        request = self._request(value)
        return {name: getattr(request, name) for name in ("query", "documents", "k", "initial_scores")}

    def _request_or_error(self, value: dict[str, Any]) -> Request | InputError:
        try:
            return self._request(value)
        except InputError as exc:  # one bad input must not take the others with it
            return exc

    def _results(
        self, values: Sequence[dict[str, Any]], requests: Sequence[Request | InputError], rankings: Sequence[Ranking]
    ) -> list[Exception | list[Document]]:
        ranked = iter(rankings)
        return [
            self._copies(value, next(ranked)) if isinstance(request, Request) else request
            for value, request in zip(values, requests, strict=True)
        ]

    def _copies(self, value: dict[str, Any], ranking: Ranking) -> list[Document]:
        return [
            # The new score is written last: the metadata may hold one of an earlier stage.
            document.model_copy(update={"metadata": {**document.metadata, "relevance_score": ranked.score}})
            for ranked in ranking.above(self.threshold, probability=self.min_probability)
            for document in [value["documents"][ranked.index]]
        ]


def _usable(requests: Sequence[Request | InputError]) -> list[Request]:
    return [request for request in requests if isinstance(request, Request)]
