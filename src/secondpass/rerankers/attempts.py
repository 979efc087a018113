"""Asks a reranker that may fail, and tells which requests it failed on."""

import logging
from collections.abc import Sequence

from secondpass.base import Reranker
from secondpass.types import Request, Scores

__all__ = ["attempt", "reason"]

_log = logging.getLogger(__name__)


def attempt(reranker: Reranker, requests: Sequence[Request]) -> list[Scores | Exception]:
    """Return the scores of each request, or why there are none.

    All requests go to the reranker together, as one of them can fail them all, they are tried one by one after that,
    until two in a row have failed: then it is the reranker, and the rest counts as failed with the same
    reason.
    """
    try:
        return list(reranker.score_many(requests))
    except Exception as exc:  # whatever it is, somebody else can still answer; it is logged and handed on
        _log.warning("%r failed: %s: %s", reranker, type(exc).__name__, exc)
        _log.debug("where %r failed", reranker, exc_info=exc)
        if len(requests) == 1:
            return [exc]
    results: list[Scores | Exception] = []
    for request in requests:
        if len(results) > 1 and all(isinstance(result, Exception) for result in results[-2:]):
            results.append(results[-1])
            continue
        try:
            results.append(reranker.score_many([request])[0])
        except Exception as exc:
            _log.debug("%r failed on one request: %s", reranker, exc)
            results.append(exc)
    return results


def reason(reranker: Reranker, exc: Exception) -> str:
    """Return the beginning of a sentence: who failed, and why."""
    return f"{type(reranker).__name__} failed ({type(exc).__name__}: {str(exc)[:200]})"
