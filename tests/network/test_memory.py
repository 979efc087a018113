"""No answer fills the memory, whatever its status and encoding."""

import gzip
import resource
import zlib
from collections.abc import Callable

import pytest

from tests.network.clients import CLIENTS
from tests.network.faults import Connection, faulty

_MANY = 3 * 2**30
_MIB = 2**20


def _bomb() -> bytes:
    """Return 3 GiB of spaces, packed twice into some KB."""
    inner = zlib.compressobj(9, wbits=31)
    packed = b"".join(inner.compress(b" " * _MIB) for _ in range(_MANY // _MIB)) + inner.flush()
    return gzip.compress(packed)


def _endless(head: str, chunk: bytes) -> Callable[[Connection], None]:
    def act(connection: Connection) -> None:
        connection.read_request()
        connection.send(f"HTTP/1.1 {head}\r\nContent-Length: {_MANY}\r\n\r\n".encode())
        for _ in range(_MANY // len(chunk)):
            connection.send(chunk)

    return act


def _packed(bomb: bytes, status: str) -> Callable[[Connection], None]:
    def act(connection: Connection) -> None:
        connection.read_request()
        head = f"HTTP/1.1 {status}\r\nContent-Encoding: gzip, gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
        connection.send(head.encode() + bomb)

    return act


@pytest.mark.torture
def test_memory_does_not_grow_with_an_answer() -> None:
    """Answers of 3 GiB, plain or packed, of success and failure: each client takes less than 150 MiB for all."""
    bomb = _bomb()
    faults = {
        "plain": _endless("200 OK", b" " * _MIB),
        "data": _endless("200 OK", b"[" + b"{}," * (_MIB // 3)),
        "plain error": _endless("400 Bad", b"x" * _MIB),
        "plain error to be repeated": _endless("500 Bad", b"x" * _MIB),
        "packed": _packed(bomb, "200 OK"),
        "packed error": _packed(bomb, "500 Bad"),
    }
    for client in ("remote, tei", "remote, cohere", "llm, listwise", "llm, graded"):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for name, act in faults.items():
            with faulty(act) as server, pytest.raises(Exception, match="http://127"):
                CLIENTS[client](server.url, 30.0)
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            assert grown < 150, (client, name, grown)
