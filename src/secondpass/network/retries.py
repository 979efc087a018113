"""Retries: which failed calls are repeated, and after what wait."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

from secondpass.network.failures import CallError
from secondpass.network.stop import Stop

__all__ = ["Retries"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retries:
    """Repeats calls that failed for the moment: exponential back-off with full jitter, on top of ``Retry-After``.

    The wait before attempt n + 1 is what the server asked for plus a random part of ``backoff_s * 2 ** (n - 1)``, so
    that callers who were refused together do not come back together (AWS Architecture Blog, 2015, "Exponential Backoff
    And Jitter").

    Attributes:
        max_retries: attempts after the first one.
        backoff_s: the longest random wait before the second attempt.
        max_backoff_s: the longest random wait before any.
        max_wait_s: a server that asks for more is not tried again.
    """

    max_retries: int
    backoff_s: float
    max_backoff_s: float = 20.0
    max_wait_s: float = math.inf

    def call(
        self,
        attempt: Callable[[], T],
        *,
        stop: Stop,
        on_retry: Callable[[CallError, float], None],
        left_s: Callable[[], float] = lambda: math.inf,
    ) -> T:
        """Return what the first attempt that succeeds returns.

        Args:
            attempt: raises a `CallError` when it fails.
            stop: what ends the waits.
            on_retry: told of each failure, and the wait in seconds, before the next attempt.
            left_s: the time that is left for everything; an attempt that would begin later is not waited for.

        Raises:
            CallError: that of the last attempt.
            StoppedError: the stop became set during a wait.
        """
        for failed in count():
            try:
                return attempt()
            except CallError as exc:
                problem = exc
            wait_s = self._wait_s(problem, failed)
            if wait_s >= left_s():
                raise problem.after(failed + 1, late=math.isfinite(wait_s)) from problem.__cause__
            on_retry(problem, wait_s)
            stop.wait(wait_s)
        raise AssertionError("unreachable: an attempt returns, or raises at last")

    def _wait_s(self, exc: CallError, failed: int) -> float:
        """Return the wait after a failure; infinite if the call is not to be repeated."""
        asked_s = exc.retry_after_s or 0.0
        if not exc.retryable or failed >= self.max_retries or asked_s > self.max_wait_s:
            return math.inf
        # 2 ** 1024 does not fit into a float.
        longest_s = min(self.max_backoff_s, self.max_wait_s, self.backoff_s * 2.0 ** min(failed, 100))
        return asked_s + random.uniform(0, longest_s)  # noqa: S311  # no secret depends on it
