"""secondpass in LlamaIndex: a node postprocessor that reranks; an evaluator, engines and an agent that verify."""

# The first import is the one that finds out, and says, that llama-index is missing.
from llama_index.postprocessor.secondpass.base import SecondPassRerank

# isort: split
from llama_index.postprocessor.secondpass.agent import VerifyingAgent
from llama_index.postprocessor.secondpass.chat_engine import VerifiedChatStream, VerifyingChatEngine
from llama_index.postprocessor.secondpass.evaluator import SecondPassEvaluator
from llama_index.postprocessor.secondpass.query_engine import VerifyingQueryEngine
from llama_index.postprocessor.secondpass.results import VerificationResult
from llama_index.postprocessor.secondpass.sufficiency import SufficiencyQueryEngine

__all__ = [
    "SecondPassEvaluator",
    "SecondPassRerank",
    "SufficiencyQueryEngine",
    "VerificationResult",
    "VerifiedChatStream",
    "VerifyingAgent",
    "VerifyingChatEngine",
    "VerifyingQueryEngine",
]
