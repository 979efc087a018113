"""A retriever whose documents are reranked, on langchain-core alone."""

from typing import Annotated, Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable
from pydantic import ConfigDict, SerializeAsAny, WithJsonSchema

from langchain_secondpass.reranker import SecondPassReranker

__all__ = ["RerankedRetriever"]


class RerankedRetriever(BaseRetriever):
    """What `SecondPassReranker.as_retriever` returns: a retriever that passes on the best of another's documents.

    The inner retrieval and the reranking are runs within its own.
    """

    # A configuration can hold a key, which pydantic's messages would show.
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True)

    base_retriever: Annotated[SerializeAsAny[Runnable[str, list[Document]]], WithJsonSchema({"type": "object"})]
    reranker: SecondPassReranker

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **kwargs: Any
    ) -> list[Document]:
        found = self.base_retriever.invoke(query, {"callbacks": run_manager.get_child()}, **kwargs)
        return self.reranker.compress_documents(found, query, callbacks=run_manager.get_child())

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **kwargs: Any
    ) -> list[Document]:
        found = await self.base_retriever.ainvoke(query, {"callbacks": run_manager.get_child()}, **kwargs)
        return await self.reranker.acompress_documents(found, query, callbacks=run_manager.get_child())
