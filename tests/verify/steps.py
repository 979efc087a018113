"""Counts the steps that a reader of text takes, so that a loop without end is an error and not a hang."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any
from unittest.mock import patch

from secondpass.verify import words

__all__ = ["TooManyStepsError", "steps"]


class TooManyStepsError(AssertionError):
    """A call took more steps than it was allowed to."""


def steps(call: Callable[[], object], *, most: int) -> int:
    """Return how many lines of Python a call executes.

    Lines, and not seconds: the count is the same on every machine. What was read of a text before is not used.

    Args:
        call: what is counted.
        most: how many lines it may execute.

    Raises:
        TooManyStepsError: it is about to execute more, and so is stopped, in whatever loop it is.
    """
    count = 0

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        if event == "line":
            count += 1
            if count > most:
                raise TooManyStepsError(f"more than {most} lines, in {frame.f_code.co_qualname}")
        return trace

    before = sys.gettrace()
    with patch.object(words, "_LONGEST_KEPT", -1):
        sys.settrace(trace)
        try:
            call()
        finally:
            sys.settrace(before)
    return count
