"""One attempt at something that may never end by itself."""

import contextvars
from collections.abc import Callable
from threading import Thread
from typing import TypeVar

from secondpass.cancellation import wait_wanted
from secondpass.interruptible import Flag
from secondpass.network.stop import Stop, StoppedError

__all__ = ["OutOfTimeError", "within"]

T = TypeVar("T")


class OutOfTimeError(TimeoutError):
    """An attempt was given up because its time was over."""


def within(timeout_s: float, call: Callable[[], T], *, stop: Stop, give_up: Callable[[], None] = lambda: None) -> T:
    """Return what a function returns, or raise what it raises, if it ends in time.

    A socket's time-out begins anew with each byte, so a server that sends one now and then is never late. Therefore the
    function runs in a thread of its own, with the caller's context variables, and is left behind there when it is late.

    Args:
        timeout_s: how long it may take, by the clock on the wall.
        call: the function.
        stop: ends the wait before that.
        give_up: called when the function is left behind, to make it end soon: for example, closes its connection.

    Raises:
        OutOfTimeError: the time was over.
        StoppedError: the stop was or became set.
        WorkCancelledError: nobody waits for the caller's work any more.
    """
    results: list[T] = []
    errors: list[BaseException] = []
    awake = Flag()

    def run() -> None:
        try:
            results.append(call())
        except BaseException as exc:  # it is raised by the caller
            errors.append(exc)
        finally:
            awake.set()

    # A daemon, so that a function that never ends does not keep the process from ending.
    thread = Thread(target=contextvars.copy_context().run, args=(run,), name="secondpass-attempt", daemon=True)
    with stop.waking(awake.set):
        if stop.is_set:
            raise StoppedError
        try:
            thread.start()
        except RuntimeError:  # the program is ending, and there are no new threads any more
            return call()
        is_done = False
        try:
            wait_wanted(awake.wait, timeout_s)
            is_done = bool(results or errors)
        finally:  # also after an interrupt
            if not is_done:
                give_up()
    if not is_done:  # whatever it raises now, it does because it was given up
        raise StoppedError if stop.is_set else OutOfTimeError
    if errors:
        raise errors[0]
    return results[0]
