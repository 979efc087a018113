"""Work that nobody waits for any more stops at its next step.

A worker thread can't be stopped from outside, so the work in it asks, between one batch and the next, whether its
caller has gone. What it has to look at travels in a context variable: threads that are started with the context of
their caller (`contextvars.copy_context`) stop as well.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["WorkCancelledError", "check_cancelled", "stops_when", "stops_with_caller", "wait_wanted"]

_LOOK_AGAIN_S = 0.05  # how long work that waits for others goes on after its caller has gone, at most


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


def wait_wanted(wait: Callable[[float | None], bool], timeout_s: float | None = None) -> bool:
    """Wait for another thread or a server, but only as long as anybody waits for this work.

    Args:
        wait: waits for so many seconds at most, for ever if there are none, and returns whether it came.
        timeout_s: likewise, for the whole wait.

    Returns:
        Whether it came in time.

    Raises:
        WorkCancelledError: nobody waits for this work any more.
    """
    if _caller.get() is None:
        return wait(timeout_s)
    end_s = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        check_cancelled()
        left_s = _LOOK_AGAIN_S if end_s is None else min(_LOOK_AGAIN_S, end_s - time.monotonic())
        if wait(max(0.0, left_s)):
            return True
        if end_s is not None and time.monotonic() >= end_s:
            return False
