"""What a model's own JSON files say about it: read and judged once, when the model is found."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from secondpass.errors import ModelFormatError, ModelIntegrityError
from secondpass.models.sources.encoders import (
    Activation,
    EncoderConfig,
    HeadConfig,
    Pooling,
    encoder_config,
    positive,
)

__all__ = ["ModelConfig", "read_config", "read_json"]

_LARGEST_JSON = 1 << 26  # an index of shards, the largest of these files, has some megabytes
_SHIFTED_POSITIONS = {"roberta", "xlm-roberta", "camembert", "xlm-roberta-xl", "mpnet"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """What config.json, tokenizer_config.json, modules.json and the modules' own files say.

    A file that is missing says nothing.

    Attributes:
        model_type: the architecture, such as ``bert``; empty if it is not named.
        labels: names of the head's outputs, in their order; empty if they have none.
        max_length: the most tokens of a sequence; None if no limit is named.
        pooling: which vector stands for a text: the first token's, or the mean of all.
        not_pooled: why neither of them does, as sentence-transformers saved it; else empty.
        embeds: whether it was saved as a bi-encoder by sentence-transformers.
        query_prefix: what a bi-encoder expects before a query, as sentence-transformers keeps it.
        document_prefix: likewise, before a document.
        encoder: its shape, if the fused graph has it.
        not_fused: why ``encoder`` is None; empty as well where there is no config.json.
    """

    model_type: str = ""
    labels: tuple[str, ...] = ()
    max_length: int | None = None
    pooling: Pooling = "mean"
    not_pooled: str = ""
    embeds: bool = False
    query_prefix: str = ""
    document_prefix: str = ""
    encoder: EncoderConfig | None = None
    not_fused: str = ""

    def require_encoder(self) -> EncoderConfig | None:
        """Return the shape, or None where there is no config.json and the weights themselves may show it.

        Raises:
            ModelFormatError: the fused graph does not have it, or config.json does not say what it is.
        """
        if self.not_fused:
            raise ModelFormatError(self.not_fused)
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
    modules = _modules(folder)
    pooling = read_json(folder / _pooling_folder(modules) / "config.json")
    model_type = _text(settings, "model_type", path)
    _text(settings, "hidden_act", path)
    encoder, not_fused = None, ""
    try:
        encoder = encoder_config(settings, model_type, path) if settings else None
    except ModelFormatError as exc:
        not_fused = str(exc)
    head = _module_head(folder, modules, pooling)
    if encoder and head:
        encoder = replace(encoder, head=head)
    positions = positive(settings.get("max_position_embeddings"))
    # RoBERTa's positions, and those of its kin, begin behind the padding token's.
    if positions is not None and model_type in _SHIFTED_POSITIONS:
        positions -= 2
    limits = [positions, positive(tokenizer.get("model_max_length")), _most_tokens(folder)]
    prompts = _prompts(folder)
    classifies = any("Sequence" in name for name in _texts(settings, "architectures", path))
    return ModelConfig(
        model_type=model_type,
        labels=_labels(settings, path),
        max_length=min((limit for limit in limits if limit is not None and limit > 0), default=None),
        pooling=_pooling(pooling),
        not_pooled=_not_pooled(folder, modules, pooling, prompted=any(prompts.values())),
        embeds=bool(pooling) and not classifies and head is None,
        query_prefix=prompts.get("query", ""),
        document_prefix=prompts.get("document") or prompts.get("passage", ""),
        encoder=encoder,
        not_fused=not_fused,
    )


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; an empty one if there is no file.

    Raises:
        ModelIntegrityError: it is not a regular file, can't be read, is not JSON, or not an object.
    """
    loaded = _read(path, {})
    if not isinstance(loaded, dict):
        raise ModelIntegrityError(f"{path} does not hold a JSON object")
    return loaded


def _read(path: Path, missing: Any) -> Any:
    if not path.exists():
        return missing
    # Opening a pipe would wait for its other end.
    if not path.is_file():
        raise ModelIntegrityError(f"{path} is not a regular file")
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise ValueError(f"it is larger than {_LARGEST_JSON >> 20} MiB")  # noqa: TRY301
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as exc:  # a RecursionError: nested too deep
        raise ModelIntegrityError(f"{path} can't be read as JSON: {exc}") from exc


def _prompts(folder: Path) -> dict[str, str]:
    path = folder / "config_sentence_transformers.json"
    prompts = read_json(path).get("prompts") or {}
    if not isinstance(prompts, dict):
        raise ModelFormatError(f"{path}: prompts must map names to texts, not {prompts!r:.80}")
    return {str(name): prompt for name, prompt in prompts.items() if isinstance(prompt, str)}


_Modules = list[tuple[str, str]]
"""Kind and folder of each module that sentence-transformers lists, in their order."""

# Modules around which a vector keeps its direction; a cross-encoder's head is read by `_module_head`.
_PLAIN_MODULES = ("Transformer", "Pooling", "Normalize", "Dropout")
# The square root of the length divides all of a vector alike.
_PLAIN_POOLINGS = ("cls", "mean", "mean_sqrt_len")


def _modules(folder: Path) -> _Modules:
    modules = _read(folder / "modules.json", [])
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        raise ModelIntegrityError(f"{folder / 'modules.json'} does not hold a list of JSON objects")
    return [(str(module.get("type")).rpartition(".")[2], str(module.get("path"))) for module in modules]


def _pooling(pooling: Mapping[str, Any]) -> Pooling:
    return "cls" if "cls" in _pooling_modes(pooling) else "mean"


def _pooling_folder(modules: _Modules) -> str:
    named = next((path for kind, path in modules if kind == "Pooling"), "")
    return named if named and Path(named).name == named else "1_Pooling"


def _pooling_modes(pooling: Mapping[str, Any]) -> set[str]:
    """Return which vectors stand for a text, side by side if there are several, in both ways of writing them down."""
    named = pooling.get("pooling_mode") or []
    modes = {str(mode) for mode in (named if isinstance(named, list) else [named])}
    start = "pooling_mode_"
    modes |= {name.removeprefix(start) for name, value in pooling.items() if name.startswith(start) and value is True}
    return {mode.removesuffix("_tokens").removesuffix("_token") for mode in modes}


def _not_pooled(folder: Path, modules: _Modules, pooling: Mapping[str, Any], *, prompted: bool) -> str:
    """Return why a text's vector is neither the first token's nor the mean of all, whatever its length."""
    modes = sorted(_pooling_modes(pooling))
    said = ""
    if len(modes) > 1 or not set(modes) <= set(_PLAIN_POOLINGS):
        said = f"its vectors are pooled by {' and '.join(modes)}"
    if prompted and pooling.get("include_prompt") is False:
        said = "its vectors are pooled without the prompt's tokens"
    if other := next((kind for kind, _ in modules if kind not in _PLAIN_MODULES), ""):
        said = f"its vectors go through a module {other!r:.80}"
    return f"{folder}: {said}, which backend='torch' alone does" if said else ""


def _most_tokens(folder: Path) -> int | None:
    """Return the limit that sentence-transformers keeps in a file of its own, named after the architecture."""
    paths = sorted(folder.glob("sentence_*_config.json"))
    return positive(read_json(paths[0]).get("max_seq_length")) if paths else None


# sentence-transformers' names of what stands between two linear layers.
_MODULE_ACTIVATIONS: Mapping[object, Activation] = {
    "torch.nn.modules.activation.GELU": "gelu",
    "torch.nn.modules.activation.ReLU": "relu",
    "torch.nn.modules.activation.Tanh": "tanh",
}
_IDENTITY = "torch.nn.modules.linear.Identity"


def _module_head(folder: Path, modules: _Modules, pooling: Mapping[str, Any]) -> HeadConfig | None:
    """Return the head that a cross-encoder has in sentence-transformers' modules; None if it has not, or another one.

    It is the Ettin rerankers': Transformer, Pooling, Dense, LayerNorm (which may be missing) and Dense.
    """
    kinds, paths = [kind for kind, _ in modules], [path for _, path in modules]
    if kinds[:3] != ["Transformer", "Pooling", "Dense"] or kinds[3:] not in (["Dense"], ["LayerNorm", "Dense"]):
        return None
    if _pooling_modes(pooling) not in ({"cls"}, {"mean"}):
        return None
    if paths[:2] != ["", "1_Pooling"] or any(Path(path).name != path for path in paths[2:]):
        return None
    dense, out = (read_json(folder / paths[at] / "config.json") for at in (2, -1))
    activation = _MODULE_ACTIVATIONS.get(str(dense.get("activation_function")))
    plain = not (dense.get("use_residual") or out.get("use_residual"))
    if not activation or not plain:
        return None
    if out.get("activation_function") != _IDENTITY or out.get("module_output_name") != "scores":
        return None
    return HeadConfig(pooling=_pooling(pooling), activation=activation, modules=tuple(paths[2:]))


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
