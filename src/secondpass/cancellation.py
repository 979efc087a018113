"""Work that nobody waits for any more stops at its next step.

A worker thread can't be stopped from outside, so the work in it asks, between one batch and the next, whether its
caller has gone. What it has to look at travels in a context variable: threads that are started with the context of
their caller (`contextvars.copy_context`) stop as well.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["WorkCancelledError", "check_cancelled", "stops_when", "stops_with_caller"]


class WorkCancelledError(BaseException):
    """The caller of this work was cancelled or interrupted, so there is nobody to tell.

    Like `asyncio.CancelledError` it is not an `Exception`: no fallback and no retry may take it for a failure.
    """


class _Caller:
    """Somebody who waits for work, perhaps as a part of other work."""

    def __init__(self, outer: "_Caller | None", has_left: Callable[[], bool] | None = None) -> None:
        self._outer, self._gone, self._has_left = outer, False, has_left

    def leave(self) -> None:
        self._gone = True

    @property
    def is_gone(self) -> bool:
        gone = self._gone or (self._has_left is not None and self._has_left())
        return gone or (self._outer is not None and self._outer.is_gone)


_caller: "ContextVar[_Caller | None]" = ContextVar("secondpass_caller", default=None)


@contextmanager
def stops_with_caller() -> Iterator[None]:
    """Stop the work that is started within the block, in whatever thread, once an error or a cancellation leaves it."""
    caller = _Caller(_caller.get())
    token = _caller.set(caller)
    try:
        yield
    except BaseException:
        caller.leave()
        raise
    finally:
        _caller.reset(token)


@contextmanager
def stops_when(has_left: Callable[[], bool]) -> Iterator[None]:
    """Stop the work within the block, in whatever thread, once a function says that nobody waits for it any more."""
    token = _caller.set(_Caller(_caller.get(), has_left))
    try:
        yield
    finally:
        _caller.reset(token)


def check_cancelled() -> None:
    """Ask, in the midst of long work, whether anybody still waits for it.

    Raises:
        WorkCancelledError: nobody does.
    """
    caller = _caller.get()
    if caller is not None and caller.is_gone:
        raise WorkCancelledError
