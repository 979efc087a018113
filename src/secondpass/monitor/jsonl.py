"""Events in a file, a line of JSON for each, with rotation."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import ClassVar

from secondpass.errors import InputError, SecondPassWarning, reason, warn
from secondpass.forking import reset_after_fork
from secondpass.monitor.event import Event
from secondpass.monitor.sink import Sink
from secondpass.validation import Text, Whole, check

__all__ = ["JSONLinesSink", "read_events"]

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND


class JSONLinesSink(Sink):
    """Writes each event to the end of a file, as a line of JSON, in one call of the operating system.

    Before a line would make the file larger than ``max_bytes``, the file becomes ``PATH.1``, what was ``PATH.1``
    becomes ``PATH.2``, and so on; the oldest is removed. So a log takes ``(backups + 1) * max_bytes`` on the disk at
    most. Files are readable by their owner only.

    Args:
        path: the file. ``{pid}`` in it stands for the number of the process: several processes that rotate one file
            would take it from each other.
        max_bytes: the size of a file, at most; a single longer line has a file of its own.
        backups: how many older files are kept; 0 for none.

    Raises:
        ConfigError: a setting can't be used. Whether the file can be written is found out by the first event.
    """

    registry_name: ClassVar[str] = "jsonl"

    def __init__(self, path: str | os.PathLike[str], *, max_bytes: int = 100_000_000, backups: int = 5) -> None:
        self.path, self.max_bytes, self.backups = os.fspath(path), max_bytes, backups
        check(self, path=Text(), max_bytes=Whole(at_least=1), backups=Whole(at_least=0))
        self._file: int | None = None
        self._begin_anew()
        reset_after_fork(self, JSONLinesSink._begin_anew)

    def _begin_anew(self) -> None:
        # A child writes to the file of its own number, and its parent's descriptor is not its to close.
        self._file, self._size, self._lock = None, 0, Lock()

    def __call__(self, event: Event) -> None:
        """Write the event. What is in an id and is not JSON is written as text."""
        line = json.dumps(event.to_dict(), default=str, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            if self._file is None:
                self._open()
            if self._size and self._size + len(line) > self.max_bytes:
                self._rotate()
            assert self._file is not None
            n_bytes = os.write(self._file, line)
            self._size += n_bytes
            if n_bytes < len(line):
                self._close()  # opened again, it goes on in another line
                raise OSError(f"{self._where}: {n_bytes} of {len(line)} bytes were written; the disk may be full")

    @property
    def _where(self) -> Path:
        return Path(self.path.replace("{pid}", str(os.getpid()))).expanduser()

    def _open(self) -> None:
        self._file = os.open(self._where, _FLAGS, 0o600)
        self._size = os.fstat(self._file).st_size
        if self._size and _last_byte(self._where) != b"\n":  # of a process that was killed
            self._size += os.write(self._file, b"\n")

    def _rotate(self) -> None:
        self._close()
        where = self._where
        files = [where, *(where.with_name(f"{where.name}.{at}") for at in range(1, self.backups + 1))]
        for newer, older in zip(files[-2::-1], files[:0:-1], strict=True):
            if newer.exists():
                newer.replace(older)
        if not self.backups:
            where.unlink()
        self._open()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def close(self) -> None:
        """Close the file; the next event opens it again."""
        with self._lock:
            self._close()

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None:
            self._close()

    def __repr__(self) -> str:
        return f"JSONLinesSink({self.path!r})"


def read_events(path: str | os.PathLike[str]) -> Iterator[Event]:
    """Read the events that a `JSONLinesSink` wrote, oldest first; those of older files are read from these.

    A line that is cut off, as where a process was killed or the disk was full, is left out; unless it is the last one,
    a warning says so.

    Raises:
        InputError: the file can't be read as UTF-8 text, or a line is not an event.
    """
    where = os.fspath(path)
    try:
        with Path(path).expanduser().open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                event = _event(line, f"{where}, line {number}")
                if event is not None:
                    yield event
    except OSError as exc:
        raise InputError(f"{where} can't be read: {reason(exc)}") from exc
    except UnicodeDecodeError as exc:
        raise InputError(f"{where} can't be read as UTF-8 text: {exc}") from exc


def _event(line: str, place: str) -> Event | None:
    try:
        return Event.from_dict(json.loads(line))
    except (ValueError, TypeError, AttributeError) as exc:
        if not line.endswith("\n"):
            return None
        if not (isinstance(exc, json.JSONDecodeError) and line.startswith('{"')):
            raise InputError(f"{place}: not an event: {exc}") from exc
    warn(f"{place} is cut off, and left out", SecondPassWarning)
    return None


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read()
