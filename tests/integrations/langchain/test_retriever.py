"""`SecondPassReranker.as_retriever`: a retriever that reranks another's documents, on langchain-core alone."""

import subprocess
import sys

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_secondpass import SecondPassReranker
from secondpass import ConfigError
from tests.integrations.langchain.candidates import QUERY, candidates
from tests.integrations.langchain.doubles import Recorder


@pytest.fixture
def reranked() -> BaseRetriever:
    """A retriever that passes on the best two of all candidates."""
    return SecondPassReranker(reranker="fake", top_n=2).as_retriever(RunnableLambda(lambda query: candidates()))


@pytest.mark.asyncio
async def test_it_passes_on_the_best(reranked: BaseRetriever) -> None:
    """As the compressor does with what was found, sync or not, and in batches."""
    expected = SecondPassReranker(reranker="fake", top_n=2).compress_documents(candidates(), QUERY)
    assert reranked.invoke(QUERY) == expected and len(expected) == 2
    assert await reranked.ainvoke(QUERY) == expected
    assert reranked.batch([QUERY, QUERY]) == [expected, expected]


def test_its_parts_are_runs_within_its_own(reranked: BaseRetriever) -> None:
    """So that a trace shows what was found and what was kept."""
    recorder = Recorder()
    reranked.invoke(QUERY, {"callbacks": [recorder]})
    assert recorder.parents["SecondPassReranker"] == "RerankedRetriever"
    assert recorder.parents["RunnableLambda"] == "RerankedRetriever"


def test_what_is_no_retriever_is_refused() -> None:
    """A vector store is one step away, and the error names it."""
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=4))
    with pytest.raises(ConfigError, match="not InMemoryVectorStore; a vector store has as_retriever"):
        SecondPassReranker(reranker="fake").as_retriever(store)  # type: ignore[arg-type]
    assert SecondPassReranker(reranker="fake").as_retriever(store.as_retriever()).invoke(QUERY) == []


def test_all_have_json_schemas(reranked: BaseRetriever) -> None:
    """The retriever, the step and the chain of them, as servers and graphs ask for."""
    step = SecondPassReranker(reranker="fake").as_runnable()
    for runnable in (
        reranked,
        step,
        reranked | RunnableLambda(lambda found: {"query": QUERY, "documents": found}) | step,
    ):
        schemas = [runnable.get_input_jsonschema(), runnable.get_output_jsonschema()]
        assert all("type" in schema or "$ref" in schema for schema in schemas)
        assert runnable.config_schema().model_json_schema()["type"] == "object"
        assert runnable.get_graph().to_json()["nodes"]
    for cls in (type(reranked), type(step)):
        assert "reranker" in cls.model_json_schema()["properties"]


def test_langchain_core_is_enough() -> None:
    """Nothing of langchain or langchain_classic is imported."""
    code = (
        "import sys; from langchain_core.runnables import RunnableLambda;"
        "from langchain_secondpass import SecondPassReranker;"
        "SecondPassReranker(reranker='fake').as_retriever(RunnableLambda(lambda q: [])).invoke('q');"
        "sys.exit(str(sorted({'langchain', 'langchain_classic'} & set(sys.modules))))"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert child.stderr.strip().splitlines()[-1] == "[]"
