"""What the tests of `SecondPassRerank` rerank, and with what."""

import asyncio
import copy
from collections.abc import Sequence
from typing import Any

from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeWithScore, TextNode

from llama_index.postprocessor.secondpass import SecondPassRerank
from secondpass.errors import ScoringError
from secondpass.testing import FakeReranker
from secondpass.types import Request, Scores

QUESTION = "delete a whole directory tree"
TEXTS = [
    "knead the dough",
    "delete a directory tree with shutil.rmtree",
    "a tree has leaves",
    "os.remove can delete a file",
]
# By the share of the question's words, as FakeReranker scores: 4 of 5, 2 of 5 ("a", "delete"; "a", "tree"), none.
BEST = TEXTS[1]


class Failing(FakeReranker):
    """Fails as a backend does."""

    registry_name = "failing"

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        raise ScoringError("the backend is down")


class Recording(FakeReranker):
    """Keeps what it was asked, and in which thread."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self.awaited = 0

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        self.requests += requests
        return super()._score(requests)

    async def arerank(self, *args: Any, **kwargs: Any) -> Any:
        self.awaited += 1
        return await super().arerank(*args, **kwargs)


def scored(texts: Sequence[str] = TEXTS, **fields: Any) -> list[NodeWithScore]:
    """Return nodes as a retriever does, with ids n0, n1... and falling scores."""
    return [
        NodeWithScore(node=TextNode(id_=f"n{at}", text=text, **copy.deepcopy(fields)), score=0.9 - at / 10)
        for at, text in enumerate(texts)
    ]


def finished(result: Any) -> Any:
    """Return a result, awaited if it is a coroutine."""
    return asyncio.run(result) if asyncio.iscoroutine(result) else result


def fake(**settings: Any) -> SecondPassRerank:
    """Return a postprocessor that needs no model."""
    return SecondPassRerank(reranker=FakeReranker(), **settings)


def both(postprocessor: BaseNodePostprocessor, nodes: list[NodeWithScore], query: str = QUESTION) -> list[Any]:
    """Run it synchronously and asynchronously, check that the results are equal, and return one."""
    waited = asyncio.run(postprocessor.apostprocess_nodes(nodes, query_str=query))
    called = postprocessor.postprocess_nodes(nodes, query_str=query)
    assert waited == called
    return called
