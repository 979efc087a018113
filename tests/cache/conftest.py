"""A real Redis server for the tests of RedisCache."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


class RedisServer:
    """A server of its own on a free port of the loopback interface, which keeps nothing on disk."""

    def __init__(self, binary: str, folder: Path, *options: str, port: int | None = None) -> None:
        for _ in range(5):  # another process may take the port in between
            self.port = port or _free_port()
            settings = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]
            self.process = subprocess.Popen(
                [binary, *settings, "--dir", str(folder), *options], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
            )
            if self._answers():
                return
        raise RuntimeError("redis-server does not start")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def _answers(self) -> bool:
        deadline = time.monotonic() + 20
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                    connection.sendall(b"PING\r\n")
                    if connection.recv(7) in (b"+PONG\r\n", b"-NOAUTH"):
                        return True
            except OSError:
                time.sleep(0.02)
        self.kill()
        return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def redis_binary() -> str:
    """Return the path of redis-server; without one the tests are skipped, but in CI they fail."""
    binary = shutil.which("redis-server")
    if binary is None:
        reason = "redis-server is not installed (Debian and Ubuntu: apt-get install redis-server)"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; in CI it must be")
        pytest.skip(reason)
    return binary


@pytest.fixture
def start_redis(redis_binary: str, tmp_path: Path) -> Iterator[Callable[..., RedisServer]]:
    """Return a function that starts a server with further options; all are stopped after the test."""
    servers: list[RedisServer] = []

    def start(*options: str, port: int | None = None) -> RedisServer:
        servers.append(RedisServer(redis_binary, tmp_path, *options, port=port))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture(scope="session")
def redis_server(redis_binary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Return a server that tests share, each with a prefix of its own."""
    server = RedisServer(redis_binary, tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()
