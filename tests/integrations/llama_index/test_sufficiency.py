"""The query engine that answers only from nodes that do."""

import asyncio

import pytest
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.base.response.schema import AsyncStreamingResponse, StreamingResponse
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.llms import MockLLM
from llama_index.core.schema import NodeWithScore, TextNode

from llama_index.postprocessor.secondpass import SufficiencyQueryEngine, VerifyingQueryEngine
from secondpass.errors import ConfigError
from secondpass.verify.sufficiency import SufficiencyCheck
from tests.integrations.llama_index.answers import Engine
from tests.verify.guarantees import FIVE, OTHER, QUESTION, TWO


class Retrieving(Engine):
    """Retrieves what it is told."""

    def __init__(self, *texts: str) -> None:
        super().__init__("Two years.")
        self.texts = texts

    def retrieve(self, query_bundle: object) -> list[NodeWithScore]:
        return [NodeWithScore(node=TextNode(text=text, id_=f"n{at}")) for at, text in enumerate(self.texts)]


@pytest.fixture(scope="module")
def check() -> SufficiencyCheck:
    """Return the check, loaded once."""
    return SufficiencyCheck()


def test_it_answers_where_nodes_do(check: SufficiencyCheck) -> None:
    """The wrapped engine's response comes with the decision."""
    engine = SufficiencyQueryEngine(Retrieving(TWO, OTHER), check)
    for response in (engine.query(QUESTION), asyncio.run(engine.aquery(QUESTION))):
        assert (response.response, response.metadata["sufficiency"]["decision"]) == ("Two years.", "answer")
        assert [node.node_id for node in response.source_nodes] == ["n0", "n1"]


def test_it_says_where_they_do_not(check: SufficiencyCheck) -> None:
    """No answer is made of nodes that hold none, or that contradict one another."""
    for texts, decision, said in (((OTHER,), "search_again", "do not answer"), ((TWO, FIVE), "disagree", "contradict")):
        engine = SufficiencyQueryEngine(Retrieving(*texts), check)
        for response in (engine.query(QUESTION), asyncio.run(engine.aquery(QUESTION))):
            assert response.metadata["sufficiency"]["decision"] == decision and said in response.response
            assert len(response.source_nodes) == len(texts)
    engine = SufficiencyQueryEngine(Retrieving(TWO, FIVE), check, disagree=None)
    assert engine.query(QUESTION).response == "Two years."


def test_what_it_says_itself_is_a_stream_where_the_engine_streams(check: SufficiencyCheck) -> None:
    """Who reads a stream gets one, whether anything answers or not."""
    for text, decision in ((TWO, "answer"), (OTHER, "search_again")):
        index = VectorStoreIndex.from_documents([Document(text=text)], embed_model=MockEmbedding(4))
        engine = SufficiencyQueryEngine(index.as_query_engine(MockLLM(), streaming=True), check)
        response = engine.query(QUESTION)
        assert isinstance(response, StreamingResponse) and response.metadata is not None
        assert response.metadata["sufficiency"]["decision"] == decision and len(response.source_nodes) == 1
        said = "".join(response.response_gen)
        assert ("do not answer" in said) == (decision == "search_again") and said

        async def read(engine: SufficiencyQueryEngine) -> str:
            response = await engine.aquery(QUESTION)
            assert isinstance(response, AsyncStreamingResponse)
            return "".join([piece async for piece in response.async_response_gen()])

        assert asyncio.run(read(engine)) == said


def test_async_retrieval_is_the_engines_own(check: SufficiencyCheck) -> None:
    """Where it has one, it is awaited in the caller's event loop, also through an engine in between."""

    class Awaiting(Retrieving):
        async def aretrieve(self, query_bundle: object) -> list[NodeWithScore]:
            loops.append(asyncio.get_running_loop())
            return super().retrieve(query_bundle)

        def retrieve(self, query_bundle: object) -> list[NodeWithScore]:
            raise AssertionError("this would block a thread")

    async def asked() -> None:
        inner = Awaiting(TWO, OTHER)
        for engine in (inner, VerifyingQueryEngine(inner, check.verifier)):  # type: ignore[arg-type]
            response = await SufficiencyQueryEngine(engine, check).aquery(QUESTION)
            assert response.metadata["sufficiency"]["decision"] == "answer"
        assert loops == [asyncio.get_running_loop()] * 2

    loops: list[asyncio.AbstractEventLoop] = []
    asyncio.run(asked())


def test_settings() -> None:
    """Only a query engine is wrapped, and only a check or its settings are taken."""
    with pytest.raises(ConfigError, match="wraps a query engine, not a str"):
        SufficiencyQueryEngine("engine")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="threshold"):
        SufficiencyQueryEngine(Retrieving(TWO), {"threshold": -1})
