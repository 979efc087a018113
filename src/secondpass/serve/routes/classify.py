"""The endpoint that finds labels."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from secondpass.serve.dependencies import CallOf
from secondpass.serve.dialects.base import Body, ModelName
from secondpass.serve.dialects.v1 import V1Error
from secondpass.serve.openapi import errors
from secondpass.serve.responses import Json

__all__ = ["router"]

router = APIRouter(tags=["classify"])

_EXAMPLE: dict[str, JsonValue] = {"texts": ["Where is my parcel?"], "labels": ["delivery", "billing", "returns"]}

Label = Annotated[str, Field(min_length=1)]


class ClassifyRequest(Body):
    """Texts with the labels to choose from."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    texts: Annotated[str | list[str], Field(description="A text, or several.")]
    labels: Annotated[list[Label] | None, Field(description="By default those of the classifier.")] = None
    multi_label: Annotated[bool | None, Field(description="Whether several labels may be true, or none.")] = None
    template: Annotated[
        str | list[str] | None, Field(description="A sentence with {} where the label stands; several are averaged.")
    ] = None
    descriptions: Annotated[
        dict[str, str] | None, Field(description="What stands in the template for a label's name.")
    ] = None
    threshold: Annotated[float | None, Field(ge=0, le=1, description="That a label's probability must reach.")] = None
    model: ModelName | None = None

    def settings(self) -> dict[str, Any]:
        """Return what it sets in place of the classifier's own settings."""
        given = {
            "multi_label": self.multi_label,
            "template": self.template,
            "descriptions": self.descriptions,
            "thresholds": self.threshold,
        }
        return {name: value for name, value in given.items() if value is not None}


class Classified(BaseModel):
    """The labels of one text, as `Classification.to_dict` gives them."""

    model_config = ConfigDict(extra="allow")

    label: str | None
    probability: float
    labels: list[str]
    scores: dict[str, float]


class ClassifyResponse(BaseModel):
    """The labels of each text, in the order of the texts, and the name of the classifier."""

    model: str
    results: list[Classified]


@router.post("/classify", response_model=ClassifyResponse, responses=errors(V1Error))
async def classify(body: ClassifyRequest, call: CallOf) -> Json:
    """Find the label of each text, or its labels, by their words alone; no label is a result as well."""
    texts = [body.texts] if isinstance(body.texts, str) else body.texts
    name, classifier = call.served.classifier(body.model)
    settings = body.settings()
    call.check_number(len(texts) + len(body.labels or ()), "texts and labels")
    await call.check_tokens(classifier.read(texts, body.labels, settings))
    results = await classifier.classify(texts, body.labels, settings)
    call.logged.update(model=name, texts=len(texts))
    return Json({"model": name, "results": [result.to_dict() for result in results]})
