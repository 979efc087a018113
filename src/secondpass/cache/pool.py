"""Connections to an SQLite file that threads share and forks don't."""

import ctypes
import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Lock, get_ident

from secondpass.forking import reset_after_fork

__all__ = ["ConnectionPool"]

_MAX_IDLE = 8
_FORK_WAITS_S = 10.0


class _Gate:
    """Keeps all threads out of SQLite while the process forks.

    SQLite has locks of its own, one for its memory among them. A thread that is within it at a fork holds one that is
    never released in the child, where the next statement would wait for ever.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew, in a child."""
        self._lock = Lock()
        self._changed = Condition(self._lock)
        self._within: Counter[int] = Counter()  # by thread
        self._forks = 0

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Wait while a fork is under way, and hold up the next one."""
        lock, changed, thread = self._lock, self._changed, get_ident()
        is_within = False  # an interrupt may come at any time
        try:
            with lock:
                # Who is within already must get out before a fork can go on.
                changed.wait_for(lambda: not self._forks or self._within[thread])
                self._within[thread] += 1
                is_within = True
            yield
        finally:
            if is_within and changed is self._changed:  # else this is the other side of a fork
                with lock:
                    self._within -= Counter((thread,))  # drops what is 0
                    changed.notify_all()

    def close(self) -> None:
        """Wait until no other thread is within, but no longer than a statement may take."""
        thread = get_ident()
        with self._lock:
            self._forks += 1
            self._changed.wait_for(lambda: not set(self._within) - {thread}, _FORK_WAITS_S)

    def open(self) -> None:
        """Let threads in again, in the parent."""
        with self._lock:
            self._forks -= 1
            self._changed.notify_all()


_gate = _Gate()
reset_after_fork(_gate, _Gate.reset)
if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(before=_gate.close, after_in_parent=_gate.open)


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
        with _gate.entered(), self._lent_connection() as connection:
            yield connection

    @contextmanager
    def _lent_connection(self) -> Iterator[sqlite3.Connection]:
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
        with _gate.entered():
            for connection in idle:
                connection.close()

    def _abandon(self) -> None:
        """Forget all connections, in a forked child: they are the parent's, to be neither used nor closed here."""
        for connection in (*self._idle, *self._lent):
            # Not even when the interpreter ends: a reference that is never given back.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))
        self._reset()
