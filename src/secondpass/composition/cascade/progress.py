"""The state of one request while it goes through the stages of a cascade."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from secondpass.composition.cascade.throughput import work_of
from secondpass.portions import joined_trace
from secondpass.types import Request, Scores, Trace

__all__ = ["CascadeState", "grouped_by_state"]


class CascadeState:
    """A request with its documents in the order in which they stand so far.

    ``order`` always holds every document, best first; the first ``alive`` of them go on.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.order = list(range(len(request)))
        self.alive = len(request)
        self.counts: dict[str, int] = {}
        self.notes: list[str] = []
        self._stage: list[int | None] = [None] * len(request)
        self._values: list[float | None] = [None] * len(request)
        self._columns: dict[str, list[Any]] = {}
        self._traces: dict[int, list[Trace]] = {}
        self._work = work_of(request, self.order)

    def work(self, position: int) -> int:
        """Return what scoring the document at a place of the order takes."""
        return self._work[self.order[position]]

    def record(self, at: int, indices: Sequence[int], scores: Scores) -> None:
        """Take over what a stage says of some documents; what an earlier one said of them is void."""
        self._traces.setdefault(at, []).append(scores.trace)
        for name in scores.explanations:
            self._columns.setdefault(name, [None] * len(self.request))
        for place, index in enumerate(indices):
            self._stage[index], self._values[index] = at, float(scores.values[place])
            for name, column in self._columns.items():
                column[index] = scores.explanations[name][place] if name in scores.explanations else None

    def sort(self, at: int) -> npt.NDArray[np.float64]:
        """Put what a stage scored in order, equal scores as they came; return the scores, best first."""
        scored = [index for index in self.order[: self.alive] if self._stage[index] == at]
        values = np.array([self._values[index] for index in scored], dtype=np.float64)
        best_first = np.argsort(-values, kind="stable")
        self.order[: len(scored)] = [scored[place] for place in best_first]
        return values[best_first]

    def scores(self) -> Scores:
        """Return where each document stands, and why."""
        values = np.empty(len(self.order))
        values[self.order] = np.arange(len(self.order), 0, -1)
        explanations = {**self._columns, "stage": self._stage, "stage_score": self._values}
        stages = tuple(joined_trace(traces) for traces in self._traces.values())
        return Scores(values, explanations, Trace(counts=self.counts, notes=tuple(self.notes), stages=stages))


def grouped_by_state(queue: list[tuple[int, CascadeState]]) -> list[tuple[CascadeState, int, int]]:
    """Group a piece of the queue by request: the state of each, its first position and the one after its last."""
    # A request's positions in a piece of the queue follow each other without a gap.
    parts: dict[int, tuple[CascadeState, int, int]] = {}
    for position, state in queue:
        parts[id(state)] = (state, parts[id(state)][1] if id(state) in parts else position, position + 1)
    return list(parts.values())
