"""The file of an SQLite cache: made, recognised, and opened with the right settings."""

import os
import sqlite3
import time
from pathlib import Path

from secondpass.cache.base import CacheError
from secondpass.paths import cache_dir

__all__ = ["Connector", "bytes_of", "number"]

_APPLICATION_ID = 0x53505331  # marks the file as ours, for `file` as well
_SCHEMA_VERSION = 1
_SCHEMA = f"""
PRAGMA auto_vacuum = INCREMENTAL;
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS entries (
    key BLOB PRIMARY KEY, value BLOB NOT NULL, written REAL NOT NULL, used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entries_by_written ON entries (written);
CREATE INDEX IF NOT EXISTS entries_by_used ON entries (used);
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {_SCHEMA_VERSION};
COMMIT;
"""
# One statement, so that no other process can make the table between two answers.
_IDENTITY = """
SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)
FROM pragma_application_id, pragma_user_version
"""


class Connector:
    """Opens a file, makes the table in a new one, and refuses one that is not ours.

    Args:
        path: the file; None for the one in secondpass's cache folder.
        timeout_s: how long to wait for other processes.
    """

    def __init__(self, path: str | os.PathLike[str] | None, timeout_s: float) -> None:
        self._path, self._timeout_s = path, timeout_s

    def __call__(self) -> sqlite3.Connection:
        """Open it, for any thread.

        Raises:
            CacheError: it is another program's SQLite file, or of another version.
            sqlite3.Error: it can't be opened, or is not an SQLite file.
        """
        path = cache_dir("scores") / "scores.sqlite" if self._path is None else Path(self._path).expanduser()
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(path, timeout=self._timeout_s, isolation_level=None, check_same_thread=False)
        try:
            # All that a damaged or hostile file can do is give no answer.
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            self._patiently(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        *found, tables = connection.execute(_IDENTITY).fetchone()
        if found == [0, 0] and not tables:
            connection.executescript(_SCHEMA)
        elif found != [_APPLICATION_ID, _SCHEMA_VERSION]:
            raise CacheError(
                f"{connection.execute('PRAGMA database_list').fetchone()[2]} is not a cache of this version of "
                f"secondpass; choose another path, or delete the file"
            )
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        # In WAL mode this can lose the last entries when the power fails, but damages nothing.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA journal_size_limit = 16000000")

    def _patiently(self, connection: sqlite3.Connection) -> None:
        # SQLite does not wait where waiting could be a deadlock, as when several processes
        # change the mode of a new file at once.
        deadline = time.monotonic() + self._timeout_s
        while True:
            try:
                return self._prepare(connection)
            except sqlite3.OperationalError as exc:
                if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                    raise
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            time.sleep(0.005)


def number(connection: sqlite3.Connection, query: str) -> int:
    """Return the one number that a query answers."""
    return int(connection.execute(query).fetchone()[0])


def bytes_of(connection: sqlite3.Connection) -> int:
    """Return what of the file is in use."""
    pages = number(connection, "PRAGMA page_count") - number(connection, "PRAGMA freelist_count")
    return pages * number(connection, "PRAGMA page_size")
