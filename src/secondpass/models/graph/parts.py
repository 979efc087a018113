"""What all encoders have in common: lookups, linear layers, norms, feed-forward parts, and what comes out in the end.

A kind of encoder is one file with a class that says how its tokens are embedded and what a layer is.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from secondpass.models.graph.quantize import channel_divisors, outlier_neurons, quantize_columns
from secondpass.models.graph.weights import EncoderWeights
from secondpass.models.graph.writer import MICROSOFT, GraphWriter
from secondpass.models.sources.encoders import Activation, EncoderConfig

__all__ = ["EncoderWriter", "Head", "Precision", "Ranges"]

Head = Literal["classifier", "cls", "mean", "tokens"]
Precision = Literal["int8", "int8-weights", "float32"]
Floats = npt.NDArray[np.float32]
Ranges = Mapping[str, Floats]

# Factors above the median that the channels in front of a product may reach: measured with MiniLM-L12.
ATTENTION_FACTOR, _FEED_FORWARD_FACTOR = 2.0, 3.0


class EncoderWriter(GraphWriter, ABC):
    """Writes an encoder into a graph, part by part; methods take and return names of values.

    Args:
        weights: of the encoder.
        precision: of its products.
        ranges: how large the inputs of its linear layers get; used in int8 only.

    Attributes:
        sources: the input of each linear layer that was written.
    """

    def __init__(self, weights: EncoderWeights, precision: Precision, ranges: Ranges) -> None:
        super().__init__()
        self.encoder: EncoderConfig = weights.config
        self.tensors, self._grids = weights.tensors, weights.grids
        self.n_layers, self.hidden_size, self._n_labels = weights.n_layers, weights.hidden_size, weights.n_labels
        self._precision, self._ranges = precision, ranges if precision == "int8" else {}
        self.sources: dict[str, str] = {}

    @abstractmethod
    def embeddings(self) -> str:
        """Return what the first layer reads: shape (batch, sequence, hidden)."""

    @abstractmethod
    def layer(self, at: int, x: str, *, first_only: bool) -> str:
        """Return what a layer makes of its input.

        Args:
            at: its number, from 0.
            x: shape (batch, sequence, hidden).
            first_only: whether to make the first token's vector only: shape (batch, 1, hidden).
        """

    def last(self, x: str) -> str:
        """Return what comes out behind the last layer; x itself, unless a kind of encoder has something there."""
        return x

    def write(self, head: Head) -> None:
        """Write the whole graph."""
        first_only = self.encoder.head.pooling == "cls" if head == "classifier" else head == "cls"
        x = self.embeddings()
        for at in range(self.n_layers):
            x = self.layer(at, x, first_only=first_only and at == self.n_layers - 1)
        x = self.last(x)
        if head == "tokens":
            self.output(x, "last_hidden_state", ["batch", "sequence", self.hidden_size])
            return
        if first_only:
            x = self.node("Squeeze", x, self.integers(1))
        else:
            x = self.node("ReduceMean", x, axes=[1], keepdims=0)
        if head == "classifier":
            self.output(self._labels(x), "logits", ["batch", self._n_labels])
        else:
            self.output(x, "embedding", ["batch", self.hidden_size])

    def _labels(self, x: str) -> str:
        x = self.activation(self._float_linear("head.dense", x), self.encoder.head.activation)
        if "head.norm.weight" in self.tensors:
            x = self.norm("head.norm", x, self.encoder.head.norm_eps)
        return self._float_linear("head.out", x)

    def words(self, ids: str) -> str:
        """Return the vectors of tokens."""
        name = "embeddings.word_embeddings.weight"
        return self.rows(name, "word", self.tensors[name], ids)

    def rows(self, name: str, short_name: str, table: Floats, ids: str) -> str:
        """Look up rows of a table, which is int8 with a step for each row, unless the graph is in float32."""
        if self._precision == "float32":
            return self.node("Gather", self.constant(name, table), ids)
        integers, steps = quantize_columns(table.T, self._grids.get(name))
        kept = self.constant(f"{short_name}s", integers.T)
        rows = self.node("Cast", self.node("Gather", kept, ids), to=1)  # 1: float32
        return self.node("Mul", rows, self.node("Gather", self.constant(f"{short_name}_steps", steps[:, None]), ids))

    def first_token(self, x: str) -> str:
        """Return the first token's vector: shape (batch, 1, hidden)."""
        return self.node("Slice", x, self.integers(0), self.integers(1), self.integers(1))

    def attention(self, q: str, k: str, v: str, bias: str = "", **settings: Any) -> str:
        """Return what heads make of queries, keys and values, each of shape (batch, sequence, hidden).

        Args:
            q: queries.
            k: keys.
            v: values.
            bias: what is added to the heads' scores, shape (batch, heads or 1, queries, keys), if anything is.
            settings: others of the operator's.
        """
        inputs = [q, k, v, *(["", "", bias] if bias else [])]
        return self.node("MultiHeadAttention", *inputs, domain=MICROSOFT, num_heads=self.encoder.n_heads, **settings)

    def feed_forward(self, name: str, x: str) -> list[str]:
        """Return the parts that sum up to the result: the int8 one and, of outlier neurons, a float32 one.

        Where there is a gate, each neuron is multiplied by that of the gate.
        """
        inner, gate, outer = f"{name}.intermediate.dense", f"{name}.intermediate.gate", f"{name}.output.dense"
        inners = [inner, gate] if f"{gate}.weight" in self.tensors else [inner]
        neurons = outlier_neurons(self._ranges[outer]) if outer in self._ranges else np.empty(0, np.intp)
        ys = self.linears(inners, x, _FEED_FORWARD_FACTOR, without_outputs=neurons)
        (y,) = self.linears([outer], self._gated(*ys), without_inputs=neurons)
        if not len(neurons):
            return [y]
        z = self._gated(*(self._outlier_neurons(each, x, neurons) for each in inners))
        columns = self.constant(f"{outer}.outliers", self.tensors[f"{outer}.weight"][:, neurons].T)
        return [y, self.node("MatMul", z, columns)]

    def _gated(self, x: str, gate: str = "") -> str:
        x = self.activation(x, self.encoder.activation)
        return self.node("Mul", x, gate) if gate else x

    def _outlier_neurons(self, name: str, x: str, neurons: npt.NDArray[np.intp]) -> str:
        rows = self.constant(f"{name}.outliers", self.tensors[f"{name}.weight"][neurons].T)
        z = self.node("MatMul", x, rows)
        bias = self.tensors.get(f"{name}.bias")
        return z if bias is None else self.node("Add", z, self.constant(f"{name}.outlier_bias", bias[neurons]))

    def linears(
        self,
        names: Sequence[str],
        x: str,
        factor: float | None = None,
        *,
        without_outputs: npt.NDArray[np.intp] | None = None,
        without_inputs: npt.NDArray[np.intp] | None = None,
    ) -> list[str]:
        """Apply linear layers to one input; the rows and columns of neurons that run elsewhere are set to zero.

        Args:
            names: of the layers.
            x: the input.
            factor: how far above the median the input's channels may be, where it comes from a norm.
            without_outputs: neurons.
            without_inputs: neurons.
        """
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
            matrix, bias = self.tensors[f"{name}.weight"].T * divisors[:, None], self.tensors.get(f"{name}.bias")
            if without_outputs is not None:
                matrix[:, without_outputs] = 0
                if bias is not None:
                    bias = np.where(np.isin(np.arange(len(bias)), without_outputs), np.float32(0), bias)
            if without_inputs is not None:
                matrix[without_inputs] = 0
            integers, steps = quantize_columns(matrix, self._grids.get(f"{name}.weight"))
            b, b_step = self.constant(f"{name}.integers", integers), self.constant(f"{name}.steps", steps)
            inputs = [quantized, b, step, b_step, zero]
            if bias is not None:
                inputs += ["", self.constant(f"{name}.bias", bias)]
            outputs.append(self.node("MatMulIntegerToFloat", *inputs, domain=MICROSOFT))
        return outputs

    def _weights_linear(self, name: str, x: str) -> str:
        weight = f"{name}.weight"
        integers, steps = quantize_columns(self.tensors[weight].T, self._grids.get(weight))
        b, b_step = self.constant(f"{name}.integers", integers), self.constant(f"{name}.steps", steps)
        return self._biased(name, self.node("MatMul", x, self.node("DequantizeLinear", b, b_step, axis=1)))

    def _float_linear(self, name: str, x: str) -> str:
        matrix = self.constant(f"{name}.weight", self.tensors[f"{name}.weight"].T)
        return self._biased(name, self.node("MatMul", x, matrix))

    def _biased(self, name: str, x: str) -> str:
        return self.node("Add", x, self.tensor(f"{name}.bias")) if f"{name}.bias" in self.tensors else x

    def norm(self, name: str, x: str, eps: float | None = None) -> str:
        """Apply a layer normalisation."""
        inputs = [self.tensor(f"{name}.{part}") for part in ("weight", "bias") if f"{name}.{part}" in self.tensors]
        return self.node("LayerNormalization", x, *inputs, epsilon=float(eps or self.encoder.norm_eps))

    def activation(self, x: str, kind: Activation) -> str:
        """Apply an activation."""
        if kind in ("gelu", "gelu_tanh"):
            return self.node("Gelu" if kind == "gelu" else "FastGelu", x, domain=MICROSOFT)
        return self.node("Relu" if kind == "relu" else "Tanh", x)

    def tensor(self, name: str) -> str:
        """Add one of the weights as a constant."""
        return self.constant(name, self.tensors[name])
