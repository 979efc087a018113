"""What the requests of all dialects share."""

from abc import abstractmethod
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from secondpass.serve.call import Asked, Reranked

__all__ = ["Body", "Count", "DialectRequest", "ModelName", "Query"]


class Body(BaseModel):
    """The body of a request: types are not converted, and fields that are not known are left out."""

    model_config = ConfigDict(strict=True, extra="ignore")


Query = Annotated[str, Field(min_length=1, description="What was asked.")]


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value  # JSON knows no difference


Count = Annotated[
    int, BeforeValidator(_whole), Field(ge=1, le=2**31 - 1, description="How many results to return; all by default.")
]
ModelName = Annotated[str, Field(max_length=200, description="A name or alias; the first model by default.")]


class DialectRequest(Body):
    """A request to rerank, in one dialect."""

    @abstractmethod
    def asked(self) -> Asked:
        """Return what it says."""

    @abstractmethod
    def answer(self, reranked: Reranked) -> Any:
        """Return the JSON that answers it."""
