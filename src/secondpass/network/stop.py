"""Waits that end when one of several calls has failed for good, or the caller was interrupted or cancelled."""

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from threading import Condition, Lock, RLock
from typing import TypeVar

from secondpass.cancellation import wait_wanted
from secondpass.forking import reset_after_fork
from secondpass.interruptible import Flag
from secondpass.pools import submit

__all__ = ["Slots", "Stop", "StoppedError", "side_by_side"]

T = TypeVar("T")
Item = TypeVar("Item")


class StoppedError(Exception):
    """A wait ended because its `Stop` was set; the reason is there."""


class Stop:
    """A flag that wakes everyone who waits with it, from whatever thread it is set.

    Attributes:
        reason: the first reason that it was set for; None while it is not set.
    """

    def __init__(self) -> None:
        self.reason: BaseException | None = None
        self._flag, self._lock = Flag(), Lock()
        self._wakes: list[Callable[[], None]] = []

    @property
    def is_set(self) -> bool:
        """Whether all waits are over."""
        return self._flag.is_set

    def set(self, reason: BaseException) -> None:
        """End all waits, now and later; only the first call has an effect."""
        with self._lock:
            if self._flag.is_set:
                return
            self.reason = reason
            self._flag.set()
            wakes = list(self._wakes)
        for wake in wakes:  # without the lock: a wake may take one that somebody holds who waits for ours
            wake()

    def wait(self, timeout_s: float) -> None:
        """Sleep.

        Raises:
            StoppedError: the stop was or became set.
        """
        if wait_wanted(self._flag.wait, timeout_s):
            raise StoppedError

    @contextmanager
    def waking(self, wake: Callable[[], None]) -> Iterator[None]:
        """Call ``wake``, from the thread that sets the stop, if that happens within the block or did before it."""
        with self._lock:
            self._wakes.append(wake)
            is_set = self._flag.is_set
        try:
            if is_set:
                wake()
            yield
        finally:
            with self._lock:
                self._wakes.remove(wake)


class Slots:
    """A limit on simultaneous calls, over all threads; in a forked child all slots are free.

    Args:
        n: how many.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._reset()
        reset_after_fork(self, Slots._reset)

    def _reset(self) -> None:
        self._free, self._lock = self._n, RLock()
        self._changed = Condition(self._lock)

    @contextmanager
    def taken(self, stop: Stop, timeout_s: float = math.inf) -> Iterator[None]:
        """Wait for a slot, and hold it within the block.

        Raises:
            TimeoutError: none was free in time.
            StoppedError: the stop was or became set.
        """
        lock, changed = self._lock, self._changed

        def wake() -> None:
            with lock:
                changed.notify_all()

        is_taken = False  # an interrupt may come at any time
        try:
            with stop.waking(wake), lock:
                limit = None if math.isinf(timeout_s) else max(0.0, timeout_s)
                if not wait_wanted(
                    lambda left_s: changed.wait_for(lambda: stop.is_set or self._free > 0, left_s), limit
                ):
                    raise TimeoutError
                if stop.is_set:
                    raise StoppedError
                self._free -= 1
                is_taken = True
            yield
        finally:
            with lock:
                if is_taken and changed is self._changed:  # else this is a child that was forked within the block
                    self._free += 1
                    changed.notify()


def side_by_side(call: Callable[[Item], T], items: Sequence[Item], *, workers: int, stop: Stop) -> list[T]:
    """Call a function with each item, in threads with the caller's context variables; return the results in order.

    The first failure, and an interrupt or a cancellation of the caller, sets the stop, so that everything that waits
    with it ends.

    Raises:
        Exception: what a call raised first, in time.
    """

    def run(item: Item) -> T:
        if stop.is_set:
            raise StoppedError
        try:
            return call(item)
        except BaseException as exc:
            stop.set(exc)
            raise

    if workers == 1 or len(items) == 1:
        return [run(item) for item in items]
    pool = ThreadPoolExecutor(min(workers, len(items)), thread_name_prefix="secondpass-call")
    try:
        futures = [submit(pool, copy_context().run, run, item) for item in items]
        return [future.result() for future in futures]
    except BaseException as exc:
        stop.set(exc)
        if stop.reason is not None and isinstance(exc, Exception):
            raise stop.reason from stop.reason.__cause__  # not that of whoever stopped because of it
        raise
    finally:
        pool.shutdown(cancel_futures=True)
