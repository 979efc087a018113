"""Connections to an SQLite file that threads share and forks don't."""

import ctypes
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from secondpass.forking import reset_after_fork

__all__ = ["ConnectionPool"]

_MAX_IDLE = 8


class ConnectionPool:
    """Lends a connection to one thread at a time, and opens another one when all are lent.

    Args:
        connect: opens a connection that any thread may use.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._reset()
        reset_after_fork(self, ConnectionPool._abandon)

    def _reset(self) -> None:
        self._lock = Lock()
        self._idle: list[sqlite3.Connection] = []
        self._lent: set[sqlite3.Connection] = set()

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection; one in whose use an error was raised is closed, which undoes what it had begun."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = self._connect()
        with self._lock:
            self._lent.add(connection)
        reusable = False
        try:
            yield connection
            reusable = True
        finally:
            with self._lock:
                ours = connection in self._lent  # else this is the other side of a fork
                self._lent.discard(connection)
                reusable = ours and reusable and len(self._idle) < _MAX_IDLE
                if reusable:
                    self._idle.append(connection)
            if ours and not reusable:
                connection.close()

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _abandon(self) -> None:
        """Forget all connections, in a forked child: they are the parent's, to be neither used nor closed here."""
        for connection in (*self._idle, *self._lent):
            # Not even when the interpreter ends: a reference that is never given back.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))
        self._reset()
