"""The shape of an encoder, as config.json tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from secondpass.errors import ModelFormatError

__all__ = ["Activation", "EncoderConfig", "config_of"]

Activation = Literal["gelu", "gelu_tanh", "relu", "tanh"]

_ACTIVATIONS: dict[str, Activation] = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "relu": "relu",
}
# What stands between the two linear layers of the head, as transformers has it in its code, not in config.json.
_HEAD_ACTIVATIONS: dict[str, Activation] = {
    "bert": "tanh",
    "electra": "gelu",
    "roberta": "tanh",
    "xlm-roberta": "tanh",
    "camembert": "tanh",
}
_BEHIND_PADDING = {"roberta", "xlm-roberta", "camembert"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderConfig:
    """The shape of an encoder, as far as its weights don't show it.

    Attributes:
        n_heads: attention heads.
        activation: of the feed-forward layers.
        norm_eps: what the layer normalisations add to the variance.
        first_position: row of the position table that the first token takes (2 for RoBERTa and its kin).
        head_activation: between ``head.dense`` and ``head.out``.
    """

    n_heads: int
    activation: Activation = "gelu"
    norm_eps: float = 1e-12
    first_position: int = 0
    head_activation: Activation = "tanh"


def config_of(settings: Mapping[str, Any], path: Path) -> EncoderConfig:
    """Return the shape that a config.json describes.

    Raises:
        ModelFormatError: it is another architecture, or lacks what has to be known.
    """
    model_type = settings.get("model_type")
    if model_type not in _HEAD_ACTIVATIONS:
        raise ModelFormatError(f"{path}: the architecture {model_type!r} is not of the shape of BERT")
    if settings.get("position_embedding_type", "absolute") != "absolute":
        raise ModelFormatError(f"{path}: positions are {settings['position_embedding_type']!r}, not absolute")
    activation = _ACTIVATIONS.get(settings.get("hidden_act", "gelu"))
    if activation is None or settings.get("is_decoder"):
        raise ModelFormatError(f"{path}: {settings.get('hidden_act')!r} activations or a decoder, not as BERT has it")
    behind = model_type in _BEHIND_PADDING
    try:
        return EncoderConfig(
            n_heads=int(settings["num_attention_heads"]),
            activation=activation,
            norm_eps=float(settings.get("layer_norm_eps", 1e-12)),
            first_position=int(settings.get("pad_token_id", 1)) + 1 if behind else 0,
            head_activation=_HEAD_ACTIVATIONS[model_type],
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise ModelFormatError(f"{path}: its config.json does not say what the encoder is like: {exc!r}") from exc
