"""Permissions of files, for tests that may run as root, whom none hold back."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

needs_permissions = pytest.mark.skipif(
    not hasattr(os, "geteuid"), reason="there are no such permissions on this system"
)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Go on as a user whom file permissions hold back; root's they don't."""
    if os.geteuid():
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def open_folder() -> Iterator[Path]:
    """Give a new folder that any user may use; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)
