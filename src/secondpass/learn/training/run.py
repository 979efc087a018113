"""Trainings that are folders: begun, stopped, gone on with, and read again.

A folder has ``run.json`` (what is trained, how, on which data), ``examples.jsonl`` and ``dev.jsonl``, ``checkpoints``,
and once it is done ``result.json`` and ``model``. What was killed goes on from the last checkpoint that is whole, by
the same command.
"""

import json
import math
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from secondpass.errors import ConfigError, InputError, ModelIntegrityError, SecondPassError, SecondPassWarning, warn
from secondpass.files import write_whole
from secondpass.learn.data.example import (
    LabelledPair,
    TrainingExample,
    checked_examples,
    data_hash,
    read_examples,
    write_examples,
)
from secondpass.learn.training.losses import chosen_loss
from secondpass.learn.training.measure import measure_name, ranking_values
from secondpass.learn.training.rows import as_columns, check_entailment
from secondpass.learn.training.settings import TrainSettings, TrainTask, preset
from secondpass.learn.training.start import checkpoint_of
from secondpass.models.sources.config import read_json
from secondpass.models.sources.files import sha256_of
from secondpass.models.sources.resolve import model_name
from secondpass.validation import OneOf, Whole, shown

__all__ = ["TrainingRun", "go_on", "train"]

_RUN, _RESULT, _EXAMPLES, _DEV = "run.json", "result.json", "examples.jsonl", "dev.jsonl"
_FORMAT = 1
_TAIL = 600  # characters of what a process that failed said


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """A training that is done.

    Attributes:
        folder: where it is.
        task: what was trained.
        loss: what was minimised.
        settings: how.
        measure: what was measured on the dev set.
        n_examples: how many examples there were.
        data: the hash of the examples.
        history: what was seen, by step: ``loss``, ``grad_norm`` and ``learning_rate``; or ``dev``, and ``seen``, the
            same measure on some of the training examples.
        base: the measure of the start, before any step; None without a dev set.
        best: the best one; None without a dev set.
        best_step: the step at which it was; None without a dev set.
        steps: how many there were.
        seconds: how long it took, from where it was gone on with last.
    """

    folder: Path
    task: TrainTask
    loss: str
    settings: TrainSettings
    measure: str
    n_examples: int
    data: str
    history: tuple[Mapping[str, float], ...]
    base: float | None
    best: float | None
    best_step: int | None
    steps: int
    seconds: float

    @property
    def checkpoint(self) -> Path:
        """The folder of the weights: the best ones by the dev set, or the last ones without one."""
        return self.folder / "model"

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> "TrainingRun":
        """Read the training in a folder.

        Raises:
            ConfigError: there is none, or it is not done; `train` goes on with it.
            ModelIntegrityError: a file is damaged.
        """
        path = Path(folder)
        if not (path / _RESULT).is_file() or not (path / "model").is_dir():
            raise ConfigError(f"{path} holds no training that is done")
        run, result = read_json(path / _RUN), read_json(path / _RESULT)
        try:
            return cls(
                folder=path,
                task=run["task"],
                loss=run["loss"],
                settings=TrainSettings.of(run["settings"]),
                measure=run["measure"],
                n_examples=run["n_examples"],
                data=run["data"],
                history=tuple(result["history"]),
                **{name: result[name] for name in ("base", "best", "best_step", "steps", "seconds")},
            )
        except (KeyError, TypeError) as exc:
            raise ModelIntegrityError(f"{path / _RESULT} can't be read: {exc!r}") from exc


def train(
    model: str | os.PathLike[str],
    examples: Sequence[TrainingExample] | Sequence[LabelledPair],
    folder: str | os.PathLike[str],
    *,
    dev: Sequence[TrainingExample] | Sequence[LabelledPair] = (),
    task: TrainTask = "rerank",
    settings: TrainSettings | Mapping[str, Any] | None = None,
    measure: str = "nDCG@10",
    processes: int = 1,
    progress: bool = False,
) -> TrainingRun:
    """Train a model; if that was begun in the folder before, go on with it.

    Args:
        model: what it begins with: a folder of a checkpoint, a name of the catalogue, or a repository on the hub.
        examples: for ``rerank`` and ``embed`` queries with judged documents, for ``nli`` labelled pairs.
        folder: where everything about it is written.
        dev: likewise, of other queries: measured while it is trained, to keep the best weights and to stop early.
        task: what is trained: a cross-encoder that ranks (``rerank``) or tells entailment (``nli``), or a bi-encoder
            (``embed``).
        settings: how; by default `preset` for so many examples. A mapping changes some of these.
        measure: of the dev set, in the words of ir-measures; for ``nli`` it is always the balanced accuracy.
        processes: how many work on it together, by ``torchrun``; the batch stays as large, and the result the same up
            to rounding, as far as the loss is of single examples and without dropout.
        progress: show a bar.

    Raises:
        InputError: the examples can't be learned from, or the weights came apart; or the folder can't be written to.
        ConfigError: a setting can't be used, or the folder holds another training.
        OutOfMemoryError: a single example does not fit into memory.
        ModelError: the model can't be found or read.
        MissingExtraError: the extra ``learn`` is not installed.
        SecondPassError: a process of several failed; the end of what it said is in the message.
    """
    path = Path(folder)
    OneOf("rerank", "nli", "embed").checked(task, "task")
    n_processes = Whole(at_least=1).checked(processes, "processes")
    given: list[Any] = checked_examples(examples)
    of_dev: list[Any] = checked_examples(dev) if dev else []
    chosen = settings if isinstance(settings, TrainSettings) else preset(_size(given), task, **(settings or {}))
    _require_modules()
    # What can't be learned from is refused before the folder is that of a training.
    loss = chosen_loss(given, chosen, task)
    as_columns(given, loss, chosen, task)
    if of_dev:
        _check_dev(of_dev, chosen, task, measure)
    run = {
        "format": _FORMAT,
        "model": model_name(model),
        "task": task,
        "loss": loss,
        "settings": chosen.to_dict(),
        "measure": measure_name(task, measure),
        "ranked_by": measure,
        "n_examples": len(given),
        "data": data_hash(given),
        "dev": data_hash(of_dev) if of_dev else "",
    }
    _prepare(path, run, given, of_dev)
    if not (path / _RESULT).is_file():
        if n_processes == 1:
            go_on(path, progress=progress)
        else:
            _launch(path, n_processes)
    done = TrainingRun.load(path)
    lost = [entry["step"] for entry in done.history if not math.isfinite(entry.get("loss", 0.0))]
    if lost:
        warn(
            f"{path}: the loss is no number at step {lost[0]:g}, where the training ended: see what `diagnose` says",
            SecondPassWarning,
        )
    return done


def _check_dev(dev: Sequence[Any], settings: TrainSettings, task: TrainTask, measure: str) -> None:
    """Refuse a dev set on which nothing can be measured.

    Raises:
        InputError: it is of another kind than the task's examples, has other labels, or none is relevant.
        ConfigError: there is no such measure.
    """
    chosen_loss(dev, settings, task)  # refuses another kind of examples
    if task == "nli":
        check_entailment(dev, "dev")
        return
    ranking_values(lambda pairs: [0.0] * len(pairs), dev, measure)


def go_on(folder: Path, *, progress: bool = False) -> None:
    """Begin a training that `train` prepared, or go on with it: what each process of several runs.

    Raises:
        ConfigError: the folder holds none.
    """
    from secondpass.learn.training.trainer import fit

    run = read_json(folder / _RUN)
    if not run:
        raise ConfigError(f"{folder} holds no training: `secondpass.learn.train` prepares one")
    dev = read_examples(folder / _DEV) if (folder / _DEV).is_file() else []
    begun = time.monotonic()
    result = fit(
        _start(run, folder),
        folder,
        task=run["task"],
        loss=run["loss"],
        examples=read_examples(folder / _EXAMPLES),
        dev=dev,
        settings=TrainSettings.of(run["settings"]),
        measure=run["ranked_by"],
        progress=progress,
    )
    if os.environ.get("RANK", "0") == "0":
        _write_json(folder / _RESULT, result | {"seconds": time.monotonic() - begun})


def _start(run: Mapping[str, Any], folder: Path) -> Path:
    """Return the checkpoint to begin with; `_prepare` wrote it if it was not one."""
    return (
        folder / "start"
        if (folder / "start").is_dir()
        else checkpoint_of(run["model"], folder / "start", task=run["task"])
    )


def _prepare(path: Path, run: dict[str, Any], examples: Sequence[Any], dev: Sequence[Any]) -> None:
    """Write what a training needs into its folder, or see that it is there."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise InputError(f"{path} can't be made: {exc}") from exc
    before = read_json(path / _RUN)
    partial = path / "start.writing"
    start = path / "start" if before else checkpoint_of(run["model"], partial, task=run["task"])
    if before:
        start = path / "start" if start.is_dir() else checkpoint_of(run["model"], partial, task=run["task"])
    elif start == partial:
        shutil.rmtree(path / "start", ignore_errors=True)  # of a process that was killed before it wrote run.json
        start = partial.rename(path / "start")
    run["start"] = sha256_of(start / "model.safetensors") if (start / "model.safetensors").is_file() else ""
    if before:
        changed = sorted(name for name in run if before.get(name) != run[name])
        if changed:
            raise ConfigError(
                f"{path} holds another training ({', '.join(changed)}: {shown(before.get(changed[0]))} there, and not "
                f"{shown(run[changed[0]])}): choose another folder, or delete it"
            )
        return
    try:
        write_examples(path / _EXAMPLES, examples)
        if dev:
            write_examples(path / _DEV, dev)
        _write_json(path / _RUN, run)
    except OSError as exc:
        raise InputError(f"the training can't be written into {path}: {exc}") from exc


def _launch(path: Path, processes: int) -> None:
    """Run the training by torchrun, on this machine."""
    threads = max(1, (os.cpu_count() or 1) // processes)
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"),
        *("-m", "secondpass.learn.training", str(path)),
    ]
    environment = {"OMP_NUM_THREADS": str(threads)} | os.environ
    done = subprocess.run(  # noqa: S603  # this Python, on a module of ours
        command, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SecondPassError(f"a process of the training failed: {done.stderr[-_TAIL:]}")


def _size(examples: Sequence[Any]) -> int:
    return sum(len(example.documents) if isinstance(example, TrainingExample) else 1 for example in examples)


def _write_json(path: Path, data: object) -> None:
    write_whole(path, (json.dumps(data, indent=1) + "\n").encode())


def _require_modules() -> None:
    import secondpass.learn.training.models  # noqa: F401  # raises what the extra is called, before anything is written
