"""A model by name, on the backend that its files are for."""

from typing import Any, Literal, TypedDict, Unpack

from secondpass.errors import ConfigError
from secondpass.models.backends.base import Backend
from secondpass.models.embedding import EmbeddingModel
from secondpass.models.graph.cache import PrecisionSetting
from secondpass.models.pair import PairModel
from secondpass.models.sources.files import ModelFiles
from secondpass.models.sources.resolve import find_model
from secondpass.models.sources.spec import Task
from secondpass.registry import backends

__all__ = ["LoadSettings", "load_embedding_model", "load_pair_model"]


class LoadSettings(TypedDict, total=False):
    """How a model is loaded; every setting may be left out.

    Attributes:
        backend: ``onnx``, ``openvino`` (a CPU, encoders of BERT's shape: see `secondpass.models.backends.openvino`)
            or ``torch``; ``auto``, the default, takes ONNX where the model has such a file. Packages may add others:
            see `secondpass.models.backends.base.Backend`.
        device: ``cpu``, ``cuda``, ``cuda:N``, ``mps``; by default the CPU on ONNX Runtime and the best one
            there is on PyTorch.
        dtype: ``float32``, ``float16``, ``bfloat16``, or ``auto`` for the half precision that the device computes in
            fast; PyTorch only. By default ``auto`` for a cross-encoder on CUDA, else as it was saved.
        max_length: tokens that a sequence is cut to; by default the model's own limit.
        batch_tokens: tokens in a batch, padding included; the backend knows a good default.
        precision: on a CPU: ``int8`` or ``float32`` for a fused graph, ``exported`` for the ONNX file as it is; by
            default a fused graph as precise as the file, where it is of the shape of BERT. ``bfloat16`` for OpenVINO
            only.
        revision: branch, tag or commit on the hub.
        local_files_only: never touch the network.
    """

    backend: str
    device: str | None
    dtype: Literal["auto", "float32", "float16", "bfloat16"] | None
    max_length: int | None
    batch_tokens: int | None
    precision: PrecisionSetting | None
    revision: str | None
    local_files_only: bool


def load_pair_model(
    name: str, *, task: Literal["rerank", "nli"] = "rerank", **settings: Unpack[LoadSettings]
) -> PairModel:
    """Load a cross-encoder.

    Args:
        name: a folder, a name from the catalogue, or a repository on the Hugging Face hub.
        task: what it is wanted for; a catalogued model of another task is refused.
        settings: see `LoadSettings`.

    Raises:
        ModelError: it can't be found, read or used; the message says what to do.
        MissingExtraError: it needs PyTorch, and that is not installed.
        ConfigError: a setting is out of range.
    """
    backend, files, how = _found(name, task, settings)
    return backend.open_pair_model(files, **how)


def load_embedding_model(name: str, **settings: Unpack[LoadSettings]) -> EmbeddingModel:
    """Load a bi-encoder; arguments and errors are those of `load_pair_model`."""
    backend, files, how = _found(name, "embed", settings)
    return backend.open_embedding_model(files, **how)


def _found(name: str, task: Task, settings: LoadSettings) -> tuple[Backend, ModelFiles, dict[str, Any]]:
    """Return the backend of the model's files, the files, and the settings that are for the backend."""
    how: dict[str, Any] = dict(settings)
    where = {key: how.pop(key) for key in ("backend", "revision", "local_files_only") if key in how}
    batch_tokens = how.get("batch_tokens")
    if batch_tokens is not None and (not isinstance(batch_tokens, int) or batch_tokens < 1):
        raise ConfigError(f"batch_tokens must be at least 1, or None, not {batch_tokens!r}")
    files = find_model(name, task, **where)
    backend: Backend = backends.get(files.backend)()
    for key in set(how) - backend.settings:
        if how.pop(key) is not None:
            takes = ", ".join(sorted(backend.settings))
            raise ConfigError(f"backend={backend.name!r} has no setting {key}; it has {takes}")
    return backend, files, how
