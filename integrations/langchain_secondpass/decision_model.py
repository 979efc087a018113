"""LangChain's decision models, asked by `DecisionReranker` and the decision judge in place of a server."""

import json
from typing import Any, ClassVar

from langchain_core.decisions import BaseDecisionModel, Choice, ChoiceAnswer, Noul, NoulAnswer, NoulCriteria, Score

from langchain_secondpass.objects import LangChainModel
from secondpass.decisions import ForeignDecisionModel, Question, Reply
from secondpass.decisions.types import distribution

__all__ = ["DecisionModel"]

_KEY = "asked"


class DecisionModel(LangChainModel, ForeignDecisionModel):
    """A LangChain ``BaseDecisionModel`` as a `secondpass.decisions.DecisionFunction`.

    Args:
        model: the decision model.

    Raises:
        ConfigError: it is something else.
    """

    setting: ClassVar[str] = "decision_model"
    takes: ClassVar[type[Any]] = BaseDecisionModel

    def __call__(self, question: Question, timeout_s: float) -> Reply:
        """Ask it once; the time limit is held by who asks."""
        response = self.model.invoke({"state": json.loads(question.state), "questions": {_KEY: _written(question)}})
        usage = response.usage or {}
        counted = usage.get("input_tokens"), usage.get("output_tokens")
        return Reply(_probabilities(response.answers.get(_KEY), question), *counted)


def _written(question: Question) -> Noul | Choice | Score:
    """Return the question as LangChain has it."""
    if question.kind == "choice":
        return Choice(instructions=question.instructions, criteria=dict(question.options))
    if question.kind == "score":
        return Score(instructions=question.instructions, criteria=[said for _, said in question.options])
    (_, yes), (_, no) = question.options
    return Noul(instructions=question.instructions, criteria=NoulCriteria(true=yes, false=no))


def _probabilities(answer: Any, question: Question) -> tuple[float, ...]:
    """Return the probability of each option; nothing if the model gave no answer of that kind."""
    if getattr(answer, "type", None) != question.kind:
        return ()
    if isinstance(answer, NoulAnswer):
        return distribution([answer.noul, 1 - answer.noul])
    labels = question.labels if isinstance(answer, ChoiceAnswer) else range(len(question.options))
    return distribution([answer.probabilities.get(label) for label in labels])
