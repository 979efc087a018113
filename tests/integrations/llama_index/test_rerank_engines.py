"""`SecondPassRerank` in real indexes and query engines."""

import asyncio
from typing import Any

import pytest
from llama_index.core import Settings, StorageContext, VectorStoreIndex, get_response_synthesizer
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler
from llama_index.core.instrumentation.events.rerank import ReRankStartEvent
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import ResponseMode
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores import SimpleVectorStore

from llama_index.postprocessor.secondpass import SecondPassRerank
from secondpass.composition.prior import PriorReranker
from secondpass.errors import ScoringError
from secondpass.evaluate.stdlib_docs import stdlib_corpus
from secondpass.models.backends.load import load_embedding_model
from secondpass.models.embedding import EmbeddingModel
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from tests.integrations.llama_index.nodes import QUESTION, Failing, fake
from tests.integrations.llama_index.recording import Recorder


class BgeSmall(BaseEmbedding):
    """The bi-encoder whose weights come as a package, behind LlamaIndex's interface."""

    _model: EmbeddingModel

    def __init__(self, **settings: Any) -> None:
        super().__init__(model_name="bge-small-en-v1.5", **settings)
        self._model = load_embedding_model("bge-small-en-v1.5")

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._model.encode_queries([query])[0].tolist()

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return self._model.encode_documents(texts).tolist()

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await asyncio.to_thread(self._get_query_embedding, query)


@pytest.fixture(scope="module")
def index() -> VectorStoreIndex:
    """Return a vector index of the documentation of two modules."""
    nodes = [
        TextNode(
            id_=document["id"],
            text=document["text"],
            metadata=document["metadata"],
            excluded_embed_metadata_keys=["module", "kind"],
        )
        for document in stdlib_corpus()
        if document["metadata"]["module"] in {"shutil", "tempfile"} or document["id"].startswith("os.r")
    ]
    storage = StorageContext.from_defaults(vector_store=SimpleVectorStore())
    return VectorStoreIndex(nodes=nodes, storage_context=storage, embed_model=BgeSmall())


# How long the longest docstring is depends on the version of Python.
@pytest.mark.filterwarnings("ignore::secondpass.errors.TruncationWarning")
class TestQueryEngine:
    @pytest.fixture(autouse=True)
    def _no_real_llm(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # The no_text synthesizer asks for the default LLM although it uses none.
        monkeypatch.setattr(Settings, "_llm", MockLLM())

    @pytest.fixture
    def debug(self) -> LlamaDebugHandler:
        """Return a handler for a query engine's callback manager."""
        return LlamaDebugHandler(print_trace_on_end=False)

    def test_one_line_makes_the_answer_come_first(
        self, index: VectorStoreIndex, cross_encoder: CrossEncoderReranker
    ) -> None:
        """With the real models, the function that answers rises from below to the top, synchronously or not."""
        without = index.as_query_engine(response_mode="no_text", similarity_top_k=20)
        with_it = index.as_query_engine(
            response_mode="no_text",
            similarity_top_k=20,
            node_postprocessors=[SecondPassRerank(reranker=cross_encoder, top_n=5, keep_retrieval_score=True)],
        )
        before, after = without.query(QUESTION).source_nodes, with_it.query(QUESTION).source_nodes
        assert before[0].node_id != "shutil.rmtree"
        assert after[0].node_id == "shutil.rmtree" and len(after) == 5
        expected = PriorReranker(cross_encoder).rerank(QUESTION, [node.text for node in before], k=5)
        assert [node.score for node in after] == pytest.approx([document.score for document in expected], abs=1e-4)
        first = {node.node_id: node.score for node in before}
        assert after[0].metadata["retrieval_score"] == pytest.approx(first["shutil.rmtree"])
        assert after[0].metadata["module"] == "shutil" and after[0].text == next(
            node.text for node in before if node.node_id == "shutil.rmtree"
        )
        waited = asyncio.run(with_it.aquery(QUESTION)).source_nodes
        assert [node.node_id for node in waited] == [node.node_id for node in after]
        assert [node.score for node in waited] == pytest.approx([node.score for node in after], abs=1e-4)

    def test_default_reranker(self, index: VectorStoreIndex) -> None:
        """Without any argument it loads the embedded cross-encoder and returns two nodes."""
        nodes = index.as_retriever(similarity_top_k=5).retrieve(QUESTION)
        reranked = SecondPassRerank().postprocess_nodes(nodes, query_str=QUESTION)
        assert len(reranked) == 2 and reranked[0].node_id == "shutil.rmtree"

    def test_the_llm_gets_the_reranked_nodes(
        self, index: VectorStoreIndex, cross_encoder: CrossEncoderReranker, debug: LlamaDebugHandler
    ) -> None:
        """In a query engine built from its parts, the prompt holds the texts of the nodes that were kept."""
        manager = CallbackManager([debug])
        engine = RetrieverQueryEngine(
            retriever=index.as_retriever(similarity_top_k=20),
            response_synthesizer=get_response_synthesizer(response_mode=ResponseMode.COMPACT, callback_manager=manager),
            node_postprocessors=[SecondPassRerank(reranker=cross_encoder, keep_retrieval_score=True)],
        )
        for response in (engine.query(QUESTION), asyncio.run(engine.aquery(QUESTION))):
            best, second = response.source_nodes
            assert best.node_id == "shutil.rmtree"
            # MockLLM answers with its prompt.
            assert best.text in str(response) and second.text in str(response)
            assert "retrieval_score" not in str(response)

    def test_spans_and_callbacks_of_a_query(
        self, index: VectorStoreIndex, recorder: Recorder, debug: LlamaDebugHandler
    ) -> None:
        """The engine's callback manager reaches it; its one span stands within the engine's."""
        engine = RetrieverQueryEngine.from_args(
            index.as_retriever(similarity_top_k=7),
            response_mode=ResponseMode.NO_TEXT,
            node_postprocessors=[fake(top_n=None)],
            callback_manager=CallbackManager([debug]),
        )
        engine.query(QUESTION)
        asyncio.run(engine.aquery(QUESTION))
        assert recorder.names() == ["SecondPassRerank._postprocess_nodes", "SecondPassRerank._apostprocess_nodes"]
        parents = {span.id_: span.parent_id for span in recorder.spans.completed_spans}
        for span in (span for span in recorder.spans.completed_spans if "postprocess" in span.id_):
            assert "query" in str(parents[span.id_])
        assert [event.top_n for event in recorder.events.of(ReRankStartEvent)] == [7, 7]
        assert len(debug.get_event_pairs(CBEventType.RERANKING)) == 2

    def test_a_failing_reranker_fails_the_query(self, index: VectorStoreIndex) -> None:
        """The query engine passes the error on."""
        engine = index.as_query_engine(
            response_mode="no_text", node_postprocessors=[SecondPassRerank(reranker=Failing())]
        )
        with pytest.raises(ScoringError, match="the backend is down"):
            engine.query(QUESTION)

    def test_a_threshold_can_leave_nothing(self, index: VectorStoreIndex, cross_encoder: CrossEncoderReranker) -> None:
        """For a question that nothing answers, no passage is above a threshold, and the engine says so."""
        engine = index.as_query_engine(
            similarity_top_k=10,
            node_postprocessors=[SecondPassRerank(reranker=cross_encoder, threshold=0.0)],
        )
        response = engine.query("how long does sourdough bread have to rest")
        assert response.source_nodes == [] and str(response) == "Empty Response"
