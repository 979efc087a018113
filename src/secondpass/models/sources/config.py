"""What a model's own JSON files say about it: read and judged once, when the model is found."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from secondpass.errors import ModelFormatError, ModelIntegrityError

__all__ = ["Activation", "EncoderConfig", "ModelConfig", "read_config", "read_json"]

Activation = Literal["gelu", "gelu_tanh", "relu", "tanh"]

_LARGEST_JSON = 1 << 26  # an index of shards, the largest of these files, has some megabytes
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
_SHIFTED_POSITIONS = {*_BEHIND_PADDING, "xlm-roberta-xl", "mpnet"}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """What config.json, tokenizer_config.json and 1_Pooling/config.json say; a file that is missing says nothing.

    Attributes:
        model_type: the architecture, such as ``bert``; empty if it is not named.
        labels: names of the head's outputs, in their order; empty if they have none.
        max_length: the most tokens of a sequence; None if no limit is named.
        pooling: which vector stands for a text: the first token's, or the mean of all.
        embeds: whether it was saved as a bi-encoder by sentence-transformers.
        encoder: its shape, if it is that of BERT.
        not_bert: why ``encoder`` is None; empty as well where there is no config.json.
    """

    model_type: str = ""
    labels: tuple[str, ...] = ()
    max_length: int | None = None
    pooling: Literal["cls", "mean"] = "mean"
    embeds: bool = False
    encoder: EncoderConfig | None = None
    not_bert: str = ""

    def require_encoder(self) -> EncoderConfig | None:
        """Return the shape, or None where there is no config.json and the weights themselves may show it.

        Raises:
            ModelFormatError: it is not that of BERT, or config.json does not say what it is.
        """
        if self.not_bert:
            raise ModelFormatError(self.not_bert)
        return self.encoder


def read_config(folder: Path) -> ModelConfig:
    """Read and judge the settings of the model in a folder.

    Raises:
        ModelIntegrityError: a file is not a JSON object, or not a regular file.
        ModelFormatError: a setting is of another type than it has in every checkpoint.
    """
    path = folder / "config.json"
    settings = read_json(path)
    tokenizer = read_json(folder / "tokenizer_config.json")
    pooling = read_json(folder / "1_Pooling" / "config.json")
    model_type, hidden_act = _text(settings, "model_type", path), _text(settings, "hidden_act", path)
    encoder, not_bert = None, ""
    try:
        encoder = _encoder(settings, model_type, hidden_act, path) if settings else None
    except ModelFormatError as exc:
        not_bert = str(exc)
    positions = _positive(settings.get("max_position_embeddings"))
    # RoBERTa's positions, and those of its kin, begin behind the padding token's.
    if positions is not None and model_type in _SHIFTED_POSITIONS:
        positions -= 2
    limits = [positions, _positive(tokenizer.get("model_max_length"))]
    classifies = any("Sequence" in name for name in _texts(settings, "architectures", path))
    is_cls = pooling.get("pooling_mode_cls_token") or pooling.get("pooling_mode") == "cls"
    return ModelConfig(
        model_type=model_type,
        labels=_labels(settings, path),
        max_length=min((limit for limit in limits if limit is not None and limit > 0), default=None),
        pooling="cls" if is_cls else "mean",
        embeds=bool(pooling) and not classifies,
        encoder=encoder,
        not_bert=not_bert,
    )


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; an empty one if there is no file.

    Raises:
        ModelIntegrityError: it is not a regular file, can't be read, is not JSON, or not an object.
    """
    if not path.exists():
        return {}
    # Opening a pipe would wait for its other end.
    if not path.is_file():
        raise ModelIntegrityError(f"{path} is not a regular file")
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise ValueError(f"it is larger than {_LARGEST_JSON >> 20} MiB")  # noqa: TRY301
        loaded: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as exc:  # a RecursionError: nested too deep
        raise ModelIntegrityError(f"{path} can't be read as JSON: {exc}") from exc
    if not isinstance(loaded, dict):
        raise ModelIntegrityError(f"{path} does not hold a JSON object")
    return loaded


def _encoder(settings: Mapping[str, Any], model_type: str, hidden_act: str, path: Path) -> EncoderConfig:
    """Return the shape of an encoder like BERT.

    Raises:
        ModelFormatError: it is another architecture, or its config.json lacks what has to be known.
    """
    if model_type not in _HEAD_ACTIVATIONS:
        raise ModelFormatError(f"{path}: the architecture {model_type or None!r} is not that of BERT")
    positions = settings.get("position_embedding_type", "absolute")
    if positions != "absolute":
        raise ModelFormatError(f"{path}: its positions are {positions!r:.80}, not absolute")
    activation = _ACTIVATIONS.get(hidden_act or "gelu")
    if activation is None or settings.get("is_decoder"):
        raise ModelFormatError(f"{path}: {hidden_act!r} activations or a decoder, unlike BERT")
    n_heads = _positive(settings.get("num_attention_heads"))
    norm_eps = settings.get("layer_norm_eps", 1e-12)
    padding = settings.get("pad_token_id", 1)
    if n_heads is None or not _is_number(norm_eps) or not norm_eps > 0 or not isinstance(padding, int):
        raise ModelFormatError(
            f"{path} does not say what the encoder is like: num_attention_heads is "
            f"{settings.get('num_attention_heads')!r:.80}, layer_norm_eps {norm_eps!r:.80}, "
            f"pad_token_id {padding!r:.80}"
        )
    return EncoderConfig(
        n_heads=n_heads,
        activation=activation,
        norm_eps=float(norm_eps),
        first_position=padding + 1 if model_type in _BEHIND_PADDING else 0,
        head_activation=_HEAD_ACTIVATIONS[model_type],
    )


def _labels(settings: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    labels = settings.get("id2label", {})
    if not isinstance(labels, dict) or not all(isinstance(label, str | int | float) for label in labels.values()):
        raise ModelFormatError(f"{path}: id2label must map the numbers of outputs to names, not {labels!r:.80}")
    if set(labels) != {str(at) for at in range(len(labels))}:
        raise ModelFormatError(f"{path}: the keys of id2label must be '0', '1', and so on, not {list(labels)!r:.80}")
    return tuple(str(labels[str(at)]) for at in range(len(labels)))


def _text(settings: Mapping[str, Any], name: str, path: Path) -> str:
    """Return a setting that is a text; an empty one if it is missing or null."""
    value = settings.get(name)
    if value is not None and not isinstance(value, str):
        raise ModelFormatError(f"{path}: {name} must be a text, not {value!r:.80}")
    return value or ""


def _texts(settings: Mapping[str, Any], name: str, path: Path) -> list[str]:
    value = settings.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ModelFormatError(f"{path}: {name} must be a list of texts, not {value!r:.80}")
    return value


def _positive(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
