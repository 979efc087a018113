"""The embedded verifier, loaded once, and a compressor that needs no model."""

import pytest

from langchain_secondpass import SecondPassReranker
from secondpass.testing import FakeReranker
from secondpass.verify.verifier import FactVerifier


@pytest.fixture(scope="session")
def fact() -> FactVerifier:
    """Return the embedded verifier, loaded once."""
    return FactVerifier()


@pytest.fixture
def fake() -> SecondPassReranker:
    """Return a compressor that needs no model."""
    return SecondPassReranker(reranker=FakeReranker())
