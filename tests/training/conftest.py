"""What tests of training share."""

import os
import shutil

import pytest


@pytest.fixture
def apertium() -> None:
    """Skip where the translator is not installed; fail in CI, which installs it."""
    if shutil.which("apertium") is None:
        if os.environ.get("CI"):
            pytest.fail("apertium is not installed")
        pytest.skip("apertium and apertium-eng-spa are not installed")
