"""The endpoint that answers typed questions about a text: yes or no, one of several, a score."""

from asyncio import gather
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from secondpass.classify.decisions import AS_STATED, by_option, expected_level, statements_of
from secondpass.serve.classifying import ServedClassifier
from secondpass.serve.dependencies import CallOf
from secondpass.serve.dialects.base import Body, ModelName
from secondpass.serve.dialects.v1 import V1Error
from secondpass.serve.openapi import errors
from secondpass.serve.responses import Json

__all__ = ["router"]

router = APIRouter(tags=["decisions"])

_NAMED = "decisions"  # the classifier that is asked, if there is one of that name

_EXAMPLE: dict[str, JsonValue] = {
    "text": "My parcel is two weeks late, and nobody answers. I want my money back, today.",
    "questions": [
        {"id": "refund", "type": "yes_no", "statement": "The customer wants a refund."},
        {
            "id": "topic",
            "type": "choice",
            "options": {"delivery": "It is about delivery.", "billing": "It is about an invoice."},
        },
        {
            "id": "urgency",
            "type": "score",
            "levels": {"1": "It can wait.", "5": "It should be answered soon.", "10": "It is very urgent."},
        },
    ],
}

Statement = Annotated[str, Field(min_length=1, max_length=2000)]


class YesNo(Body):
    """Whether a statement holds."""

    type: Literal["yes_no"]
    statement: Annotated[Statement, Field(description="What yes says, as a sentence about the text.")]
    id: str | None = None
    threshold: Annotated[float, Field(ge=0, le=1, description="The lowest probability of a yes.")] = 0.5

    async def decide(self, text: str, classifier: ServedClassifier) -> dict[str, Any]:
        """Return the answer with its probabilities."""
        (result,) = await classifier.classify([text], [self.statement], AS_STATED | {"multi_label": True})
        yes = result.scores[self.statement]
        return {"answer": yes >= self.threshold, "probability": yes, "probabilities": {"yes": yes, "no": 1 - yes}}


class Choice(Body):
    """Which of several options holds."""

    type: Literal["choice"]
    options: Annotated[
        dict[str, Statement], Field(min_length=2, description="For each option what it says, as a sentence.")
    ]
    id: str | None = None

    async def decide(self, text: str, classifier: ServedClassifier) -> dict[str, Any]:
        """Return the answer with its probabilities."""
        probabilities = await _among(self.options, text, classifier)
        best = max(probabilities, key=lambda option: probabilities[option])
        return {"answer": best, "probability": probabilities[best], "probabilities": probabilities}


class Score(Body):
    """Where on a scale the text stands."""

    type: Literal["score"]
    levels: Annotated[
        dict[Annotated[str, Field(pattern=r"^-?\d{1,9}(\.\d{1,9})?$")], Statement],
        Field(min_length=2, description="For some numbers of the scale what each says, as a sentence."),
    ]
    id: str | None = None

    async def decide(self, text: str, classifier: ServedClassifier) -> dict[str, Any]:
        """Return the expected score, with the probability of each level and of the likeliest."""
        probabilities = await _among(self.levels, text, classifier)
        return {
            "answer": expected_level(probabilities),
            "probability": max(probabilities.values()),
            "probabilities": probabilities,
        }


Question = Annotated[YesNo | Choice | Score, Field(discriminator="type")]


class DecisionsRequest(Body):
    """A text, and questions about it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    text: Annotated[str, Field(min_length=1)]
    questions: list[Question]
    model: ModelName | None = None


class Decision(BaseModel):
    """The answer to a question: true or false, an option, or a number; with its probability, and that of each other."""

    id: str | None
    type: Literal["yes_no", "choice", "score"]
    answer: bool | str | float
    probability: float
    probabilities: dict[str, float]


class DecisionsResponse(BaseModel):
    """The answers, in the order of the questions, and the name of the classifier."""

    model: str
    decisions: list[Decision]


@router.post("/v1/decisions", response_model=DecisionsResponse, responses=errors(V1Error))
async def decide(body: DecisionsRequest, call: CallOf) -> Json:
    """Answer typed questions about a text with probabilities: yes or no, one of several options, a score."""
    asked = _NAMED if body.model is None and _NAMED in call.served.classifiers else body.model
    name, classifier = call.served.classifier(asked)
    await call.check([body.text] * len(body.questions), "questions")
    answers = await gather(*(question.decide(body.text, classifier) for question in body.questions))
    decisions = [
        {"id": question.id, "type": question.type} | answer
        for question, answer in zip(body.questions, answers, strict=True)
    ]
    call.logged.update(model=name, questions=len(body.questions))
    return Json({"model": name, "decisions": decisions})


async def _among(options: dict[str, str], text: str, classifier: ServedClassifier) -> dict[str, float]:
    """Return the probability of each option, in their order."""
    settings = AS_STATED | {"multi_label": False}
    (result,) = await classifier.classify([text], statements_of(options), settings)
    return by_option(options, result.scores)
