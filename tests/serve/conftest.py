"""A server of fakes, in this process and behind a real socket."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from secondpass.serve import create_app

PATIENCE_S = 30.0
FAKES: dict[str, Any] = {"rerankers": {"default": {"type": "fake"}, "logits": {"type": "fake", "scale": "logit"}}}


@pytest.fixture
def client() -> Iterator[TestClient]:
    """Return a client of the fakes."""
    with TestClient(create_app(FAKES)) as opened:
        yield opened


@pytest.fixture
def client_of() -> Iterator[Callable[..., TestClient]]:
    """Return a function that serves the fakes with other settings, and returns a client."""
    with ExitStack() as stack:

        def of(**settings: Any) -> TestClient:
            return stack.enter_context(TestClient(create_app(FAKES | settings)))

        yield of


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """Serve an app on loopback, in a thread, and yield its address."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on"))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        end_s = time.monotonic() + PATIENCE_S
        while not server.started:
            assert time.monotonic() < end_s
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(PATIENCE_S)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Return the address of a server of the fakes."""
    with listening(create_app(FAKES)) as url:
        yield url
