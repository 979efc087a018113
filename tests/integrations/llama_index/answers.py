"""Answers that are verified, and engines and verifiers that give and check them."""

from collections.abc import Sequence
from typing import Any

from llama_index.core import QueryBundle
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response
from llama_index.core.callbacks import CallbackManager
from llama_index.core.schema import NodeWithScore, TextNode

from secondpass.errors import ScoringError
from secondpass.verify.types import CheckedClaim, Claim, Verdict, Verification
from secondpass.verify.verifier import FactVerifier

QUESTION = "What does shutil.rmtree delete?"
TEXTS = [
    "os.remove deletes a file, and raises OSError for a directory.",
    "shutil.rmtree deletes an entire directory tree.",
    "A lease of the meeting room costs 40 euros an hour.",
]
RIGHT = TEXTS[1]
WRONG = "A lease of the meeting room costs 70 euros an hour."
MESSAGE = "The sources that were found do not support an answer."


class Engine(BaseQueryEngine):
    """Answers what it is told, from three nodes: it stands for an engine with an LLM."""

    def __init__(self, answer: Any, manager: CallbackManager | None = None) -> None:
        self.answer, self.asked = answer, []
        super().__init__(manager)

    def _respond(self, query_bundle: QueryBundle, how: str) -> Any:
        self.asked.append((how, query_bundle.query_str))
        return Response(self.answer, nodes(), {"n0": {"page": 1}}) if isinstance(self.answer, str) else self.answer

    def _query(self, query_bundle: QueryBundle) -> Any:
        return self._respond(query_bundle, "query")

    async def _aquery(self, query_bundle: QueryBundle) -> Any:
        return self._respond(query_bundle, "aquery")

    def _get_prompt_modules(self) -> dict[str, Any]:
        return {}

    def retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return nodes()

    def synthesize(self, query_bundle: QueryBundle, nodes: Any, additional_source_nodes: Any = None) -> Any:
        return Response(self.answer, [*nodes, *(additional_source_nodes or [])])

    async def asynthesize(self, query_bundle: QueryBundle, nodes: Any, additional_source_nodes: Any = None) -> Any:
        return self.synthesize(query_bundle, nodes, additional_source_nodes)


class Counting(FactVerifier):
    """Counts how it was called, and keeps what it was given."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.calls: list[tuple[str, Any, Any]] = []
        self.awaited = 0

    def verify(self, answer: str, passages: Any, *, question: str | None = None) -> Verification:
        self.calls.append((answer, passages, question))
        return super().verify(answer, passages, question=question)

    async def averify(self, answer: str, passages: Any, *, question: str | None = None) -> Verification:
        self.awaited += 1
        return await super().averify(answer, passages, question=question)


class Broken(FactVerifier):
    """Fails as a backend does, or gives a verification in which a claim could not be checked."""

    fails = True

    def verify(self, answer: str, passages: Any, *, question: str | None = None) -> Verification:
        if self.fails:
            raise ScoringError("the backend is down")
        claim = CheckedClaim(Claim(answer, 0, len(answer), 0), Verdict.ERROR, reason="the accelerator is gone")
        return Verification(answer, (claim,), passed=False, text=answer)


def nodes(texts: Sequence[str] = TEXTS, **fields: Any) -> list[NodeWithScore]:
    """Return nodes with the ids n0, n1..."""
    return [NodeWithScore(node=TextNode(id_=f"n{at}", text=t, **fields), score=0.5) for at, t in enumerate(texts)]
