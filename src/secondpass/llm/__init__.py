"""Language models behind rerankers and judges: how they are asked, what they answer, and what they may cost."""

from secondpass.llm.budget import Budget, BudgetError
from secondpass.llm.foreign import ForeignModel, language_models
from secondpass.llm.settings import CallSettings, LLMSettings
from secondpass.llm.types import Answer, Completion, CompletionError, Prompt, TokenChoice

__all__ = [
    "Answer",
    "Budget",
    "BudgetError",
    "CallSettings",
    "Completion",
    "CompletionError",
    "ForeignModel",
    "LLMSettings",
    "Prompt",
    "TokenChoice",
    "language_models",
]
