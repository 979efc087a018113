"""Everything that calls a server, each as a function from a URL and its time limits to what it returns."""

from collections.abc import Callable
from typing import Any

from secondpass.decisions.shapes import SHAPES as DECISION_SHAPES
from secondpass.remote.shapes import SHAPES
from secondpass.rerankers.decision import DecisionReranker
from secondpass.rerankers.llm import LLMReranker
from secondpass.rerankers.remote import RemoteReranker
from secondpass.verify.claims.decompose import LLMDecomposer
from secondpass.verify.decision_judge import DecisionJudge
from secondpass.verify.judge import LLMJudge
from secondpass.verify.types import Claim

__all__ = ["CLIENTS", "KEY"]

KEY = "sk-verysecret/42+x"
DOCUMENTS = ["a", "b", "c"]

Client = Callable[..., Any]


def _remote(shape: Any) -> Client:
    def call(url: str, timeout_s: float, **settings: Any) -> Any:
        reranker = RemoteReranker(
            url, shape=shape, model="m", api_key=KEY, **{"timeout_s": timeout_s, "max_retries": 0} | settings
        )
        with reranker:
            return reranker.score("q", DOCUMENTS)

    return call


def _asking(url: str, timeout_s: float, **settings: Any) -> dict[str, Any]:
    limits = {"timeout_s": timeout_s, "total_timeout_s": timeout_s, "max_retries": 0}
    return {"base_url": f"{url}/v1", "api_key": KEY} | limits | settings


def _llm(mode: Any) -> Client:
    def call(url: str, timeout_s: float, **settings: Any) -> Any:
        return LLMReranker("m", mode=mode, **_asking(url, timeout_s, **settings)).score("q", DOCUMENTS)

    return call


def _deciding(url: str, shape: str, timeout_s: float, **settings: Any) -> dict[str, Any]:
    asked = _asking(url, timeout_s, **settings)
    return asked | {"url": f"{asked.pop('base_url')}/{DECISION_SHAPES[shape].path}"}


def _decision(shape: str) -> Client:
    def call(url: str, timeout_s: float, **settings: Any) -> Any:
        return DecisionReranker("m", **_deciding(url, shape, timeout_s, **settings)).score("q", DOCUMENTS)

    return call


def _decision_judge(url: str, timeout_s: float, **settings: Any) -> Any:
    asked = _deciding(url, "systemone", timeout_s, **settings)
    return DecisionJudge("m", **asked).judge([("A is 3.", ["A is 3."])])


def _judge(url: str, timeout_s: float, **settings: Any) -> Any:
    return LLMJudge("m", **_asking(url, timeout_s, **settings)).judge([("A is 3.", ["A is 3."])])


def _decomposer(url: str, timeout_s: float, **settings: Any) -> Any:
    claim = Claim("A is 3 and B is 4.", 0, 18, 0)
    return LLMDecomposer("m", **_asking(url, timeout_s, **settings)).decompose([claim])


CLIENTS: dict[str, Client] = {
    **{f"remote, {shape}": _remote(shape) for shape in SHAPES},
    **{f"llm, {mode}": _llm(mode) for mode in ("pointwise", "graded", "listwise", "setwise", "pairwise")},
    **{f"decision, {shape}": _decision(shape) for shape in DECISION_SHAPES},
    "decision judge": _decision_judge,
    "judge": _judge,
    "decomposer": _decomposer,
}
