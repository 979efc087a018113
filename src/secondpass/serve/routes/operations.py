"""The endpoints for those who run the server: health, readiness, metrics, and what is served."""

import asyncio
import time
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse

from secondpass.errors import SecondPassError
from secondpass.serve.dependencies import CallOf, service_of
from secondpass.serve.responses import Json

__all__ = ["router"]

router = APIRouter(tags=["operations"])

_READY_WITHIN_S = 5.0
_FRESH_S = 1.0  # how long an answer shows that the models answer


@router.get("/health")
async def health() -> dict[str, str]:
    """Say that the process answers; more is not looked at."""
    return {"status": "ok"}


@router.get("/ready", responses={503: {"description": "It is about to stop, or a model does not answer."}})
async def ready(request: Request, call: CallOf) -> Json:
    """Say whether requests should be sent here: each reranker is asked to score a pair."""
    load = service_of(request).load
    if load.draining:
        return Json({"status": "stopping"}, status_code=503)
    if time.monotonic() - load.answered_s > _FRESH_S:
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                for reranker in call.served.rerankers.values():
                    await reranker.arerank("Is it ready?", ["It is ready."])
        except TimeoutError:
            # Behind a long queue this takes its time, and is no failure.
            if not load.n_requests:
                return Json({"status": "stuck"}, status_code=503)
        except SecondPassError:
            return Json({"status": "failing"}, status_code=503)
        load.answered_s = time.monotonic()
    return Json({"status": "ready"})


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> PlainTextResponse:
    """Return what Prometheus reads."""
    text = service_of(request).metrics.text()
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/v1/models")
async def models(call: CallOf) -> dict[str, Any]:
    """List what is served, by name and alias, in the form of OpenAI's list of models."""
    kinds: dict[str, list[str]] = {
        "reranker": list(call.served.rerankers),
        "verifier": list(call.served.verifiers),
        "classifier": list(call.served.classifiers),
    }
    aliases = call.settings.aliases
    data = [
        {"id": name, "object": "model", "owned_by": "secondpass", "kind": kind}
        for kind, names in kinds.items()
        for name in (*names, *(alias for alias, stands_for in aliases.items() if stands_for in names))
    ]
    return {"object": "list", "data": data}
