"""Fused graphs: ONNX models of BERT-shaped encoders for a CPU, one sequence at a time.

What was measured to pay, on one core with AVX-512 VNNI, against the int8 file that ONNX Runtime's quantizer makes of
PyTorch's export: fused attention, without a mask (a mask costs 2% at 100 tokens, and 17% at 450, as ONNX Runtime then
can't use its flash attention); the last layer for the first token only; int8 products that dequantize and add the
bias in the same pass; the quantized input of query, key and value made once. A residual is added by ``Sum``:
``Add`` and ``LayerNormalization`` would be fused into ``SkipLayerNormalization``, which took five times as long.
Activations are unsigned and weights signed: unsigned weights took twice as long.

Graphs are kept on disk: whoever changes them raises ``BUILDER_VERSION`` in `secondpass.models.graph.cache`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from secondpass.errors import ConfigError, ModelFormatError
from secondpass.models.graph.onnx_proto import make_model, make_node, make_tensor, make_value
from secondpass.models.graph.quantize import channel_divisors, outlier_neurons, quantize_columns
from secondpass.models.graph.weights import EncoderWeights
from secondpass.models.sources.config import Activation

__all__ = ["Head", "Precision", "build_graph", "build_probe"]

Head = Literal["classifier", "cls", "mean", "tokens"]
Precision = Literal["int8", "int8-weights", "float32"]
Floats = npt.NDArray[np.float32]
Ranges = Mapping[str, Floats]

_MICROSOFT = "com.microsoft"
_LARGEST = 2**31 - 2**20  # protobuf takes no message of 2 GiB
# Factors above the median that the channels in front of a product may reach: measured with MiniLM-L12.
_ATTENTION_FACTOR, _FEED_FORWARD_FACTOR = 2.0, 3.0


def build_graph(
    weights: EncoderWeights,
    *,
    head: Head,
    precision: Precision = "int8",
    ranges: Ranges | None = None,
) -> bytes:
    """Build an encoder as a serialized ONNX model; it loads with ONNX Runtime's default options, on a CPU.

    Inputs are ``input_ids`` and, where the model has more than one type, ``token_type_ids``, int64, of shape
    (batch, sequence). There is no mask, so a batch must hold sequences of one length.

    Args:
        weights: of the encoder.
        head: what comes out: ``classifier`` gives ``logits`` (batch, labels); ``cls`` and ``mean`` give ``embedding``
            (batch, hidden), the first token's vector or the mean of all; ``tokens`` gives ``last_hidden_state``
            (batch, sequence, hidden).
        precision: ``int8`` for weights and, as it runs, activations; ``int8-weights`` for an engine that quantizes
            activations by itself; ``float32`` for the exact model.
        ranges: from `secondpass.models.graph.activation_ranges.activation_ranges`: with them, int8 scores
            are closer to those of float32 (``benchmarks/precision.py`` measures it).

    Raises:
        ModelFormatError: the weights have no head for labels, or the model is too large for one file.
        ConfigError: the head or the precision is unknown.
    """
    if head not in ("classifier", "cls", "mean", "tokens") or precision not in get_args(Precision):
        raise ConfigError(f"head or precision is unknown: {head!r}, {precision!r}")
    if head == "classifier" and not {"head.dense.weight", "head.out.weight"} <= set(weights.tensors):
        raise ModelFormatError("the weights have no head for labels made of two linear layers")
    n_bytes = sum(array.size for array in weights.tensors.values()) * (4 if precision == "float32" else 1)
    if n_bytes > _LARGEST:
        raise ModelFormatError(f"the model has {n_bytes / 1e9:.1f} GB in {precision}, too much for one ONNX file")
    encoder = _Encoder(weights, precision, ranges or {})
    encoder.write(head)
    return encoder.serialize()


def build_probe(weights: EncoderWeights) -> bytes:
    """Build the float32 encoder with one output for each linear layer: its inputs' largest absolute values.

    The outputs, of shape (inputs of the layer,), have the names of the layers: ``encoder.layer.0.output.dense``.
    """
    encoder = _Encoder(weights, "float32", {})
    encoder.write("tokens")
    for name, source in encoder.sources.items():
        width = weights.tensors[f"{name}.weight"].shape[1]
        largest = encoder.node("ReduceMax", encoder.node("Abs", source), axes=[0, 1], keepdims=0)
        encoder.output(largest, name, [width])
    return encoder.serialize()


class _Graph:
    """Nodes and constants of a graph in the making."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._inputs: dict[str, Any] = {}
        self._outputs: list[Any] = []

    def input(self, name: str) -> str:
        self._inputs[name] = make_value(name, np.int64, ["batch", "sequence"])
        return name

    def output(self, value: str, name: str, shape: Sequence[int | str]) -> None:
        self._nodes.append(make_node("Identity", [value], [name]))
        self._outputs.append(make_value(name, np.float32, shape))

    def constant(self, name: str, array: npt.NDArray[Any]) -> str:
        if name not in self._constants:
            self._constants[name] = make_tensor(name, array)
        return name

    def integers(self, *values: int) -> str:
        return self.constant(f"integers_{'_'.join(map(str, values))}", np.array(values, np.int64))

    def nodes(self, op_type: str, *inputs: str, n: int, domain: str = "", **attributes: Any) -> list[str]:
        outputs = [f"{op_type}_{len(self._nodes)}_{at}" for at in range(n)]
        self._nodes.append(make_node(op_type, inputs, outputs, domain, **attributes))
        return outputs

    def node(self, op_type: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        return self.nodes(op_type, *inputs, n=1, domain=domain, **attributes)[0]

    def serialize(self) -> bytes:
        return make_model(self._nodes, list(self._inputs.values()), self._outputs, list(self._constants.values()))


class _Encoder(_Graph):
    """Writes an encoder into a graph, part by part; methods take and return names of values."""

    def __init__(self, weights: EncoderWeights, precision: Precision, ranges: Ranges) -> None:
        super().__init__()
        self._config, self._tensors, self._grids = weights.config, weights.tensors, weights.grids
        self._n_layers, self._hidden_size, self._n_labels = weights.n_layers, weights.hidden_size, weights.n_labels
        self._precision, self._ranges = precision, ranges if precision == "int8" else {}
        self.sources: dict[str, str] = {}

    def write(self, head: Head) -> None:
        x = self._embeddings()
        first_only = head in ("classifier", "cls")
        for at in range(self._n_layers):
            x = self._layer(f"encoder.layer.{at}", x, first_only and at == self._n_layers - 1)
        if head == "tokens":
            self.output(x, "last_hidden_state", ["batch", "sequence", self._hidden_size])
        elif head == "mean":
            self.output(self.node("ReduceMean", x, axes=[1], keepdims=0), "embedding", ["batch", self._hidden_size])
        elif head == "cls":
            self.output(self.node("Squeeze", x, self.integers(1)), "embedding", ["batch", self._hidden_size])
        else:
            x = self._float_linear("head.dense", self.node("Squeeze", x, self.integers(1)))
            x = self._activation(x, self._config.head_activation)
            self.output(self._float_linear("head.out", x), "logits", ["batch", self._n_labels])

    def _embeddings(self) -> str:
        ids = self.input("input_ids")
        x = self._words(ids)
        types = self._tensors["embeddings.token_type_embeddings.weight"]
        positions = self._tensors["embeddings.position_embeddings.weight"][self._config.first_position :]
        if len(types) == 1:
            positions = positions + types[0]
        length = self.node("Shape", ids, start=1, end=2)
        rows = self.node("Slice", self.constant("positions", positions), self.integers(0), length, self.integers(0))
        x = self.node("Add", x, rows)
        if len(types) > 1:
            x = self.node("Add", x, self.node("Gather", self.constant("types", types), self.input("token_type_ids")))
        x = self._norm("embeddings.LayerNorm", x)
        return self._linears(["embeddings_project"], x)[0] if "embeddings_project.weight" in self._tensors else x

    def _words(self, ids: str) -> str:
        name = "embeddings.word_embeddings.weight"
        if self._precision == "float32":
            return self.node("Gather", self._tensor(name), ids)
        integers, steps = quantize_columns(self._tensors[name].T, self._grids.get(name))
        rows = self.node("Cast", self.node("Gather", self.constant("words", integers.T), ids), to=1)  # 1: float32
        return self.node("Mul", rows, self.node("Gather", self.constant("word_steps", steps[:, None]), ids))

    def _layer(self, name: str, x: str, first_only: bool) -> str:
        query, key, value = (f"{name}.attention.self.{part}" for part in ("query", "key", "value"))
        if first_only:  # the head reads no other token, so only its keys and values are needed
            k, v = self._linears([key, value], x, _ATTENTION_FACTOR)
            x = self.node("Slice", x, self.integers(0), self.integers(1), self.integers(1))
            (q,) = self._linears([query], x)
        else:
            q, k, v = self._linears([query, key, value], x, _ATTENTION_FACTOR)
        y = self.node("MultiHeadAttention", q, k, v, domain=_MICROSOFT, num_heads=self._config.n_heads)
        (y,) = self._linears([f"{name}.attention.output.dense"], y)
        x = self._norm(f"{name}.attention.output.LayerNorm", self.node("Sum", y, x))
        parts = self._feed_forward(f"{name}.intermediate.dense", f"{name}.output.dense", x)
        return self._norm(f"{name}.output.LayerNorm", self.node("Sum", *parts, x))

    def _feed_forward(self, inner: str, outer: str, x: str) -> list[str]:
        """Return the parts that sum up to the result: the int8 one and, of outlier neurons, a float32 one."""
        neurons = outlier_neurons(self._ranges[outer]) if outer in self._ranges else np.empty(0, np.intp)
        (y,) = self._linears([inner], x, _FEED_FORWARD_FACTOR, without_outputs=neurons)
        (y,) = self._linears([outer], self._activation(y, self._config.activation), without_inputs=neurons)
        if not len(neurons):
            return [y]
        rows = self.constant(f"{inner}.outliers", self._tensors[f"{inner}.weight"][neurons].T)
        z = self.node("MatMul", x, rows)
        z = self.node("Add", z, self.constant(f"{inner}.outlier_bias", self._tensors[f"{inner}.bias"][neurons]))
        z = self._activation(z, self._config.activation)
        columns = self.constant(f"{outer}.outliers", self._tensors[f"{outer}.weight"][:, neurons].T)
        return [y, self.node("MatMul", z, columns)]

    def _linears(
        self,
        names: Sequence[str],
        x: str,
        factor: float | None = None,
        *,
        without_outputs: npt.NDArray[np.intp] | None = None,
        without_inputs: npt.NDArray[np.intp] | None = None,
    ) -> list[str]:
        """Apply linear layers to one input; the rows and columns of neurons that run elsewhere are set to zero."""
        self.sources.update(dict.fromkeys(names, x))
        if self._precision == "float32":
            return [self._float_linear(name, x) for name in names]
        if self._precision == "int8-weights":
            return [self._weights_linear(name, x) for name in names]
        divisors = np.ones(1, np.float32)
        if factor is not None and names[0] in self._ranges:
            divisors = channel_divisors(self._ranges[names[0]], factor=factor)
            if divisors.max() > 1:
                x = self.node("Mul", x, self.constant(f"{names[0]}.divisors", 1 / divisors))
        quantized, step, zero = self.nodes("DynamicQuantizeLinear", x, n=3)
        outputs = []
        for name in names:
            matrix, bias = self._tensors[f"{name}.weight"].T * divisors[:, None], self._tensors[f"{name}.bias"]
            if without_outputs is not None:
                matrix[:, without_outputs] = 0
                bias = np.where(np.isin(np.arange(len(bias)), without_outputs), np.float32(0), bias)
            if without_inputs is not None:
                matrix[without_inputs] = 0
            integers, steps = quantize_columns(matrix, self._grids.get(f"{name}.weight"))
            b, b_step = self.constant(f"{name}.integers", integers), self.constant(f"{name}.steps", steps)
            inputs = [quantized, b, step, b_step, zero, "", self.constant(f"{name}.bias", bias)]
            outputs.append(self.node("MatMulIntegerToFloat", *inputs, domain=_MICROSOFT))
        return outputs

    def _weights_linear(self, name: str, x: str) -> str:
        weight = f"{name}.weight"
        integers, steps = quantize_columns(self._tensors[weight].T, self._grids.get(weight))
        b, b_step = self.constant(f"{name}.integers", integers), self.constant(f"{name}.steps", steps)
        product = self.node("MatMul", x, self.node("DequantizeLinear", b, b_step, axis=1))
        return self.node("Add", product, self._tensor(f"{name}.bias"))

    def _float_linear(self, name: str, x: str) -> str:
        product = self.node("MatMul", x, self.constant(f"{name}.weight", self._tensors[f"{name}.weight"].T))
        return self.node("Add", product, self._tensor(f"{name}.bias"))

    def _norm(self, name: str, x: str) -> str:
        gain, bias = self._tensor(f"{name}.weight"), self._tensor(f"{name}.bias")
        return self.node("LayerNormalization", x, gain, bias, epsilon=float(self._config.norm_eps))

    def _activation(self, x: str, kind: Activation) -> str:
        if kind in ("gelu", "gelu_tanh"):
            return self.node("Gelu" if kind == "gelu" else "FastGelu", x, domain=_MICROSOFT)
        return self.node("Relu" if kind == "relu" else "Tanh", x)

    def _tensor(self, name: str) -> str:
        return self.constant(name, self._tensors[name])
