"""Files that are there whole or not at all, even if the process is killed or the power fails."""

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

__all__ = ["sync_folder", "write_whole"]


def write_whole(path: Path, contents: bytes) -> None:
    """Write a file in place of the one that may be there; readers see the old one or the new one.

    A process that is killed can leave a file ``.writing-*`` beside it.

    Args:
        path: where; its folder has to be there.
        contents: what.

    Raises:
        OSError: it can't be written; nothing is left behind.
    """
    # Not by tempfile, whose files no other user may read: a folder may be filled by one user and used by all.
    if not path.name or "\0" in str(path):
        raise OSError(f"{os.fspath(path)!r} is not the path of a file")
    temporary = path.with_name(f".writing-{uuid4().hex}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as file:
            file.write(contents)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable, where the system can."""
    if os.name == "nt":  # where folders can't be opened
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
