"""The request and the answer of decision servers: OpenAI's ``/v1/decisions``, and System One's ``/v1/systemone``.

Checked against the package openai, TypeSafe's and Fireworks' documentation, and the server of transformers, in 2026.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from secondpass.decisions.types import Question, Reply, distribution
from secondpass.llm.types import CompletionError, mapping, whole_number

__all__ = ["SHAPES", "Shape"]

_NAME = "asked"  # each request has one question


class Shape(ABC):
    """What one kind of server reads and writes.

    Attributes:
        name: what the setting ``shape`` calls it.
        path: the last part of its endpoint's path.
        host: the domain of the provider that it is from.
        variable: the environment variable with that provider's key.
    """

    name: ClassVar[str]
    path: ClassVar[str]
    host: ClassVar[str]
    variable: ClassVar[str]

    @abstractmethod
    def request(self, question: Question, model: str) -> dict[str, Any]:
        """Return the body of a request."""

    def reply(self, payload: object, question: Question) -> Reply:
        """Return what a server said; without probabilities, if it gave none that can be used.

        Raises:
            CompletionError: it is not the answer of such a server.
        """
        said = mapping(payload)
        if "answers" not in said:
            keys = ", ".join(sorted(map(str, said)))[:200] or "none"
            raise CompletionError(f"the answer has no 'answers' (its keys: {keys}); check that shape={self.name!r}")
        answer = mapping(self.answer(said["answers"]))
        usage = mapping(said.get("usage"))
        return Reply(
            distribution(self.values(answer, question)),
            whole_number(usage.get("input_tokens")),
            whole_number(usage.get("output_tokens")),
            refused=answer.get("type") == "refusal",
        )

    @abstractmethod
    def answer(self, answers: Any) -> object:
        """Return the answer to the question, among all; anything if there is none."""

    @abstractmethod
    def values(self, answer: Mapping[str, Any], question: Question) -> list[object]:
        """Return the probability of each option, as the server wrote it."""


class OpenAIShape(Shape):
    """OpenAI's: an input as text, questions and answers in a list."""

    name = "openai"
    path = "decisions"
    host = "api.openai.com"
    variable = "OPENAI_API_KEY"

    def request(self, question: Question, model: str) -> dict[str, Any]:
        """Return the body of a request."""
        asked: dict[str, Any] = {"name": _NAME, "instructions": question.instructions}
        if question.kind == "noul":
            # A predicate is a statement, and has no place for what yes and no say.
            (_, yes), (_, no) = question.options
            asked |= {"type": "predicate", "instructions": f"{yes} (And not: {no}) {question.instructions}"}
        elif question.kind == "choice":
            choices = [{"value": label, "description": said} for label, said in question.options]
            asked |= {"type": "choice", "choices": choices}
        else:
            levels = [{"label": label, "description": said} for label, said in question.options]
            asked |= {"type": "score", "levels": levels}
        return {"model": model, "input": question.state, "questions": [asked]}

    def answer(self, answers: Any) -> object:
        """Return the first and only one."""
        return answers[0] if isinstance(answers, list) and answers else None

    def values(self, answer: Mapping[str, Any], question: Question) -> list[object]:
        """Return the probability of each option, as the server wrote it."""
        if question.kind == "noul":
            return _of_yes(answer.get("probability"))
        listed = answer.get("probabilities")
        found = {
            str(each.get("value")): each.get("probability")
            for each in map(mapping, listed if isinstance(listed, list) else [])
        }
        return [found.get(label) for label in question.labels]


class SystemOneShape(Shape):
    """System One's: a state as JSON, questions and answers by name."""

    name = "systemone"
    path = "systemone"
    host = "api.typesafe.ai"
    variable = "TYPESAFE_API_KEY"

    def request(self, question: Question, model: str) -> dict[str, Any]:
        """Return the body of a request."""
        criteria: Any = dict(question.options)
        if question.kind == "noul":
            (_, yes), (_, no) = question.options
            criteria = {"true": yes, "false": no}
        elif question.kind == "score":
            criteria = [said for _, said in question.options]
        asked = {"type": question.kind, "instructions": question.instructions, "criteria": criteria}
        return {"model": model, "state": json.loads(question.state), "questions": {_NAME: asked}}

    def answer(self, answers: Any) -> object:
        """Return the one of its name."""
        return mapping(answers).get(_NAME)

    def values(self, answer: Mapping[str, Any], question: Question) -> list[object]:
        """Return the probability of each option, as the server wrote it."""
        if question.kind == "noul":
            return _of_yes(answer.get("noul"))
        found = mapping(answer.get("probabilities"))
        return [found.get(label) for label in question.labels]


def _of_yes(probability: Any) -> list[object]:
    is_number = isinstance(probability, int | float) and not isinstance(probability, bool)
    return [probability, 1 - probability] if is_number else []


SHAPES: Mapping[str, Shape] = {shape.name: shape for shape in (OpenAIShape(), SystemOneShape())}
