"""The embedded verifier for the tests of `SecondPassVerifier`, loaded once."""

from typing import Any

import pytest

from haystack_integrations.components.validators.secondpass import SecondPassVerifier
from secondpass.verify.verifier import FactVerifier
from tests.integrations.haystack.answers import SETTINGS


@pytest.fixture(scope="session")
def facts() -> FactVerifier:
    """Return the embedded verifier."""
    return FactVerifier(**SETTINGS)


@pytest.fixture(scope="session")
def make(facts: FactVerifier) -> Any:
    """Return a function that makes components which share the loaded model."""

    def made(kind: type[FactVerifier] = FactVerifier, /, **settings: Any) -> SecondPassVerifier:
        own = {name: settings.pop(name) for name in ("meta_fields", "reply_type") if name in settings}
        return SecondPassVerifier(kind(model=facts.nli, **SETTINGS, **settings), **own)

    return made
