"""One training by sentence-transformers' trainers, which goes on from where it was stopped."""

import logging
import math
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from secondpass.errors import (
    ConfigError,
    InputError,
    MissingExtraError,
    OutOfMemoryError,
    SecondPassError,
    first_line,
)
from secondpass.learn.training.losses import loss_module
from secondpass.learn.training.measure import dev_values, measure_name
from secondpass.learn.training.models import label_places, layer_rates, open_model, uses_cpu
from secondpass.learn.training.rows import Columns, as_columns
from secondpass.learn.training.settings import TrainSettings, TrainTask

try:
    import torch
    from datasets import Dataset
    from safetensors import SafetensorError
    from sentence_transformers import (
        CrossEncoderTrainer,
        CrossEncoderTrainingArguments,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.base.evaluation import BaseEvaluator
    from transformers import EarlyStoppingCallback, PrinterCallback, TrainerCallback
    from transformers.utils import logging as transformers_log

    from secondpass.learn.training.memory import part_size
    from secondpass.learn.training.precision import is_mixed, precision_arguments
    from secondpass.models.pytorch import is_out_of_memory, without_bars
except ImportError as exc:
    raise MissingExtraError.of("learn", "training") from exc

__all__ = ["fit", "last_checkpoint"]

_WHOLE = "whole"  # written last: what a process that was killed had begun to write lacks it
_KEPT = 2
_TOLD = 60  # times that the loss is written down
_SEEN_QUERIES = 10  # of the training set, on which it is measured too: far better there is overfitting

_log = logging.getLogger(__name__)


def fit(
    checkpoint: Path,
    folder: Path,
    *,
    task: TrainTask,
    loss: str,
    examples: Sequence[Any],
    dev: Sequence[Any],
    settings: TrainSettings,
    measure: str,
    progress: bool,
) -> dict[str, Any]:
    """Train, or go on with it; return what was seen: ``history``, ``base``, ``best``, ``best_step`` and ``steps``.

    The best weights by the dev set, or the last ones without one, are in ``folder/model`` afterwards.

    Raises:
        InputError: the examples can't be learned from, the weights are no numbers any more, or nothing can be written.
        OutOfMemoryError: a single example does not fit into memory.
    """
    with _quiet(), _errors_of(folder):
        return _fit(checkpoint, folder, task, loss, examples, dev, settings, measure, progress)


def _fit(
    checkpoint: Path,
    folder: Path,
    task: TrainTask,
    loss: str,
    examples: Sequence[Any],
    dev: Sequence[Any],
    settings: TrainSettings,
    measure: str,
    progress: bool,
) -> dict[str, Any]:
    columns = as_columns(examples, loss, settings, task)
    places = label_places(checkpoint) if task == "nli" else (0, 1, 2)
    if task == "nli":
        columns["label"] = [places[label] for label in columns["label"]]
    model = open_model(checkpoint, task, settings)
    world = _world_size()
    if settings.batch % world:
        raise ConfigError(f"the batch of {settings.batch} can't be shared among {world} processes: take a multiple")
    batch = settings.batch // world
    part = _part(model, columns, task, loss, settings, batch)
    whole = loss == "multiple-negatives"  # whose other examples are each one's negatives: it takes parts by itself
    n_steps = settings.epochs * math.ceil(len(columns[next(iter(columns))]) / settings.batch)
    every = max(1, math.ceil(n_steps / settings.evaluations))
    arguments: dict[str, Any] = {
        "output_dir": str(folder / "checkpoints"),
        "num_train_epochs": settings.epochs,
        "per_device_train_batch_size": batch if whole else part,
        "gradient_accumulation_steps": 1 if whole else batch // part,
        "learning_rate": settings.learning_rate,
        "learning_rate_mapping": layer_rates(model, settings),
        "warmup_steps": math.ceil(settings.warm_up * n_steps),
        "weight_decay": settings.weight_decay,
        "batch_sampler": "no_duplicates" if whole else "batch_sampler",
        "seed": settings.seed,
        "data_seed": settings.seed,
        "save_strategy": "steps",
        "save_steps": every,
        "save_total_limit": _KEPT,
        "logging_steps": max(1, n_steps // _TOLD),
        "logging_nan_inf_filter": False,
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": uses_cpu(),
        "ddp_find_unused_parameters": False,
        **precision_arguments(settings),
    }
    if uses_cpu() and world > 1:
        arguments["ddp_backend"] = "gloo"
    evaluator = None
    callbacks: list[TrainerCallback] = [_MarksWhole(), _StopsWhereNotFinite()]
    name = measure_name(task, measure)
    resumed = last_checkpoint(folder)
    if dev:
        evaluator = _Evaluator(task, dev, _seen(examples, task), measure, places, is_mixed(settings))
        arguments |= {
            "eval_strategy": "steps",
            "eval_steps": every,
            "eval_on_start": resumed is None,
            "load_best_model_at_end": True,
            "metric_for_best_model": f"eval_{_key(name)}",
            "greater_is_better": True,
        }
        if settings.patience:
            callbacks.append(EarlyStoppingCallback(early_stopping_patience=settings.patience))
    if progress:
        callbacks.append(_Progress())
    if task == "embed":
        prompts = {"query": model.prompts.get("query", "")}
        prompts |= {column: model.prompts.get("document", "") for column in columns if column not in ("query", "label")}
        arguments["prompts"] = {column: prompt for column, prompt in prompts.items() if prompt}
    classes: tuple[Any, Any] = (
        (SentenceTransformerTrainer, SentenceTransformerTrainingArguments)
        if task == "embed"
        else (CrossEncoderTrainer, CrossEncoderTrainingArguments)
    )
    of_trainer, of_arguments = classes
    trainer = of_trainer(
        model=model,
        args=of_arguments(**arguments),
        train_dataset=Dataset.from_dict(columns),
        loss=loss_module(loss, task, model, settings, part),
        evaluator=evaluator,
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    _log.info("training %d steps from %s", n_steps, resumed or checkpoint)
    trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
    _check_finite(model, trainer.state, settings)
    if trainer.is_world_process_zero():
        _save(model, folder)
    return _seen_in(trainer.state, _key(name))


def last_checkpoint(folder: Path) -> Path | None:
    """Return the latest checkpoint of a run that is whole; what was begun and not finished is deleted."""
    found = sorted((folder / "checkpoints").glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    for path in found:
        if not (path / _WHOLE).is_file():
            shutil.rmtree(path, ignore_errors=True)
    return next((path for path in reversed(found) if path.is_dir()), None)


class _Evaluator(BaseEvaluator):
    """Measures a model in training on the dev set, and on some of what it was trained on."""

    def __init__(
        self, task: TrainTask, dev: Sequence[Any], seen: Sequence[Any], measure: str, places: Sequence[int], mixed: bool
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._mixed = mixed
        self._task, self._sets, self._measure, self._places = task, {"": dev, "seen_": seen}, measure, places
        self.primary_metric = _key(measure_name(task, measure))

    def __call__(
        self, model: Any, output_path: str | None = None, epoch: int = -1, steps: int = -1
    ) -> dict[str, float]:
        found = {}
        for prefix, examples in self._sets.items():
            if examples:
                with torch.autocast(model.device.type, torch.bfloat16, enabled=self._mixed):
                    values = dev_values(model, self._task, examples, self._measure, self._places)
                found[f"{prefix}{self.primary_metric}"] = sum(values.values()) / len(values)
        return found


class _MarksWhole(TrainerCallback):
    """Marks a checkpoint that is written, and takes away what nothing reads."""

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.is_world_process_zero:
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            (folder / "training_args.bin").unlink(missing_ok=True)  # a pickle
            (folder / _WHOLE).touch()


class _StopsWhereNotFinite(TrainerCallback):
    """Ends a training whose loss is no number any more."""

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            control.should_training_stop = True


class _Progress(TrainerCallback):
    """Shows a bar with the latest loss and the latest measure."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        from tqdm import tqdm

        self._bar = tqdm(total=state.max_steps, initial=state.global_step, unit="step", leave=False)
        self._bar.disable = self._bar.disable or not state.is_world_process_zero

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._bar.update(state.global_step - self._bar.n)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        told = {"loss": logs["loss"]} if logs and "loss" in logs else {}
        best = {"best": state.best_metric} if state.best_metric is not None else {}
        self._bar.set_postfix({**told, **best})

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._bar.close()


def _part(model: Any, columns: Columns, task: TrainTask, loss: str, settings: TrainSettings, batch: int) -> int:
    """Return how many examples of a process's batch are computed at a time."""
    names = [name for name in columns if name not in ("label", "labels")]
    rows = list(zip(*(columns[name] for name in names), strict=True))
    longest = max(rows, key=lambda row: sum(len("".join(text)) for text in row))
    texts: list[Any] = []
    for text in longest[1:]:
        texts += text if isinstance(text, list) else [text]
    given = [longest[0], *texts] if task == "embed" else [(longest[0], text) for text in texts]
    parameter = next(model.parameters())

    def forward(n: int) -> None:
        features = model.preprocess(given * n)
        with torch.autocast(parameter.device.type, torch.bfloat16, enabled=is_mixed(settings)):
            model(
                {
                    name: value.to(parameter.device) if hasattr(value, "to") else value
                    for name, value in features.items()
                }
            )

    return part_size(batch, forward)


def _check_finite(model: Any, state: Any, settings: TrainSettings) -> None:
    """Refuse weights that are no numbers: a model that scores nothing is not a training that is done."""
    if all(bool(torch.isfinite(parameter).all()) for parameter in model.parameters()):
        return
    steps = [entry["step"] for entry in state.log_history if not math.isfinite(entry.get("loss", 0.0))]
    since = f", and the loss is none from step {steps[0]} on" if steps else ""
    raise InputError(
        f"the training came apart: weights are no numbers any more after step {state.global_step}{since}. Look for "
        f"labels or scores that are very large, or take a learning rate well below {settings.learning_rate:g}, a "
        f"longer warm-up, or float32 rather than float16; and another folder"
    )


@contextmanager
def _errors_of(folder: Path) -> Iterator[None]:
    """Say in words of ours what may happen to any training: a disk that is full, and memory that is not enough."""
    try:
        yield
    except SecondPassError:
        raise
    except (OSError, RuntimeError, MemoryError, SafetensorError) as exc:
        if is_out_of_memory(exc):
            raise OutOfMemoryError(f"the training does not fit into memory: {first_line(exc)}") from exc
        # PyTorch's own writer of files raises a plain RuntimeError.
        if isinstance(exc, OSError | SafetensorError) or "inline_container" in str(exc):
            raise InputError(
                f"the training in {folder} can't read or write a file: {first_line(exc)}; once that is mended, the "
                f"same call goes on with it"
            ) from exc
        raise


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from showing a bar for each file that is written, and from telling what it is told anyway."""
    log: Any = transformers_log  # untyped
    level = transformers_log.get_verbosity()
    log.set_verbosity_error()
    try:
        with without_bars(anywhere=True):
            yield
    finally:
        transformers_log.set_verbosity(level)


def _seen(examples: Sequence[Any], task: TrainTask) -> list[Any]:
    if task == "nli":
        return list(examples[:: max(1, len(examples) // (5 * _SEEN_QUERIES))])
    told = [example for example in examples if example.positives and len(set(example.labels)) > 1]
    return told[:: max(1, len(told) // _SEEN_QUERIES)][:_SEEN_QUERIES]


def _seen_in(state: Any, key: str) -> dict[str, Any]:
    history = []
    for entry in state.log_history:
        if "loss" in entry:
            history.append(
                {name: entry[name] for name in ("step", "loss", "grad_norm", "learning_rate") if name in entry}
            )
        if f"eval_{key}" in entry:
            found = {"step": entry["step"], "dev": entry[f"eval_{key}"]}
            if f"eval_seen_{key}" in entry:
                found["seen"] = entry[f"eval_seen_{key}"]
            history.append(found)
    measured = [entry for entry in history if "dev" in entry]
    return {
        "history": history,
        "base": measured[0]["dev"] if measured and measured[0]["step"] == 0 else None,
        "best": state.best_metric,
        "best_step": state.best_global_step,
        "steps": state.global_step,
    }


def _save(model: Any, folder: Path) -> None:
    """Write the weights into ``folder/model``, which is whole or not there."""
    partial = folder / "model.writing"
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(str(partial), create_model_card=False)
    shutil.rmtree(folder / "model", ignore_errors=True)
    partial.rename(folder / "model")


def _world_size() -> int:
    try:
        return max(1, int(os.environ.get("WORLD_SIZE", "1")))
    except ValueError as exc:
        raise InputError("the environment's WORLD_SIZE, which torchrun sets, is not a number") from exc


def _key(name: str) -> str:
    return name.replace(" ", "_")
