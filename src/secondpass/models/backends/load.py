"""A model by name, on the backend that its files are for."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict, Unpack

from secondpass.config import setting_names
from secondpass.errors import ConfigError
from secondpass.models.backends.base import Backend
from secondpass.models.embedding import EmbeddingModel
from secondpass.models.graph.cache import PrecisionSetting
from secondpass.models.pair import PairModel
from secondpass.models.sources.files import ModelFiles
from secondpass.models.sources.resolve import find_model
from secondpass.models.sources.spec import Task
from secondpass.registry import backends
from secondpass.validation import Constraint, Flag, Text, Whole, check_names

__all__ = [
    "LoadSettings",
    "RunSettings",
    "check_loading",
    "load_embedding_model",
    "load_pair_model",
    "where_and_how",
]


class RunSettings(TypedDict, total=False):
    """Where a model is taken from and how it runs, whatever it is; every setting may be left out.

    Attributes:
        device: ``cpu``, ``cuda``, ``cuda:N``, ``mps``; by default the CPU on ONNX Runtime and the best one
            there is on PyTorch.
        max_length: tokens that a sequence is cut to; by default the model's own limit.
        batch_tokens: tokens in a batch, padding included; the backend knows a good default. On ONNX Runtime's CPU
            that is each sequence alone, so that no score depends on a neighbour; with a larger budget the scores of
            a dynamically quantised (int8) model do.
        revision: branch, tag or commit on the hub.
        local_files_only: never touch the network.
    """

    device: str | None
    max_length: int | None
    batch_tokens: int | None
    revision: str | None
    local_files_only: bool


class LoadSettings(RunSettings, total=False):
    """How a model is loaded that several backends can run; every setting may be left out.

    Attributes:
        backend: ``onnx``, ``openvino`` (a CPU, encoders that the fused graph has: see
            `secondpass.models.backends.openvino`) or ``torch``; ``auto``, the default, takes ONNX where the model has
            such a file, or where the catalogue says that the fused graph is best. Packages may add others: see
            `secondpass.models.backends.base.Backend`.
        dtype: ``float32``, ``float16``, ``bfloat16``, or ``auto`` for the half precision that the device computes in
            fast; PyTorch only. By default ``auto`` for a cross-encoder on CUDA, else as it was saved.
        precision: on a CPU: ``int8`` or ``float32`` for a fused graph, ``exported`` for the ONNX file as it is; by
            default a fused graph as precise as the file, where it has the encoder (BERT and its kin, ModernBERT,
            DeBERTa-v2 and -v3). ``bfloat16`` for OpenVINO only.
    """

    backend: str
    dtype: Literal["auto", "float32", "float16", "bfloat16"] | None
    precision: PrecisionSetting | None


def check_loading(settings: Mapping[str, Any], declared: type, owner: type | str, *, loaded: bool = False) -> None:
    """Check the settings of loading that a constructor took as ``**loading``, as far as no model is needed for it.

    Args:
        settings: what was given.
        declared: the TypedDict that names them.
        owner: whose constructor that is: the class, whose other settings the error names as well.
        loaded: whether it was given a model that is loaded already, and so takes none of them.

    Raises:
        ConfigError: a name is unknown, a value is of the wrong type, or the model is loaded already.
    """
    own = [] if isinstance(owner, str) else setting_names(owner)
    owner = owner if isinstance(owner, str) else owner.__name__
    check_names(settings, list(dict.fromkeys([*own, *declared.__annotations__])), owner)
    for name, value in settings.items():
        if name in _CHECKS:
            _CHECKS[name].checked(value, f"{owner}: {name}")
    if loaded and settings:
        raise ConfigError(
            f"{owner}: the model is loaded already, so {', '.join(sorted(settings))} can't be set any more"
        )


def where_and_how(settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings that find a model's files (those of `find_model`), and those with which they are opened."""
    where = {name: value for name, value in settings.items() if name in ("backend", "revision", "local_files_only")}
    return where, {name: value for name, value in settings.items() if name not in where}


_CHECKS: Mapping[str, Constraint[Any]] = {
    "backend": Text(),
    "max_length": Whole(at_least=1) | None,
    "batch_tokens": Whole(at_least=1) | None,
    "revision": Text() | None,
    "local_files_only": Flag(),
}


def load_pair_model(
    name: str,
    *,
    task: Literal["rerank", "nli"] = "rerank",
    exits: Sequence[int] = (),
    **settings: Unpack[LoadSettings],
) -> PairModel:
    """Load a cross-encoder.

    Args:
        name: a folder, a name from the catalogue, or a repository on the Hugging Face hub.
        task: what it is wanted for; a catalogued model of another task is refused.
        exits: behind how many layers it has to be able to stop, rising; what runs a fused graph can.
        settings: see `LoadSettings`.

    Raises:
        ModelError: it can't be found, read or used; the message says what to do.
        MissingExtraError: it needs PyTorch, and that is not installed.
        ConfigError: a setting is out of range.
    """
    backend, files, how = _found(name, task, settings)
    if not exits:
        return backend.open_pair_model(files, **how)
    if "exits" not in backend.settings:
        raise ConfigError(
            f"backend={backend.name!r} runs {files.name} and can't stop between its layers; a fused graph can, with "
            f"backend='onnx' or 'openvino'"
        )
    return backend.open_pair_model(files, exits=exits, **how)


def load_embedding_model(name: str, **settings: Unpack[LoadSettings]) -> EmbeddingModel:
    """Load a bi-encoder; arguments and errors are those of `load_pair_model`."""
    backend, files, how = _found(name, "embed", settings)
    return backend.open_embedding_model(files, **how)


def _found(name: str, task: Task, settings: LoadSettings) -> tuple[Backend, ModelFiles, dict[str, Any]]:
    """Return the backend of the model's files, the files, and the settings that are for the backend."""
    check_loading(settings, LoadSettings, "a model")
    where, how = where_and_how(settings)
    files = find_model(name, task, **where)
    backend: Backend = backends.get(files.backend)()
    for key in set(how) - backend.settings:
        if how.pop(key) is not None:
            takes = ", ".join(sorted(backend.settings - {"exits"}))
            raise ConfigError(f"backend={backend.name!r} has no setting {key}; it has {takes}")
    return backend, files, how
