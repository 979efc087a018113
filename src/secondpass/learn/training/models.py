"""Models as they are trained, with the head, the layers and the rates that are asked for."""

import re
from pathlib import Path
from typing import Any

from secondpass.errors import ConfigError, MissingExtraError, ModelFormatError, ModelIntegrityError
from secondpass.learn.training.settings import TrainSettings, TrainTask
from secondpass.models.nli import LABELS, entailment_columns
from secondpass.models.sources.config import read_config

try:
    import torch
    from sentence_transformers import CrossEncoder, SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    from secondpass.models.pytorch import knows_no_word, without_bars
except ImportError as exc:
    raise MissingExtraError.of("learn", "training") from exc

__all__ = ["freeze", "label_places", "layer_rates", "open_model", "uses_cpu"]

_LAYER = re.compile(r"\.(?:layer|layers|block|h)\.(\d+)\.")
_EMBEDDINGS = re.compile(r"(?:^|\.)embeddings\.")
_RELEVANCE, _ENTAILMENT_LABELS = 1, len(LABELS)


def open_model(checkpoint: Path, task: TrainTask, settings: TrainSettings) -> Any:
    """Return the ``CrossEncoder`` or ``SentenceTransformer`` of a checkpoint, ready to be trained.

    A head of another shape than the task's is replaced by a new one, of random weights.

    Raises:
        ModelIntegrityError: the checkpoint can't be read.
        ModelFormatError: it has no tokenizer.
    """
    torch.manual_seed(settings.seed)  # of a new head
    model: Any
    device = "cpu" if uses_cpu() else None
    try:
        with without_bars():
            if task == "embed":
                model = _bi_encoder(checkpoint, settings, device)
            else:
                model = _cross_encoder(checkpoint, task, settings, device)
    except (OSError, ValueError, RuntimeError, KeyError) as exc:
        raise ModelIntegrityError(f"the checkpoint in {checkpoint} can't be read: {exc}") from exc
    if getattr(model, "tokenizer", None) is None or knows_no_word(model.tokenizer):
        raise ModelFormatError(f"the checkpoint in {checkpoint} has no tokenizer")
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = settings.dropout
    freeze(model, settings.frozen_layers)
    # Else examples are computed for a card that nobody reads, which takes seconds, and shows a bar.
    model.model_card_data.widget = [{"text": ""}]
    return model


def uses_cpu() -> bool:
    """Whether there is no accelerator to train on."""
    return not torch.accelerator.is_available()


def label_places(checkpoint: Path) -> tuple[int, ...]:
    """Return for each of `LABELS` which output of a checkpoint's head it is; its own order, if it is a new head."""
    labels = read_config(checkpoint).labels
    try:
        columns = entailment_columns(labels)
    except ModelFormatError:
        columns = ()
    return tuple(columns.index(at) for at in range(3)) if len(columns) == _ENTAILMENT_LABELS else (0, 1, 2)


def freeze(model: Any, n_layers: int) -> None:
    """Leave the embeddings and the lowest layers of a model as they are.

    Raises:
        ConfigError: the model has no more layers than that.
    """
    if not n_layers:
        return
    top = max((at for name, _ in model.named_parameters() if (at := _layer(name)) is not None), default=-1)
    if n_layers > top:
        raise ConfigError(
            f"frozen_layers is {n_layers}, but the model has {top + 1} layers, of which at least one has to be trained"
        )
    for name, parameter in model.named_parameters():
        at = _layer(name)
        if _EMBEDDINGS.search(name) or (at is not None and at < n_layers):
            parameter.requires_grad_(False)


def layer_rates(model: Any, settings: TrainSettings) -> dict[str, float]:
    """Return learning rates by a pattern of parameters' names: each layer's is lower than that of the one above."""
    if settings.layer_decay == 1:
        return {}
    layers = {name: _layer(name) for name, p in model.named_parameters() if p.requires_grad}
    numbers = {at for at in layers.values() if at is not None}
    n = max(numbers, default=-1) + 1
    rates = {rf"\.(?:layer|layers|block|h)\.{at}\.": _rate(settings, n - 1 - at) for at in sorted(numbers)}
    if any(_EMBEDDINGS.search(name) and at is None for name, at in layers.items()):
        rates[_EMBEDDINGS.pattern] = _rate(settings, n)
    return rates


def _rate(settings: TrainSettings, below: int) -> float:
    return float(settings.learning_rate * settings.layer_decay**below)


def _layer(name: str) -> int | None:
    found = _LAYER.search(name)
    return int(found[1]) if found else None


def _cross_encoder(checkpoint: Path, task: TrainTask, settings: TrainSettings, device: str | None) -> Any:
    n_labels = _ENTAILMENT_LABELS if task == "nli" else _RELEVANCE
    config = read_config(checkpoint)
    names: dict[str, Any] = {}
    if task == "nli" and label_places(checkpoint) == (0, 1, 2):
        names = {"id2label": dict(enumerate(LABELS)), "label2id": {label: at for at, label in enumerate(LABELS)}}
    return CrossEncoder(
        str(checkpoint),
        num_labels=n_labels,
        max_length=min(settings.max_length, config.max_length or settings.max_length),
        device=device,
        activation_fn=torch.nn.Identity(),
        local_files_only=True,
        config_kwargs=names,
        model_kwargs={"ignore_mismatched_sizes": True, "use_safetensors": True} | _attention(device),
    )


def _attention(device: str | None) -> dict[str, str]:
    """Return the attention that is computed: on a CPU a step of it takes a tenth less in bfloat16, and no more else."""
    return {"attn_implementation": "eager"} if device == "cpu" else {}


def _bi_encoder(checkpoint: Path, settings: TrainSettings, device: str | None) -> Any:
    prompts = {"query": settings.query_prefix, "document": settings.document_prefix}
    if (checkpoint / "modules.json").is_file():
        model = SentenceTransformer(str(checkpoint), device=device, local_files_only=True)
        model.prompts = {name: prompts[name] or model.prompts.get(name) or "" for name in prompts}
    else:
        transformer = Transformer(str(checkpoint), max_seq_length=settings.max_length)
        pooling = Pooling(transformer.get_embedding_dimension(), pooling_mode=read_config(checkpoint).pooling)
        model = SentenceTransformer(modules=[transformer, pooling], device=device, prompts=prompts)
    model.max_seq_length = min(settings.max_length, model.max_seq_length or settings.max_length)
    return model
