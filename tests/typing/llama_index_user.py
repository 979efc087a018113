"""LlamaIndex with secondpass as users write it, for mypy and pyright to read; never run."""

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response
from llama_index.core.llms import LLM
from llama_index.core.schema import NodeWithScore

import secondpass as sp
from llama_index.postprocessor.secondpass import SecondPassEvaluator, SecondPassRerank, VerifyingQueryEngine
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
