"""The dialects of ``/rerank``: one file for each, with its request, its answer and its errors."""

from collections.abc import Mapping
from typing import Any, Literal

from secondpass.serve.dialects.cohere import cohere_error
from secondpass.serve.dialects.tei import tei_error
from secondpass.serve.dialects.v1 import v1_error
from secondpass.serve.dialects.voyage import voyage_error

__all__ = ["Dialect", "dialect_of", "error_body"]

Dialect = Literal["cohere", "v1", "tei", "voyage"]
_ERRORS = {"cohere": cohere_error, "v1": v1_error, "tei": tei_error, "voyage": voyage_error}


def dialect_of(path: str, body: object = None) -> Dialect:
    """Return the dialect of a request: by its path, and where several share one by what is in its body."""
    if path == "/v2/rerank":
        return "cohere"
    if isinstance(body, Mapping) and path in ("/rerank", "/v1/rerank"):
        if "texts" in body:
            return "tei"
        if "top_n" not in body and ("top_k" in body or "truncation" in body):
            return "voyage"
    return "v1"


def error_body(dialect: Dialect, status: int, message: str) -> dict[str, Any]:
    """Return the JSON of an error."""
    return _ERRORS[dialect](status, message)
