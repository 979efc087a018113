"""What all tests share: no network, and what is loaded or started once."""

import asyncio
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # also of tests that import it before secondpass does
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import hypothesis
import pytest

from secondpass.rerankers.cross_encoder import CrossEncoderReranker

if TYPE_CHECKING:
    from tests.browser import Browser

# No test has a stop-watch: what is fast here may be slow on a busy machine.
hypothesis.settings.register_profile("secondpass", deadline=None)
hypothesis.settings.load_profile("secondpass")


@pytest.fixture(scope="session")
def cross_encoder() -> CrossEncoderReranker:
    """Return the embedded cross-encoder, loaded once for the whole run."""
    return CrossEncoderReranker()


@pytest.fixture
def own_event_loop() -> Iterator[None]:
    """LlamaIndex's synchronous calls leave the event loop open that they make, unless there is one."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Return headless Chromium, started once for the whole run; see `tests.browser` for where there is none."""
    from tests.browser import started  # the adapters' tests run without Selenium

    browser = started()
    yield browser
    browser.close()
