"""A cascade: rerank in stages, from cheap to strong, within a time budget if there is one."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from secondpass.base import Reranker
from secondpass.composition.cascade.progress import CascadeState, grouped_by_state
from secondpass.composition.cascade.rules import ExitRule, KeepRule
from secondpass.composition.cascade.throughput import ThroughputEstimate
from secondpass.composition.members import member_of
from secondpass.errors import ConfigError
from secondpass.loading import RerankerLike
from secondpass.types import Request, Scale, Scores
from secondpass.validation import Function, Number, Whole, check, must_be

__all__ = ["CascadeReranker"]

Keep = int | Mapping[str, float]
Exit = Mapping[str, float]


class CascadeReranker(Reranker):
    """Ranks by several stages, each over the documents that the one before it kept (Wang et al. 2011, SIGIR).

    Every document comes back once. Documents that reached a later stage rank above those that did not; among those
    that reached the same stage, that stage decides. The scores are ordinal: n for the best of n documents, 1 for the
    last. The explanations are ``stage``, the position in ``stages`` of the stage that decided a document's place (None
    if time ran out before the first stage saw it), ``stage_score``, its score there, and that stage's own explanations.

    Without a budget the result is deterministic, and each stage is called once for all requests together.

    With a budget, a call may take ``budget_ms`` for each of its requests. How long each stage takes per character is
    estimated from earlier calls. The first stage scores as many documents as time allows, since later stages never see
    what it leaves out. If there is not enough time for all documents that were kept, the later stages share it in
    proportion to what they would need. The best documents are scored first, so running out of time makes a stage less
    deep, but not wrong; the trace has a note, and the number of documents left out under ``cut_short``. A call to a
    stage is not interrupted: a pointwise stage gets slices of ``slice_size`` documents, or fewer when little time is
    left, so a deadline is missed by one slice at most. A stage whose scores depend on the other documents can't be
    sliced: it gets as many as will fit, or one slice while its throughput is unknown.

    Args:
        stages: the rerankers, from cheap to strong, or their names or configurations, as `secondpass.load` takes them.
        keep: for each stage but the last, which documents go on: a number of them, or a mapping with ``count``,
            ``margin`` (at most this many logits below the best; for a stage that gives logits) or ``probability`` (at
            least this; for a stage that gives probabilities). If a mapping has several, all must hold.
        budget_ms: milliseconds for one request; None for no limit.
        early_exit: for each stage but the last, a bound on how much later stages change the order, or None. A mapping
            with ``margin`` says that they don't swap two documents that are further apart in logits; one with
            ``probability``, that they don't swap one of at most this and one of at least one minus this. Documents that
            can't come among the first ``k`` of the request any more don't go on, and if the order of the first ``k`` is
            settled too, the request ends there. The result is exact if the bound holds, so take it from labelled data.
        slice_size: documents, over all requests of a call, that are scored between two looks at the clock; used only
            with a budget.
        clock: a function that returns seconds; for tests.

    Raises:
        CompositionError: a rule doesn't fit the scale of its stage, or a stage is not a reranker.
        ConfigError: a setting is out of range.
    """

    registry_name: ClassVar[str] = "cascade"
    scale = Scale.ORDINAL
    pointwise = False

    def __init__(
        self,
        stages: Sequence[RerankerLike],
        *,
        keep: Sequence[Keep] = (),
        budget_ms: float | None = None,
        early_exit: Sequence[Exit | None] | None = None,
        slice_size: int = 16,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.stages = [member_of(self, stage) for stage in _as_list(stages, "stages")]
        keep = _as_list(keep, "keep")
        exits = None if early_exit is None else _as_list(early_exit, "early_exit")
        self.budget_ms, self.slice_size, self.clock = budget_ms, slice_size, clock
        check(
            self,
            budget_ms=Number(above=0, unit="milliseconds") | None,
            slice_size=Whole(at_least=1, unit="documents"),
            clock=Function("that returns seconds") | None,
        )
        if not self.stages:
            raise ConfigError("CascadeReranker: stages is empty")
        for name, rules in (("keep", keep), ("early_exit", exits)):
            if rules is not None and len(rules) != len(self.stages) - 1:
                raise ConfigError(
                    f"CascadeReranker: {name} has {len(rules)} rules, but {len(self.stages)} stages need "
                    f"{len(self.stages) - 1}, one for each stage but the last"
                )
        self._keep = [KeepRule.parse(rule, f"keep[{at}]", self.stages[at]) for at, rule in enumerate(keep)]
        self.keep: list[Keep] = [rule.to_data() for rule in self._keep]
        self._exit = [
            None if rule is None else ExitRule.parse(rule, f"early_exit[{at}]", self.stages[at])
            for at, rule in enumerate(exits or [None] * len(keep))
        ]
        self.early_exit: list[Exit | None] | None = (
            None if exits is None else [None if rule is None else rule.to_data() for rule in self._exit]
        )
        self._throughputs = [ThroughputEstimate() for _ in self.stages]

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        clock = self.clock or time.perf_counter
        deadline = None if self.budget_ms is None else clock() + len(requests) * self.budget_ms / 1000
        states = [CascadeState(request) for request in requests]
        for at in range(len(self.stages)):
            live = [state for state in states if state.alive]
            if not live:
                break
            if deadline is None:
                self._call(at, [(state, 0, state.alive) for state in live])
            else:
                self._call_in_time(at, live, deadline, clock)
            for state in live:
                self._decide(at, state)
        return [state.scores() for state in states]

    def _call(self, at: int, parts: list[tuple[CascadeState, int, int]]) -> None:
        last = at == len(self.stages) - 1
        requests = [
            # Only the last stage answers for the caller's k.
            replace(state.request.subset(state.order[start:stop]), k=state.request.k if last else None)
            for state, start, stop in parts
        ]
        for (state, start, stop), scores in zip(parts, self.stages[at].score_many(requests), strict=True):
            state.record(at, state.order[start:stop], scores)

    def _call_in_time(self, at: int, live: list[CascadeState], deadline: float, clock: Callable[[], float]) -> None:
        stage, throughput = self.stages[at], self._throughputs[at]
        # The requests take turns, so that they are equally deep when the time is over.
        queue = [(position, state) for position in range(max(state.alive for state in live)) for state in live]
        queue = [(position, state) for position, state in queue if position < state.alive]
        work = np.array([state.work(position) for position, state in queue])
        now = clock()
        until = now + self._allowance(at, live, deadline - now)
        limit, unknown = (self.slice_size, 1) if stage.pointwise else (len(queue), self.slice_size)
        done = 0
        while done < len(queue) and (size := throughput.fitting(work[done : done + limit], until - now, unknown)):
            self._call(at, grouped_by_state(queue[done : done + size]))
            start, now = now, clock()
            throughput.learn(now - start, float(work[done : done + size].sum()))
            done += size
            if not stage.pointwise:
                break
        if not done and until > now:
            throughput.relax()

    def _allowance(self, at: int, live: list[CascadeState], left: float) -> float:
        """Return the seconds of the ``left`` ones that a stage may take."""
        if at in (0, len(self.stages) - 1):
            return left
        depths = [float(state.alive) for state in live]
        mean_work = sum(state.work(position) for state in live for position in range(state.alive)) / sum(depths)
        costs = []
        for later in range(at, len(self.stages)):
            costs.append((self._throughputs[later].rate or 0.0) * mean_work * sum(depths))
            if later < len(self._keep):
                rule = self._keep[later]
                share = 1.0 if rule.counts_only else self._throughputs[later].share
                depths = [min(depth * share, math.inf if rule.count is None else rule.count) for depth in depths]
        # What takes nothing, as far as is known, has nothing to share.
        return left if left <= 0 or sum(costs) <= left or not costs[0] else left * costs[0] / sum(costs)

    def _decide(self, at: int, state: CascadeState) -> None:
        values = state.sort(at)
        if len(values) < state.alive:
            state.counts["cut_short"] = state.counts.get("cut_short", 0) + state.alive - len(values)
            state.notes.append(
                f"time ran out in stage {at} ({type(self.stages[at]).__name__}), which scored {len(values)} of "
                f"{state.alive} documents"
            )
        state.alive = 0
        if at < len(self._keep) and len(values):
            kept = self._keep[at].kept(values)
            self._throughputs[at].learn_share(kept, len(values))
            rule = self._exit[at]
            state.alive = kept if rule is None or not kept else rule.undecided(values[:kept], state.request.k)
            if kept and not state.alive:
                state.counts["early_exits"] = 1

    def __repr__(self) -> str:
        return f"CascadeReranker([{', '.join(map(repr, self.stages))}])"


def _as_list(value: Any, name: str) -> list[Any]:
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Sequence):
        raise ConfigError(must_be(f"CascadeReranker: {name}", "a list", value))
    return list(value)
