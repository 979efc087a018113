"""The files of a version on their way into a store and out of it: copied and hashed, or removed, whole."""

import hashlib
import os
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from secondpass.errors import InputError, ModelFormatError
from secondpass.files import sync_folder
from secondpass.models.sources.store import files_in

__all__ = ["check_source", "copied", "remove_unlisted"]

_COPYING = ".adding-"
_ABANDONED_S = 24 * 3600  # after which a copy that nobody writes to was left by a process that was killed
_BLOCK = 1 << 20
_PICKLES = frozenset((".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib"))


def check_source(folder: Path) -> list[str]:
    """Return the paths of a model's files, relative to its folder.

    Raises:
        InputError: it is not a folder, is empty, or can't be read.
        ModelFormatError: it holds pickles, which can run code when they are loaded.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: a version is added from the folder that a model was saved in")
    try:
        names = files_in(folder)
    except OSError as exc:
        raise InputError(f"{folder} can't be read: {exc}") from exc
    if not names:
        raise InputError(f"{folder} is empty: there is no model in it to add")
    pickled = [name for name in names if Path(name).suffix.lower() in _PICKLES]
    if pickled:
        raise ModelFormatError(
            f"{folder / pickled[0]} is of a kind that is pickled, which can run code when it is loaded, so it is not "
            f"added ({len(pickled)} in all): save the weights as safetensors or ONNX in a folder of their own, without "
            f"the optimizer's state"
        )
    return names


@contextmanager
def copied(source: Path, names: list[str], versions: Path) -> Iterator[tuple[Path, dict[str, str], int]]:
    """Copy files into a folder beside the versions, for the time of a ``with``, which may rename it.

    Gives the folder, each file's SHA-256 and the bytes in all. All is on the disk by then.

    Raises:
        InputError: something can't be read; nothing is left behind.
        OSError: something can't be written; likewise.
    """
    folder = versions / f"{_COPYING}{uuid4().hex}"
    try:
        folder.mkdir(mode=0o755)
        hashes, size = {}, 0
        for name in names:
            target = folder / name
            target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            hashes[name], n_bytes = _copy(source / name, target)
            size += n_bytes
        for place, _, _ in os.walk(folder):
            sync_folder(Path(place))
        yield folder, hashes, size
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_unlisted(versions: Path, listed: Collection[str]) -> None:
    """Remove all but some versions, and with them what killed processes left: whole folders and halves of copies.

    Only for who holds the store's lock, as no other process is then between a folder's name and its entry. A copy that
    is younger than a day may still be written to, and stays.

    Raises:
        OSError: something can't be removed.
    """
    for folder in sorted(versions.iterdir()):
        if folder.name not in listed:
            with suppress(FileNotFoundError):  # its writer, whose copy failed, was faster
                if not folder.name.startswith(_COPYING) or time.time() - _last_written(folder) >= _ABANDONED_S:
                    shutil.rmtree(folder)


def _last_written(folder: Path) -> float:
    return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))


def _blocks(source: Path) -> Iterator[bytes]:
    try:
        with source.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block
    except OSError as exc:
        raise InputError(f"{source} can't be read: {exc}") from exc


def _copy(source: Path, target: Path) -> tuple[str, int]:
    """Copy a file through to the disk; returns the SHA-256 of what was written, and how much that was."""
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as written:
        for block in _blocks(source):
            digest.update(block)
            size += written.write(block)
        written.flush()
        os.fsync(written.fileno())
    return digest.hexdigest(), size
