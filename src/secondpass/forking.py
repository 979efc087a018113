"""What happens around a fork: calls of native code end before it, and in the child locks and pools begin anew."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Condition, RLock
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["alone_after_fork", "before_any_fork", "product", "reset_after_fork"]

T = TypeVar("T")

_resets: "WeakKeyDictionary[Any, Callable[[Any], None]]" = WeakKeyDictionary()


def reset_after_fork(owner: T, reset: Callable[[T], None]) -> None:
    """Call ``reset(owner)`` in every child process that is forked while the owner lives.

    Threads don't survive a fork, and so a lock that one of them held is never released in the child, a pool has no
    threads and a taken slot is never given back. A child gets new ones before it can ask for the old ones.

    Args:
        owner: has the lock or the pool; it can be weakly referenced, and is hashed by its identity.
        reset: a function of the owner, such as a method of its class, that neither waits nor takes a lock.
    """
    _resets[owner] = reset


class _Gate:
    """Lets calls through while nobody forks, and a fork while no call is under way."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._lock = RLock()
        self._changed = Condition(self._lock)
        self._calls = self._forks = 0

    @contextmanager
    def entered(self) -> Iterator[None]:
        is_within = False  # an interrupt may come at any time
        try:
            with self._lock:
                self._changed.wait_for(lambda: not self._forks)
                self._calls += 1
                is_within = True
            yield
        finally:
            if is_within:
                with self._lock:
                    self._calls -= 1
                    self._changed.notify_all()

    def close(self) -> None:
        with self._lock:
            self._forks += 1
            # Not for ever: the call may be of the very thread that forks, from the handler of a signal.
            self._changed.wait_for(lambda: not self._calls, _LONGEST_WAIT_S)

    def open(self) -> None:
        with self._lock:
            self._forks -= 1
            self._changed.notify_all()


_LONGEST_WAIT_S = 10
_gate = _Gate()


def before_any_fork() -> AbstractContextManager[None]:
    """Let the block end before any thread forks, and begin it after a fork that is under way.

    For short calls of native code, with locks of its own that nobody could release in the child.
    """
    return _gate.entered()


def product(left: "npt.NDArray[Any]", right: "npt.NDArray[Any]") -> "npt.NDArray[Any]":
    """Return ``left @ right``, which no fork comes between.

    OpenBLAS, which NumPy multiplies larger matrices with, ends its threads before a fork; a product that they are at
    in another thread then waits for them for ever, and so does the fork.
    """
    with before_any_fork():
        made: npt.NDArray[Any] = left @ right
        return made


def alone_after_fork(owner: object, set_threads: Callable[[int], object]) -> None:
    """Let native code with OpenMP use one thread where a child process goes on, while the owner lives.

    The thread that forked has a team whose other members don't exist in the child: it would wait for them for ever.
    Other threads of the child make teams of their own.

    Args:
        owner: uses that code; as for `reset_after_fork`, which this is one use of.
        set_threads: tells it how many threads to use, such as ``torch.set_num_threads``.
    """

    def reset(_: object) -> None:
        set_threads(1)

    reset_after_fork(owner, reset)


def _in_child() -> None:
    _gate.reset()
    for owner, reset in list(_resets.items()):
        reset(owner)


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(before=_gate.close, after_in_parent=_gate.open, after_in_child=_in_child)
