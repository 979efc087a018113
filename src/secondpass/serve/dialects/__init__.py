"""The dialects of ``/rerank``: one file for each, with its request, its answer and its errors."""

from collections.abc import Mapping
from typing import Any, Literal

from secondpass.remote.shapes import SHAPES
from secondpass.serve.dialects.cohere import cohere_error
from secondpass.serve.dialects.tei import tei_error
from secondpass.serve.dialects.v1 import v1_error
from secondpass.serve.dialects.voyage import voyage_error

__all__ = ["INFINITY", "Dialect", "dialect_of", "error_body"]

INFINITY = "/infinity/rerank"
"""A path of its own, as its clients and vLLM's may send the same to the same path and expect different answers."""

Dialect = Literal["cohere", "v1", "infinity", "tei", "voyage"]
_PATHS: dict[str, Dialect] = {SHAPES["cohere"].path: "cohere", INFINITY: "infinity"}
_ERRORS = {"cohere": cohere_error, "v1": v1_error, "infinity": v1_error, "tei": tei_error, "voyage": voyage_error}


def dialect_of(path: str, body: object = None) -> Dialect:
    """Return the dialect of a request: by its path, and where several share one by what is in its body."""
    if path in _PATHS:
        return _PATHS[path]
    if not isinstance(body, Mapping):
        return "v1"
    if path == "/v1/rerank" and "top_n" not in body and ("top_k" in body or "truncation" in body):
        return "voyage"
    if path == "/rerank" and "texts" in body:
        return "tei"
    if path == "/rerank" and "raw_scores" in body:
        return "infinity"
    return "v1"


def error_body(dialect: Dialect, status: int, message: str) -> dict[str, Any]:
    """Return the JSON of an error."""
    return _ERRORS[dialect](status, message)
