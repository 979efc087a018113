"""Servers for the tests of `RemoteReranker`, with no key of a provider in the environment."""

import threading
from collections.abc import Callable, Iterator

import pytest

from secondpass.remote.shapes import SHAPES
from tests.remote.server import KEY, Server


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMOTE_TEST_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for shape in SHAPES.values():
        monkeypatch.delenv(shape.variable, raising=False)


@pytest.fixture
def serve() -> Iterator[Callable[[str], Server]]:
    """Return a function that starts a server of a shape; all are stopped after the test."""
    servers: list[Server] = []

    def start(shape: str = "tei") -> Server:
        server = Server(shape)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.released.set()
        server.shutdown()
        server.server_close()
