"""What runs in a worker: a model that is loaded once, and shards that are read, scored and written one by one."""

import json
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from secondpass import errors
from secondpass.errors import ScoringError, SecondPassError
from secondpass.models.batching import THREADS
from secondpass.scale.formats import Shard, format_of
from secondpass.scale.output import OutputFolder
from secondpass.scale.tasks import Task, task_of

__all__ = ["ShardWorker", "raise_reported"]


class ShardWorker:
    """Scores shards; of each it returns how that went, as JSON, since the scores themselves are in the part by then.

    Args:
        job: as JSON: the task, the folder of the output, and the threads that the model may use.
    """

    def __init__(self, job: str) -> None:
        told = json.loads(job)
        os.environ[THREADS] = str(told["threads"])
        self._task: Task = task_of(told["task"])
        self._folder = Path(told["folder"])
        self._fingerprint = ""

    def __call__(self, row: Mapping[str, Any]) -> dict[str, str]:
        """Score the shard of a row; an error of ours is returned, as who raised it would be lost on the way."""
        shard = Shard(**json.loads(row["shard"]))
        try:
            report = self._done(shard)
        except SecondPassError as exc:
            # Of a worker's own class perhaps, which the other side need not have: its nearest relative here.
            kind = next(each.__name__ for each in type(exc).__mro__ if each.__name__ in errors.__all__)
            report = {"error": kind, "message": str(exc)}
        return {"report": json.dumps(report | {"shard": shard.number})}

    def _done(self, shard: Shard) -> dict[str, Any]:
        kind = format_of(Path(shard.file))
        folder = OutputFolder(self._folder, kind)
        folder.attempt(shard)
        if not self._fingerprint:
            self._task.load()
            self._fingerprint = self._task.fingerprint
        folder.require_model(self._fingerprint)
        start, cpu_start = time.perf_counter(), time.process_time()
        rows = kind.read(shard)

        def place(at: int) -> str:
            return f"{shard.file}, row {shard.start + at + 1}"

        answered = self._task.answer(rows.columns(self._task.read_names()), place)
        folder.put(shard, rows.with_columns(answered.columns))
        return {
            "rows": shard.rows,
            "pairs": answered.pairs,
            "tokens": answered.tokens,
            "errors": answered.errors,
            "seconds": time.perf_counter() - start,
            "cpu_seconds": time.process_time() - cpu_start,
            "worker": f"{socket.gethostname()}:{os.getpid()}",
            "fingerprint": self._fingerprint,
        }


def raise_reported(report: Mapping[str, Any]) -> None:
    """Raise the error that a worker reported, if it did.

    Raises:
        SecondPassError: of the class that it had there.
    """
    if "error" in report:
        kind = getattr(errors, report["error"], ScoringError)
        raise kind(report["message"])
