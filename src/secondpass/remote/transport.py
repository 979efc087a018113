"""JSON over HTTP to one endpoint: time-outs, repeats with jitter, a limit on calls at once, and clear errors."""

import json
import logging
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import BoundedSemaphore, Event
from typing import Any

import httpx

from secondpass.errors import ScoringError
from secondpass.remote.failures import is_retried, of_exception, of_status, retry_after_s
from secondpass.secret import Secret, shown

__all__ = ["Answer", "Transport"]

_log = logging.getLogger(__name__)
_MAX_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Answer:
    """A parsed response.

    Attributes:
        payload: the JSON.
        retries: why each attempt before the last one failed.
    """

    payload: Any
    retries: tuple[str, ...] = ()


class _Failed(Exception):  # noqa: N818  # never leaves this module
    """One attempt failed."""

    def __init__(self, message: str, again: bool, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.again, self.wait_s = again, wait_s


class Transport:
    """Calls one endpoint from any thread of one process; made anew after a fork or unpickling.

    Args:
        url: the endpoint.
        key: sent as a bearer token, to this endpoint only; redirects are not followed.
        timeout_s: for connecting and for each wait on the server, and roughly for the whole of an attempt.
        max_retries: attempts after the first one.
        backoff_s: the wait before the second attempt; doubled for each further one, minus up to half at random.
        max_wait_s: the longest wait between two attempts; a server that asks for more is given up on.
        concurrency: calls at once.
    """

    def __init__(
        self,
        url: str,
        key: Secret,
        *,
        timeout_s: float,
        max_retries: int,
        backoff_s: float,
        max_wait_s: float,
        concurrency: int,
    ) -> None:
        self.url, self.key = url, key
        self.timeout_s, self.max_retries = timeout_s, max_retries
        self.backoff_s, self.max_wait_s = backoff_s, max_wait_s
        self._slots = BoundedSemaphore(concurrency)
        self._client = httpx.Client(
            timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, 10.0)),
            # The slots are the limit, so that nobody waits for a connection in vain.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=concurrency),
            follow_redirects=False,
            headers={"Accept": "application/json", "User-Agent": "secondpass"},
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def post(self, body: Mapping[str, Any], *, stop: Event) -> Answer:
        """Send a request and return the answer.

        Args:
            body: plain data.
            stop: when set, there are no further attempts.

        Raises:
            ScoringError: every attempt failed, or one in a way that another can't mend.
            ConfigError: the key can't be sent.
        """
        content = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **self._authorization()}
        retries: list[str] = []
        while True:
            try:
                with self._slots:
                    return Answer(self._attempt(content, headers), tuple(retries))
            except _Failed as exc:
                wait_s = self._wait_s(exc, len(retries))
                if wait_s is None or stop.is_set():
                    tries = f" (attempt {len(retries) + 1})" if retries else ""
                    raise ScoringError(f"{shown(self.url)}: {exc}{tries}") from exc.__cause__
                retries.append(str(exc))
                _log.warning("%s: %s; next attempt in %.1f s", shown(self.url), exc, wait_s)
                stop.wait(wait_s)

    def _wait_s(self, failed: _Failed, attempts: int) -> float | None:
        """Return how long to wait before the next attempt; None if there is none."""
        if not failed.again or attempts >= self.max_retries:
            return None
        if failed.wait_s is not None:
            # With a little on top, so that not all who were told the same come back at the same moment.
            return failed.wait_s + random.uniform(0, 0.1) if failed.wait_s <= self.max_wait_s else None  # noqa: S311
        wait_s = min(self.backoff_s * 2.0**attempts, self.max_wait_s)
        return wait_s * random.uniform(0.5, 1.0)  # noqa: S311  # no secret depends on it

    def _attempt(self, content: bytes, headers: Mapping[str, str]) -> Any:
        deadline = time.monotonic() + self.timeout_s
        try:
            with self._client.stream("POST", self.url, content=content, headers=headers) as response:
                received = self._read(response, deadline)
        except httpx.HTTPError as exc:
            message, again = of_exception(exc, self.timeout_s)
            raise _Failed(self.key.hidden_in(message), again) from exc
        except RuntimeError as exc:
            if not self._client.is_closed:
                raise
            raise _Failed("the reranker was closed while it was scoring", False) from exc
        if not response.is_success:
            status, location = response.status_code, self._said(response.headers.get("location", "").encode())
            message = of_status(status, self._said(received), variable=self.key.variable, location=location)
            raise _Failed(message, is_retried(status), retry_after_s(response.headers.get("retry-after")))
        try:
            return json.loads(received)
        except (ValueError, RecursionError) as exc:
            # A proxy's error page, or an answer that was cut: the former does not go away, the latter may.
            raise _Failed(f"the answer is no JSON: {self._said(received) or 'it is empty'}", True) from exc

    def _read(self, response: httpx.Response, deadline: float) -> bytes:
        """Read the body, but neither for ever nor without end: httpx limits only each wait for some bytes."""
        received = bytearray()
        for chunk in response.iter_bytes():
            received += chunk
            if len(received) > _MAX_BYTES:
                raise _Failed(f"the answer is longer than {_MAX_BYTES >> 20} MiB: that is no list of scores", False)
            if time.monotonic() > deadline:
                raise _Failed(f"the answer was not complete within {self.timeout_s:g} s: raise timeout_s", True)
        return bytes(received)

    def _authorization(self) -> dict[str, str]:
        key = self.key.for_header(shown(self.url))
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _said(self, received: bytes) -> str:
        """Return the beginning of what a server said, on one line, printable, without the key."""
        text = self.key.hidden_in(received[:2000].decode("utf-8", "replace"))
        text = "".join(char if char.isprintable() else " " for char in text)
        text = " ".join(text.split())
        return text if len(text) <= 300 else text[:299] + "…"
