"""A model by name, on the backend that its files are for."""

from typing import Any, Literal, TypedDict, Unpack

from secondpass.errors import ConfigError
from secondpass.models.embedding import EmbeddingModel
from secondpass.models.graph.cache import PrecisionSetting
from secondpass.models.pair import PairModel
from secondpass.models.sources.catalog import Task
from secondpass.models.sources.resolve import Backend, ModelFiles, find_model

__all__ = ["LoadSettings", "load_embedding_model", "load_pair_model"]


class LoadSettings(TypedDict, total=False):
    """How a model is loaded; every setting may be left out.

    Attributes:
        backend: ``onnx``, ``openvino`` (a CPU, encoders of BERT's shape: see `secondpass.models.backends.openvino`)
            or ``torch``; ``auto``, the default, takes ONNX where the model has such a file.
        device: ``cpu``, ``cuda``, ``cuda:N``, ``mps``; by default the CPU on ONNX Runtime and the best one
            there is on PyTorch.
        dtype: ``float32``, ``float16``, ``bfloat16``, or ``auto`` for the half precision that the device computes in
            fast; PyTorch only. By default ``auto`` for a cross-encoder on CUDA, else as it was saved.
        max_length: tokens that a sequence is cut to; by default the model's own limit.
        batch_tokens: tokens in a batch, padding included; the backend knows a good default.
        precision: on a CPU: ``int8`` or ``float32`` for a graph made for inference, ``exported`` for the ONNX file as
            it is; by default a graph as precise as the file, where it is of the shape of BERT. ``bfloat16`` for
            OpenVINO only.
        revision: branch, tag or commit on the hub.
        local_files_only: never touch the network.
    """

    backend: Backend
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
    files, how = _found(name, task, settings)
    if files.backend == "torch":
        from secondpass.models.backends.torch import TorchPairModel

        return TorchPairModel(files, **how)
    if settings.get("backend") == "openvino":
        from secondpass.models.backends.openvino import OpenVinoPairModel

        return OpenVinoPairModel(files, **how)
    from secondpass.models.backends.onnx import OnnxPairModel

    return OnnxPairModel(files, **how)


def load_embedding_model(name: str, **settings: Unpack[LoadSettings]) -> EmbeddingModel:
    """Load a bi-encoder; arguments and errors are those of `load_pair_model`."""
    files, how = _found(name, "embed", settings)
    if files.backend == "torch":
        from secondpass.models.backends.torch import TorchEmbeddingModel

        return TorchEmbeddingModel(files, **how)
    if settings.get("backend") == "openvino":
        from secondpass.models.backends.openvino import OpenVinoEmbeddingModel

        return OpenVinoEmbeddingModel(files, **how)
    from secondpass.models.backends.onnx import OnnxEmbeddingModel

    return OnnxEmbeddingModel(files, **how)


def _found(name: str, task: Task, settings: LoadSettings) -> tuple[ModelFiles, dict[str, Any]]:
    """Return the model's files, and the settings that are for its backend."""
    how: dict[str, Any] = dict(settings)
    where = {key: how.pop(key) for key in ("backend", "revision", "local_files_only") if key in how}
    batch_tokens = how.get("batch_tokens")
    if batch_tokens is not None and (not isinstance(batch_tokens, int) or batch_tokens < 1):
        raise ConfigError(f"batch_tokens must be at least 1, or None, not {batch_tokens!r}")
    files = find_model(name, task, **where)
    if files.backend == "onnx" and how.pop("dtype", None) is not None:
        raise ConfigError("dtype is for backend='torch'; the others have precision, such as 'float32'")
    if files.backend == "torch" and how.pop("precision", None) is not None:
        raise ConfigError("precision is for the other backends; with backend='torch' there is dtype")
    return files, how
