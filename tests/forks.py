"""Child processes that are forked for a test."""

import os
import signal
import traceback
import warnings
from collections.abc import Callable

import pytest

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")


def exit_status_of_child(act: Callable[[], object], *, limit_s: int = 60) -> int:
    """Fork, act in the child, and return 0 if that raised nothing; a child that hangs is killed by an alarm."""
    return exit_status(start_child(act, limit_s=limit_s))


def start_child(act: Callable[[], object], *, limit_s: int = 60) -> int:
    """Fork and act in the child; returns its process id, for `exit_status`. One that hangs is killed by an alarm."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from Python 3.12 on, where other threads live
        process = os.fork()
    if process:
        return process
    status = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(limit_s)
        act()
        status = 0
    except BaseException:  # a test's assertion, too
        traceback.print_exc()
    finally:
        os._exit(status)  # whatever happens, not on into the parent's tests


def exit_status(process: int) -> int:
    """Wait for a child, and return 0 if what it did raised nothing."""
    return os.waitpid(process, 0)[1]
