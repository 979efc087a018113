"""A server of raw sockets that never ends, each time in another place."""

import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

__all__ = ["FAULTS", "FaultyServer", "faulty"]

_TICK_S = 0.02

Act = Callable[["Connection"], None]


class Connection:
    """One client's connection to a `FaultyServer`."""

    def __init__(self, taken: socket.socket, over: threading.Event) -> None:
        self.socket, self._over = taken, over

    def read_request(self) -> bytes:
        """Read headers and body."""
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._some()
        head, _, body = received.partition(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-l"))
        while len(body) < length:
            body += self._some()
        return head

    def _some(self) -> bytes:
        received = self.socket.recv(65536)
        if not received:
            raise ConnectionError
        return received

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def for_ever(self, data: bytes = b"") -> None:
        """Send the same again and again, or nothing, until the client has gone or the test is over."""
        while not self._over.wait(_TICK_S):
            if data:
                self.socket.sendall(data)
            elif self._is_left():
                return

    def _is_left(self) -> bool:
        poll = select.poll()
        poll.register(self.socket, select.POLLRDHUP)  # seen also behind what was not read
        return bool(poll.poll(0))


class FaultyServer:
    """Does the same with every client; ``left`` is released once for each connection that ended."""

    def __init__(self, act: Act) -> None:
        self._act, self._over = act, threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.n_connections = 0
        self.left = threading.Semaphore(0)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                taken, _ = self._listening.accept()
                self.n_connections += 1
                threading.Thread(target=self._serve, args=(taken,), daemon=True).start()

    def _serve(self, taken: socket.socket) -> None:
        with taken, suppress(OSError):
            self._act(Connection(taken, self._over))
        self.left.release()

    def close(self) -> None:
        self._over.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@contextmanager
def faulty(act: Act) -> Iterator[FaultyServer]:
    """Run a server for the block."""
    server = FaultyServer(act)
    try:
        yield server
    finally:
        server.close()


def _answering(start: bytes, for_ever: bytes = b"") -> Act:
    def act(connection: Connection) -> None:
        connection.read_request()
        connection.send(start)
        connection.for_ever(for_ever)

    return act


def _reads_nothing(connection: Connection) -> None:
    connection.for_ever()


def _shakes_hands_for_ever(connection: Connection) -> None:
    """Send a TLS record of a handshake byte by byte; the client is to come by https."""
    connection.send(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
    connection.for_ever(b"\x00")


_OK, _CHUNKED = b"HTTP/1.1 200 OK\r\n", b"Transfer-Encoding: chunked\r\n\r\n"
_GZIP = b"Content-Encoding: gzip\r\nContent-Length: 99999\r\n\r\n\x1f\x8b\x08\x08" + b"\0" * 6

FAULTS: dict[str, Act] = {
    "takes nothing": _reads_nothing,
    "says nothing": _answering(b""),
    "status line": _answering(b"HTTP/1.1 200 ", b"O"),
    "header name": _answering(_OK, b"x"),
    "header value": _answering(_OK + b"X-Long: ", b"y"),
    "many headers": _answering(_OK, b"X-Many: y\r\n"),
    "1xx responses": _answering(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "early hints": _answering(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
    "body": _answering(_OK + b"Content-Length: 999999\r\n\r\n", b" "),
    "body without a length": _answering(_OK + b"Connection: close\r\n\r\n", b" "),
    "chunks": _answering(_OK + _CHUNKED, b"1\r\n \r\n"),
    "chunk extension": _answering(_OK + _CHUNKED + b"1;x=", b"y"),
    "chunk size": _answering(_OK + _CHUNKED, b"0"),
    "trailers": _answering(_OK + _CHUNKED + b"2\r\n[]\r\n0\r\n", b"X-Trailer: y\r\n"),
    "gzip file name": _answering(_OK + _GZIP, b"n"),
    "gzip file name of an error": _answering(b"HTTP/1.1 500 Oops\r\n" + _GZIP, b"n"),
    "body of an error": _answering(b"HTTP/1.1 500 Oops\r\nContent-Length: 99999\r\n\r\n", b"x"),
    "chunks of an error": _answering(b"HTTP/1.1 429 Slow\r\n" + _CHUNKED, b"1\r\n \r\n"),
    "body of a redirect": _answering(
        b"HTTP/1.1 307 Go\r\nLocation: /x\r\nContent-Length: 99999\r\n\r\n",
        b"x",
    ),
    "TLS handshake": _shakes_hands_for_ever,
}
