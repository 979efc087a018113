"""JSON over HTTP to one URL. Nothing else in secondpass imports httpx."""

import functools
import json
import os
import socket
import ssl
import weakref
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any

import httpx

from secondpass.errors import ConfigError
from secondpass.forking import reset_after_fork
from secondpass.network.attempts import OutOfTimeError, within
from secondpass.network.failures import CallError, is_retried, of_exception, of_status, retry_after_s
from secondpass.network.stop import Stop
from secondpass.secret import Secret, without_query

__all__ = ["Endpoint"]

_CONNECT_S = 10.0
_MAX_ERROR_BYTES = 64 * 2**10
_QUOTED_BYTES, _QUOTED_CHARS = 2000, 300
_NO_QUOTA = b"insufficient_quota"  # OpenAI sends it with a 429, but waiting does not help


class Endpoint:
    """Posts JSON to one URL, from any thread and also in a forked child.

    Each attempt ends within its time by the clock on the wall, whatever the server sends: see `within`. Redirects are
    not followed. Compressed answers are neither asked for nor read, since a few bytes of them can fill the memory. An
    error quotes the beginning of what the server said, on one line, and nothing if that has the key in it in any form.

    Args:
        url: where to.
        key: sent as a bearer token, if there is one.
        headers: further ones.
        hints: what to do about an HTTP status, where that is not what `of_status` says.
        error: the class of what is raised.

    Raises:
        ConfigError: it is not a URL.
    """

    def __init__(
        self,
        url: str,
        key: Secret,
        *,
        headers: Mapping[str, str] | None = None,
        hints: Mapping[int, str] | None = None,
        error: type[CallError] = CallError,
    ) -> None:
        self.url, self._key, self._error = url, key, error
        try:
            httpx.URL(url)
        except httpx.InvalidURL as exc:
            raise ConfigError(f"the URL of the server can't be used: {exc}") from exc
        self._headers, self._hints = dict(headers or {}), dict(hints or {})
        self._idle: list[_Line] = []
        weakref.finalize(self, _close_all, self._idle)
        # A child shares the sockets with its parent. Closing its copies does not end the parent's connections.
        reset_after_fork(self, Endpoint.close)

    def close(self) -> None:
        """Close the connections that are not in use; the next call opens new ones."""
        _close_all(self._idle)

    def post(self, body: Mapping[str, Any], *, timeout_s: float, stop: Stop, max_bytes: int) -> Any:
        """Send data, once, and return the data that the server answers.

        Args:
            body: plain data.
            timeout_s: how long it may take until the answer is there as a whole.
            stop: what ends the call before that.
            max_bytes: how long the answer may be.

        Raises:
            CallError: there is no such answer (``error``, if that is a subclass).
            ConfigError: the key can't be sent, or the environment names proxies or certificates that can't be used.
            StoppedError: the stop was or became set.
        """
        key = self._key.for_header(without_query(self.url))
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "secondpass",
            **self._headers,
            "Content-Type": "application/json",
            **({"Authorization": f"Bearer {key}"} if key else {}),
        }
        line = self._free_line()
        request = _Request(self.url, json.dumps(body).encode(), headers, timeout_s, max_bytes)

        def attempt() -> Any:
            return self._data_in(line.exchange(request), max_bytes)

        try:
            return within(timeout_s, attempt, stop=stop, give_up=line.cut)
        except CallError:
            raise
        except (OutOfTimeError, httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RuntimeError) as exc:
            problem = exc
        finally:
            if line.is_open:
                self._idle.append(line)
        # Not within the except block: an exception that is raised there is shown with the one that was caught.
        error, cause = self._failure(problem, timeout_s, connected=line.connected)
        raise error from cause

    def _free_line(self) -> "_Line":
        with suppress(IndexError):  # there is none, or another thread was faster
            return self._idle.pop()
        try:
            return _Line(_tls_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")))
        except (ImportError, OSError, ValueError) as exc:  # a proxy of SOCKS needs a package; an SSLError is an OSError
            problem = f"{type(exc).__name__}: {exc}"
        raise ConfigError(
            f"{without_query(self.url)}: what the environment says of proxies or certificates can't be used "
            f"({self._key.hidden_in(problem)}): check ALL_PROXY, HTTP_PROXY, HTTPS_PROXY, SSL_CERT_FILE, SSL_CERT_DIR"
        )

    def _data_in(self, reply: "_Reply", max_bytes: int) -> Any:
        if not 200 <= reply.status < 300:
            said, location = self._quoted(reply.body), self._quoted(reply.headers.get("location", "").encode())
            raise self._problem(
                of_status(reply.status, said, variable=self._key.variable, location=location, hints=self._hints),
                retryable=is_retried(reply.status) and _NO_QUOTA not in reply.body,
                retry_after_s=retry_after_s(reply.headers),
            )
        if reply.encoding != "identity":
            encoding = self._quoted(reply.encoding.encode())
            raise self._problem(
                f"the answer is compressed ({encoding}), which was not asked for and is not read: "
                f"switch that off at the server, or at the proxy in front of it"
            )
        if len(reply.body) > max_bytes:
            raise self._problem(f"the answer is longer than {max_bytes} bytes, so it can't be what was asked for")
        try:
            return json.loads(reply.body)
        except (ValueError, RecursionError):
            pass  # the exception would hold all of the answer
        # A proxy's error page, or an answer that was cut: the former stays, the latter may not.
        raise self._problem(f"the answer is not JSON: {self._quoted(reply.body) or 'it is empty'}", retryable=True)

    def _failure(self, exc: Exception, timeout_s: float, *, connected: bool) -> tuple[CallError, Exception | None]:
        """Return our error for another one, and that one if it may be shown as the cause."""
        if not isinstance(exc, OutOfTimeError | httpx.TimeoutException):
            message, retryable = of_exception(exc)
            # A traceback shows the causes as well, and they must not repeat the key either.
            cause = None if any(self._key.is_in(text) for text in _texts(exc)) else exc
            return self._problem(self._key.hidden_in(message), retryable=retryable), cause
        if connected:
            message = f"no complete answer within {timeout_s:.3g} s: raise timeout_s, or send less at once"
        else:
            message = "no connection in time: check that the server is there, and that no firewall is in between"
        return self._problem(message, retryable=True), exc

    def _problem(self, message: str, **facts: Any) -> CallError:
        return self._error(f"{without_query(self.url)}: {message}", **facts)

    def _quoted(self, received: bytes) -> str:
        """Return the beginning of what a server said, on one line, printable, without the key."""
        # More is looked at than is shown, so that a key is found also where it is cut.
        text = self._key.hidden_in(received[:_MAX_ERROR_BYTES].decode("utf-8", "replace"))[:_QUOTED_BYTES]
        text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
        return text if len(text) <= _QUOTED_CHARS else text[: _QUOTED_CHARS - 1] + "…"


@dataclass(frozen=True, slots=True)
class _Request:
    url: str
    content: bytes
    headers: Mapping[str, str]
    timeout_s: float
    max_bytes: int


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    headers: Mapping[str, str]
    encoding: str
    body: bytes
    """At most a little more than what is allowed, and nothing of one that is compressed."""


class _Line:
    """One connection to a server, which is kept open between calls, and which another thread can cut."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._client = httpx.Client(
            verify=tls,
            follow_redirects=False,  # the texts and the key are for this server only
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
        )
        self._socket: socket.socket | None = None
        self._lock, self._done = Lock(), False
        self.connected, self.is_cut, self.is_open = False, False, True

    def exchange(self, request: _Request) -> _Reply:
        """Send a request and read the answer as far as it may go; a line that fails, or was cut, is closed."""
        self._done = False
        try:
            reply = self._exchanged(request)
        except BaseException:
            self.close()
            raise
        with self._lock:
            self._done = True
            if self.is_cut:
                self.close()
        return reply

    def _exchanged(self, request: _Request) -> _Reply:
        timeout = httpx.Timeout(request.timeout_s, connect=min(request.timeout_s, _CONNECT_S))
        with self._client.stream(
            "POST",
            request.url,
            content=request.content,
            headers=request.headers,
            timeout=timeout,
            extensions={"trace": self._watch},
        ) as response:
            self._client.cookies.clear()  # nobody needs them, and they may be many
            encoding = response.headers.get("content-encoding", "").strip().lower() or "identity"
            body = bytearray()
            limit = request.max_bytes if response.is_success else _MAX_ERROR_BYTES
            if encoding == "identity":
                for chunk in response.iter_raw():
                    body += chunk
                    if len(body) > limit:
                        break
            return _Reply(response.status_code, response.headers, encoding, bytes(body))

    def _watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Follow the connecting, by httpcore's trace extension: this is how the socket is known before the answer."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            stream = info["return_value"]
            self._socket, self.connected = stream.get_extra_info("socket"), True
            if self.is_cut:
                stream.close()  # nobody else knows of it yet
                raise httpx.ReadError("given up")

    def cut(self) -> None:
        """End what another thread does with this line, which is then of no further use."""
        with self._lock:
            self.is_cut, self.is_open = True, False
            if self._done:
                self.close()
                return
        if self._socket is not None:
            with suppress(OSError):  # it is closed already, or in a TLS handshake, which ends in time and is seen above
                # Of the plain socket: a TLS socket's own method would first make it send in clear.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self.is_open = False
        self._client.close()


@functools.cache
def _tls_context(*_: str | None) -> ssl.SSLContext:
    """Return what httpx makes of these variables; made once, as that takes longer than many a call."""
    return httpx.create_ssl_context()


def _close_all(lines: list[_Line]) -> None:
    while lines:
        with suppress(IndexError):  # another thread does the same
            lines.pop().close()


def _texts(exc: BaseException) -> list[str]:
    """Return all that a traceback may show of an exception and of those behind it."""
    texts: list[str] = []
    seen: BaseException | None = exc
    while seen is not None and len(texts) < 20:
        texts.append(f"{seen} {seen!r}")
        seen = seen.__cause__ or seen.__context__
    return texts
