"""Waiting for another thread so that Ctrl-C, whenever it comes, leaves nothing locked that the other one needs.

An interrupt is raised between two steps of Python code. ``with lock:`` is one step, as locks are written in C, but
conditions, `threading.Event` and `concurrent.futures.Future` take and give back their lock by methods in Python. An
interrupt in their midst leaves the lock taken, and whoever wants to tell something waits for it for ever. So what a
caller's thread shares with others is a flag or a future of these, or a condition whose lock is taken by its own name.
"""

from collections.abc import Callable
from concurrent import futures
from queue import Empty, SimpleQueue
from typing import TypeVar

__all__ = ["Flag", "Future"]

Result = TypeVar("Result")


class Flag:
    """What `threading.Event` does, but for clearing it.

    Attributes:
        is_set: whether waits are over.
    """

    def __init__(self) -> None:
        self.is_set = False
        self._tokens: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """End all waits, now and later."""
        self.is_set = True
        self._tokens.put(None)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for so many seconds at most, for ever if there are none; return whether it is set."""
        try:
            self._tokens.get(timeout=timeout_s)
        except Empty:
            pass
        finally:
            if self.is_set:  # for the next one that waits
                self._tokens.put(None)
        return self.is_set


class Future(futures.Future[Result]):
    """A future whose waiting thread takes no lock before the result is there."""

    def __init__(self) -> None:
        super().__init__()
        self._answered = Flag()
        self.add_done_callback(lambda _: self._answered.set())  # called without the lock

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for so many seconds at most, for ever if there are none; return whether it is done."""
        return self._answered.wait(timeout_s)

    def result(self, timeout: float | None = None) -> Result:
        """Wait for the result and return it, or raise the error.

        Raises:
            TimeoutError: it was not there within ``timeout`` seconds.
        """
        try:
            if not self.wait(timeout):
                raise TimeoutError
            return super().result()
        finally:
            del self  # or an error would hold the future that holds it, and all that the two refer to

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the error and return it, None if there is none.

        Raises:
            TimeoutError: it was not there within ``timeout`` seconds.
        """
        if not self.wait(timeout):
            raise TimeoutError
        return super().exception()

    def answer(self, call: Callable[[], Result], *, catch: type[BaseException] = BaseException) -> None:
        """Set what a call returns or raises, unless the future was cancelled before."""
        if not self.set_running_or_notify_cancel():
            return
        try:
            result = call()
        except catch as exc:  # it is raised where the result is wanted
            self.set_exception(exc)
        else:
            self.set_result(result)
