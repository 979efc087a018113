"""The weights inside an int8 graph that `secondpass.models.graph.encoder` wrote."""

from pathlib import Path

import numpy as np

from secondpass.errors import ModelFormatError
from secondpass.models.graph.onnx_proto import array_of, read_model
from secondpass.models.graph.weights import EncoderWeights
from secondpass.models.sources.config import read_config

__all__ = ["read_fused"]


def read_fused(path: Path, folder: Path) -> EncoderWeights:
    """Read the weights of an int8 graph of ours: (integer - zero point) * step, exact as far as the integers are.

    Args:
        path: the ONNX file.
        folder: where its config.json is.

    Raises:
        ModelFormatError: there is no config.json, or it is not an int8 graph of ours with a head for labels.
        ModelIntegrityError: a file is damaged.
    """
    encoder = read_config(folder).require_encoder()
    if encoder is None:
        raise ModelFormatError(f"{folder} has no config.json")
    graph = read_model(path).graph
    given = {tensor.name: array_of(tensor, path.parent) for tensor in graph.initializer}
    makers = {output: node for node in graph.node for output in node.output}
    tensors = {name: array for name, array in given.items() if name.endswith((".weight", ".bias"))}
    try:
        tensors |= {f"head.{part}.weight": given[f"head.{part}.weight"].T for part in ("dense", "out")}
        words = given["words"].astype(np.float32) * given["word_steps"]
        parts = (("word", words), ("position", given["positions"]), ("token_type", given["types"]))
    except KeyError as exc:
        raise ModelFormatError(f"{path} is not an int8 graph of BERT with a head for labels: it lacks {exc}") from exc
    tensors |= {f"embeddings.{part}_embeddings.weight": array for part, array in parts}
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
