"""The checkpoint that a training begins with."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from safetensors.numpy import save_file

from secondpass.errors import ModelNotFoundError
from secondpass.models.graph.weights import EncoderWeights, read_weights
from secondpass.models.sources.catalog import catalog
from secondpass.models.sources.config import read_config
from secondpass.models.sources.resolve import find_model

__all__ = ["checkpoint_of", "write_checkpoint"]


def checkpoint_of(name: str, folder: Path) -> Path:
    """Return the folder of a checkpoint that transformers reads, for a model's name or a folder that holds one.

    A model that is only there as an ONNX file, as the embedded ones are, is written to ``folder`` first.

    Raises:
        ModelError: it can't be found, or is no encoder of the shape of BERT.
    """
    if (Path(name) / "model.safetensors").is_file():
        return Path(name)
    spec = catalog().get(name)
    if spec is None:
        raise ModelNotFoundError(f"{name!r} is neither a folder with model.safetensors nor a name of the catalogue")
    files = find_model(name, spec.task)
    if (files.folder / "model.safetensors").is_file():
        return files.folder
    graph = onnx.load(str(files.weights)).graph
    fused = any(node.op_type == "MatMulIntegerToFloat" for node in graph.node)
    write_checkpoint(_read_fused(graph, files.folder) if fused else read_weights(files.weights), folder)
    for tokenizer in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        if (files.folder / tokenizer).is_file():
            shutil.copy(files.folder / tokenizer, folder)
    return folder


def write_checkpoint(weights: EncoderWeights, folder: Path) -> None:
    """Write the weights of a BERT as a float32 checkpoint: config.json and model.safetensors.

    Integers that they were read from are (integer - zero point) * scale: exact, as far as the integers were.
    """
    folder.mkdir(parents=True, exist_ok=True)
    embeddings = "embeddings.{}_embeddings.weight"
    n_words, hidden = weights.tensors[embeddings.format("word")].shape
    config = {
        "architectures": ["BertForSequenceClassification"],
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
        "id2label": {str(at): f"LABEL_{at}" for at in range(weights.n_labels)},
        "label2id": {f"LABEL_{at}": at for at in range(weights.n_labels)},
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
    tensors = {_name_in_transformers(name): array for name, array in weights.tensors.items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def _read_fused(graph: onnx.GraphProto, folder: Path) -> EncoderWeights:
    """Return the weights of an int8 graph of ours, which `secondpass.models.graph.encoder` describes."""
    encoder = read_config(folder).require_encoder()
    if encoder is None:
        raise ModelNotFoundError(f"{folder} has no config.json")
    given = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    makers = {output: node for node in graph.node for output in node.output}
    tensors = {name: array for name, array in given.items() if name.endswith((".weight", ".bias"))}
    tensors |= {f"head.{part}.weight": given[f"head.{part}.weight"].T for part in ("dense", "out")}
    words = given["words"].astype(np.float32) * given["word_steps"]
    for part, array in (("word", words), ("position", given["positions"]), ("token_type", given["types"])):
        tensors[f"embeddings.{part}_embeddings.weight"] = array
    for node in graph.node:
        if node.op_type != "MatMulIntegerToFloat":
            continue
        name = node.input[1].removesuffix(".integers")
        matrix = given[f"{name}.integers"].astype(np.float32) * given[f"{name}.steps"]
        scaled = makers.get(makers[node.input[0]].input[0])
        if scaled is not None and scaled.op_type == "Mul" and scaled.input[1] in given:
            matrix *= given[scaled.input[1]][:, None]
        tensors[f"{name}.weight"] = np.ascontiguousarray(matrix.T)
    for name in [name.removesuffix(".outlier_bias") for name in given if name.endswith(".outlier_bias")]:
        outer = name.replace(".intermediate.", ".output.")
        neurons = np.flatnonzero(~given[f"{name}.integers"].any(axis=0))  # they run beside the product of integers
        tensors[f"{name}.weight"][neurons] = given[f"{name}.outliers"].T
        tensors[f"{name}.bias"] = tensors[f"{name}.bias"].copy()
        tensors[f"{name}.bias"][neurons] = given[f"{name}.outlier_bias"]
        tensors[f"{outer}.weight"][:, neurons] = given[f"{outer}.outliers"].T
    return EncoderWeights(encoder, {name: np.ascontiguousarray(array) for name, array in tensors.items()})


def _name_in_transformers(name: str) -> str:
    if name.startswith("head.dense."):
        return name.replace("head.dense.", "bert.pooler.dense.")
    if name.startswith("head.out."):
        return name.replace("head.out.", "classifier.")
    return f"bert.{name}"
