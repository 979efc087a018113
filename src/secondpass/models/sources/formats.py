"""What a model is kept in: the names of its weights, and of what is read beside them."""

from dataclasses import dataclass

__all__ = ["FUSED", "ONNX", "SAFETENSORS", "TOKENIZERS", "FileFormat"]

TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")
"""Patterns of the files of which nearly every tokenizer has one at least."""

_SETTINGS = (
    *("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "*.jinja"),
    *("vocab.txt", "vocab.json", "merges.txt", "*.model", "added_tokens.json"),
    *("modules.json", "config_sentence_transformers.json", "sentence_*_config.json", "[0-9]_*/*.json"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFormat:
    """The files of a model, in a folder as on the hub; never pickles, and never a repository's own code.

    Attributes:
        name: as a `ModelSpec` has it.
        weights: where the weights are looked for, in this order.
        encoder_weights: likewise, those of an encoder that the fused graph has, where there are no others.
        parts: patterns of the files that weights may be spread over.
        reads: patterns of what is read besides: settings, the tokenizer, further layers.
        needs: files of ``reads`` without which a model can't be used.
    """

    name: str
    weights: tuple[str, ...]
    encoder_weights: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    reads: tuple[str, ...] = _SETTINGS
    needs: tuple[str, ...] = ()


SAFETENSORS = FileFormat(
    name="safetensors",
    weights=("model.safetensors", "model.safetensors.index.json"),
    parts=("model-*.safetensors",),
    reads=(
        *_SETTINGS,
        *("generation_config.json", "adapter_config.json", "adapter_model.safetensors", "[0-9]_*/*.safetensors"),
    ),
    needs=("config.json",),
)
ONNX = FileFormat(
    name="onnx",
    weights=("model.onnx", "onnx/model.onnx"),
    encoder_weights=SAFETENSORS.weights,
    parts=("model.onnx*", "onnx/model.onnx_data"),
    needs=("tokenizer.json",),
)
# The safetensors of an encoder, for a backend that builds the fused graph from them.
FUSED = FileFormat(
    name="fused",
    weights=SAFETENSORS.weights,
    parts=SAFETENSORS.parts,
    reads=SAFETENSORS.reads,
    needs=("tokenizer.json",),
)
