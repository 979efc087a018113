"""What the server refuses, and with which status."""

from secondpass.errors import InputError, OutOfMemoryError, SecondPassError
from secondpass.network import CallError

__all__ = ["RefusedError", "status_of"]


class RefusedError(SecondPassError):
    """A request that is not answered.

    Attributes:
        status: of the HTTP response.
        retry_after_s: when to come again, for 503.
    """

    def __init__(self, status: int, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.status, self.retry_after_s = status, retry_after_s


def status_of(exc: SecondPassError) -> int:
    """Return the HTTP status for an error of ours: 4xx if the request is to blame."""
    if isinstance(exc, RefusedError):
        return exc.status
    if isinstance(exc, InputError):
        return 422
    if isinstance(exc, CallError):
        return 502
    return 503 if isinstance(exc, OutOfMemoryError) else 500
