"""What FastAPI hands to the endpoints."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from secondpass.serve.call import Call
from secondpass.serve.errors import RefusedError
from secondpass.serve.service import Service

__all__ = ["CallOf", "service_of"]

_LONGEST_UNIT = 256


def service_of(request: Request) -> Service:
    """Return the service of the application that a request came to."""
    service: Service = request.app.state.service
    return service


async def _call_of(request: Request) -> AsyncIterator[Call]:
    with service_of(request).generations.lease() as served:
        unit = _unit_of(request, served.settings.experiment_unit_header)
        yield Call(served, served.settings, request.state.request_id, unit, request.state.logged)


def _unit_of(request: Request, header: str | None) -> str | None:
    given = request.headers.get(header, "") if header else ""
    if len(given) > _LONGEST_UNIT:
        raise RefusedError(400, f"{header} has more than the {_LONGEST_UNIT} characters that are taken")
    # Headers are read as Latin-1. The same name in UTF-8 is to be the same unit as in a program's own calls.
    return given.encode("latin-1").decode("utf-8", errors="replace") or None


CallOf = Annotated[Call, Depends(_call_of)]
"""A parameter of an endpoint that answers by a model."""
