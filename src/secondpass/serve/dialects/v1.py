"""Jina and vLLM, which share nearly all of the shape, and Cohere's version 1."""

import time
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from secondpass.serve.call import Asked, Reranked
from secondpass.serve.dialects.base import Body, Count, DialectRequest, ModelName, Query

__all__ = ["Usage", "V1Error", "V1Request", "V1Response", "v1_error"]

_EXAMPLE: dict[str, JsonValue] = {
    "model": "default",
    "query": "How do I copy a file?",
    "documents": ["os.remove deletes a file.", "shutil.copy copies a file."],
    "top_n": 1,
    "return_documents": False,
}


class TextDocument(Body):
    """A document as an object."""

    text: str


class V1Request(DialectRequest):
    """A query with its documents."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    query: Query
    documents: Annotated[list[str | TextDocument], Field(description="Texts, or objects with a text.")]
    model: ModelName | None = None
    top_n: Count | None = None
    return_documents: Annotated[bool | None, Field(description="Send the texts back; by default yes.")] = None
    raw_scores: Annotated[bool, Field(description="Scores as the model gives them (Infinity).")] = False
    use_activation: Annotated[bool | None, Field(description="False: raw scores (vLLM).")] = None
    instruction: Annotated[str | None, Field(description="What counts as relevant, for models that are told.")] = None

    def asked(self) -> Asked:
        """Return what it says."""
        return Asked(
            query=self.query,
            documents=[each if isinstance(each, str) else each.text for each in self.documents],
            model=self.model,
            k=self.top_n,
            raw=self.raw_scores or self.use_activation is False,
            instruction=self.instruction,
        )

    def document(self, text: str) -> Any:
        """Return a document as it stands in the answer; None to leave it out."""
        return None if self.return_documents is False else {"text": text}

    def answer(self, reranked: Reranked) -> dict[str, Any]:
        """Return the JSON that answers it."""
        results: list[dict[str, Any]] = []
        for document, score in zip(reranked.ranking, reranked.scores, strict=True):
            result: dict[str, Any] = {"index": document.index, "relevance_score": score}
            text = self.document(document.text)
            results.append(result if text is None else result | {"document": text})
        return {
            "id": reranked.request_id,
            "object": "rerank",
            "created": int(time.time()),
            "model": reranked.model,
            "usage": {"prompt_tokens": reranked.tokens, "total_tokens": reranked.tokens},
            "results": results,
        }


class V1Result(BaseModel):
    """A document: its position among those that were sent, its score, in [0, 1] unless raw, and its text."""

    index: int
    relevance_score: float
    document: dict[str, str] | None = None


class Usage(BaseModel):
    """Tokens that the model was given; 0 if it does not say."""

    prompt_tokens: int
    total_tokens: int


class V1Response(BaseModel):
    """The results, best first."""

    id: str
    object: str
    created: int
    model: str
    usage: Usage
    results: list[V1Result]


class ErrorDetail(BaseModel):
    """What is wrong."""

    message: str
    type: str
    code: int


class V1Error(BaseModel):
    """An error in the form of OpenAI's."""

    error: ErrorDetail


def v1_error(status: int, message: str) -> dict[str, Any]:
    """Return the JSON of an error."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "code": status}}
