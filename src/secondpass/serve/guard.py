"""What stands before every endpoint: request ids, keys, limits, deadlines, metrics and a line in the log."""

import asyncio
import hashlib
import hmac
import logging
import re
import time
import uuid
from collections.abc import Awaitable, Mapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from secondpass.errors import SecondPassError
from secondpass.serve.dialects import dialect_of, error_body
from secondpass.serve.errors import RefusedError, status_of
from secondpass.serve.load import Load
from secondpass.serve.responses import Json
from secondpass.serve.routes.page import PATHS
from secondpass.serve.service import Service

__all__ = ["Guard"]

_log = logging.getLogger("secondpass.serve")

_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")  # what may stand in a header and in a log
_GONE = 499  # the status in the log of a request whose client went away, as nginx has it
_OPEN = frozenset({"/health", "/ready"}) | PATHS  # what needs no key


class Guard:
    """Middleware around the application.

    Every response has the header ``x-request-id``: the client's own, if it is fit for a log, or a new one. A request
    with a body counts as under way from its first byte to its answer, and both together have ``timeout_s``. Bodies are
    read here, so that no endpoint sees one that is too long.

    Args:
        app: the application.
        service: the settings that hold, what is under way, and the metrics.
        paths: of the endpoints, by which metrics count; other requests share a single one.
    """

    def __init__(self, app: ASGIApp, *, service: Service, paths: frozenset[str]) -> None:
        self.app, self.service, self.paths = app, service, paths
        self.load, self.metrics = service.load, service.metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        answer = _Answer(send, given if _ID.fullmatch(given) else uuid.uuid4().hex, self.load)
        scope.setdefault("state", {}).update(logged=answer.logged, request_id=answer.request_id)
        start = time.perf_counter()
        try:
            await self._guarded(scope, receive, answer)
        except _GoneError:
            pass
        except RefusedError as exc:
            await answer.refuse(scope, exc.status, str(exc), retry_after_s=exc.retry_after_s)
        except Exception as exc:
            # What it says may quote a text or a setting, and is not for the client.
            _log.exception("a request failed", extra={"fields": {"request_id": answer.request_id}})
            status = status_of(exc) if isinstance(exc, SecondPassError) else 500
            message = f"something went wrong here; the log says more under {answer.request_id}"
            await answer.refuse(scope, status, message)
        finally:
            self._finish(scope, answer, time.perf_counter() - start)

    async def _guarded(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        if scope["path"] not in _OPEN:
            _check_key(Headers(scope=scope), self.service.settings.keys())
        if scope["method"] not in ("POST", "PUT", "PATCH", "DELETE"):
            await self.app(scope, receive, answer)
            return
        settings = self.service.settings
        try:
            with self.load.taken(settings.max_requests), self.metrics.in_flight.track_inprogress():
                async with asyncio.timeout(settings.timeout_s):
                    body = await _body(Headers(scope=scope), receive, settings.max_bytes)
                    await _while_wanted(self.app(scope, _Replayed(body, receive), answer), receive, answer)
        except TimeoutError:
            raise RefusedError(
                503, f"there was no answer within {settings.timeout_s:g} s", retry_after_s=self.load.retry_after_s
            ) from None

    def _finish(self, scope: Scope, answer: "_Answer", seconds: float) -> None:
        if answer.status == 200 and scope["method"] == "POST":
            self.load.took(seconds)
        path = scope["path"] if scope["path"] in self.paths else "unknown"
        self.metrics.count(path, answer.status, seconds)
        fields: dict[str, Any] = {"request_id": answer.request_id, "method": scope["method"], "path": path}
        fields |= {"status": answer.status, "ms": round(1000 * seconds, 1)} | answer.logged
        level = logging.DEBUG if path in _OPEN else logging.INFO
        _log.log(level, "request", extra={"fields": fields})


class _GoneError(Exception):
    """The client does not wait for its answer any more."""


class _Answer:
    """Sends a response, adds our headers, and knows what was sent."""

    def __init__(self, send: Send, request_id: str, load: Load) -> None:
        self._send, self.request_id, self._load = send, request_id, load
        self.status, self.logged = _GONE, dict[str, Any]()

    @property
    def begun(self) -> bool:
        """Whether something of the response was sent."""
        return self.status != _GONE

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = self.request_id
            if self._load.draining:
                headers["connection"] = "close"  # the next request shall go to another server
        await self._send(message)

    async def refuse(self, scope: Scope, status: int, message: str, *, retry_after_s: int | None = None) -> None:
        """Send an error, unless the response has begun already."""
        if self.begun:
            return
        headers = {} if retry_after_s is None else {"retry-after": str(retry_after_s)}
        if status == 401:
            headers["www-authenticate"] = "Bearer"
        response = Json(error_body(dialect_of(scope["path"]), status, message), status_code=status, headers=headers)
        await response(scope, _nothing, self)


class _Replayed:
    """Gives the body that was read already, and after that what the client does."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


async def _while_wanted(work: Awaitable[None], receive: Receive, answer: _Answer) -> None:
    """Do some work, but stop if the client goes away: what nobody waits for shall not keep others waiting."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    task, watch = asyncio.ensure_future(work), asyncio.ensure_future(gone())
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done() and not answer.begun:  # at the end of an answer the server says the same
            raise _GoneError
        await task
    finally:
        watch.cancel()
        task.cancel()
        await asyncio.gather(task, watch, return_exceptions=True)


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def _check_key(headers: Mapping[str, str], keys: tuple[str, ...]) -> None:
    """Compare the bearer token with every key, in a time that depends on neither.

    Raises:
        RefusedError: it is none of them.
    """
    if not keys:
        return
    scheme, _, token = headers.get("authorization", "").partition(" ")
    # Digests are all of one length, which compare_digest would otherwise give away.
    given = hashlib.sha256(token.strip().encode("latin-1")).digest()  # the bytes that were sent
    fits = [hmac.compare_digest(given, hashlib.sha256(key.encode()).digest()) for key in keys]
    if not (any(fits) and scheme.lower() == "bearer"):
        raise RefusedError(401, "this server asks for a key: send it as 'Authorization: Bearer KEY'")


async def _body(headers: Mapping[str, str], receive: Receive, max_bytes: int) -> bytes:
    """Read a body.

    Raises:
        RefusedError: it is compressed, too long, or not all of it came.
    """
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise RefusedError(415, f"bodies are taken as they are, not in the coding {coding[:20]!r}")
    too_long = RefusedError(413, f"the body has more than the {max_bytes} bytes that are taken")
    length = headers.get("content-length", "0")
    if length.isdigit() and (len(length) > 18 or int(length) > max_bytes):
        raise too_long  # what is still sent is thrown away by the HTTP server
    chunks: list[bytes] = []
    n_bytes, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RefusedError(400, "the client went away before it had sent the body")
        chunks.append(message.get("body", b""))
        n_bytes += len(chunks[-1])
        if n_bytes > max_bytes:
            raise too_long
        more = message.get("more_body", False)
    return b"".join(chunks)
