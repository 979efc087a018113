"""What went wrong with a call, in a sentence that says what to do about it."""

import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

__all__ = ["is_retried", "of_exception", "of_status", "retry_after_s"]

_HINTS = {
    400: "it does not understand the request: check shape, model and extra_body",
    401: "it wants a key, or not this one: set {variable}, or pass api_key",
    402: "the account has to be paid for",
    403: "the key may not do that: check {variable} or api_key, and whether it may use the model",
    404: "there is no such endpoint or model: check the path of the url, shape and model",
    405: "the endpoint takes no POST: check the path of the url and shape",
    413: "the request is too large: lower batch_size, or shorten the documents (PassageReranker splits them)",
    422: "it can't use the request: check shape, model and extra_body; an empty or overlong text may be the reason too",
    424: "the model that it serves is no reranker",
    429: "it takes no more calls at present: lower concurrency, or raise max_retries",
}


def of_status(status: int, said: str, *, variable: str, location: str = "") -> str:
    """Return the sentence for an HTTP status other than success.

    Args:
        status: the status code.
        said: what the server said, made safe to print.
        variable: the environment variable of the key.
        location: where a redirect points to.
    """
    if 300 <= status < 400:
        target = location.split("?")[0] or "nowhere"
        hint = f"it points to {target}; redirects are not followed, as the key would go along: put that into url"
    elif status >= 500:
        hint = "the server failed; its own log says why"
    else:
        hint = _HINTS.get(status, "it refused").format(variable=variable or "api_key_variable")
    return f"HTTP {status}: {hint}" + (f" (it said: {said})" if said else "")


def of_exception(exc: Exception, timeout_s: float) -> tuple[str, bool]:
    """Return the sentence for an exception of httpx, and whether it may help to try again."""
    if isinstance(exc, httpx.ConnectTimeout):
        return "no connection in time: is the server there, and does a firewall let you through?", True
    if isinstance(exc, httpx.TimeoutException):
        return f"no answer within {timeout_s:g} s: raise timeout_s, or lower batch_size or concurrency", True
    if isinstance(exc, httpx.ConnectError):
        tls = _cause(exc, ssl.SSLError)
        if tls is not None:
            return (
                f"no secure connection ({tls}): is it https at all, and is its certificate one that this machine "
                f"trusts? SSL_CERT_FILE names further ones"
            ), False
        # A server that is being restarted refuses connections for a moment.
        return f"no connection ({exc}): is the server running, and are host and port of the url right?", True
    if isinstance(exc, httpx.ProxyError):
        return f"the proxy refused ({exc}): check HTTP_PROXY, HTTPS_PROXY and NO_PROXY", False
    if isinstance(exc, httpx.DecodingError):
        return "the answer's compression is damaged", True
    if isinstance(exc, httpx.NetworkError | httpx.RemoteProtocolError):
        detail = str(exc) or type(exc).__name__
        return f"the connection broke off ({detail}): the server may have crashed, or speak something else", True
    return f"the call failed ({type(exc).__name__})", False


def is_retried(status: int) -> bool:
    """Tell whether a status may be another one the next time."""
    return status in (408, 425, 429) or (status >= 500 and status not in (501, 505))


def retry_after_s(header: str | None) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for, given as a number or a date; None if none."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            at = parsedate_to_datetime(header)
        except (ValueError, OverflowError):  # the latter: a year of twenty digits
            return None
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    # NaN compares as false: it counts as no wait.
    return seconds if seconds > 0 else 0.0


def _cause(exc: BaseException | None, kind: type[Exception]) -> BaseException | None:
    while exc is not None and not isinstance(exc, kind):
        exc = exc.__cause__ or exc.__context__
    return exc
