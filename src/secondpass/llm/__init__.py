"""What `secondpass.LLMReranker` is made of: prompts, parsing, one function that asks, budgets, modes."""

from secondpass.llm.budget import Budget, BudgetError
from secondpass.llm.types import Answer, Completion, CompletionError, Prompt

__all__ = ["Answer", "Budget", "BudgetError", "Completion", "CompletionError", "Prompt"]
