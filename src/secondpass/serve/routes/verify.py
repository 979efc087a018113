"""The endpoint that verifies answers."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from secondpass.serve.dependencies import CallOf
from secondpass.serve.dialects.base import Body, ModelName
from secondpass.serve.dialects.v1 import V1Error
from secondpass.serve.openapi import errors
from secondpass.serve.responses import Json
from secondpass.types import Document

__all__ = ["router"]

router = APIRouter(tags=["verify"])

_EXAMPLE: dict[str, JsonValue] = {
    "answer": "The tower is 330 metres tall. It was finished in 1887.",
    "passages": [{"id": "tower", "text": "The tower is 330 metres tall and was finished in 1889."}],
    "question": "How tall is the tower, and when was it finished?",
}


class Passage(Body):
    """A passage with an id, which comes back with the evidence from it."""

    text: str
    id: str | int | None = None

    def document(self) -> Document:
        """Return it as the library takes it."""
        return {"text": self.text} | ({} if self.id is None else {"id": self.id})


class VerifyRequest(Body):
    """An answer with the passages that it was made from."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    answer: Annotated[str, Field(description="What was generated.")]
    passages: Annotated[list[str | Passage], Field(description="Texts, or objects with a text and an id.")]
    question: Annotated[str | None, Field(description="What was asked.")] = None
    model: ModelName | None = None


class VerifyResponse(BaseModel):
    """The verification, as `Verification.to_dict` gives it, with the name of the verifier."""

    model_config = ConfigDict(extra="allow")

    model: str
    answer: str
    passed: bool
    supported_fraction: float
    probability: float
    contradicted: bool
    text: str
    claims: list[dict[str, Any]]
    spans: list[dict[str, Any]]


@router.post("/verify", response_model=VerifyResponse, responses=errors(V1Error))
async def verify(body: VerifyRequest, call: CallOf) -> Json:
    """Say for each claim of an answer whether the passages support it, with the evidence."""
    passages = [each if isinstance(each, str) else each.document() for each in body.passages]
    name, verifier = call.served.verifier(body.model)
    await call.check(passages, "passages", query=body.answer)
    verification = await verifier.verify(body.answer, passages, body.question)
    call.logged.update(
        model=name, passages=len(passages), claims=len(verification), tokens=verification.trace.total("tokens")
    )
    return Json(verification.to_dict() | {"model": name})
