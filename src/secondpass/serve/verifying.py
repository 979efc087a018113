"""A verifier behind a queue: answers of concurrent requests share the runs of its model."""

from asyncio import wrap_future
from collections.abc import Sequence
from typing import Any

from secondpass.composition.batcher import Batcher
from secondpass.errors import VerificationFailedError
from secondpass.types import Document
from secondpass.verify.types import Verification

__all__ = ["ServedVerifier"]

Item = tuple[str, Sequence[Document], str | None]


class ServedVerifier:
    """Verifies answers, those of requests that come at the same time together.

    Args:
        verifier: a `FactVerifier` or what does as it does.
        max_wait_ms: how long a request waits for others, while there are some.
        max_pairs: passages in a batch.
        max_queue: requests that may wait.
    """

    def __init__(self, verifier: Any, *, max_wait_ms: float, max_pairs: int, max_queue: int) -> None:
        self.verifier = verifier
        self._batcher: Batcher[Item, Verification] = Batcher(
            verifier.verify_many,
            size=lambda item: len(item[1]),
            max_wait_s=max_wait_ms / 1000,
            max_size=max_pairs,
            max_queue=max_queue,
            owner="ServedVerifier",
        )

    async def verify(self, answer: str, passages: Sequence[Document], question: str | None) -> Verification:
        """Verify an answer; under the policy ``raise`` too, one that did not pass is returned."""
        try:
            answered = await wrap_future(await self._batcher.asubmit([(answer, passages, question)]))
        except VerificationFailedError as exc:
            if exc.verification is None:
                raise
            verification: Verification = exc.verification
            return verification
        return answered.results[0]

    def warm_up(self) -> None:
        """Verify an answer."""
        self.verifier.verify("It is ready.", ["It is ready."])

    def close(self) -> None:
        """Answer what waits, and end the thread."""
        self._batcher.close()
