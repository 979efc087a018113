"""A model by name, on the backend that its files are for."""

from typing import Any

from secondpass.errors import ConfigError
from secondpass.models.embedding import EmbeddingModel
from secondpass.models.pair import PairModel
from secondpass.models.resolve import Backend, ModelFiles, find_model

__all__ = ["load_embedding_model", "load_pair_model"]


def load_pair_model(
    name: str,
    *,
    backend: Backend = "auto",
    device: str | None = None,
    max_length: int | None = None,
    batch_tokens: int | None = None,
    dtype: str | None = None,
    revision: str | None = None,
    local_files_only: bool = False,
) -> PairModel:
    """Load a cross-encoder.

    Args:
        name: a folder, a name from the catalogue, or a repository on the Hugging Face hub.
        backend: ``onnx`` or ``torch``; ``auto`` takes ONNX where the model has such a file.
        device: ``cpu``, ``cuda``, ``cuda:N``, ``mps``; by default the CPU on ONNX Runtime and the best one
            there is on PyTorch.
        max_length: tokens that a pair is cut to; the model's own limit by default.
        batch_tokens: tokens in a batch, padding included; the backend knows a good default.
        dtype: ``float32``, ``float16`` or ``bfloat16``; PyTorch only.
        revision: branch, tag or commit on the hub.
        local_files_only: never touch the network.

    Raises:
        ModelError: it can't be found, read or used; the message says what to do.
        MissingExtraError: it needs PyTorch, and that is not installed.
        ConfigError: a setting is out of range.
    """
    files = find_model(name, "rerank", backend=backend, revision=revision, local_files_only=local_files_only)
    settings = _checked(files, device=device, max_length=max_length, batch_tokens=batch_tokens, dtype=dtype)
    if files.backend == "torch":
        from secondpass.models.torch import TorchPairModel

        return TorchPairModel(files, **settings)
    from secondpass.models.onnx import OnnxPairModel

    return OnnxPairModel(files, **settings)


def load_embedding_model(
    name: str,
    *,
    backend: Backend = "auto",
    device: str | None = None,
    max_length: int | None = None,
    batch_tokens: int | None = None,
    dtype: str | None = None,
    revision: str | None = None,
    local_files_only: bool = False,
) -> EmbeddingModel:
    """Load a bi-encoder; the arguments and the errors are those of `load_pair_model`."""
    files = find_model(name, "embed", backend=backend, revision=revision, local_files_only=local_files_only)
    settings = _checked(files, device=device, max_length=max_length, batch_tokens=batch_tokens, dtype=dtype)
    if files.backend == "torch":
        from secondpass.models.torch import TorchEmbeddingModel

        return TorchEmbeddingModel(files, **settings)
    from secondpass.models.onnx import OnnxEmbeddingModel

    return OnnxEmbeddingModel(files, **settings)


def _checked(files: ModelFiles, **settings: Any) -> dict[str, Any]:
    batch_tokens = settings["batch_tokens"]
    if batch_tokens is not None and (not isinstance(batch_tokens, int) or batch_tokens < 1):
        raise ConfigError(f"batch_tokens must be at least 1, or None, not {batch_tokens!r}")
    if files.backend == "onnx" and settings.pop("dtype") is not None:
        raise ConfigError("dtype is for backend='torch'; an ONNX file's numbers are as they were exported")
    return settings
