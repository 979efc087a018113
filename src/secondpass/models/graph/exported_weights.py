"""The weights inside an ONNX file that PyTorch exported, and ONNX Runtime perhaps quantized."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from secondpass.errors import ModelFormatError
from secondpass.models.graph.onnx_proto import array_of, read_model
from secondpass.models.sources.encoders import EncoderConfig

__all__ = ["read_onnx"]

Floats = npt.NDArray[np.float32]


def read_onnx(path: Path, config: EncoderConfig | None) -> tuple[EncoderConfig, dict[str, Floats], dict[str, Floats]]:
    """Read the weights of an exported encoder.

    Exporters drop the names of matrices, but keep those of biases: a matrix has the name of the bias that is added
    to its product. Dynamically quantized weights become (integer - zero point) * step.

    Args:
        path: the file.
        config: the encoder's shape; None to read it off the graph.

    Returns:
        The encoder's shape; arrays by the checkpoint's names, matrices as (outputs, inputs); the steps of those that
        were integers.

    Raises:
        ModelFormatError: the graph is not an encoder as PyTorch exports it.
        ModelIntegrityError: the file is damaged.
    """
    graph = _Graph(read_model(path).graph, path.parent)
    tensors, grids = graph.tensors()
    config = config or graph.config(tensors, path)
    return config, tensors, grids


class _Graph:
    """An ONNX graph with what consumes what."""

    def __init__(self, graph: Any, folder: Path) -> None:
        self.nodes = list(graph.node)
        self.arrays = {tensor.name: array_of(tensor, folder) for tensor in graph.initializer}
        for node in self.nodes:
            if node.op_type == "Constant" and node.attribute[0].name == "value":
                self.arrays[node.output[0]] = array_of(node.attribute[0].t, folder)
        self.consumers: dict[str, list[Any]] = {}
        for node in self.nodes:
            for name in node.input:
                self.consumers.setdefault(name, []).append(node)

    def tensors(self) -> tuple[dict[str, Floats], dict[str, Floats]]:
        tensors: dict[str, Floats] = {}
        grids: dict[str, Floats] = {}
        for name, array in self.arrays.items():
            is_float = array.dtype in (np.float32, np.float16)
            if is_float and name.endswith((".weight", ".bias")):
                tensors[name] = array.astype(np.float32)
            elif name.endswith(".weight_quantized") and "embeddings" in name:
                self._dequantize(name.removesuffix("_quantized"), name.removesuffix("_quantized"), tensors, grids)
        for node in self.nodes:
            if node.op_type == "MatMulInteger" and node.input[1] in self.arrays:
                module = self._module(node.output[0])
                self._dequantize(node.input[1].removesuffix("_quantized"), f"{module}.weight", tensors, grids)
                tensors[f"{module}.weight"] = np.ascontiguousarray(tensors[f"{module}.weight"].T)
            elif node.op_type == "MatMul" and node.input[1] in self.arrays:
                matrix = self.arrays[node.input[1]].astype(np.float32)
                tensors[f"{self._module(node.output[0])}.weight"] = np.ascontiguousarray(matrix.T)
        return tensors, grids

    def config(self, tensors: dict[str, Floats], path: Path) -> EncoderConfig:
        """Read the shape off the graph: only BERT's own, as the others can't be told apart from it."""
        query = next((array for name, array in tensors.items() if name.endswith("attention.self.query.weight")), None)
        if query is None:
            raise ModelFormatError(f"{path} does not have the architecture of BERT: it has no attention.self.query")
        if not any(name.removeprefix("bert.").startswith("embeddings.token_type") for name in tensors):
            raise ModelFormatError(f"{path} has no config.json beside it and no token types; add its config.json")
        heads = set(self._head_counts(len(query)))
        if len(heads) != 1:
            raise ModelFormatError(f"{path} has no config.json, and its graph doesn't show the number of heads")
        if not any(node.op_type in ("Erf", "Gelu") for node in self.nodes):
            raise ModelFormatError(f"{path} has no config.json, and its activation is not GELU")
        return EncoderConfig(n_heads=heads.pop())

    def _head_counts(self, hidden_size: int) -> Iterator[int]:
        """Find the shapes (..., heads, size of a head) that vectors are cut into."""
        makers = {output: node for node in self.nodes for output in node.output}
        for node in self.nodes:
            if node.op_type != "Reshape":
                continue
            shape = self.arrays.get(node.input[1])
            if shape is None:
                maker = makers[node.input[1]]
                parts = [self._constant(name, makers) for name in maker.input] if maker.op_type == "Concat" else []
                shape = np.array([-1 if part is None else part for part in parts])
            if len(shape) == 4 and shape[-2] > 0 and shape[-2] * shape[-1] == hidden_size:
                yield int(shape[-2])

    def _constant(self, name: str, makers: dict[str, Any]) -> int | None:
        while name not in self.arrays:
            if name not in makers or makers[name].op_type != "Unsqueeze":
                return None
            name = makers[name].input[0]
        return int(self.arrays[name].reshape(-1)[0])

    def _dequantize(self, source: str, target: str, tensors: dict[str, Floats], grids: dict[str, Floats]) -> None:
        step = self.arrays[f"{source}_scale"].astype(np.float32)
        zero_point = self.arrays[f"{source}_zero_point"].astype(np.int32)
        whole = self.arrays[f"{source}_quantized"].astype(np.int32) - zero_point
        tensors[target] = whole.astype(np.float32) * step
        grids[target] = step

    def _module(self, output: str) -> str:
        """Return the name of the linear layer that a product belongs to: that of the bias that is added to it."""
        for _ in range(4):  # the product, its cast, its scale, its bias
            users = self.consumers.get(output, [])
            if not users:
                break
            for name in users[0].input:
                if name.endswith(".bias") and name in self.arrays:
                    return str(name.removesuffix(".bias"))
            output = users[0].output[0]
        raise ModelFormatError("the graph is not an encoder as PyTorch exports it: a product has no bias of its own")
