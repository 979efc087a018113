"""The endpoints that rerank."""

from typing import Annotated

from fastapi import APIRouter, Body, Request
from pydantic import Discriminator, Tag

from secondpass.remote.shapes import SHAPES
from secondpass.serve.call import Call
from secondpass.serve.dependencies import CallOf
from secondpass.serve.dialects import INFINITY, Dialect, dialect_of
from secondpass.serve.dialects.base import DialectRequest
from secondpass.serve.dialects.cohere import CohereError, CohereRequest, CohereResponse
from secondpass.serve.dialects.infinity import InfinityRequest, InfinityResponse
from secondpass.serve.dialects.tei import TeiError, TeiRequest, TeiResult
from secondpass.serve.dialects.v1 import V1Error, V1Request, V1Response
from secondpass.serve.dialects.voyage import VoyageError, VoyageRequest, VoyageResponse
from secondpass.serve.openapi import errors
from secondpass.serve.responses import Json

__all__ = ["router"]

router = APIRouter(tags=["rerank"])


_KINDS: dict[type, Dialect] = {
    V1Request: "v1",
    InfinityRequest: "infinity",
    TeiRequest: "tei",
    VoyageRequest: "voyage",
}
V1 = Annotated[V1Request, Tag("v1")]
Infinity = Annotated[InfinityRequest, Tag("infinity")]
Tei = Annotated[TeiRequest, Tag("tei")]
Voyage = Annotated[VoyageRequest, Tag("voyage")]


def _told_apart(path: str) -> Discriminator:
    return Discriminator(lambda body: _KINDS.get(type(body)) or dialect_of(path, body))


@router.post(SHAPES["cohere"].path, response_model=CohereResponse, responses=errors(CohereError))
async def rerank_cohere(body: CohereRequest, call: CallOf) -> Json:
    """Rerank, as Cohere's version 2 does."""
    return Json(body.answer(await call.rerank(body.asked())))


@router.post(SHAPES["jina"].path, response_model=V1Response | VoyageResponse, responses=errors(V1Error | VoyageError))
async def rerank_v1(
    request: Request,
    body: Annotated[V1 | Voyage, Body(), _told_apart(SHAPES["jina"].path)],
    call: CallOf,
) -> Json:
    """Rerank, as Jina does and Cohere's version 1; as Voyage, given top_k or truncation."""
    return await _reranked(request, body, call)


@router.post(
    SHAPES["tei"].path,
    response_model=V1Response | InfinityResponse | list[TeiResult],
    responses=errors(V1Error | TeiError),
)
async def rerank(
    request: Request,
    body: Annotated[V1 | Infinity | Tei, Body(), _told_apart(SHAPES["tei"].path)],
    call: CallOf,
) -> Json:
    """Rerank, as vLLM does; as text-embeddings-inference, given texts; as Infinity, given raw_scores."""
    return await _reranked(request, body, call)


@router.post(INFINITY, response_model=InfinityResponse, responses=errors(V1Error))
async def rerank_infinity(request: Request, body: InfinityRequest, call: CallOf) -> Json:
    """Rerank, as Infinity does."""
    return await _reranked(request, body, call)


async def _reranked(request: Request, body: DialectRequest, call: Call) -> Json:
    request.state.dialect = _KINDS[type(body)]
    return Json(body.answer(await call.rerank(body.asked())))
