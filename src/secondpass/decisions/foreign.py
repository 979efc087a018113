"""A framework's own decision model, asked in place of a server.

An adapter is a class in the entry-point group ``secondpass.decision_models``, under the name of the package whose
classes it takes; see `secondpass.llm.foreign`, where language models are taken likewise.
"""

from abc import abstractmethod
from typing import Any

from secondpass.decisions.types import Question, Reply
from secondpass.llm.foreign import Foreign, adapted
from secondpass.registry import Registry

__all__ = ["ForeignDecisionModel", "decision_models", "foreign_decision_model"]

decision_models = Registry("secondpass.decision_models")


class ForeignDecisionModel(Foreign):
    """A framework's decision model as a `DecisionFunction`; an adapter subclasses it."""

    @abstractmethod
    def __call__(self, question: Question, timeout_s: float) -> Reply:
        """Ask it once; see `DecisionFunction`."""


def foreign_decision_model(model: object, owner: str) -> ForeignDecisionModel:
    """Return the adapter around a framework's decision model; see `secondpass.llm.foreign.adapted`."""
    kind: Any = ForeignDecisionModel
    adapter: ForeignDecisionModel = adapted(
        model, kind, decision_models, f"{owner}: decision_model", "a decision model", "decide="
    )
    return adapter
