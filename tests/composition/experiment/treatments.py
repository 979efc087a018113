"""Rerankers that another process can import, and what becomes of that process with them."""

import os
import sys
import time
from collections.abc import Sequence
from typing import ClassVar

from secondpass.testing import FakeReranker
from secondpass.types import Request, Scores

__all__ = ["MOODY", "MoodyReranker", "UnreadableError"]

MOODY = "moody-for-tests"


class UnreadableError(Exception):
    """Can be written by pickle, and not be read."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


class MoodyReranker(FakeReranker):
    """Does what the query says, and prints, as it should not."""

    registry_name: ClassVar[str] = MOODY

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        sys.stdout.write("what a reranker prints is not an answer\n")
        word = requests[0].query.split()[0]
        if word == "crash":
            os._exit(7)
        if word == "sleep":
            time.sleep(60)
        if word == "wait":
            time.sleep(2)
        if word == "fail":
            raise ValueError("no")
        if word == "unreadable":
            raise UnreadableError("a", "b")
        return super()._score(requests)
