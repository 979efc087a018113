"""Failed calls to servers: errors whose messages say what to do."""

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

from secondpass.errors import ScoringError

__all__ = ["CallError", "is_retried", "of_exception", "of_status", "retry_after_s"]

_HINTS = {
    400: "the server does not understand the request: check the model and extra_body",
    401: "the server needs an API key, or rejects the one that it got: set {variable} or pass api_key",
    402: "the account has no credit left: check its billing",
    403: "the key is not allowed to do this: check {variable} or api_key, and whether it has access to the model",
    404: "there is no such endpoint or model: check the path of the URL and the model",
    405: "the endpoint does not accept POST: check the path of the URL",
    413: "the request is too large",
    422: "the server can't process the request: check the model and extra_body",
    429: "too many requests, or no quota left: lower concurrency, or raise max_retries",
}


class CallError(ScoringError):
    """A call to a server, or to a function that stands for one, failed.

    Args:
        message: what happened, and what to do.
        retryable: whether the same call may succeed later (429, 5xx, time-outs, lost connections).
        retry_after_s: how long the server asked to wait, in seconds; None if it didn't.
    """

    def __init__(self, message: str, *, retryable: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retryable, self.retry_after_s = retryable, retry_after_s

    def after(self, attempts: int, *, late: bool) -> Self:
        """Return the error for a call that was given up.

        Args:
            attempts: how many there were.
            late: whether there would have been another one, but no time for it.
        """
        message = f"{self} (attempt {attempts})" if attempts > 1 else str(self)
        if late:
            message += "; total_timeout_s leaves no time for another attempt"
        return type(self)(message, retryable=self.retryable, retry_after_s=self.retry_after_s)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args, {"retryable": self.retryable, "retry_after_s": self.retry_after_s}


def of_status(status: int, said: str, *, variable: str, location: str = "", hints: Mapping[int, str]) -> str:
    """Return an error message for an HTTP status other than success.

    Args:
        status: the status code.
        said: what the server said, made safe to print.
        variable: the environment variable of the key.
        location: where a redirect points to, likewise.
        hints: what to do about a status, where the caller knows better than this module.
    """
    if 300 <= status < 400:
        target = location.split("?")[0] or "nowhere"
        hint = (
            f"the server redirects to {target}, which is not followed, as the texts and the key would go there: "
            f"if you trust it, put that into the URL"
        )
    elif status in hints or status in _HINTS:
        hint = (hints.get(status) or _HINTS[status]).format(variable=variable or "api_key_variable")
    elif status >= 500:
        hint = "the server failed: see its own log"
    else:
        hint = "the server refused"
    return f"HTTP {status}: {hint}" + (f" (the server said: {said})" if said else "")


def of_exception(exc: BaseException) -> tuple[str, bool]:
    """Return an error message for an exception of httpx, and whether another attempt may help."""
    from urllib.request import getproxies  # not with the module: only errors need it

    import httpx  # likewise: a language model may be a function, and needs none

    detail = str(exc) or type(exc).__name__
    if isinstance(exc, httpx.ConnectError):
        tls = _cause(exc, ssl.SSLError)
        if tls is not None:
            return (
                f"no secure connection ({tls}): check that the server speaks https, and that this machine trusts its "
                f"certificate (SSL_CERT_FILE names further ones)"
            ), False
        # A server that is being restarted refuses connections for a moment.
        proxies = ", and the proxy that the environment names" if set(getproxies()) - {"no"} else ""
        return (
            f"no connection ({detail}): check that the server is running, and the host and port of the URL{proxies}"
        ), True
    if isinstance(exc, httpx.ProxyError):
        return f"the proxy refused ({detail}): check HTTP_PROXY, HTTPS_PROXY and NO_PROXY", False
    if isinstance(exc, httpx.NetworkError | httpx.RemoteProtocolError):
        return f"the connection was lost ({detail}): the server may have crashed, or does not speak HTTP", True
    return f"the call failed ({type(exc).__name__}: {exc})", False


def is_retried(status: int) -> bool:
    """Tell whether a status may be another one the next time."""
    return status in (408, 409, 425, 429) or (status >= 500 and status not in (501, 505))


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait that the headers ask for, as a number or as a date; None if they don't."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name, "")
        try:
            seconds = float(value) / unit
        except ValueError:
            try:
                at = parsedate_to_datetime(value)
            except (ValueError, OverflowError):  # the latter: a year of twenty digits
                continue
            seconds = (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
        return seconds if seconds > 0 else 0.0  # NaN compares as false: it counts as no wait
    return None


def _cause(exc: BaseException | None, kind: type[Exception]) -> BaseException | None:
    while exc is not None and not isinstance(exc, kind):
        exc = exc.__cause__ or exc.__context__
    return exc
