"""The README's Python blocks run as they stand, in order, on the embedded models."""

import re
from pathlib import Path
from typing import Any

import pytest

_README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
_BLOCKS = re.findall(r"```python\n(.*?)```", _README, flags=re.S)
_PASSAGES = ["os.remove deletes a file", "shutil.copy copies a file", "The weather will be sunny all week."]


def _block(needle: str) -> str:
    (block,) = (block for block in _BLOCKS if needle in block)
    return block


def test_everything_that_stands_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first example on, each block runs after those before it, as in one notebook."""
    monkeypatch.chdir(tmp_path)
    frameworks = ("langchain_secondpass", "llama_index", "haystack_integrations")
    namespace: dict[str, Any] = {}
    for block in _BLOCKS:
        if not any(name in block for name in frameworks):
            exec(block, namespace)
    assert (tmp_path / "my-index" / "index.faiss").exists()


def test_langchain() -> None:
    """The block turns a plain retriever into one that reranks."""
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever

    class Everything(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: object) -> list[Document]:
            return [Document(passage) for passage in _PASSAGES]

    namespace: dict[str, Any] = {"retriever": Everything()}
    exec(_block("langchain_secondpass"), namespace)
    assert namespace["documents"][0].page_content == _PASSAGES[1]


def test_llama_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """The block makes a query engine whose first source is the answer."""
    from llama_index.core import Document, MockEmbedding, Settings, VectorStoreIndex
    from llama_index.core.llms import MockLLM

    monkeypatch.setattr(Settings, "_llm", MockLLM())
    index = VectorStoreIndex.from_documents([Document(text=text) for text in _PASSAGES], embed_model=MockEmbedding(8))
    namespace: dict[str, Any] = {"index": index}
    exec(_block("llama_index"), namespace)
    assert namespace["response"].source_nodes[0].node.get_content() == _PASSAGES[1]


def test_haystack() -> None:
    """The block puts a ranker behind a pipeline's retriever."""
    from haystack import Document, Pipeline
    from haystack.components.retrievers.in_memory import InMemoryBM25Retriever
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    store = InMemoryDocumentStore()
    store.write_documents([Document(content=text) for text in _PASSAGES])
    pipeline = Pipeline()
    pipeline.add_component("retriever", InMemoryBM25Retriever(store))
    namespace: dict[str, Any] = {"pipeline": pipeline, "question": "how do I copy a file?"}
    exec(_block("haystack_integrations"), namespace)
    assert namespace["result"]["ranker"]["documents"][0].content == _PASSAGES[1]
