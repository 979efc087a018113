"""How many requests are under way, and when to come again if there are too many."""

import math
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from secondpass.serve.errors import RefusedError

__all__ = ["Load"]

_REMEMBERED = 100  # durations from which the next one is guessed
_LONGEST_RETRY_S = 60


class Load:
    """Counts requests, and refuses those beyond a limit. It belongs to one thread, that of the event loop.

    Attributes:
        n_requests: how many are under way.
        draining: whether the server is about to stop.
        answered_s: when a request was last answered, by `time.monotonic`.
    """

    def __init__(self) -> None:
        self.n_requests, self.draining, self.answered_s = 0, False, -math.inf
        self._seconds: deque[float] = deque(maxlen=_REMEMBERED)

    @contextmanager
    def taken(self, max_requests: int) -> Iterator[None]:
        """Count a request as long as it is under way.

        Raises:
            RefusedError: there are as many as there may be.
        """
        if self.n_requests >= max_requests:
            raise RefusedError(
                503,
                f"{self.n_requests} requests are under way, and no more are taken; come again later",
                retry_after_s=self.retry_after_s,
            )
        self.n_requests += 1
        try:
            yield
        finally:
            self.n_requests -= 1

    def took(self, seconds: float) -> None:
        """Remember how long an answered request took."""
        self._seconds.append(seconds)
        self.answered_s = time.monotonic()

    @property
    def retry_after_s(self) -> int:
        """When to come again, in whole seconds: after what a request takes these days."""
        typical = sorted(self._seconds)[len(self._seconds) // 2] if self._seconds else 0.0
        return min(max(1, math.ceil(typical)), _LONGEST_RETRY_S)
