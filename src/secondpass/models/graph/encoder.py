"""Fused graphs: ONNX models of encoders for a CPU, one sequence at a time.

What was measured to pay, on one core with AVX-512 VNNI, against the int8 file that ONNX Runtime's quantizer makes of
PyTorch's export: fused attention, without a mask (a mask costs 2% at 100 tokens, and 17% at 450, as ONNX Runtime then
can't use its flash attention); the last layer for the first token only; int8 products that dequantize and add the
bias in the same pass; the quantized input of query, key and value made once. A residual is added by ``Sum``:
``Add`` and ``LayerNormalization`` would be fused into ``SkipLayerNormalization``, which took five times as long.
Activations are unsigned and weights signed: unsigned weights took twice as long.

Graphs are kept on disk: whoever changes them raises ``BUILDER_VERSION`` in `secondpass.models.graph.cache`.
"""

from collections.abc import Mapping
from typing import get_args

from secondpass.errors import ConfigError, ModelFormatError
from secondpass.models.graph.bert import BertWriter
from secondpass.models.graph.deberta import DebertaWriter
from secondpass.models.graph.modernbert import ModernBertWriter
from secondpass.models.graph.parts import EncoderWriter, Head, Precision, Ranges
from secondpass.models.graph.weights import EncoderWeights
from secondpass.models.sources.encoders import DebertaConfig, EncoderConfig, ModernBertConfig

__all__ = ["Head", "Precision", "build_graph", "build_probe"]

_LARGEST = 2**31 - 2**20  # protobuf takes no message of 2 GiB
_WRITERS: Mapping[type[EncoderConfig], type[EncoderWriter]] = {
    EncoderConfig: BertWriter,
    ModernBertConfig: ModernBertWriter,
    DebertaConfig: DebertaWriter,
}


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
    if head not in get_args(Head) or precision not in get_args(Precision):
        raise ConfigError(f"head or precision is unknown: {head!r}, {precision!r}")
    if head == "classifier" and not {"head.dense.weight", "head.out.weight"} <= set(weights.tensors):
        raise ModelFormatError("the weights have no head for labels made of two linear layers")
    n_bytes = sum(array.size for array in weights.tensors.values()) * (4 if precision == "float32" else 1)
    if n_bytes > _LARGEST:
        raise ModelFormatError(f"the model has {n_bytes / 1e9:.1f} GB in {precision}, too much for one ONNX file")
    encoder = _writer(weights, precision, ranges or {})
    encoder.write(head)
    return encoder.serialize()


def build_probe(weights: EncoderWeights) -> bytes:
    """Build the float32 encoder with one output for each linear layer: its inputs' largest absolute values.

    The outputs, of shape (inputs of the layer,), have the names of the layers: ``encoder.layer.0.output.dense``.
    """
    encoder = _writer(weights, "float32", {})
    encoder.write("tokens")
    for name, source in encoder.sources.items():
        width = weights.tensors[f"{name}.weight"].shape[1]
        largest = encoder.node("ReduceMax", encoder.node("Abs", source), axes=[0, 1], keepdims=0)
        encoder.output(largest, name, [width])
    return encoder.serialize()


def _writer(weights: EncoderWeights, precision: Precision, ranges: Ranges) -> EncoderWriter:
    return _WRITERS[type(weights.config)](weights, precision, ranges)
