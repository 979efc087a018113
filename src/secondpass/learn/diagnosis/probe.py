"""Whether a model can learn from examples at all: a few by heart, at several rates, and where the gradient goes."""

import copy
import math
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from secondpass.counts import counted
from secondpass.errors import InputError, MissingExtraError
from secondpass.learn.data.example import checked_examples
from secondpass.learn.data.findings import Finding
from secondpass.learn.training.losses import chosen_loss
from secondpass.learn.training.rows import as_columns
from secondpass.learn.training.settings import TrainSettings, TrainTask
from secondpass.learn.training.start import checkpoint_of
from secondpass.models.sources.resolve import model_name
from secondpass.validation import Number, OneOf, Whole

__all__ = ["Probe", "probe"]

_RATES = (1e-6, 1e-5, 1e-4, 1e-3)
_LEARNED = 0.5  # of the loss at the start, below which a few examples count as learned by heart
_DEAD = 1e-8
_LAYER = re.compile(r"\.(?:layer|layers|block|h)\.(\d+)\.")


@dataclass(frozen=True, slots=True)
class Probe:
    """What a model does with a few examples.

    Attributes:
        loss: the one that was minimised.
        start: its value at the start, over the examples.
        floor: the least that labels between 0 and 1 allow it; 0 if it can fall to that.
        after: learning rate to its value after some steps.
        gradients: the norm of the gradient at the start, by part: ``embeddings``, ``layer 0`` and so on, ``head``.
        n_examples: rows that were learned.
        n_steps: that each rate had.
    """

    loss: str
    start: float
    floor: float
    after: Mapping[float, float]
    gradients: Mapping[str, float]
    n_examples: int
    n_steps: int

    @property
    def best_rate(self) -> float:
        """The learning rate after which the loss was lowest."""
        finite = {rate: loss for rate, loss in self.after.items() if math.isfinite(loss)}
        return min(finite, key=lambda rate: finite[rate]) if finite else min(self.after)

    @property
    def memorised(self) -> bool:
        """Whether the examples were learned by heart at some rate."""
        lowest = self.after[self.best_rate]
        return math.isfinite(lowest) and lowest - self.floor <= _LEARNED * (self.start - self.floor)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What it comes to."""
        found = []
        dead = [part for part, norm in self.gradients.items() if norm < _DEAD]
        if dead:
            found.append(
                Finding(
                    "no_gradient",
                    f"no gradient reaches {', '.join(dead)}",
                    "nothing is learned there: set frozen_layers lower if that is not wanted",
                    severe=len(dead) == len(self.gradients),
                )
            )
        if not self.memorised:
            found.append(
                Finding(
                    "not_memorised",
                    f"{self.n_examples} rows can't be learned by heart in {counted(self.n_steps, 'step')}: the loss "
                    f"{self.loss!r} "
                    f"goes from {self.start:.3f} to {self.after[self.best_rate]:.3f} at best",
                    "look whether the same texts have different labels, whether the loss fits the labels (grades, "
                    "scores, three-way labels), and whether texts are cut before what tells them apart",
                    severe=True,
                )
            )
        return tuple(found)

    def __str__(self) -> str:
        rates = ", ".join(f"{loss:.3f} at {rate:g}" for rate, loss in self.after.items())
        learned = "learned by heart" if self.memorised else "not learned by heart"
        return f"{counted(self.n_examples, 'row')} {learned}: {self.loss} {self.start:.3f} at the start, {rates}"


def probe(
    model: str | os.PathLike[str],
    examples: Sequence[Any],
    *,
    task: TrainTask = "rerank",
    settings: TrainSettings | Mapping[str, Any] | None = None,
    rates: Sequence[float] = _RATES,
    n_examples: int = 4,
    n_steps: int = 30,
) -> Probe:
    """See whether a model can learn a few examples by heart, at which learning rate, and where the gradient goes.

    A model that can't, can't learn from more of them either: then it is the data, the labels or the loss.

    Args:
        model: what a training would begin with.
        examples: what it would learn from; the first ones are taken.
        task: what is trained.
        settings: of the training; dropout and the learning rate play no part.
        rates: learning rates that are tried, each from the start.
        n_examples: how many examples are learned.
        n_steps: how many steps each rate has.

    Raises:
        InputError: the examples can't be learned from.
        ConfigError: a setting can't be used.
        ModelError: the model can't be found or read.
        MissingExtraError: the extra ``learn`` is not installed.
    """
    try:
        import torch

        from secondpass.learn.training.losses import loss_module
        from secondpass.learn.training.models import label_places, open_model
    except ImportError as exc:
        raise MissingExtraError.of("learn", "probe") from exc
    OneOf("rerank", "nli", "embed").checked(task, "task")
    steps = Whole(at_least=1).checked(n_steps, "n_steps")
    tried = [Number(above=0, at_most=1).checked(rate, f"rates[{at}]") for at, rate in enumerate(rates)]
    if not tried:
        raise InputError("rates is empty: there is no learning rate to try")
    chosen = settings if isinstance(settings, TrainSettings) else TrainSettings.of(dict(settings or {}))
    given: list[Any] = checked_examples(examples)
    few = given[: Whole(at_least=1).checked(n_examples, "n_examples")]
    loss_name = chosen_loss(given, chosen, task)
    columns = as_columns(few, loss_name, chosen, task)
    plain = TrainSettings.of(chosen.to_dict() | {"dropout": 0.0})
    with tempfile.TemporaryDirectory() as folder:
        start = checkpoint_of(model_name(model), Path(folder) / "start", task=task)
        opened = open_model(start, task, plain)
        places = label_places(start) if task == "nli" else (0, 1, 2)
    if task == "nli":
        columns["label"] = [places[label] for label in columns["label"]]
    n_rows = len(next(iter(columns.values())))

    def forward(trained: Any) -> Any:
        loss = loss_module(loss_name, task, trained, plain, n_rows)
        texts = [column for name, column in columns.items() if name not in ("label", "labels")]
        labels: Any = columns.get("label", columns.get("labels"))
        if labels is not None:
            device = next(trained.parameters()).device
            whole = task == "nli"
            labels = (
                [torch.tensor(row, device=device) for row in labels]
                if "documents" in columns
                else torch.tensor(labels, device=device, dtype=torch.long if whole else torch.float32)
            )
        inputs = [trained.preprocess(column) for column in texts] if task == "embed" else texts
        return loss(inputs, labels)

    opened.train()
    gradients, first = _gradients(opened, forward)
    after = {}
    for rate in tried:
        trained = copy.deepcopy(opened)
        parameters = [p for p in trained.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.0)
        for _ in range(steps):
            value = forward(trained)
            if not torch.isfinite(value):
                break
            optimizer.zero_grad()
            value.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
        with torch.no_grad():
            after[rate] = float(forward(trained))
    floor = _floor(columns["label"]) if loss_name == "binary-cross-entropy" else 0.0
    return Probe(loss_name, first, floor, after, gradients, n_rows, steps)


def _gradients(model: Any, forward: Any) -> tuple[dict[str, float], float]:
    """Return the norm of the gradient of each part of a model, and the loss."""
    value = forward(model)
    value.backward()
    squares: dict[str, float] = {}
    for name, parameter in model.named_parameters():
        layer = _LAYER.search(name)
        part = f"layer {layer[1]}" if layer else "embeddings" if "embeddings" in name else "head"
        gradient = 0.0 if parameter.grad is None else float(parameter.grad.norm()) ** 2
        squares[part] = squares.get(part, 0.0) + gradient
    model.zero_grad()
    return {part: math.sqrt(square) for part, square in squares.items()}, float(value.detach())


def _floor(labels: Sequence[float]) -> float:
    """Return the mean cross-entropy of labels with themselves."""
    p = np.clip(np.array(labels, dtype=np.float64), 1e-12, 1 - 1e-12)
    return float(-(p * np.log(p) + (1 - p) * np.log(1 - p)).mean())
