"""secondpass in LlamaIndex: a node postprocessor that reranks."""

from llama_index.postprocessor.secondpass.base import SecondPassRerank

__all__ = ["SecondPassRerank"]
