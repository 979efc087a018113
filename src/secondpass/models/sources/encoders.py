"""The shapes of the encoders that the fused graph has, as a checkpoint's config.json describes them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from secondpass.errors import ModelFormatError

__all__ = [
    "Activation",
    "DebertaConfig",
    "EncoderConfig",
    "HeadConfig",
    "ModernBertConfig",
    "Pooling",
    "encoder_config",
    "is_number",
    "positive",
]

Activation = Literal["gelu", "gelu_tanh", "relu", "tanh"]
Pooling = Literal["cls", "mean"]
Settings = Mapping[str, Any]

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
_TORCH_RUNS_IT = "backend='torch' runs it"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadConfig:
    """What a head for labels does around its two linear layers, ``head.dense`` and ``head.out``.

    Attributes:
        pooling: which vector it reads: the first token's, or the mean of all.
        activation: between the layers.
        norm_eps: of a layer normalisation behind the activation, where its weights are there (``head.norm``).
        modules: folders of sentence-transformers' modules that hold its weights; none if the checkpoint's own does.
    """

    pooling: Pooling = "cls"
    activation: Activation = "tanh"
    norm_eps: float = 1e-5
    modules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderConfig:
    """The shape of an encoder like BERT, as far as its weights don't show it.

    Attributes:
        n_heads: attention heads.
        activation: of the feed-forward layers.
        norm_eps: what the layer normalisations add to the variance.
        first_position: row of the position table that the first token takes (2 for RoBERTa and its kin).
        head: of the head for labels, if there is one.
    """

    n_heads: int
    activation: Activation = "gelu"
    norm_eps: float = 1e-12
    first_position: int = 0
    head: HeadConfig = field(default_factory=HeadConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModernBertConfig(EncoderConfig):
    """The shape of a ModernBERT (https://arxiv.org/abs/2412.13663).

    Attributes:
        local: for each layer, whether its tokens attend only to those near them.
        reach: how many tokens these see to each side.
        global_theta: base of the wavelengths of rotary positions, in the layers that see all tokens.
        local_theta: likewise in the others.
    """

    local: tuple[bool, ...]
    reach: int
    global_theta: float
    local_theta: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DebertaConfig(EncoderConfig):
    """The shape of a DeBERTa, version 2 or 3 (https://arxiv.org/abs/2006.03654).

    Attributes:
        buckets: to each side, how many kinds of distance are told apart; 0 if it is each one up to ``furthest``.
        furthest: the distance from which on all are alike.
        max_length: the most tokens of a sequence.
        to_position: whether contents attend to distances (``c2p``).
        from_position: whether distances attend to contents (``p2c``).
        shares_projections: whether distances are projected by the layers of queries and keys.
        norms_distances: whether the vectors of distances are normalised.
    """

    buckets: int
    furthest: int
    max_length: int
    to_position: bool
    from_position: bool
    shares_projections: bool
    norms_distances: bool


def encoder_config(settings: Settings, model_type: str, path: Path) -> EncoderConfig:
    """Return the shape of an encoder.

    Args:
        settings: contents of its config.json.
        model_type: the architecture that it names.
        path: where it is, for errors.

    Raises:
        ModelFormatError: it is another architecture, a variant that the fused graph does not have, or its
            config.json lacks what has to be known.
    """
    if model_type not in _READERS:
        raise ModelFormatError(
            f"{path}: the fused graph does not have the architecture {model_type or None!r} (it has "
            f"{', '.join(_READERS)}); {_TORCH_RUNS_IT}"
        )
    return _READERS[model_type](settings, path)


def positive(value: object) -> int | None:
    """Return a whole number above 0; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def is_number(value: object) -> bool:
    """Whether a value is a finite number."""
    # A whole number may be too large for math.isfinite.
    return (isinstance(value, float) and math.isfinite(value)) or (type(value) is int and abs(value) < 1e300)


def _bert(settings: Settings, path: Path) -> EncoderConfig:
    positions = settings.get("position_embedding_type", "absolute")
    if positions != "absolute":
        raise _unsupported(path, f"its positions are {positions!r:.80}, not absolute")
    if settings.get("is_decoder"):
        raise _unsupported(path, "it is a decoder")
    model_type, padding = settings["model_type"], settings.get("pad_token_id", 1)
    if not isinstance(padding, int):
        raise _unclear(path, pad_token_id=padding)
    return EncoderConfig(
        n_heads=_whole(settings, "num_attention_heads", path),
        activation=_activation(settings, "hidden_act", path),
        norm_eps=_above_0(settings, "layer_norm_eps", 1e-12, path),
        first_position=padding + 1 if model_type in _BEHIND_PADDING else 0,
        head=HeadConfig(activation=_HEAD_ACTIVATIONS[model_type]),
    )


def _modernbert(settings: Settings, path: Path) -> ModernBertConfig:
    pooling = settings.get("classifier_pooling", "cls")
    if pooling not in ("cls", "mean"):
        raise _unsupported(path, f"classifier_pooling is {pooling!r:.80}, not 'cls' or 'mean'")
    norm_eps = _above_0(settings, "norm_eps", 1e-5, path)
    global_theta = _theta(settings, "full_attention", "global_rope_theta", 160_000.0, path)
    return ModernBertConfig(
        n_heads=_whole(settings, "num_attention_heads", path),
        activation=_activation(settings, "hidden_activation", path),
        norm_eps=norm_eps,
        head=HeadConfig(
            pooling="mean" if pooling == "mean" else "cls",
            activation=_activation(settings, "classifier_activation", path),
            norm_eps=norm_eps,
        ),
        local=_local_layers(settings, path),
        reach=_whole(settings, "local_attention", path, 128) // 2,
        global_theta=global_theta,
        local_theta=_theta(settings, "sliding_attention", "local_rope_theta", 10_000.0, path) or global_theta,
    )


def _local_layers(settings: Settings, path: Path) -> tuple[bool, ...]:
    """Return which layers attend to near tokens only: named one by one, or every one but each n-th."""
    kinds = settings.get("layer_types")
    if kinds is None:
        n_layers = _whole(settings, "num_hidden_layers", path)
        if n_layers > 1_000:
            raise _unclear(path, num_hidden_layers=n_layers)
        every = _whole(settings, "global_attn_every_n_layers", path, 3)
        return tuple(at % every != 0 for at in range(n_layers))
    if not isinstance(kinds, list) or not all(kind in ("full_attention", "sliding_attention") for kind in kinds):
        raise _unsupported(path, f"layer_types are {kinds!r:.80}")
    return tuple(kind == "sliding_attention" for kind in kinds)


def _theta(settings: Settings, kind: str, old_name: str, default: float, path: Path) -> float:
    """Return the base of rotary wavelengths, as transformers writes it since version 5 or wrote it before."""
    if settings.get("rope_scaling"):
        raise _unsupported(path, f"rope_scaling is {settings['rope_scaling']!r:.80}")
    kinds = settings.get("rope_parameters") or {}
    given = kinds.get(kind) if isinstance(kinds, dict) else kinds
    if given is None:
        given = {}
    if not isinstance(given, dict) or given.get("rope_type", "default") != "default":
        raise _unsupported(path, f"its rotary positions are {given!r:.80}")
    if settings.get(old_name, default) is None and not given:  # as the global ones are
        return 0.0
    return _above_0({"rope_theta": settings.get(old_name, default), **given}, "rope_theta", default, path)


def _deberta(settings: Settings, path: Path) -> DebertaConfig:
    width, n_heads = _whole(settings, "hidden_size", path), _whole(settings, "num_attention_heads", path)
    terms = settings.get("pos_att_type") or []
    terms = terms.lower().split("|") if isinstance(terms, str) else terms
    norms = settings.get("norm_rel_ebd", "none")
    if not isinstance(terms, list) or not isinstance(norms, str):
        raise _unclear(path, pos_att_type=terms, norm_rel_ebd=norms)
    terms = [term.strip() if isinstance(term, str) else term for term in terms]
    for name, plain in (
        ("relative_attention", settings.get("relative_attention") is True),
        ("position_biased_input", settings.get("position_biased_input", True) is False),
        ("conv_kernel_size", not settings.get("conv_kernel_size")),
        ("embedding_size", settings.get("embedding_size", width) == width),
        ("attention_head_size", settings.get("attention_head_size", width // n_heads) == width // n_heads),
        ("pos_att_type", bool(terms) and all(term in ("c2p", "p2c") for term in terms)),
    ):
        if not plain:
            raise _unsupported(path, f"{name} is {settings.get(name)!r:.80}")
    max_length = _whole(settings, "max_position_embeddings", path, 512)
    if max_length > 1 << 16:
        raise _unclear(path, max_position_embeddings=max_length)
    return DebertaConfig(
        n_heads=n_heads,
        activation=_activation(settings, "hidden_act", path),
        norm_eps=_above_0(settings, "layer_norm_eps", 1e-7, path),
        head=HeadConfig(activation=_activation(settings, "pooler_hidden_act", path, {**_ACTIVATIONS, "tanh": "tanh"})),
        buckets=positive(settings.get("position_buckets")) or 0,
        furthest=positive(settings.get("max_relative_positions")) or max_length,
        max_length=max_length,
        to_position="c2p" in terms,
        from_position="p2c" in terms,
        shares_projections=bool(settings.get("share_att_key")),
        norms_distances="layer_norm" in [norm.strip() for norm in norms.lower().split("|")],
    )


# In the order in which errors name them.
_READERS: dict[str, Callable[[Settings, Path], EncoderConfig]] = {
    **dict.fromkeys(_HEAD_ACTIVATIONS, _bert),
    "modernbert": _modernbert,
    "deberta-v2": _deberta,
}


def _activation(
    settings: Settings, name: str, path: Path, known: Mapping[str, Activation] = _ACTIVATIONS
) -> Activation:
    value = settings.get(name) or "gelu"
    found = known.get(value) if isinstance(value, str) else None
    if found is None:
        raise _unsupported(path, f"it has {value!r:.80} activations ({name})")
    return found


def _whole(settings: Settings, name: str, path: Path, default: int | None = None) -> int:
    value = positive(settings.get(name, default))
    if value is None:
        raise _unclear(path, **{name: settings.get(name)})
    return value


def _above_0(settings: Settings, name: str, default: float, path: Path) -> float:
    value = settings.get(name, default)
    if not is_number(value) or not value > 0:
        raise _unclear(path, **{name: value})
    return float(value)


def _unsupported(path: Path, said: str) -> ModelFormatError:
    return ModelFormatError(f"{path}: {said}, which the fused graph does not have; {_TORCH_RUNS_IT}")


def _unclear(path: Path, **values: object) -> ModelFormatError:
    said = ", ".join(f"{name} is {value!r:.80}" for name, value in values.items())
    return ModelFormatError(f"{path} does not say what the encoder is like: {said}")
