"""What the tests of `SecondPassReranker` rerank, and with what."""

from collections.abc import Sequence

from langchain_core.documents import Document

from secondpass import Request, Scores, ScoringError
from secondpass.testing import FakeReranker

QUERY = "copy a file"


class CountingReranker(FakeReranker):
    """Writes down how many documents each request of each call had."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[list[int]] = []

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        self.calls.append([len(request) for request in requests])
        return super()._score(requests)


class BrokenReranker(FakeReranker):
    """Fails whenever it shall score."""

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        raise ScoringError("the model is on fire")


def candidates() -> list[Document]:
    """Return documents with ids, duplicates, nested metadata and a score of an earlier stage."""
    return [
        Document("the weather is fine", id="weather", metadata={"tags": ["sun"]}),
        Document("move a file", id="move", metadata={"relevance_score": 99, "source": "shutil"}),
        Document("copy a file", id="copy"),
        Document("copy a file", id="again", metadata={"relevance_score": None}),
        Document("", metadata={"page": 3}),
    ]


def ids(documents: Sequence[Document]) -> list[str | None]:
    """Return the documents' ids."""
    return [document.id for document in documents]
