"""Weights of encoders, from a Hugging Face folder or out of an exported ONNX file.

Names are those of `secondpass.models.graph.names`. Matrices have the shape (outputs, inputs).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from secondpass.errors import ModelFormatError, ModelIntegrityError
from secondpass.models.graph.names import canonical_tensors, kind_of, needed_names, possible_names
from secondpass.models.sources.config import ModelConfig, read_config
from secondpass.models.sources.encoders import DebertaConfig, EncoderConfig, HeadConfig, ModernBertConfig
from secondpass.models.sources.hub import shards_in

__all__ = ["EncoderWeights", "read_weights"]

Floats = npt.NDArray[np.float32]

_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


@dataclass(frozen=True, slots=True)
class EncoderWeights:
    """An encoder's weights.

    Attributes:
        config: what the weights don't show.
        tensors: float32 arrays by name.
        grids: the steps of what was read from integers, one or one for each output.
    """

    config: EncoderConfig
    tensors: Mapping[str, Floats]
    grids: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def n_layers(self) -> int:
        """How many layers the encoder has."""
        return sum(name.endswith(".intermediate.dense.weight") for name in self.tensors)

    @property
    def hidden_size(self) -> int:
        """The width of the encoder's vectors."""
        return int(self.tensors["encoder.layer.0.attention.self.query.weight"].shape[0])

    @property
    def n_words(self) -> int:
        """How many tokens it has vectors for."""
        return len(self.tensors["embeddings.word_embeddings.weight"])

    @property
    def n_labels(self) -> int:
        """How many outputs the head has; 0 without one."""
        return len(self.tensors["head.out.weight"]) if "head.out.weight" in self.tensors else 0


def read_weights(path: Path, config: ModelConfig | None = None) -> EncoderWeights:
    """Read the weights of an encoder.

    Args:
        path: a folder with config.json and model.safetensors, or an ONNX file as PyTorch exports them, in float32
            or with weights that ONNX Runtime's dynamic quantization made.
        config: what its settings say; by default those in the folder, or beside the file or one folder up. Where an
            ONNX file has none, the shape is read off the graph.

    Raises:
        ModelFormatError: the fused graph does not have the encoder's architecture; the message says why.
        ModelIntegrityError: a file is damaged.
    """
    grids: dict[str, Floats] = {}
    encoder = (config or _config_of(path)).require_encoder()
    if path.is_dir():
        if encoder is None:
            raise ModelFormatError(f"{path} has no config.json")
        tensors = _read_folder(path, encoder)
    else:
        from secondpass.models.graph.exported_weights import read_onnx

        encoder, tensors, grids = read_onnx(path, encoder)
    weights = EncoderWeights(
        encoder,
        canonical_tensors(tensors),
        canonical_tensors(grids),
    )
    check_shape(weights, path)
    return weights


def check_shape(weights: EncoderWeights, path: Path) -> None:
    """Refuse weights that lack a part, have one that is not known, or do not fit together."""
    config, n_layers = weights.config, weights.n_layers
    needed = needed_names(config, max(1, n_layers))
    missing = sorted(needed - set(weights.tensors))
    possible = needed | possible_names(config, n_layers)
    unknown = sorted(
        name for name in set(weights.tensors) - possible if not re.match(r"head\.|embeddings_project\.", name)
    )
    said = f"it lacks {missing[0]}" if missing else f"it has {unknown[0]}" if unknown else ""
    if not said and isinstance(config, ModernBertConfig) and len(config.local) != n_layers:
        said = f"it has {n_layers} layers, but {len(config.local)} by its config.json"
    if not said and isinstance(config, DebertaConfig):
        rows, wanted = len(weights.tensors["encoder.rel_embeddings.weight"]), 2 * (config.buckets or config.furthest)
        said = f"it has {rows} vectors of distances, and not {wanted}" if rows < wanted else ""
    if said:
        raise ModelFormatError(f"{path} does not have the architecture of {kind_of(config)}: {said}")
    if weights.hidden_size % config.n_heads:
        raise ModelFormatError(f"{path}: {config.n_heads} heads do not divide {weights.hidden_size}")


def _config_of(path: Path) -> ModelConfig:
    folders = [path] if path.is_dir() else [path.parent, path.parent.parent]
    return read_config(next((folder for folder in folders if (folder / "config.json").is_file()), folders[0]))


# Buffers, and the heads of pre-training, which inference does not read.
_NOT_READ = re.compile(
    r"position_ids$|inv_freq$|^(cls|lm_head|generator_predictions|generator_lm_head|discriminator_pred.*|decoder|"
    r"lm_predictions|mask_predictions)\."
)
# DeBERTa's checkpoints may have a table of positions that they do not use.
_NOT_READ_OF_DEBERTA = re.compile(r"embeddings\.position_embeddings\.")


def _read_folder(folder: Path, config: EncoderConfig) -> dict[str, Floats]:
    tensors: dict[str, Floats] = {}
    for file in _safetensors(folder):
        tensors |= read_safetensors(file)
    if isinstance(config, DebertaConfig):
        tensors = {name: array for name, array in tensors.items() if not _NOT_READ_OF_DEBERTA.search(name)}
    tensors = {name: array for name, array in tensors.items() if not _NOT_READ.search(name)}
    return tensors | _read_modules(folder, config.head)


def _read_modules(folder: Path, head: HeadConfig) -> dict[str, Floats]:
    """Read the head that a checkpoint of sentence-transformers keeps in folders of its own."""
    tensors = {}
    parts = {2: ("dense", "out"), 3: ("dense", "norm", "out")}.get(len(head.modules), ())
    for module, part in zip(head.modules, parts, strict=True):
        for name, array in read_safetensors(folder / module / "model.safetensors").items():
            tensors[f"head.{part}.{name.rpartition('.')[2]}"] = array
    return tensors


def _safetensors(folder: Path) -> list[Path]:
    whole, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    # As transformers has it: an index beside the whole file is of weights that were there before.
    if whole.is_file() or not index.is_file():
        return [whole]
    return [folder / name for name in shards_in(index)]


def read_safetensors(path: Path) -> dict[str, Floats]:
    """Read the floating-point arrays of a safetensors file, as float32.

    The format is 8 bytes with the length of a JSON header, that header, and the arrays' bytes
    (https://huggingface.co/docs/safetensors). NumPy has no bfloat16, which is float32's upper half.

    Raises:
        ModelIntegrityError: the file is damaged.
    """
    if not path.is_file():
        raise ModelIntegrityError(f"{path} is {'not a regular file' if path.exists() else 'missing'}")
    try:
        data = np.memmap(path, dtype=np.uint8, mode="r")
        start = 8 + int(data[:8].view("<u8")[0])
        if start > len(data):
            raise ValueError("its header is longer than the file")  # noqa: TRY301
        header = dict(json.loads(bytes(data[8:start])))
        arrays = {}
        for name, entry in header.items():
            if name != "__metadata__" and entry["dtype"] in _DTYPES:
                begin, end = entry["data_offsets"]
                raw = np.frombuffer(data[start + begin : start + end].tobytes(), dtype=_DTYPES[entry["dtype"]])
                if entry["dtype"] == "BF16":
                    raw = (raw.astype(np.uint32) << 16).view(np.float32)
                arrays[name] = raw.astype(np.float32, copy=False).reshape(entry["shape"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError, OverflowError) as exc:
        raise ModelIntegrityError(f"{path} can't be read as safetensors: {exc}") from exc
    return arrays
