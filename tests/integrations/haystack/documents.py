"""What the tests of the ranker rank, and Haystack's asynchronous pipeline."""

from typing import Any

import haystack
from haystack import Document, Pipeline

QUERY = "copy a file"
FAKE = {"type": "fake"}
# Since Haystack 3 every pipeline runs asynchronously as well; before, that was a class of its own.
AsyncPipeline: type[Any] = getattr(haystack, "AsyncPipeline", Pipeline)


def make_documents() -> list[Document]:
    """Return five documents, the third of which is the best for ``QUERY``, the first the next best."""
    return [
        Document(id="a", content="how to open a file", meta={"page": 1, "relevance_score": 99.0}, score=0.9),
        Document(id="b", content="bread and butter", meta={"page": 2}, score=0.8, embedding=[0.5, 1.5]),
        Document(id="c", content="copy a file with shutil", meta={"page": 3, "tags": ["x"]}, score=0.1),
        Document(id="d", content="", meta={"title": "copy a file"}),
        Document(id="e", content="sunny all week"),
    ]


def ids(output: dict[str, list[Document]]) -> list[str]:
    """Return the ids of what a component gave."""
    return [document.id for document in output["documents"]]
