"""What a forked child does before anything else runs in it: locks, pools and queues begin anew."""

import os
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

__all__ = ["reset_after_fork"]

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


def _in_child() -> None:
    for owner, reset in list(_resets.items()):
        reset(owner)


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_in_child)
