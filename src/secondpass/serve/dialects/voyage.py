"""Voyage (docs.voyageai.com/reference/reranker-api), told by its ``top_k`` or ``truncation``."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from secondpass.serve.call import Asked, Reranked
from secondpass.serve.dialects.base import Count, DialectRequest, ModelName, Query

__all__ = ["VoyageError", "VoyageRequest", "VoyageResponse", "voyage_error"]

_EXAMPLE: dict[str, JsonValue] = {
    "model": "default",
    "query": "How do I copy a file?",
    "documents": ["os.remove deletes a file.", "shutil.copy copies a file."],
    "top_k": 1,
}


class VoyageRequest(DialectRequest):
    """A query with its documents."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    query: Query
    documents: list[str]
    model: ModelName | None = None
    top_k: Count | None = None
    return_documents: Annotated[bool | None, Field(description="Send the texts back; by default no.")] = None
    truncation: Annotated[bool | None, Field(description="False: refuse documents that are too long.")] = None

    def asked(self) -> Asked:
        """Return what it says."""
        return Asked(
            query=self.query,
            documents=self.documents,
            model=self.model,
            k=self.top_k,
            truncate=self.truncation is not False,
        )

    def answer(self, reranked: Reranked) -> dict[str, Any]:
        """Return the JSON that answers it."""
        data = [
            {"index": document.index, "relevance_score": score}
            | ({"document": document.text} if self.return_documents else {})
            for document, score in zip(reranked.ranking, reranked.scores, strict=True)
        ]
        usage = {"total_tokens": reranked.tokens}
        return {"object": "list", "data": data, "model": reranked.model, "usage": usage}


class VoyageResult(BaseModel):
    """A document: its position among those that were sent, its score in [0, 1], and its text."""

    index: int
    relevance_score: float
    document: str | None = None


class VoyageResponse(BaseModel):
    """The results, best first."""

    object: str
    data: list[VoyageResult]
    model: str
    usage: dict[str, int]


class VoyageError(BaseModel):
    """What is wrong."""

    detail: str


def voyage_error(_status: int, message: str) -> dict[str, Any]:
    """Return the JSON of an error."""
    return {"detail": message}
