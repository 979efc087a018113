"""LlamaIndex with secondpass as users write it, for mypy and pyright to read; never run."""

from llama_index.core.agent.workflow import AgentOutput, AgentWorkflow, FunctionAgent
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response
from llama_index.core.chat_engine.types import AgentChatResponse, BaseChatEngine
from llama_index.core.llms import LLM
from llama_index.core.schema import NodeWithScore

import secondpass as sp
from llama_index.postprocessor.secondpass import (
    SecondPassEvaluator,
    SecondPassRerank,
    VerifyingAgent,
    VerifyingChatEngine,
    VerifyingQueryEngine,
)
from secondpass.verify import LLMJudge


def reranked(nodes: list[NodeWithScore]) -> list[NodeWithScore]:
    """By name and device, by an ensemble of names; a misspelt setting is an error."""
    SecondPassRerank(model="cross-encoder/ms-marco-MiniLM-L6-v2", device="cuda", top_n=5)
    SecondPassRerank(model="cross-encoder/ms-marco-MiniLM-L6-v2", tpo_n=5)  # type: ignore[call-arg]
    SecondPassRerank(top_n="5")  # type: ignore[arg-type]
    rerank = SecondPassRerank(reranker=sp.EnsembleReranker(["cross-encoder", "colbert"]), top_n=3)
    return rerank.postprocess_nodes(nodes, query_str="how do I copy a file?")


def verified(engine: BaseQueryEngine, llm: LLM, response: Response) -> tuple[bool | None, float | None]:
    """The application's own model as a judge; results have their types."""
    sp.LLMReranker(llm=llm, mode="graded", timeout_s=5.0)
    verifier = sp.FactVerifier(judge=LLMJudge(llm=llm))
    VerifyingQueryEngine(engine, verifyer=verifier)  # type: ignore[call-arg]
    VerifyingQueryEngine(engine, verifier=verifier)
    SecondPassEvaluator(verifyer=verifier)  # type: ignore[call-arg]
    result = SecondPassEvaluator(verifier).evaluate_response(query="q", response=response)
    return result.passing, result.score


def chatting(engine: BaseChatEngine) -> AgentChatResponse:
    """A chat engine is a chat engine."""
    VerifyingChatEngine(engine, {"policy": "drop"}, metadta_mode="llm")  # type: ignore[call-arg]
    verified_engine: BaseChatEngine = VerifyingChatEngine(engine, {"policy": "drop"}, metadata_mode="llm")
    verified_engine.reset()
    return VerifyingChatEngine(engine).chat("how do I copy a file?")


async def agents(llm: LLM) -> AgentOutput:
    """An agent is an agent, alone and among others."""
    agent = FunctionAgent(llm=llm, tools=[])
    VerifyingAgent(agent, on_failure="retry")  # type: ignore[arg-type]
    VerifyingAgent(agent, max_retry=1)  # type: ignore[call-arg]
    verifying = VerifyingAgent(agent, "secondpass-nli-minilm", on_failure="regenerate", max_retries=1)
    output: AgentOutput = await AgentWorkflow(agents=[verifying]).run(user_msg="how do I copy a file?")
    return output
