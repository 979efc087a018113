"""The endpoints that answer typed questions about a text, as OpenAI's and System One's do: yes or no, one, a level."""

from asyncio import ensure_future, gather
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from secondpass.classify.decisions import AS_STATED, by_option, expected_level, statements_of, text_of, yes_of
from secondpass.errors import InputError
from secondpass.serve.classifying import ServedClassifier
from secondpass.serve.dependencies import CallOf
from secondpass.serve.dialects.base import Body, ModelName
from secondpass.serve.dialects.v1 import V1Error
from secondpass.serve.openapi import errors
from secondpass.serve.responses import Json

__all__ = ["router"]

router = APIRouter(tags=["decisions"])

_NAMED = "decisions"  # the classifier that is asked, if there is one of that name
_MAIL = "My parcel is two weeks late, and nobody answers. I want my money back, today."

Statement = Annotated[str, Field(min_length=1, max_length=2000)]


class Judged:
    """The classifier that a request is for, and the text that it is about."""

    def __init__(self, classifier: ServedClassifier, text: str) -> None:
        self._classifier, self._text = classifier, text

    async def yes(self, yes: str, no: str | None = None) -> float:
        """Return the probability of what yes says."""
        settings = AS_STATED | {"multi_label": True}
        (result,) = await self._classifier.classify([self._text], list(dict.fromkeys([yes, no or yes])), settings)
        return yes_of(result.scores[yes], None if no is None else result.scores[no])

    async def among(self, options: Mapping[str, str]) -> dict[str, float]:
        """Return the probability of each option, in their order."""
        settings = AS_STATED | {"multi_label": False}
        (result,) = await self._classifier.classify([self._text], statements_of(options), settings)
        return by_option(options, result.scores)


class Part(Body):
    """A part of a text."""

    type: Literal["input_text"]
    text: str


Parts = str | list[Part]


class Message(Body):
    """A message of a conversation."""

    type: Literal["message"] = "message"
    role: str = "user"
    content: Parts


class Named(Body):
    """What all of OpenAI's questions have."""

    name: str | None = None
    instructions: Parts


class Predicate(Named):
    """Whether a statement about the input is true."""

    type: Literal["predicate"]

    def statements(self) -> list[str]:
        """Return what is compared with the input."""
        return [_text(self.instructions)]

    async def decide(self, judged: Judged) -> dict[str, Any]:
        """Return the answer."""
        return {"probability": await judged.yes(*self.statements())}


class Option(Body):
    """One to choose."""

    value: str | bool
    description: Statement | None = None


class Options(Named):
    """Which of several options holds; a description is read as a statement about the input."""

    type: Literal["choice"]
    choices: Annotated[list[Option], Field(min_length=2, max_length=255)]

    def statements(self) -> list[str]:
        """Return what is compared with the input."""
        return [each.description or str(each.value) for each in self.choices]

    async def decide(self, judged: Judged) -> dict[str, Any]:
        """Return the answer, with the probability of each option."""
        found = [*(await judged.among(_numbered(self.statements()))).values()]
        listed = [{"value": each.value, "probability": share} for each, share in zip(self.choices, found, strict=True)]
        best = max(range(len(found)), key=found.__getitem__)
        return {"choice": self.choices[best].value, "confidence": found[best], "probabilities": listed}


class Level(Body):
    """A level of a scale."""

    label: Statement
    description: Statement | None = None


class Levels(Named):
    """Where on a scale the input stands; a description, or else the label, is read as a statement about the input."""

    type: Literal["score"]
    levels: Annotated[list[Level], Field(min_length=2, max_length=255)]

    def statements(self) -> list[str]:
        """Return what is compared with the input."""
        return [each.description or each.label for each in self.levels]

    async def decide(self, judged: Judged) -> dict[str, Any]:
        """Return the expected level, from 0, with the probability of each."""
        found = await judged.among(_numbered(self.statements()))
        listed = [
            {"value": at, "label": each.label, "probability": found[str(at)]} for at, each in enumerate(self.levels)
        ]
        return {"score": expected_level(found), "confidence": max(found.values()), "probabilities": listed}


_INPUT_EXAMPLE: dict[str, JsonValue] = {
    "input": _MAIL,
    "questions": [
        {"name": "refund", "type": "predicate", "instructions": "The customer wants a refund."},
        {
            "name": "topic",
            "type": "choice",
            "instructions": "What is it about?",
            "choices": [
                {"value": "delivery", "description": "It is about delivery."},
                {"value": "billing", "description": "It is about an invoice."},
            ],
        },
        {
            "name": "urgency",
            "type": "score",
            "instructions": "How urgent is it?",
            "levels": [{"label": "It can wait."}, {"label": "It is urgent."}, {"label": "It is an emergency."}],
        },
    ],
}


class DecisionsRequest(Body):
    """A text or messages, and questions about them."""

    model_config = ConfigDict(json_schema_extra={"examples": [_INPUT_EXAMPLE]})

    input: Annotated[str, Field(min_length=1)] | Annotated[list[Message], Field(min_length=1)]
    questions: list[Annotated[Predicate | Options | Levels, Field(discriminator="type")]]
    model: ModelName | None = None


class Yes(Body):
    """What yes says, and no, as statements about the state."""

    true: Statement | None = None
    false: Statement | None = None


class Noul(Body):
    """Whether the answer is yes: what ``criteria.true`` states, or else the instructions, is read as a statement."""

    type: Literal["noul"]
    instructions: JsonValue = None
    criteria: Yes | None = None

    def statements(self) -> list[str]:
        """Return what is compared with the state: what yes says and, if that is told, what no says."""
        said = self.criteria or Yes()
        if said.true is None and self.instructions is None:
            raise InputError("a noul needs instructions, or what yes says, as criteria.true")
        return [said.true or text_of(self.instructions), *([] if said.false is None else [said.false])]

    async def decide(self, judged: Judged) -> dict[str, Any]:
        """Return the answer."""
        return {"noul": await judged.yes(*self.statements())}


class Choice(Body):
    """Which label holds; what it is described by is read as a statement about the state."""

    type: Literal["choice"]
    instructions: JsonValue = None
    criteria: Annotated[dict[str, Statement | None], Field(min_length=2, max_length=255)]

    def statements(self) -> list[str]:
        """Return what is compared with the state."""
        return [said or label for label, said in self.criteria.items()]

    async def decide(self, judged: Judged) -> dict[str, Any]:
        """Return the answer, with the probability of each label."""
        found = await judged.among(dict(zip(self.criteria, self.statements(), strict=True)))
        best = max(found, key=lambda label: found[label])
        return {"choice": best, "confidence": found[best], "probabilities": found}


class Score(Body):
    """Which level, from 0, describes the state; each is read as a statement about it."""

    type: Literal["score"]
    instructions: JsonValue = None
    criteria: Annotated[list[Statement], Field(min_length=2, max_length=255)]

    def statements(self) -> list[str]:
        """Return what is compared with the state."""
        return self.criteria

    async def decide(self, judged: Judged) -> dict[str, Any]:
        """Return the expected level, with the probability of each."""
        levels = _numbered(self.statements())
        found = await judged.among(levels)
        return {
            "score": expected_level(found),
            "confidence": max(found.values()),
            "legend": levels,
            "probabilities": found,
        }


_STATE_EXAMPLE: dict[str, JsonValue] = {
    "state": {"mail": _MAIL},
    "questions": {
        "refund": {"type": "noul", "criteria": {"true": "The customer wants a refund."}},
        "topic": {
            "type": "choice",
            "criteria": {"delivery": "It is about delivery.", "billing": "It is about an invoice."},
        },
    },
}


class SystemOneRequest(Body):
    """A state, which is text or JSON, and named questions about it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_STATE_EXAMPLE]})

    state: JsonValue
    questions: dict[str, Annotated[Noul | Choice | Score, Field(discriminator="type")]]
    model: ModelName | None = None


class DecisionsResponse(BaseModel):
    """The answers, each with its probabilities, and the name of the classifier; tokens are not counted."""

    model: str
    answers: list[dict[str, Any]]
    usage: dict[str, Any]


class SystemOneResponse(BaseModel):
    """The answers by the names of the questions, and the name of the classifier; tokens are not counted."""

    model: str
    answers: dict[str, dict[str, Any]]
    usage: dict[str, int]


@router.post("/v1/decisions", response_model=DecisionsResponse, responses=errors(V1Error))
async def decide(body: DecisionsRequest, call: CallOf) -> Json:
    """Answer typed questions about an input with probabilities, in the shape of OpenAI's Decisions API."""
    text = body.input if isinstance(body.input, str) else "\n".join(_text(each.content) for each in body.input)
    name, answers = await _answered(body.questions, text, body.model, call)
    listed = [
        {"name": question.name, "type": question.type} | answer
        for question, answer in zip(body.questions, answers, strict=True)
    ]
    usage = {
        "input_tokens": 0,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 0,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 0,
    }
    return Json({"model": name, "answers": listed, "usage": usage})


@router.post("/v1/systemone", response_model=SystemOneResponse, responses=errors(V1Error))
async def decide_on_state(body: SystemOneRequest, call: CallOf) -> Json:
    """Answer typed questions about a state with probabilities, in the shape of System One's API."""
    name, answers = await _answered([*body.questions.values()], text_of(body.state), body.model, call)
    by_name = {
        key: {"type": question.type} | answer
        for (key, question), answer in zip(body.questions.items(), answers, strict=True)
    }
    return Json({"model": name, "answers": by_name, "usage": {"input_tokens": 0, "output_tokens": 0}})


async def _answered(
    questions: Sequence[Any], text: str, model: str | None, call: CallOf
) -> tuple[str, list[dict[str, Any]]]:
    """Return the name of the classifier, and its answer to each question."""
    asked = _NAMED if model is None and _NAMED in call.served.classifiers else model
    name, classifier = call.served.classifier(asked)
    call.check_number(len(questions), "questions")
    statements = [statement for question in questions for statement in question.statements()]
    await call.check_tokens([(text, len(statements)), *((statement, 1) for statement in statements)])
    judged = Judged(classifier, text)
    tasks = [ensure_future(question.decide(judged)) for question in questions]
    try:
        answers = await gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()  # where one can't be answered, nobody waits for the others
    call.logged.update(model=name, questions=len(questions))
    return name, [*answers]


def _numbered(statements: Sequence[str]) -> dict[str, str]:
    return {str(at): statement for at, statement in enumerate(statements)}


def _text(content: Parts) -> str:
    return content if isinstance(content, str) else "\n".join(part.text for part in content)
