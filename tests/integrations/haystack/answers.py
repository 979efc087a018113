"""Answers that `SecondPassVerifier` verifies, and the documents that they rest on."""

import threading
from typing import Any

from haystack import Document

from secondpass.verify.types import Verification
from secondpass.verify.verifier import FactVerifier

QUESTION = "What does shutil.rmtree delete, and what are the costs of a lease of the meeting room?"
RIGHT = "shutil.rmtree deletes an entire directory tree."
LEASE = "A lease of the meeting room costs 40 euros an hour."
WRONG = "A lease of the meeting room costs 70 euros an hour."
MESSAGE = "The sources that were found do not support an answer."
# Low thresholds, so that what is verbatim is supported by any model.
SETTINGS: dict[str, Any] = {"threshold": 0.2, "contradiction_threshold": 0.6}


def documents() -> list[Document]:
    """Return three documents; the second supports ``RIGHT``, the third contradicts ``WRONG``."""
    texts = ["os.remove deletes a file, and raises OSError for a directory.", RIGHT, LEASE]
    return [Document(id=f"d{at}", content=text, meta={"page": at}) for at, text in enumerate(texts)]


class Recording(FactVerifier):
    """Keeps what it was given, and in which thread."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.items: list[Any] = []
        self.threads: list[int] = []

    def verify_many(self, items: Any) -> list[Verification]:
        self.items.append(items)
        self.threads.append(threading.get_ident())
        return super().verify_many(items)
