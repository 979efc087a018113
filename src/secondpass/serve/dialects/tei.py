"""text-embeddings-inference (huggingface/text-embeddings-inference), told by its ``texts``."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from secondpass.serve.call import Asked, Reranked
from secondpass.serve.dialects.base import DialectRequest, Query

__all__ = ["TeiError", "TeiRequest", "TeiResult", "tei_error"]

_EXAMPLE: dict[str, JsonValue] = {
    "query": "How do I copy a file?",
    "texts": ["os.remove deletes a file.", "shutil.copy copies a file."],
}
_KINDS = {413: "Validation", 422: "Validation", 503: "Overloaded"}


class TeiRequest(DialectRequest):
    """A query with its texts; the server's first reranker answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    query: Query
    texts: list[str]
    raw_scores: Annotated[bool, Field(description="Scores as the model gives them.")] = False
    return_text: Annotated[bool, Field(description="Send the texts back.")] = False
    truncate: Annotated[bool | None, Field(description="Let the model see only the beginning of long texts.")] = None

    def asked(self) -> Asked:
        """Return what it says."""
        return Asked(query=self.query, documents=self.texts, raw=self.raw_scores, truncate=bool(self.truncate))

    def answer(self, reranked: Reranked) -> list[dict[str, Any]]:
        """Return the JSON that answers it."""
        return [
            {"index": document.index, "score": score} | ({"text": document.text} if self.return_text else {})
            for document, score in zip(reranked.ranking, reranked.scores, strict=True)
        ]


class TeiResult(BaseModel):
    """A text: its position among those that were sent, and its score, in [0, 1] unless raw."""

    index: int
    score: float
    text: str | None = None


class TeiError(BaseModel):
    """What is wrong."""

    error: str
    error_type: str


def tei_error(status: int, message: str) -> dict[str, Any]:
    """Return the JSON of an error."""
    return {"error": message, "error_type": _KINDS.get(status, "Backend" if status >= 500 else "Validation")}
