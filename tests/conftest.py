"""What all tests share: no network, and rerankers that are loaded once."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import hypothesis
import pytest

from secondpass.rerankers.cross_encoder import CrossEncoderReranker

# No test has a stop-watch: what is fast here may be slow on a busy machine.
hypothesis.settings.register_profile("secondpass", deadline=None)
hypothesis.settings.load_profile("secondpass")


@pytest.fixture(scope="session")
def cross_encoder() -> CrossEncoderReranker:
    """Return the embedded cross-encoder, loaded once for the whole run."""
    return CrossEncoderReranker()
