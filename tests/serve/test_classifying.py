"""The classifier behind the server's queue: what is built for a request's own settings, and where."""

import asyncio
import threading
from collections.abc import Sequence

import numpy as np
import pytest

from secondpass.classify import ZeroShotClassifier
from secondpass.errors import InputError
from secondpass.models.batching import Rows
from secondpass.models.embedding import EmbeddingModel
from secondpass.serve.classifying import ServedClassifier


class Held(EmbeddingModel):
    """Encodes once its event is set."""

    fingerprint = "held"
    max_length = 512

    def __init__(self) -> None:
        super().__init__("held")
        self.let_through, self.entered = threading.Event(), threading.Event()
        self.let_through.set()

    def _encode(self, texts: Sequence[str], progress: bool) -> Rows:
        self.entered.set()
        assert self.let_through.wait(60)
        return np.array([[len(text), 1.0 + text.count("a")] for text in texts], dtype=np.float32)


def _served(model: EmbeddingModel) -> ServedClassifier:
    classifier = ZeroShotClassifier(model, labels=["a", "b"])
    return ServedClassifier(classifier, lambda each: each, max_wait_ms=0, max_pairs=8, max_queue=8)


def test_the_event_loop_goes_on_while_a_template_is_read() -> None:
    """All anchors are read with a new one: meanwhile other requests are answered, and this one may be given up."""
    model = Held()
    served = _served(model)

    async def asked() -> list[str | None]:
        model.entered.clear()
        model.let_through.clear()
        task = asyncio.create_task(served.classify(["x"], None, {"template": "Of {}."}))
        assert await asyncio.to_thread(model.entered.wait, 60)
        model.let_through.set()  # by the event loop
        return [result.label for result in await task]

    try:
        assert asyncio.run(asyncio.wait_for(asked(), 60))[0] in ("a", "b")
        with pytest.raises(InputError, match="a template needs"):
            asyncio.run(served.classify(["x"], None, {"template": "Of what?"}))
    finally:
        served.close()


def test_what_is_read_is_counted() -> None:
    """Texts and labels once by a bi-encoder, and a request's own template with its labels and all anchors."""
    served = _served(Held())
    try:
        assert served.read(["x", "y"], ["l", "m", "n"], {}) == [("x", 1), ("y", 1), ("l", 1), ("m", 1), ("n", 1)]
        own = {"template": ["of {}", "on {}"], "descriptions": {"l": "long"}}
        assert served.read(["x"], ["l"], own) == [("x", 1), ("l", 2), ("long", 2), ("of {}", 61), ("on {}", 61)]
        assert served.read(["x"], None, {}) == [("x", 1)]
    finally:
        served.close()
