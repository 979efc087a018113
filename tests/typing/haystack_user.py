"""Haystack with secondpass as users write it, for mypy and pyright to read; never run."""

from haystack import Document, Pipeline

import secondpass as sp
from haystack_integrations.components.rankers.secondpass import SecondPassRanker
from haystack_integrations.components.validators.secondpass import SecondPassVerifier


def reranked(documents: list[Document]) -> list[Document]:
    """By name and device, by an ensemble of names; a misspelt setting is an error."""
    SecondPassRanker(model="cross-encoder/ms-marco-MiniLM-L6-v2", device="cuda", top_k=5)
    SecondPassRanker(model="cross-encoder/ms-marco-MiniLM-L6-v2", tpo_k=5)  # type: ignore[call-arg]
    SecondPassRanker(top_k="5")  # type: ignore[arg-type]
    ranker = SecondPassRanker(sp.EnsembleReranker(["cross-encoder", "colbert"]), top_k=3)
    return ranker.run("how do I copy a file?", documents)["documents"]


def verified() -> Pipeline:
    """A component among others."""
    SecondPassVerifier({"policy": "drop"}, replytype="chat")  # type: ignore[call-arg]
    pipeline = Pipeline()
    pipeline.add_component("verifier", SecondPassVerifier({"policy": "drop"}, reply_type="chat"))
    return pipeline
