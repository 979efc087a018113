"""A reranker that waits until it is let through."""

import threading
from collections.abc import Sequence
from typing import ClassVar

from secondpass.base import Reranker
from secondpass.registry import rerankers
from secondpass.testing import FakeReranker
from secondpass.types import Request, Scale, Scores

PATIENCE_S = 30.0


class WaitingReranker(Reranker):
    """Does as the fake does, but waits in a query "wait" until its event is set; fails in a query "fail"."""

    registry_name: ClassVar[str] = "waiting-test"
    scale = Scale.PROBABILITY
    entered: ClassVar[threading.Semaphore] = threading.Semaphore(0)
    released: ClassVar[threading.Event] = threading.Event()
    seen: ClassVar[list[str]] = []

    @classmethod
    def reset(cls) -> None:
        """Begin anew: nothing was seen, and nobody is let through."""
        cls.entered, cls.released, cls.seen = threading.Semaphore(0), threading.Event(), []

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        queries = [request.query for request in requests]
        self.seen.extend(queries)
        if "wait" in queries:
            self.entered.release()
            assert self.released.wait(PATIENCE_S)
        if "fail" in queries:
            raise ValueError("a secret of the document")
        return FakeReranker()._score(requests)


rerankers.register(WaitingReranker.registry_name, WaitingReranker)
