"""Snapshots of repositories on the Hugging Face hub: those in its cache, and those that are fetched now."""

import json
from pathlib import Path
from typing import Any, Literal

from secondpass.errors import ModelIntegrityError

__all__ = ["WEIGHTS", "BackendName", "SnapshotError", "cached_snapshot", "fetched_snapshot", "hub_is_off", "shards_in"]

BackendName = Literal["onnx", "torch"]

# The names under which the weights are looked for, in a folder as on the hub.
WEIGHTS: dict[BackendName, tuple[str, ...]] = {
    "onnx": ("model.onnx", "onnx/model.onnx"),
    "torch": ("model.safetensors", "model.safetensors.index.json"),
}
_SETTINGS = ["config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "*.jinja"]
_SETTINGS += ["vocab.txt", "vocab.json", "merges.txt", "*.model", "added_tokens.json", "1_Pooling/config.json"]
# Neither pickles nor a repository's own code; and only what one backend needs, as the rest is large.
_PATTERNS: dict[BackendName, list[str]] = {
    "onnx": [*_SETTINGS, "model.onnx*", "onnx/model.onnx", "onnx/model.onnx_data"],
    "torch": [
        *_SETTINGS,
        *("model.safetensors", "model-*.safetensors", "model.safetensors.index.json", "modules.json"),
        *("config_sentence_transformers.json", "sentence_*_config.json", "[0-9]_*/*.json", "[0-9]_*/*.safetensors"),
    ],
}
_TIMEOUT_S = 10


class SnapshotError(Exception):
    """There is no whole snapshot for a backend; the message says why. Never leaves secondpass.models."""


def hub_is_off() -> bool:
    """Whether the environment (``HF_HUB_OFFLINE``) forbids asking the hub."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def cached_snapshot(repo: str, backend: BackendName, revision: str | None) -> Path:
    """Return the folder of a snapshot in the cache that has all that a backend needs; no network is touched.

    Raises:
        SnapshotError: there is none.
        ModelIntegrityError: its index of shards is damaged.
    """
    folder = _snapshot(repo, backend, revision, local_files_only=True)
    _check_complete(folder, backend)
    return folder


def fetched_snapshot(repo: str, backends: list[BackendName], revision: str | None) -> Path:
    """Fetch what the first of the backends needs that the repository has weights for; returns the folder.

    Raises:
        SnapshotError: the hub can't be reached, or the repository has no such weights.
        ModelIntegrityError: its index of shards is damaged.
    """
    from huggingface_hub import HfApi

    try:
        about = HfApi().model_info(repo, revision=revision, timeout=_TIMEOUT_S)
    except Exception as exc:  # the hub's own errors, and those of the HTTP library that it uses
        raise SnapshotError(_first_line(exc)) from exc
    files = {sibling.rfilename for sibling in about.siblings or ()}
    for backend in backends:
        if files.intersection(WEIGHTS[backend]):
            folder = _snapshot(repo, backend, about.sha, local_files_only=False)
            _check_complete(folder, backend)
            return folder
    pickled = " (only pickled ones)" if any(name.endswith((".bin", ".pt")) for name in files) else ""
    raise SnapshotError(f"{repo} has no weights for {' or '.join(backends)}{pickled}")


def _snapshot(repo: str, backend: BackendName, revision: str | None, *, local_files_only: bool) -> Path:
    from huggingface_hub import snapshot_download

    settings: dict[str, Any] = {"allow_patterns": _PATTERNS[backend], "etag_timeout": _TIMEOUT_S}
    try:
        return Path(snapshot_download(repo, revision=revision, local_files_only=local_files_only, **settings))
    except Exception as exc:  # as above
        # It wants every file that the repository has under these names; whether those here will do, we look ourselves.
        if hasattr(exc, "snapshot_path"):
            return Path(exc.snapshot_path)
        raise SnapshotError(_first_line(exc)) from exc


def _check_complete(folder: Path, backend: BackendName) -> None:
    """Refuse what another tool fetched only a part of: it would hide the whole one on the hub."""
    weights = next((folder / name for name in WEIGHTS[backend] if (folder / name).is_file()), None)
    if weights is None:
        raise SnapshotError(f"{folder} has no {' or '.join(WEIGHTS[backend])}")
    if backend == "onnx" and not (folder / "tokenizer.json").is_file():
        raise SnapshotError(f"{folder} has no tokenizer.json")
    if weights.suffix == ".json":
        missing = [name for name in shards_in(weights) if not (folder / name).is_file()]
        if missing:
            raise SnapshotError(f"{folder} lacks {', '.join(missing)}")


def shards_in(index: Path) -> list[str]:
    """Return the names of the files that weights are spread over, as their index has them.

    Raises:
        ModelIntegrityError: it can't be read.
    """
    try:
        return sorted({str(name) for name in json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise ModelIntegrityError(f"{index} can't be read ({exc!r}): delete it, and fetch the model again") from exc


def _first_line(exc: Exception) -> str:
    return (str(exc).splitlines() or [type(exc).__name__])[0]
