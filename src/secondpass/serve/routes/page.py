"""The page on which a person can try the server."""

from functools import cache
from importlib import resources

from fastapi import APIRouter
from starlette.responses import Response

__all__ = ["PATHS", "router"]

router = APIRouter(include_in_schema=False)

_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
PATHS = frozenset(_FILES)
"""Where the page and its parts are; there is nothing secret in them."""

_HEADERS = {
    # Whatever a passage may smuggle into the page: nothing is loaded or sent but from and to here.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


@cache
def _content(name: str) -> bytes:
    return resources.files("secondpass.serve").joinpath("page", name).read_bytes()


@router.get("/")
async def page() -> Response:
    """Return the page."""
    return _file("/")


@router.get("/page.css")
async def style() -> Response:
    """Return its style."""
    return _file("/page.css")


@router.get("/page.js")
async def script() -> Response:
    """Return its script."""
    return _file("/page.js")


def _file(path: str) -> Response:
    name, kind = _FILES[path]
    return Response(_content(name), media_type=kind, headers=_HEADERS)
