"""The names that weights have here, whichever encoder they are of, and those that each kind of encoder must have.

They are those of Hugging Face's `BertModel` without a prefix (``encoder.layer.0.output.dense.weight``), as far as BERT
has such a part. What others have besides: ``encoder.layer.0.intermediate.gate``; the norms in front of ModernBERT's
parts, ``encoder.layer.0.attention.LayerNorm`` and ``encoder.layer.0.intermediate.LayerNorm``, and its last one,
``encoder.LayerNorm``; DeBERTa's vectors of distances, ``encoder.rel_embeddings``, their norm, ``encoder.LayerNorm``,
and their projections, ``encoder.layer.0.attention.self.position_key`` and ``position_query``. Heads are
``head.dense``, ``head.norm`` and ``head.out``.
"""

import re
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from secondpass.models.sources.encoders import DebertaConfig, EncoderConfig, ModernBertConfig

__all__ = ["canonical_name", "canonical_tensors", "kind_of", "needed_names", "possible_names"]

Floats = npt.NDArray[np.float32]

_PREFIX = re.compile(
    r"^(bert|electra|roberta|deberta|model|auto_model|0)\.(?=embeddings|encoder|pooler|layers|final_norm)"
)
_HEAD_NAMES = {
    "pooler.dense": "head.dense",
    "classifier.dense": "head.dense",
    "classifier.out_proj": "head.out",
    "classifier": "head.out",
}
_RENAMED = {
    # ModernBERT
    r"^embeddings\.tok_embeddings\.": "embeddings.word_embeddings.",
    r"^embeddings\.norm\.": "embeddings.LayerNorm.",
    r"^final_norm\.": "encoder.LayerNorm.",
    r"^layers\.(\d+)\.attn\.Wqkv\.": r"encoder.layer.\1.attention.self.query_key_value.",
    r"^layers\.(\d+)\.attn\.Wo\.": r"encoder.layer.\1.attention.output.dense.",
    r"^layers\.(\d+)\.attn_norm\.": r"encoder.layer.\1.attention.LayerNorm.",
    r"^layers\.(\d+)\.mlp\.Wi\.": r"encoder.layer.\1.intermediate.dense_gate.",
    r"^layers\.(\d+)\.mlp\.Wo\.": r"encoder.layer.\1.output.dense.",
    r"^layers\.(\d+)\.mlp_norm\.": r"encoder.layer.\1.intermediate.LayerNorm.",
    # DeBERTa
    r"\.self\.(query|key|value)_proj\.": r".self.\1.",
    r"\.self\.pos_(query|key)_proj\.": r".self.position_\1.",
}
_JOINED = ("query_key_value", "dense_gate")  # layers that read the same, as one
_ATTENTION = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense")
_FEED_FORWARD = ("intermediate.dense", "output.dense")


def canonical_name(name: str) -> str:
    """Return the name that a tensor of a checkpoint has here."""
    name = _PREFIX.sub("", name)
    for pattern, ours in _RENAMED.items():
        name = re.sub(pattern, ours, name)
    module, _, kind = name.rpartition(".")
    kind = {"gamma": "weight", "beta": "bias"}.get(kind, kind)
    return f"{_HEAD_NAMES.get(module, module)}.{kind}"


def canonical_tensors(tensors: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return tensors under their names here; layers that a checkpoint has joined are taken apart."""
    found: dict[str, Floats] = {}
    for name, array in tensors.items():
        module, _, kind = canonical_name(name).rpartition(".")
        parent, _, joined = module.rpartition(".")
        parts = joined.split("_") if joined in _JOINED else []
        for part, rows in zip(parts, np.array_split(array, len(parts)) if parts else [], strict=True):
            found[f"{parent}.{part}.{kind}"] = rows
        if not parts:
            found[f"{module}.{kind}"] = array
    return found


def kind_of(config: EncoderConfig) -> str:
    """Return what an architecture is called."""
    return {ModernBertConfig: "ModernBERT", DebertaConfig: "DeBERTa"}.get(type(config), "BERT")


def needed_names(config: EncoderConfig, n_layers: int) -> set[str]:
    """Return the names that an encoder must have."""
    return set(_needed(config, n_layers))


def possible_names(config: EncoderConfig, n_layers: int) -> set[str]:
    """Return the names that an encoder may have besides: biases of ModernBERT's layers, and DeBERTa's token types."""
    if isinstance(config, ModernBertConfig):
        return {name.replace(".weight", ".bias") for name in _needed(config, n_layers)}
    return {"embeddings.token_type_embeddings.weight"} if isinstance(config, DebertaConfig) else set()


def _needed(config: EncoderConfig, n_layers: int) -> Iterator[str]:
    yield "embeddings.word_embeddings.weight"
    if isinstance(config, ModernBertConfig):
        yield from ("embeddings.LayerNorm.weight", "encoder.LayerNorm.weight")
        for at in range(n_layers):
            norms = ["intermediate.LayerNorm", *(["attention.LayerNorm"] if at else [])]
            for part in (*_ATTENTION, *_FEED_FORWARD, "intermediate.gate", *norms):
                yield f"encoder.layer.{at}.{part}.weight"
        return
    norms, parts = ["embeddings.LayerNorm"], [*_ATTENTION, *_FEED_FORWARD]
    parts += ["attention.output.LayerNorm", "output.LayerNorm"]
    if isinstance(config, DebertaConfig):
        yield "encoder.rel_embeddings.weight"
        norms += ["encoder.LayerNorm"] if config.norms_distances else []
        if not config.shares_projections:
            parts += ["attention.self.position_key"] if config.to_position else []
            parts += ["attention.self.position_query"] if config.from_position else []
    else:
        yield from (f"embeddings.{table}_embeddings.weight" for table in ("position", "token_type"))
    modules = [*norms, *(f"encoder.layer.{at}.{part}" for at in range(n_layers) for part in parts)]
    yield from (f"{module}.{kind}" for module in modules for kind in ("weight", "bias"))
