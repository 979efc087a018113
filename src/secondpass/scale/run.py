"""Shards through a pool of workers on Ray Data, and what came of it."""

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from secondpass import __version__
from secondpass.counts import counted
from secondpass.errors import ConfigError, ScoringError, first_line
from secondpass.scale.cluster import connected
from secondpass.scale.formats import Shard
from secondpass.scale.output import OutputFolder
from secondpass.scale.plan import Plan, Source
from secondpass.scale.settings import ScaleSettings
from secondpass.scale.tasks import Task
from secondpass.scale.worker import ShardWorker, raise_reported

__all__ = ["DatasetRun", "ShardDone", "run_task"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardDone:
    """A shard that has been written.

    Attributes:
        number: of the shard, from 0.
        part: its file in the output.
        rows: in it.
        pairs: of a query and a document, or an answer and a passage.
        tokens: that the model was given; 0 if it does not say.
        errors: rows that could not be used, and have an ``error``.
        seconds: from reading to writing.
        cpu_seconds: of processor time, of all threads of the worker.
        worker: host and process id of who did it.
        rows_done: of the whole run so far, those of earlier runs included.
        rows_total: of the whole run.
    """

    number: int
    part: Path
    rows: int
    pairs: int
    tokens: int
    errors: int
    seconds: float
    cpu_seconds: float
    worker: str
    rows_done: int
    rows_total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRun:
    """What a run did.

    Attributes:
        folder: the output: Parquet or JSONL files, whose names in order give the rows in the order of the input.
        parts: those files.
        rows: in all of them.
        rows_before: of these, those that were there already.
        pairs: that this run scored.
        tokens: that the model was given for them; 0 if it does not say.
        errors: rows of this run that could not be used, and have an ``error``.
        workers: processes that wrote a shard; one that took the place of a lost one counts as well.
        seconds: of the whole run.
        busy_seconds: of all workers together, reading, scoring and writing.
        cpu_seconds: of processor time, likewise.
        fingerprint: of the model; empty if there was nothing left to do.
    """

    folder: Path
    parts: tuple[Path, ...]
    rows: int
    rows_before: int
    pairs: int
    tokens: int
    errors: int
    workers: int
    seconds: float
    busy_seconds: float
    cpu_seconds: float
    fingerprint: str

    @property
    def pairs_per_s(self) -> float:
        """Pairs a second of the whole run, with the time in which Ray and the models started."""
        return self.pairs / self.seconds if self.seconds else 0.0

    @property
    def pairs_per_worker_s(self) -> float:
        """Pairs a second of one worker, while it worked on a shard."""
        return self.pairs / self.busy_seconds if self.busy_seconds else 0.0

    @property
    def pairs_per_cpu_s(self) -> float:
        """Pairs for each second of processor time: what a core does that nothing else runs on."""
        return self.pairs / self.cpu_seconds if self.cpu_seconds else 0.0

    def __str__(self) -> str:
        before = f", {self.rows_before:,} of them before" if self.rows_before else ""
        errors = f"; {counted(self.errors, 'row')} could not be used" if self.errors else ""
        return (
            f"{counted(self.rows, 'row')} in {counted(len(self.parts), 'part')}{before}: "
            f"{counted(self.pairs, 'pair')} in {self.seconds:,.1f} s "
            f"by {counted(self.workers, 'worker')}, {self.pairs_per_worker_s:,.1f} a second each{errors}"
        )


def run_task(
    task: Task,
    source: Source,
    output: Path,
    settings: ScaleSettings,
    on_done: Callable[[ShardDone], object] | None,
) -> DatasetRun:
    """Plan, begin or go on, and finish.

    Args:
        task: what is done with each row.
        source: the files.
        output: the folder.
        settings: workers and shards.
        on_done: told of each shard.
    """
    start = time.perf_counter()
    plan = Plan.of(source, settings.shard_rows or task.usual_rows)
    task.require_columns(plan.names)
    folder = OutputFolder(output, plan.format)
    if any(path.parent == folder.path for path in plan.files):
        raise ConfigError(f"{folder.path} has the input in it: name another folder for the output")
    does = {key: value for key, value in task.to_dict().items() if key != "batch_tokens"}
    shards = {"shards": len(plan.shards), "shard_rows": settings.shard_rows or task.usual_rows}
    folder.begin({"secondpass": __version__, "task": does, "input": plan.identity(), **shards})
    folder.forget_attempts()
    todo = [shard for shard in plan.shards if not folder.is_done(shard)]
    before = plan.rows - sum(shard.rows for shard in todo)
    reports: list[dict[str, Any]] = []
    done = before
    if todo:
        with connected(settings.cpus), _bar(plan.rows, before, settings.progress) as advance:
            for report in _reports(task, todo, folder, settings):
                reports.append(report)
                done += report["rows"]
                advance(report["rows"])
                if on_done is not None:
                    on_done(_shard_done(report, folder, plan, done))
    missing = [shard.number for shard in todo if not folder.part(shard).is_file()]
    if missing or len(reports) != len(todo):
        raise ScoringError(f"{len(missing)} of {len(plan.shards)} parts are missing in {folder.path}: run it again")
    models = {report["fingerprint"] for report in reports}
    if len(models) > 1:
        raise ConfigError(
            f"the workers have different models of that name ({', '.join(sorted(models))}): delete {output}"
        )
    return DatasetRun(
        folder=folder.path,
        parts=tuple(map(folder.part, plan.shards)),
        rows=plan.rows,
        rows_before=before,
        workers=len({report["worker"] for report in reports}),
        seconds=time.perf_counter() - start,
        busy_seconds=_sum(reports, "seconds"),
        cpu_seconds=_sum(reports, "cpu_seconds"),
        fingerprint=next(iter(models), ""),
        **{name: int(_sum(reports, name)) for name in ("pairs", "tokens", "errors")},
    )


def _sum(reports: Sequence[dict[str, Any]], name: str) -> float:
    total: float = sum(report[name] for report in reports)
    return total


def _shard_done(report: dict[str, Any], folder: OutputFolder, plan: Plan, done: int) -> ShardDone:
    figures = {name: report[name] for name in ("rows", "pairs", "tokens", "errors", "seconds", "cpu_seconds", "worker")}
    part = folder.part(plan.shards[report["shard"]])
    return ShardDone(number=report["shard"], part=part, rows_done=done, rows_total=plan.rows, **figures)


@contextmanager
def _bar(total: int, done: int, shown: bool) -> Iterator[Callable[[int], object]]:
    from tqdm import tqdm

    with tqdm(total=total, initial=done, unit="row", unit_scale=True, disable=not shown) as bar:
        yield bar.update


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Let a logger that tells of each step say no more than what went wrong; its files have all of it."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _reports(
    task: Task, shards: Sequence[Shard], folder: OutputFolder, settings: ScaleSettings
) -> Iterator[dict[str, Any]]:
    """Yield what the workers report, as it comes.

    Raises:
        SecondPassError: a worker reported one.
        ScoringError: the workers died, or Ray failed otherwise.
    """
    import ray
    import ray.data
    from ray.exceptions import RayError

    job = {"task": task.to_dict(), "folder": str(folder.path), "threads": settings.threads}
    context = ray.data.DataContext.get_current().copy()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    with ray.data.DataContext.current(context), _quiet("ray.data"):
        rows = [{"shard": json.dumps(shard.to_dict())} for shard in shards]
        low, high = settings.pool
        dataset = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
            ShardWorker,  # type: ignore[arg-type]  # a class of callables, as its documentation has it
            fn_constructor_args=(json.dumps(job),),
            # One at a time: what waits at one worker, another one that is free could do.
            compute=ray.data.ActorPoolStrategy(min_size=low, max_size=high, max_tasks_in_flight_per_actor=1),
            num_cpus=settings.cpus_per_worker,
            num_gpus=settings.gpus_per_worker or None,
        )
        try:
            batch: Any
            for batch in dataset.iter_batches(batch_size=None, prefetch_batches=0, batch_format="pyarrow"):
                for told in batch["report"].to_pylist():
                    report = json.loads(told)
                    raise_reported(report)
                    yield report
        except RayError as exc:
            raise ScoringError(
                f"the workers on Ray failed ({first_line(exc)}); what is in {folder.path} stays: run it again to go on"
            ) from exc
