"""Cohere, version 2 (docs.cohere.com/reference/rerank)."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from secondpass.serve.call import Asked, Reranked
from secondpass.serve.dialects.base import Count, DialectRequest, ModelName, Query

__all__ = ["CohereError", "CohereRequest", "CohereResponse", "cohere_error"]

_UNIT = 100  # documents in what Cohere bills as one search
_EXAMPLE: dict[str, JsonValue] = {
    "model": "default",
    "query": "How do I copy a file?",
    "documents": ["os.remove deletes a file.", "shutil.copy copies a file."],
    "top_n": 1,
}


class CohereRequest(DialectRequest):
    """A query with its documents."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    query: Query
    documents: Annotated[list[str], Field(description="Texts.")]
    model: ModelName | None = None
    top_n: Count | None = None

    def asked(self) -> Asked:
        """Return what it says."""
        return Asked(query=self.query, documents=self.documents, model=self.model, k=self.top_n)

    def answer(self, reranked: Reranked) -> dict[str, Any]:
        """Return the JSON that answers it."""
        results = [
            {"index": document.index, "relevance_score": score}
            for document, score in zip(reranked.ranking, reranked.scores, strict=True)
        ]
        billed = {"search_units": -(-reranked.n_documents // _UNIT)}
        meta = {"api_version": {"version": "2"}, "billed_units": billed}
        return {"id": reranked.request_id, "results": results, "meta": meta}


class CohereResult(BaseModel):
    """A document: its position among those that were sent, and its score in [0, 1]."""

    index: int
    relevance_score: float


class CohereResponse(BaseModel):
    """The results, best first."""

    id: str
    results: list[CohereResult]
    meta: dict[str, Any]


class CohereError(BaseModel):
    """What is wrong."""

    message: str


def cohere_error(_status: int, message: str) -> dict[str, Any]:
    """Return the JSON of an error."""
    return {"message": message}
