"""A smaller model that learns another one's scores, on queries and documents that nobody labelled."""

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from secondpass.base import Reranker
from secondpass.counts import counted
from secondpass.errors import ConfigError, InputError, MissingExtraError, ModelFormatError
from secondpass.files import write_whole
from secondpass.learn.data.example import TrainingExample
from secondpass.learn.data.scoring import as_reranker, log_odds_of
from secondpass.learn.pseudo import pseudo_labelled
from secondpass.learn.training.run import TrainingRun, train
from secondpass.learn.training.settings import TrainSettings, preset
from secondpass.learn.training.start import checkpoint_of
from secondpass.models.sources.config import read_json
from secondpass.models.sources.resolve import model_name
from secondpass.types import Document, Request
from secondpass.validation import OneOf, Whole

__all__ = ["distil", "fewer_layers", "taught"]

_LAYER = re.compile(r"(\.(?:layer|layers)\.)(\d+)(\.)")
_BESIDE = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")


def distil(
    teacher: Reranker | str | Mapping[str, Any],
    candidates: Mapping[str, Sequence[Document]],
    folder: str | os.PathLike[str],
    *,
    student: str | os.PathLike[str] = "ms-marco-MiniLM-L12-v2",
    n_layers: int | None = 6,
    dev: Sequence[TrainingExample] = (),
    settings: TrainSettings | Mapping[str, Any] | None = None,
    progress: bool = False,
) -> TrainingRun:
    """Train a student on a teacher's margins between documents (margin MSE: Hofstätter et al. 2020, arXiv:2010.02666).

    Args:
        teacher: any reranker, an ensemble or a language model among them, or its name; on logits or probabilities, of
            which the log-odds are learned.
        candidates: queries with documents, as a first stage finds them; no labels are needed.
        folder: where the training is written; with the same arguments it goes on after a kill.
        student: what it begins with.
        n_layers: how many of its layers the student keeps, evenly spaced and the last one among them; None for all.
        dev: queries with judged documents, to keep the best weights.
        settings: of the training.
        progress: show bars.

    Raises:
        InputError: there are no queries, or one has fewer than two documents.
        ConfigError: a setting can't be used.
        CompositionError: the teacher's scores are ordinal.
        ModelError: a model can't be found or read.
    """
    examples = taught(teacher, candidates)
    path = Path(folder)
    start = model_name(student)
    if n_layers is not None:
        small = path / "student"
        start = os.fspath(small if small.is_dir() else fewer_layers(start, small, n_layers))
    n = sum(len(example.documents) for example in examples)
    chosen = (
        settings
        if isinstance(settings, TrainSettings)
        else preset(n, **{"learning_rate": 5e-5, "batch": 4, **(settings or {})})
    )
    return train(start, examples, path / "training", dev=dev, settings=chosen, progress=progress)


def taught(
    teacher: Reranker | str | Mapping[str, Any], candidates: Mapping[str, Sequence[Document]]
) -> list[TrainingExample]:
    """Return queries with their documents and the logits that a teacher gives them; all labels are 0.

    Raises:
        InputError: there are no queries, or one has fewer than two documents.
        CompositionError: the teacher's scores are ordinal, so nothing but their order could be learned.
    """
    judge = as_reranker(teacher, "distil")
    if not isinstance(candidates, Mapping) or not candidates:
        raise InputError("candidates must map queries to their documents, and there are none")
    requests = [Request(query, documents) for query, documents in candidates.items()]
    for request in requests:
        if len(request) < 2:
            raise InputError(
                f"the query {request.query[:60]!r} has {counted(len(request), 'document')}: margins need two"
            )
    return pseudo_labelled(
        [(request.query, request.texts) for request in requests], lambda *asked: log_odds_of(judge, *asked)
    )


def fewer_layers(
    model: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    layers: int | Sequence[int],
    *,
    keep: Literal["spaced", "first"] = "spaced",
) -> Path:
    """Write the checkpoint of a model with some of its layers, and its head.

    Args:
        model: the folder of a checkpoint, a name of the catalogue, or a repository on the hub.
        folder: where to; it must not be there yet.
        layers: how many of its layers are kept, or which ones: their numbers, from 0, rising.
        keep: if it is how many, ``spaced`` for evenly spaced ones, the last one among them, whose states the head
            reads; ``first`` for the first ones, whose states are what they were, and which the head has to learn to
            read.

    Raises:
        ConfigError: it has no more layers than that, not these layers, or there is no such choice.
        InputError: the folder is there already.
        ModelFormatError: its layers can't be told from its weights.
    """
    named = None if isinstance(layers, int) else tuple(layers)
    n = Whole(at_least=1).checked(layers if named is None else len(named), "layers")
    OneOf("spaced", "first").checked(keep, "keep")
    try:
        from safetensors.numpy import load_file, save_file
    except ImportError as exc:
        raise MissingExtraError.of("learn", "fewer_layers") from exc
    target = Path(folder)
    if target.exists():
        raise InputError(f"{target} is there already: choose another folder for the student")
    partial = target.with_name(f".{target.name}.writing")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        source = checkpoint_of(model_name(model), partial / "start")
        config = read_json(source / "config.json")
        tensors = load_file(source / "model.safetensors")
        numbers = {int(found[2]) for name in tensors if (found := _LAYER.search(name))}
        had = len(numbers)
        if not had or config.get("num_hidden_layers") != had:
            raise ModelFormatError(f"{model} does not name its layers as BERT does, so none can be taken out")
        if n >= had:
            raise ConfigError(f"layers is {n}, but the model has {counted(had, 'layer')}: a student has fewer")
        if named is not None and not (sorted(set(named)) == list(named) and set(named) <= numbers):
            raise ConfigError(f"layers must be rising numbers from 0 to {had - 1}, not {named}")
        spaced = np.linspace(had - 1, 0, n).round()[::-1] if n > 1 else [had - 1]
        kept = {int(at): new for new, at in enumerate(named or (spaced if keep == "spaced" else range(n)))}
        chosen = {}
        for name, tensor in tensors.items():
            found = _LAYER.search(name)
            if found is None:
                chosen[name] = tensor
            elif int(found[2]) in kept:
                chosen[_LAYER.sub(rf"\g<1>{kept[int(found[2])]}\g<3>", name, count=1)] = tensor
        for name in _BESIDE:
            if (source / name).is_file():
                shutil.copyfile(source / name, partial / name)
        save_file(chosen, partial / "model.safetensors", metadata={"format": "pt"})
        write_whole(partial / "config.json", json.dumps(config | {"num_hidden_layers": n}, indent=1).encode())
        shutil.rmtree(partial / "start", ignore_errors=True)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target
