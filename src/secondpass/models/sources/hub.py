"""Snapshots of repositories on the Hugging Face hub: those in its cache, and those that are fetched now."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from secondpass.errors import ModelIntegrityError, first_line
from secondpass.models.sources.config import read_json
from secondpass.models.sources.formats import TOKENIZERS, FileFormat

__all__ = ["SnapshotError", "cached_snapshot", "fetched_snapshot", "hub_is_off", "shards_in"]

_TIMEOUT_S = 10


class SnapshotError(Exception):
    """There is no whole snapshot in a format; the message says why. Never leaves secondpass.models."""


def hub_is_off() -> bool:
    """Whether the environment (``HF_HUB_OFFLINE``) forbids asking the hub."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def cached_snapshot(repo: str, wanted: FileFormat, revision: str | None) -> Path:
    """Return the folder of a snapshot in the cache that is whole in a format; no network is touched.

    Raises:
        SnapshotError: there is none.
        ModelIntegrityError: its index of shards is damaged.
    """
    folder = _snapshot(repo, wanted, revision, local_files_only=True)
    _check_complete(folder, wanted)
    # On the hub a repository may do without; here it shows that something else fetched the weights alone.
    if not any(path.is_file() for pattern in TOKENIZERS for path in folder.glob(pattern)):
        raise SnapshotError(f"{folder} has no tokenizer")
    return folder


def fetched_snapshot(repo: str, formats: Sequence[FileFormat], revision: str | None) -> Path:
    """Fetch a repository's files of the first format that it has weights in; returns the folder.

    Raises:
        SnapshotError: the hub can't be reached, or the repository has no weights in these formats.
        ModelIntegrityError: its index of shards is damaged.
    """
    from huggingface_hub import HfApi

    try:
        about = HfApi().model_info(repo, revision=revision, timeout=_TIMEOUT_S)
    except Exception as exc:  # the hub's own errors, and those of the HTTP library that it uses
        raise SnapshotError(first_line(exc)) from exc
    files = {sibling.rfilename for sibling in about.siblings or ()}
    for wanted in formats:
        if files.intersection(wanted.weights):
            folder = _snapshot(repo, wanted, about.sha, local_files_only=False)
            _check_complete(folder, wanted)
            return folder
    pickled = " (only pickled ones)" if any(name.endswith((".bin", ".pt")) for name in files) else ""
    raise SnapshotError(f"{repo} has no weights as {' or '.join(wanted.name for wanted in formats)}{pickled}")


def _snapshot(repo: str, wanted: FileFormat, revision: str | None, *, local_files_only: bool) -> Path:
    from huggingface_hub import snapshot_download

    patterns = [*wanted.weights, *wanted.parts, *wanted.reads]  # only these, as the rest is large
    settings: dict[str, Any] = {"allow_patterns": patterns, "etag_timeout": _TIMEOUT_S}
    try:
        return Path(snapshot_download(repo, revision=revision, local_files_only=local_files_only, **settings))
    except Exception as exc:  # the same
        # It wants every file that the repository has under these names; whether those here will do, we look ourselves.
        if hasattr(exc, "snapshot_path"):
            return Path(exc.snapshot_path)
        raise SnapshotError(first_line(exc)) from exc


def _check_complete(folder: Path, wanted: FileFormat) -> None:
    """Refuse what another tool fetched only a part of: it would hide the whole one on the hub."""
    weights = next((folder / name for name in wanted.weights if (folder / name).is_file()), None)
    if weights is None:
        raise SnapshotError(f"{folder} has no {' or '.join(wanted.weights)}")
    missing = [name for name in wanted.needs if not (folder / name).is_file()]
    if missing:
        raise SnapshotError(f"{folder} has no {', '.join(missing)}")
    if weights.name.endswith(".index.json"):
        missing = [name for name in shards_in(weights) if not (folder / name).is_file()]
        if missing:
            raise SnapshotError(f"{folder} lacks {', '.join(missing)}")


def shards_in(index: Path) -> list[str]:
    """Return the names of the files that weights are spread over, as their index has them.

    Raises:
        ModelIntegrityError: it can't be read.
    """
    try:
        names = sorted({str(name) for name in read_json(index)["weight_map"].values()})
    except (ModelIntegrityError, KeyError, AttributeError) as exc:
        raise ModelIntegrityError(f"{index} can't be read ({exc!r}): delete it, and fetch the model again") from exc
    if any(Path(name).name != name for name in names):
        raise ModelIntegrityError(f"{index} names files outside of its folder")
    return names
