"""Claims and windows to the entailment model, all in one call; what fails takes nothing else with it."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from secondpass.composition.attempts import attempts
from secondpass.errors import ScoringError
from secondpass.logistic import FloatArray
from secondpass.models.nli import NliOutput
from secondpass.verify.evidence import Window

__all__ = ["EntailmentModel", "Run", "Task", "TaskScores", "run_tasks"]

_log = logging.getLogger(__name__)
_PREMISE, _HYPOTHESIS = 0, 1  # columns of NliOutput.truncated


class EntailmentModel(Protocol):
    """What of an `NliModel` is needed."""

    def run(self, pairs: Sequence[tuple[str, str]]) -> NliOutput:
        """Score pairs of a premise and a hypothesis."""
        ...


@dataclass(frozen=True, slots=True)
class Task:
    """What the model has to read for one claim.

    Attributes:
        hypothesis: the claim, as the model reads it.
        windows: where the evidence is looked for, best first.
        joined: the two best of them as one premise; empty for none.
        cited: further windows, of passages that the answer cites for the claim: no evidence, only to check these.
    """

    hypothesis: str
    windows: tuple[Window, ...]
    joined: str = ""
    cited: tuple[Window, ...] = ()

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """What is scored, in the order of `TaskScores`."""
        premises = [window.text for window in self.windows] + [window.text for window in self.cited]
        return [(premise, self.hypothesis) for premise in premises + ([self.joined] if self.joined else [])]


@dataclass(frozen=True, slots=True)
class TaskScores:
    """The model's probabilities for one task, in the order of `NliOutput`.

    Attributes:
        windows: shape (n_windows, 3).
        cited: shape (n_cited, 3).
        joined: shape (3,); None if there is no joined premise, or if it did not fit into the model.
    """

    windows: FloatArray
    cited: FloatArray
    joined: FloatArray | None


@dataclass(slots=True)
class Run:
    """What became of tasks.

    Attributes:
        results: the scores of each task, or why there are none.
        counts: ``pairs``, ``pairs_scored`` and ``tokens``.
        latency_s: seconds in the model.
    """

    results: list[TaskScores | Exception] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: {"pairs": 0, "pairs_scored": 0, "tokens": 0})
    latency_s: float = 0.0


def run_tasks(model: EntailmentModel, tasks: Sequence[Task]) -> Run:
    """Score all tasks in one call; if it fails, one by one, unless the first two fail as well."""
    run = Run()
    if not tasks:
        return run

    def failed(exc: Exception) -> None:  # the model may be anyone's, and fail in any way
        _log.debug("the entailment model failed on %d claims: %s", len(tasks), exc)

    start = time.perf_counter()
    score = partial(_scored, model, counts=run.counts)
    run.results = list(attempts(score, tasks, catch=Exception, on_failure=failed))
    run.latency_s = time.perf_counter() - start
    return run


def _scored(model: EntailmentModel, tasks: Sequence[Task], *, counts: dict[str, int]) -> list[TaskScores | Exception]:
    pairs = [pair for task in tasks for pair in task.pairs]
    output = model.run(pairs)
    if output.probabilities.shape != (len(pairs), 3):
        raise ScoringError(
            f"the entailment model gave probabilities of shape {output.probabilities.shape} for {len(pairs)} pairs"
        )
    counts["pairs"] += len(pairs)
    counts["pairs_scored"] += int((~output.repeated).sum())
    counts["tokens"] += int(output.n_tokens.sum())
    results: list[TaskScores | Exception] = []
    begin = 0
    for task in tasks:
        end = begin + len(task.pairs)
        results.append(_of_task(task, output, slice(begin, end)))
        begin = end
    return results


def _of_task(task: Task, output: NliOutput, part: slice) -> TaskScores | Exception:
    probabilities, truncated = output.probabilities[part], output.truncated[part]
    if not ((probabilities >= 0) & (probabilities <= 1)).all():  # neither is NaN
        return ScoringError("the entailment model gave something else than probabilities")
    if truncated[:, _HYPOTHESIS].any():
        return ScoringError("the claim does not fit into the model")
    n, cited = len(task.windows), len(task.cited)
    whole = bool(task.joined) and not truncated[-1, _PREMISE]
    return TaskScores(probabilities[:n], probabilities[n : n + cited], probabilities[-1] if whole else None)
