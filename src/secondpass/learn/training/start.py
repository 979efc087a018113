"""The checkpoint that a training begins with: a folder that transformers reads."""

import json
import shutil
from pathlib import Path

from secondpass.errors import MissingExtraError, ModelFormatError, ModelNotFoundError
from secondpass.models.graph.cache import is_fused
from secondpass.models.graph.fused_weights import read_fused
from secondpass.models.graph.weights import EncoderWeights, read_weights
from secondpass.models.sources.catalog import catalog
from secondpass.models.sources.encoders import DebertaConfig, ModernBertConfig
from secondpass.models.sources.files import ModelFiles
from secondpass.models.sources.resolve import find_model
from secondpass.models.sources.spec import Task
from secondpass.models.sources.store import PREFIX

__all__ = ["checkpoint_of", "write_checkpoint"]

_TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
_SAFETENSORS = ("model.safetensors", "model.safetensors.index.json")


def checkpoint_of(name: str, folder: Path, *, task: Task = "rerank") -> Path:
    """Return the folder of a checkpoint that transformers reads.

    A model that is only there as an ONNX file, as those that come with packages are, is written to ``folder`` first:
    what was int8 becomes the same numbers in float32.

    Args:
        name: a folder that holds a checkpoint, a name of the catalogue, or a repository on the hub.
        folder: where it is written, if it has to be.
        task: what a model that is not in the catalogue is for.

    Raises:
        ModelNotFoundError: no source has it.
        ModelFormatError: it is only there as an ONNX file, and not as one of BERT.
        ModelIntegrityError: its files are damaged.
    """
    if any((Path(name) / file).is_file() for file in _SAFETENSORS):
        return Path(name)
    spec = catalog().get(name)
    if spec is None and not Path(name).is_dir() and "/" not in name and not name.startswith(PREFIX):
        raise ModelNotFoundError(f"{name!r} is neither a folder with model.safetensors nor a name of the catalogue")
    files = find_model(name, spec.task if spec else task)
    if any((files.folder / file).is_file() for file in _SAFETENSORS):
        return files.folder
    write_checkpoint(_read(files), folder)
    for file in _TOKENIZER:
        if (files.folder / file).is_file():
            shutil.copy(files.folder / file, folder)
    _name_labels(files, folder)
    return folder


def write_checkpoint(weights: EncoderWeights, folder: Path) -> None:
    """Write the weights of a BERT as a float32 checkpoint: config.json and model.safetensors.

    Raises:
        ModelFormatError: it is another encoder.
        MissingExtraError: the package safetensors is not installed.
    """
    try:
        from safetensors.numpy import save_file
    except ImportError as exc:
        raise MissingExtraError.of("learn", "training") from exc
    if isinstance(weights.config, ModernBertConfig | DebertaConfig):
        raise ModelFormatError(
            "only a BERT can be trained from its ONNX file: pass the folder of its checkpoint, with model.safetensors"
        )
    folder.mkdir(parents=True, exist_ok=True)
    embeddings = "embeddings.{}_embeddings.weight"
    n_words, hidden = weights.tensors[embeddings.format("word")].shape
    config = {
        "architectures": ["BertForSequenceClassification" if weights.n_labels else "BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": hidden,
        "intermediate_size": len(weights.tensors["encoder.layer.0.intermediate.dense.weight"]),
        "layer_norm_eps": weights.config.norm_eps,
        "max_position_embeddings": len(weights.tensors[embeddings.format("position")]),
        "num_attention_heads": weights.config.n_heads,
        "num_hidden_layers": weights.n_layers,
        "pad_token_id": 0,
        "type_vocab_size": len(weights.tensors[embeddings.format("token_type")]),
        "vocab_size": n_words,
    }
    if weights.n_labels:
        config["id2label"] = {str(at): f"LABEL_{at}" for at in range(weights.n_labels)}
        config["label2id"] = {f"LABEL_{at}": at for at in range(weights.n_labels)}
    (folder / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
    prefix = "bert." if weights.n_labels else ""
    tensors = {_name_in_transformers(name, prefix): array for name, array in weights.tensors.items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def _read(files: ModelFiles) -> EncoderWeights:
    return read_fused(files.weights, files.folder) if is_fused(files.weights) else read_weights(files.weights)


def _name_labels(files: ModelFiles, folder: Path) -> None:
    """Give the checkpoint the names of its labels that the catalogue has, or the model's own settings."""
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    n_labels = len(config.get("id2label", ()))
    if n_labels > 1:
        labels = files.labels(n_labels)
        config["id2label"] = {str(at): label for at, label in enumerate(labels)}
        config["label2id"] = {label: at for at, label in enumerate(labels)}
        path.write_text(json.dumps(config, indent=1), encoding="utf-8")


def _name_in_transformers(name: str, prefix: str) -> str:
    if name.startswith("head.dense."):
        return name.replace("head.dense.", "bert.pooler.dense.")
    if name.startswith("head.out."):
        return name.replace("head.out.", "classifier.")
    return f"{prefix}{name}"
