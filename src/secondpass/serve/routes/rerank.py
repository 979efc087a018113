"""The endpoints that rerank."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from pydantic import Discriminator, Tag

from secondpass.remote.shapes import SHAPES
from secondpass.serve.dependencies import CallOf
from secondpass.serve.dialects import Dialect, dialect_of
from secondpass.serve.dialects.cohere import CohereError, CohereRequest, CohereResponse
from secondpass.serve.dialects.tei import TeiError, TeiRequest, TeiResult
from secondpass.serve.dialects.v1 import V1Error, V1Request, V1Response
from secondpass.serve.dialects.voyage import VoyageError, VoyageRequest, VoyageResponse
from secondpass.serve.openapi import errors
from secondpass.serve.responses import Json

__all__ = ["router"]

router = APIRouter(tags=["rerank"])


_KINDS: dict[type, Dialect] = {V1Request: "v1", TeiRequest: "tei", VoyageRequest: "voyage"}


def _told_apart(body: Any) -> str:
    return _KINDS.get(type(body)) or dialect_of("/rerank", body)


AnyRequest = Annotated[
    Annotated[V1Request, Tag("v1")] | Annotated[TeiRequest, Tag("tei")] | Annotated[VoyageRequest, Tag("voyage")],
    Discriminator(_told_apart),
]
AnyResponse = V1Response | list[TeiResult] | VoyageResponse
_ERRORS = errors(V1Error | TeiError | VoyageError)


@router.post(SHAPES["cohere"].path, response_model=CohereResponse, responses=errors(CohereError))
async def rerank_cohere(body: CohereRequest, call: CallOf) -> Json:
    """Rerank, as Cohere's version 2 does."""
    return Json(body.answer(await call.rerank(body.asked())))


@router.post(SHAPES["jina"].path, operation_id="rerank_v1", response_model=AnyResponse, responses=_ERRORS)
@router.post(SHAPES["tei"].path, operation_id="rerank", response_model=AnyResponse, responses=_ERRORS)
async def rerank(request: Request, body: Annotated[AnyRequest, Body()], call: CallOf) -> Json:
    """Rerank, as Jina, vLLM and Infinity do; as text-embeddings-inference, given texts; as Voyage, given top_k."""
    request.state.dialect = _KINDS[type(body)]
    return Json(body.answer(await call.rerank(body.asked())))
