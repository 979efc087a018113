"""How many workers a run has, what each of them gets, and how large the shards are."""

import math
from collections.abc import Mapping
from typing import Any, Self, TypedDict

from secondpass.errors import ConfigError
from secondpass.validation import NOT_NEGATIVE, POSITIVE, Flag, Whole, check, check_names, must_be

__all__ = ["ScaleOptions", "ScaleSettings", "fewest_and_most", "threads_of"]

_PROCESSES = Whole(at_least=1)


class ScaleOptions(TypedDict, total=False):
    """The settings of `ScaleSettings`, as they are passed along."""

    workers: int | tuple[int, int]
    cpus_per_worker: float
    gpus_per_worker: float
    shard_rows: int | None
    batch_tokens: int
    record_errors: bool
    progress: bool


class ScaleSettings:
    """The settings that `rerank_dataset` and `verify_dataset` share.

    Args:
        workers: processes, each with a model; or the fewest and the most of them, between which Ray chooses by what
            the cluster has free.
        cpus_per_worker: processors that Ray gives to each, and threads that its model has.
        gpus_per_worker: GPUs likewise; a share such as 0.5 lets two workers have one.
        shard_rows: the rows of a part, which are done again if a worker is lost; by default 10,000 pairs, or 100
            queries or answers.
        batch_tokens: tokens, counted roughly, that a model is asked about at once, which bounds the memory.
        record_errors: whether a row that can't be used gets its ``error`` in a column, rather than ending the run.
        progress: show a bar.

    Raises:
        ConfigError: a setting is out of range.
    """

    def __init__(
        self,
        *,
        workers: int | tuple[int, int] = 1,
        cpus_per_worker: float = 1,
        gpus_per_worker: float = 0,
        shard_rows: int | None = None,
        batch_tokens: int = 200_000,
        record_errors: bool = False,
        progress: bool = False,
    ) -> None:
        self.workers, self.cpus_per_worker, self.gpus_per_worker = workers, cpus_per_worker, gpus_per_worker
        self.shard_rows, self.batch_tokens = shard_rows, batch_tokens
        self.record_errors, self.progress = record_errors, progress
        check(
            self,
            cpus_per_worker=POSITIVE,
            gpus_per_worker=NOT_NEGATIVE,
            shard_rows=Whole(at_least=1) | None,
            batch_tokens=Whole(at_least=1),
            record_errors=Flag(),
            progress=Flag(),
        )
        self.pool = fewest_and_most("workers", workers)

    @classmethod
    def of(cls, owner: str, options: Mapping[str, Any]) -> Self:
        """Return the settings that a function was called with.

        Args:
            owner: the function, for the error.
            options: its settings.
        """
        check_names(options, ScaleOptions.__annotations__, owner)
        return cls(**options)

    @property
    def threads(self) -> int:
        """Threads of each worker's model."""
        return threads_of(self.cpus_per_worker)

    @property
    def cpus(self) -> float:
        """Processors of all workers."""
        return self.pool[1] * self.cpus_per_worker


def fewest_and_most(name: str, processes: Any) -> tuple[int, int]:
    """Return how many processes there are at least and at most.

    Raises:
        ConfigError: it is neither a number nor two in this order.
    """
    if not isinstance(processes, list | tuple):
        return (n := _PROCESSES.checked(processes, name)), n
    if len(processes) != 2:
        raise ConfigError(must_be(name, "a number, or the fewest and the most", processes))
    fewest, most = (_PROCESSES.checked(each, name) for each in processes)
    if fewest > most:
        raise ConfigError(must_be(name, "the fewest and the most, in this order", processes))
    return fewest, most


def threads_of(cpus: float) -> int:
    """Return how many threads a process with some processors, perhaps with a share of one, runs."""
    return max(1, math.floor(cpus))
