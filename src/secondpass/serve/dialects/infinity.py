"""Infinity (michaelfeil/infinity), told by its ``raw_scores`` or by a path of its own."""

from pydantic import BaseModel

from secondpass.serve.dialects.v1 import Usage, V1Request

__all__ = ["InfinityRequest", "InfinityResponse"]


class InfinityRequest(V1Request):
    """A query with its documents, which come back only if they are wanted, and as they are."""

    def document(self, text: str) -> str | None:
        """Return a document as it stands in the answer."""
        return text if self.return_documents else None


class InfinityResult(BaseModel):
    """A document: its position among those that were sent, its score, in [0, 1] unless raw, and its text."""

    index: int
    relevance_score: float
    document: str | None = None


class InfinityResponse(BaseModel):
    """The results, best first."""

    object: str
    model: str
    usage: Usage
    results: list[InfinityResult]
    id: str
    created: int
