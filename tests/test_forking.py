"""What happens in a child process right after a fork."""

import gc
import os
import warnings
from collections.abc import Callable
from threading import Lock

import pytest

from secondpass.forking import reset_after_fork

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")


class _Owner:
    def __init__(self) -> None:
        self.renew()
        reset_after_fork(self, _Owner.renew)

    def renew(self) -> None:
        self.lock = Lock()


def _exit_status_of(condition: Callable[[], bool]) -> int:
    """Fork, exit with 0 in the child if the condition holds there, and return the status."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from Python 3.12 on, where other threads live
        process = os.fork()
    if not process:
        status = 1
        try:
            status = 0 if condition() else 1
        finally:
            os._exit(status)  # whatever happens, not on into the parent's tests
    return os.waitpid(process, 0)[1]


def test_a_lock_that_was_held_is_free_in_the_child() -> None:
    """The child's lock is another one, and the parent's stays taken."""
    owner = _Owner()
    with owner.lock:
        assert _exit_status_of(lambda: owner.lock.acquire(timeout=30)) == 0
        assert owner.lock.locked()


def test_an_owner_that_is_gone_is_not_reset() -> None:
    """Nothing is kept alive for the sake of a fork."""
    renewed: list[str] = []
    kept, gone = _Owner(), _Owner()
    reset_after_fork(kept, lambda _: renewed.append("kept"))
    reset_after_fork(gone, lambda _: renewed.append("gone"))
    del gone
    gc.collect()
    assert _exit_status_of(lambda: renewed == ["kept"]) == 0
    assert renewed == []
