"""Weights of BERT-shaped encoders, from a Hugging Face folder or out of an exported ONNX file.

Names are those of Hugging Face's `BertModel` without a prefix (``encoder.layer.0.output.dense.weight``), whichever
of its kin was read; heads are ``head.dense`` and ``head.out``. Matrices have the shape (outputs, inputs).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from secondpass.errors import ModelFormatError, ModelIntegrityError
from secondpass.models.sources.config import EncoderConfig, ModelConfig, read_config
from secondpass.models.sources.hub import shards_in

__all__ = ["EncoderWeights", "read_weights"]

Floats = npt.NDArray[np.float32]

_HEAD_NAMES = {
    "pooler.dense": "head.dense",
    "classifier.dense": "head.dense",
    "classifier.out_proj": "head.out",
    "classifier": "head.out",
}
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
        ModelFormatError: it is not an encoder with the architecture of BERT; the message says why.
        ModelIntegrityError: a file is damaged.
    """
    grids: dict[str, Floats] = {}
    encoder = (config or _config_of(path)).require_encoder()
    if path.is_dir():
        if encoder is None:
            raise ModelFormatError(f"{path} has no config.json")
        tensors = _read_folder(path)
    else:
        from secondpass.models.graph.exported_weights import read_onnx

        encoder, tensors, grids = read_onnx(path, encoder)
    weights = EncoderWeights(
        encoder,
        {canonical_name(name): array for name, array in tensors.items()},
        {canonical_name(name): step for name, step in grids.items()},
    )
    check_shape(weights, path)
    return weights


def canonical_name(name: str) -> str:
    """Return the name that this module has for a tensor of BERT, ELECTRA or RoBERTa."""
    name = re.sub(r"^(bert|electra|roberta|model|auto_model|0)\.(?=embeddings|encoder|pooler)", "", name)
    module, _, kind = name.rpartition(".")
    kind = {"gamma": "weight", "beta": "bias"}.get(kind, kind)
    return f"{_HEAD_NAMES.get(module, module)}.{kind}"


def check_shape(weights: EncoderWeights, path: Path) -> None:
    """Refuse weights that lack a part, have one that is not known, or do not fit together."""
    wanted = {f"embeddings.{part}_embeddings.weight" for part in ("word", "position", "token_type")}
    wanted |= {f"embeddings.LayerNorm.{kind}" for kind in ("weight", "bias")}
    parts = [f"attention.self.{part}" for part in ("query", "key", "value")]
    parts += ["attention.output.dense", "attention.output.LayerNorm", "intermediate.dense", "output.dense"]
    parts += ["output.LayerNorm"]
    for at in range(max(1, weights.n_layers)):
        wanted |= {f"encoder.layer.{at}.{part}.{kind}" for part in parts for kind in ("weight", "bias")}
    missing = sorted(wanted - set(weights.tensors))
    unknown = sorted(
        name for name in set(weights.tensors) - wanted if not re.match(r"head\.|embeddings_project\.", name)
    )
    if missing or unknown:
        said = f"it lacks {missing[0]}" if missing else f"it has {unknown[0]}"
        raise ModelFormatError(f"{path} does not have the architecture of BERT: {said}")
    if weights.hidden_size % weights.config.n_heads:
        raise ModelFormatError(f"{path}: {weights.config.n_heads} heads do not divide {weights.hidden_size}")


def _config_of(path: Path) -> ModelConfig:
    folders = [path] if path.is_dir() else [path.parent, path.parent.parent]
    return read_config(next((folder for folder in folders if (folder / "config.json").is_file()), folders[0]))


def _read_folder(folder: Path) -> dict[str, Floats]:
    tensors: dict[str, Floats] = {}
    for file in _safetensors(folder):
        tensors |= read_safetensors(file)
    # Buffers, and the heads of pre-training, which inference does not read.
    skipped = re.compile(r"position_ids$|^(cls|lm_head|generator_predictions|generator_lm_head|discriminator_pred.*)\.")
    return {name: array for name, array in tensors.items() if not skipped.search(name)}


def _safetensors(folder: Path) -> list[Path]:
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return [folder / "model.safetensors"]
    return [folder / name for name in shards_in(index)]


def read_safetensors(path: Path) -> dict[str, Floats]:
    """Read the floating-point arrays of a safetensors file, as float32.

    The format is 8 bytes with the length of a JSON header, that header, and the arrays' bytes
    (https://huggingface.co/docs/safetensors). NumPy has no bfloat16, which is float32's upper half.

    Raises:
        ModelIntegrityError: the file is damaged.
    """
    if not path.is_file():
        raise ModelIntegrityError(f"{path} is not a regular file")
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
