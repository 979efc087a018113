"""Decision models behind rerankers and judges: typed questions, answered with the probability of each option."""

from secondpass.decisions.foreign import ForeignDecisionModel, decision_models
from secondpass.decisions.settings import DecisionSettings
from secondpass.decisions.types import DecisionFunction, Question, Reply

__all__ = ["DecisionFunction", "DecisionSettings", "ForeignDecisionModel", "Question", "Reply", "decision_models"]
