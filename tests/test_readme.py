"""The README's Python blocks run as they stand, in order, on the embedded models."""

from pathlib import Path
from typing import Any

import pytest

from tests.code_blocks import Block, find_blocks, run_blocks

_BLOCKS = [block for block in find_blocks(Path(__file__).parents[1] / "README.md") if block.language == "python"]
_PASSAGES = ["os.remove deletes a file", "shutil.copy copies a file", "The weather will be sunny all week."]


def _block(needle: str) -> Block:
    (block,) = (block for block in _BLOCKS if needle in block.code)
    return block


def test_everything_that_stands_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first example on, each block runs after those before it, as in one notebook."""
    monkeypatch.chdir(tmp_path)
    frameworks = ("langchain_secondpass", "llama_index", "haystack_integrations")
    alone = [block for block in _BLOCKS if not any(name in block.code for name in frameworks)]
    namespace: dict[str, Any] = {}
    run_blocks(alone, namespace, tmp_path)
    assert namespace["calibrated"].calibrator is not None
    assert len(alone) == len(_BLOCKS) - len(frameworks)


def test_langchain(tmp_path: Path) -> None:
    """The block turns a plain retriever into one that reranks."""
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever

    class Everything(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: object) -> list[Document]:
            return [Document(passage) for passage in _PASSAGES]

    namespace: dict[str, Any] = {"retriever": Everything()}
    run_blocks([_block("langchain_secondpass")], namespace, tmp_path)
    assert namespace["documents"][0].page_content == _PASSAGES[1]


@pytest.mark.usefixtures("own_event_loop")
def test_llama_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The block makes a query engine whose first source is the answer."""
    from llama_index.core import Document, MockEmbedding, Settings, VectorStoreIndex
    from llama_index.core.llms import MockLLM

    monkeypatch.setattr(Settings, "_llm", MockLLM())
    index = VectorStoreIndex.from_documents([Document(text=text) for text in _PASSAGES], embed_model=MockEmbedding(8))
    namespace: dict[str, Any] = {"index": index}
    run_blocks([_block("llama_index")], namespace, tmp_path)
    assert namespace["response"].source_nodes[0].node.get_content() == _PASSAGES[1]


def test_haystack(tmp_path: Path) -> None:
    """The block puts a ranker behind a pipeline's retriever."""
    from haystack import Document, Pipeline
    from haystack.components.retrievers.in_memory import InMemoryBM25Retriever
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    store = InMemoryDocumentStore()
    store.write_documents([Document(content=text) for text in _PASSAGES])
    pipeline = Pipeline()
    pipeline.add_component("retriever", InMemoryBM25Retriever(store))
    namespace: dict[str, Any] = {"pipeline": pipeline, "question": "how do I copy a file?"}
    run_blocks([_block("haystack_integrations")], namespace, tmp_path)
    assert namespace["result"]["ranker"]["documents"][0].content == _PASSAGES[1]
