"""LangChain with secondpass as users write it, for mypy and pyright to read; never run."""

from langchain_core.decisions import BaseDecisionModel
from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.retrievers import BaseRetriever

import secondpass as sp
from langchain_secondpass import SecondPassCrossEncoder, SecondPassReranker, SecondPassVerifier
from secondpass.verify import DecisionJudge, LLMJudge


def reranked(retriever: BaseRetriever) -> list[Document]:
    """By name and device, by configuration, by an ensemble of names; a misspelt setting is an error."""
    SecondPassReranker(model="cross-encoder/ms-marco-MiniLM-L6-v2", device="cuda", top_n=5)
    SecondPassReranker(reranker={"type": "ensemble", "members": ["cross-encoder", "colbert"]}, min_probability=0.5)
    SecondPassReranker(model="cross-encoder/ms-marco-MiniLM-L6-v2", tpo_n=5)  # type: ignore[arg-type]
    SecondPassReranker(top_n="5")  # type: ignore[arg-type]
    SecondPassCrossEncoder(model="BAAI/bge-reranker-base", devise="cuda")  # type: ignore[call-arg]
    better: BaseRetriever = SecondPassReranker(
        reranker=sp.EnsembleReranker(["cross-encoder", "colbert"]), top_n=3
    ).as_retriever(retriever)
    return better.invoke("how do I copy a file?")


def judged(model: BaseChatModel) -> dict[str, object]:
    """The application's own model, and the keys of a chain."""
    calibrated = sp.CalibratedReranker("cross-encoder", calibrator="ready")
    fallback = sp.FallbackReranker(calibrated, sp.LLMReranker(llm=model, mode="graded"), band=(0.3, 0.7))
    SecondPassReranker(reranker=fallback, threshold=0.5)
    verifier = sp.FactVerifier(judge=LLMJudge(llm=model))
    SecondPassVerifier(verifier=verifier, answer_kye="result")  # type: ignore[arg-type]
    step = SecondPassVerifier(verifier=verifier, question_key="input")
    result: dict[str, object] = step.invoke({"answer": "a", "context": [Document("a")], "input": "q"})
    return result


def decided(model: BaseDecisionModel) -> sp.Reranker:
    """Any decision model, as reranker and as judge."""
    sp.FactVerifier(judge=DecisionJudge(decision_model=model), band=(0.3, 0.7))
    DecisionJudge(decision_modle=model)  # type: ignore[call-arg]
    return sp.DecisionReranker(decision_model=model, mode="graded")
