"""What the description of the endpoints says of errors."""

from typing import Any

__all__ = ["errors"]

_ERRORS = {
    400: "The body is not JSON.",
    401: "The server asks for a key, and there is none or a wrong one.",
    404: "There is no such model.",
    413: "There are too many documents, bytes or tokens.",
    415: "The body is compressed.",
    422: "A field can't be used; the message says which and why.",
    503: "There are too many requests, or there was no answer in time: come again after Retry-After seconds.",
}


def errors(model: Any) -> dict[int | str, dict[str, Any]]:
    """Return the errors that an endpoint answers with, in the form of a model."""
    return {status: {"model": model, "description": said} for status, said in _ERRORS.items()}
