"""The application: endpoints, errors and what stands before them, as one ASGI app."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, get_args

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

import secondpass
from secondpass.errors import ConfigError, SecondPassError
from secondpass.serve.dialects import Dialect, dialect_of, error_body
from secondpass.serve.errors import RefusedError, status_of
from secondpass.serve.guard import Guard
from secondpass.serve.responses import Json
from secondpass.serve.routes import classify, decisions, operations, page, rerank, verify
from secondpass.serve.service import Service
from secondpass.serve.settings import ServeSettings

__all__ = ["create_app"]

_SHOWN_ERRORS = 3


def create_app(settings: ServeSettings | Mapping[str, Any] | None = None) -> FastAPI:
    """Load the models, and return the application that serves them; it needs no more than an ASGI server.

    Args:
        settings: what is served, or the mapping of a YAML file; by default the embedded models.

    Raises:
        ConfigError: a setting can't be used.
        SecondPassError: a model can't be loaded or does not answer; a note names it.
    """
    if settings is None:
        settings = ServeSettings()
    elif isinstance(settings, Mapping):
        settings = ServeSettings.from_config(settings)
    if not isinstance(settings, ServeSettings):
        raise ConfigError(f"settings must be ServeSettings or a mapping of them, not {type(settings).__name__}")
    service = Service(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.generations.current.close()

    # The documentation that FastAPI offers loads its scripts from elsewhere.
    app = FastAPI(
        title="secondpass",
        version=secondpass.__version__,
        summary="Rerank what was retrieved, verify what was generated.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    for each in (rerank, verify, classify, decisions, operations, page):
        app.include_router(each.router)
    app.add_exception_handler(SecondPassError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(Guard, service=service, paths=frozenset(app.openapi()["paths"]) | page.PATHS)
    return app


async def _refused(request: Request, exc: Exception) -> Json:
    assert isinstance(exc, SecondPassError)
    status = status_of(exc)
    if status >= 500 and not isinstance(exc, RefusedError):
        raise exc  # which is logged, and not told to the client
    return _error(request, status, str(exc))


async def _invalid(request: Request, exc: Exception) -> Json:
    assert isinstance(exc, RequestValidationError)
    problems = exc.errors()
    if any(problem["type"] == "json_invalid" for problem in problems):
        return _error(request, 400, "the body is not JSON")
    if isinstance(exc.body, bytes):  # as it came: nothing said that it is JSON
        return _error(request, 422, "the body is read as JSON only with the header 'Content-Type: application/json'")
    # Without what was sent: it may be long, and is no business of logs.
    said = [f"{_place(each['loc'])}: {each['msg']}" for each in problems[:_SHOWN_ERRORS]]
    more = len(problems) - len(said)
    message = "; ".join(said) + (f"; and {more} more" if more else "")
    return _error(request, 422, message, dialect_of(request.url.path, exc.body))


def _place(loc: Sequence[str | int]) -> str:
    inner = loc[2:] if loc[1:2] and loc[1] in get_args(Dialect) else loc[1:]  # told apart by the dialect's name
    return ".".join(map(str, inner)) or "the body"


async def _http(request: Request, exc: Exception) -> Json:
    assert isinstance(exc, HTTPException)
    response = _error(request, exc.status_code, str(exc.detail))
    response.headers.update(exc.headers or {})
    return response


def _error(request: Request, status: int, message: str, dialect: Any = None) -> Json:
    dialect = dialect or getattr(request.state, "dialect", None) or dialect_of(request.url.path)
    return Json(error_body(dialect, status, message), status_code=status)
