"""`SecondPassReranker` over a real vector store, with the real models."""

import copy
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_classic.retrievers import ContextualCompressionRetriever
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import create_retriever_tool
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_tests.integration_tests import RetrieversIntegrationTests

from langchain_secondpass import SecondPassReranker
from secondpass.composition.prior import PriorReranker
from secondpass.evaluate.stdlib_docs import stdlib_corpus
from secondpass.models.backends.load import load_embedding_model
from secondpass.rerankers.cross_encoder import CrossEncoderReranker as SecondPassModel
from tests.integrations.langchain.candidates import ids
from tests.integrations.langchain.doubles import Recorder, ScriptedModel

MODULES = {"shutil", "glob", "tempfile"}
PERMISSIONS = "How do I copy a file with its permissions?"


class BgeEmbeddings(Embeddings):
    """The embedded bge-small, as LangChain's embeddings."""

    def __init__(self) -> None:
        self.model = load_embedding_model("bge-small-en-v1.5")

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self.model.encode_documents(texts).tolist()

    def embed_query(self, text: str) -> list[float]:
        return self.model.encode_queries([text])[0].tolist()


@pytest.fixture(scope="module")
def store() -> InMemoryVectorStore:
    """Return a vector store with the documentation of a few modules."""
    store = InMemoryVectorStore(BgeEmbeddings())
    rows = [row for row in stdlib_corpus() if row["metadata"]["module"] in MODULES]
    store.add_documents([Document(row["text"], id=row["id"], metadata=dict(row["metadata"])) for row in rows])
    return store


@pytest.fixture
def retriever(store: InMemoryVectorStore, cross_encoder: SecondPassModel) -> ContextualCompressionRetriever:
    """Return a real retriever with a real reranker behind it."""
    return ContextualCompressionRetriever(
        base_compressor=SecondPassReranker(reranker=cross_encoder, top_n=3),
        base_retriever=store.as_retriever(search_kwargs={"k": 12}),
    )


# How long a docstring is depends on the Python version.
@pytest.mark.filterwarnings("ignore::secondpass.TruncationWarning")
class TestEndToEnd:
    """Real documents, a real vector store and the real models."""

    @pytest.mark.asyncio
    async def test_better_passages(
        self, store: InMemoryVectorStore, retriever: ContextualCompressionRetriever, cross_encoder: SecondPassModel
    ) -> None:
        """The answer moves to the top, by the model's own scores and the prior, sync or not; the store is as before."""
        found = store.as_retriever(search_kwargs={"k": 12}).invoke(PERMISSIONS)
        assert ids(found).index("shutil.copystat") > 0
        before = copy.deepcopy(store.store)
        result = retriever.invoke(PERMISSIONS)
        assert result[0].id == "shutil.copystat"
        assert result[0].metadata["module"] == "shutil"
        texts = [document.page_content for document in found]
        expected = PriorReranker(cross_encoder).rerank(PERMISSIONS, texts, k=len(result))
        scores = [document.score for document in expected]
        assert [document.metadata["relevance_score"] for document in result] == pytest.approx(scores)
        assert await retriever.ainvoke(PERMISSIONS) == result
        assert store.store == before

    def test_a_threshold_on_a_question_without_an_answer(
        self, store: InMemoryVectorStore, cross_encoder: SecondPassModel
    ) -> None:
        """A vector store always finds something; with a threshold, nothing is left of it."""
        base = store.as_retriever(search_kwargs={"k": 5})
        compressor = SecondPassReranker(reranker=cross_encoder, threshold=0.0)
        strict = ContextualCompressionRetriever(base_compressor=compressor, base_retriever=base)
        assert len(base.invoke("who won the world cup?")) == 5
        assert strict.invoke("who won the world cup?") == []
        assert ids(strict.invoke(PERMISSIONS))[0] == "shutil.copystat"

    @pytest.mark.asyncio
    async def test_in_an_agents_tool(self, retriever: ContextualCompressionRetriever) -> None:
        """An agent's retriever tool answers with the reranked documents, and their run is within the tool's."""
        call = {"name": "search_docs", "args": {"query": PERMISSIONS}, "id": "call-1"}
        tool = create_retriever_tool(
            retriever, "search_docs", "Searches Python's documentation.", response_format="content_and_artifact"
        )

        def agent() -> Any:
            script = [AIMessage("", tool_calls=[call]), AIMessage("Use shutil.copystat.")]
            return create_agent(ScriptedModel(messages=iter(script)), [tool])

        question: Any = {"messages": [("user", PERMISSIONS)]}
        sync, background = Recorder(), Recorder()
        states = [
            agent().invoke(question, {"callbacks": [sync]}),
            await agent().ainvoke(question, {"callbacks": [background]}),
        ]
        expected = retriever.invoke(PERMISSIONS)
        for state in states:
            (message,) = [message for message in state["messages"] if isinstance(message, ToolMessage)]
            assert message.artifact == expected
            assert message.content == "\n\n".join(document.page_content for document in expected)
            assert state["messages"][-1].content == "Use shutil.copystat."
        for recorder in (sync, background):
            assert recorder.parents["SecondPassReranker"] == "ContextualCompressionRetriever"


# The suite's only async test carries no mark, and may not be overridden to give it one.
pytest.mark.asyncio(RetrieversIntegrationTests.test_ainvoke_returns_documents)


class RerankingRetriever(ContextualCompressionRetriever):
    """A retriever with the `k` that the standard suite passes to constructors; it becomes our `top_n`."""

    def __init__(self, *, k: int = 3, **settings: Any) -> None:
        settings["base_compressor"] = settings["base_compressor"].model_copy(update={"top_n": k})
        super().__init__(**settings)


@pytest.mark.filterwarnings("ignore::secondpass.TruncationWarning")
class TestStandardSuite(RetrieversIntegrationTests):
    """LangChain's own suite for retrievers. The `k` of a call is the base retriever's, as LangChain passes it on."""

    @pytest.fixture(autouse=True)
    def _parts(self, store: InMemoryVectorStore, cross_encoder: SecondPassModel) -> None:
        self.parts = {
            "base_compressor": SecondPassReranker(reranker=cross_encoder),
            "base_retriever": store.as_retriever(search_kwargs={"k": 12}),
        }

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return RerankingRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return self.parts

    @property
    def retriever_query_example(self) -> str:
        return PERMISSIONS
