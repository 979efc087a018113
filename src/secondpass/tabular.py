"""CSV whose cells may be of any length."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

__all__ = ["long_cells"]

_USUAL = 131_072  # characters, which the csv module takes by itself

_lock = Lock()


@contextmanager
def long_cells(length: int) -> Iterator[None]:
    """Let the csv module read cells of up to so many characters within the block, which is a document easily.

    Its limit is one for the whole process, so that long texts wait for one another.
    """
    if length <= _USUAL:
        yield
        return
    with _lock:
        before = csv.field_size_limit()
        csv.field_size_limit(max(before, length))
        try:
            yield
        finally:
            csv.field_size_limit(before)
