"""What all tests share: no network, and rerankers that are loaded once."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pytest

from secondpass.rerankers.cross_encoder import CrossEncoderReranker


@pytest.fixture(scope="session")
def cross_encoder() -> CrossEncoderReranker:
    """Return the embedded cross-encoder, loaded once for the whole run."""
    return CrossEncoderReranker()
