"""The embedded verifier, loaded once, and what the root dispatcher reports."""

from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core.instrumentation import get_dispatcher

from secondpass.verify.verifier import FactVerifier
from tests.integrations.llama_index.recording import Recorder

pytest.register_assert_rewrite("tests.integrations.llama_index.nodes")


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """Listen on the root dispatcher, as a tracing integration does, for one test."""
    recorder, root = Recorder(), get_dispatcher()
    root.add_event_handler(recorder.events)
    root.add_span_handler(recorder.spans)
    yield recorder
    root.event_handlers = [handler for handler in root.event_handlers if handler is not recorder.events]
    root.span_handlers = [handler for handler in root.span_handlers if handler is not recorder.spans]


@pytest.fixture(scope="session")
def verifier() -> FactVerifier:
    """Return the embedded verifier; with low thresholds, so that what is verbatim is supported by any model."""
    return FactVerifier(threshold=0.2, contradiction_threshold=0.6)


@pytest.fixture(scope="session")
def make(verifier: FactVerifier) -> Any:
    """Return a function that makes verifiers which share the loaded model."""

    def made(kind: type[FactVerifier] = FactVerifier, **settings: Any) -> Any:
        return kind(model=verifier.nli, threshold=0.2, contradiction_threshold=0.6, **settings)

    return made
