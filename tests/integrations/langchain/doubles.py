"""A retriever, a chat model and a tracer that do as they are told."""

from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.retrievers import BaseRetriever


class Recorder(BaseCallbackHandler):
    """Writes down every chain and retriever run."""

    def __init__(self) -> None:
        self.names: dict[UUID, str] = {}
        self.parents: dict[str, str | None] = {}
        self.inputs: dict[str, Any] = {}
        self.outputs: dict[str, Any] = {}
        self.errors: dict[str, BaseException] = {}
        self.metadata: dict[str, Any] = {}
        self.started: list[str] = []

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        name = self.names[run_id] = kwargs["name"]
        self.parents[name] = self.names.get(kwargs["parent_run_id"])
        self.inputs[name], self.metadata[name] = inputs, kwargs["metadata"]
        self.started.append(name)

    on_retriever_start = on_chain_start

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self.outputs[self.names[run_id]] = outputs

    on_retriever_end = on_chain_end

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self.errors[self.names[run_id]] = error

    on_retriever_error = on_chain_error


class FixedRetriever(BaseRetriever):
    """Finds the same documents for every query."""

    documents: list[Document]

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return self.documents


class ScriptedModel(GenericFakeChatModel):
    """Says what it is given to say, whatever the tools are."""

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self
