"""Rerankers that score by themselves, one file for each: cross-encoders, ColBERT, T5, language models, servers."""

from typing import TYPE_CHECKING

from secondpass.lazy import lazy

if TYPE_CHECKING:
    from secondpass.rerankers.colbert import ColbertReranker
    from secondpass.rerankers.cross_encoder import CrossEncoderReranker
    from secondpass.rerankers.decision import DecisionReranker
    from secondpass.rerankers.llm import LLMReranker
    from secondpass.rerankers.progressive import ProgressiveReranker
    from secondpass.rerankers.remote import RemoteReranker
    from secondpass.rerankers.t5 import DuoT5Reranker, MonoT5Reranker, RankT5Reranker, T5Settings

# Imported when they are first asked for, as they bring ONNX Runtime and the like.
_LAZY = {
    "ColbertReranker": "secondpass.rerankers.colbert",
    "CrossEncoderReranker": "secondpass.rerankers.cross_encoder",
    "DecisionReranker": "secondpass.rerankers.decision",
    "DuoT5Reranker": "secondpass.rerankers.t5",
    "LLMReranker": "secondpass.rerankers.llm",
    "MonoT5Reranker": "secondpass.rerankers.t5",
    "ProgressiveReranker": "secondpass.rerankers.progressive",
    "RankT5Reranker": "secondpass.rerankers.t5",
    "RemoteReranker": "secondpass.rerankers.remote",
    "T5Settings": "secondpass.rerankers.t5",
}

__all__ = [
    "ColbertReranker",
    "CrossEncoderReranker",
    "DecisionReranker",
    "DuoT5Reranker",
    "LLMReranker",
    "MonoT5Reranker",
    "ProgressiveReranker",
    "RankT5Reranker",
    "RemoteReranker",
    "T5Settings",
]

__getattr__, __dir__ = lazy(__name__, _LAZY)
