"""What FastAPI hands to the endpoints."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from secondpass.serve.call import Call
from secondpass.serve.service import Service

__all__ = ["CallOf", "service_of"]


def service_of(request: Request) -> Service:
    """Return the service of the application that a request came to."""
    service: Service = request.app.state.service
    return service


async def _call_of(request: Request) -> AsyncIterator[Call]:
    with service_of(request).generations.lease() as served:
        yield Call(served, served.settings, request.state.request_id, request.state.logged)


CallOf = Annotated[Call, Depends(_call_of)]
"""A parameter of an endpoint that answers by a model."""
