"""Several rerankers on live traffic: who is better, by what users do."""

import logging
import os
import time
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal, Self

from secondpass.base import Reranker
from secondpass.calibration.ready import ReadyCalibration
from secondpass.composition.experiment.assignment import (
    Allocation,
    checked_unit,
    checked_weights,
    current_unit,
    unit_hash,
)
from secondpass.composition.experiment.interleaving import preference, team_draft
from secondpass.composition.experiment.outcomes import Outcomes
from secondpass.composition.experiment.plan import Plan
from secondpass.composition.experiment.process import ProcessReranker
from secondpass.composition.experiment.report import ExperimentReport, report_of, report_of_clicks
from secondpass.composition.experiment.shadow import Job, Shadow, ShadowResult
from secondpass.composition.members import ask_members, joined_explanations, without_k
from secondpass.composition.order.relevance import best_first, ordinal
from secondpass.composition.prior import takes_prior
from secondpass.config import settings_of
from secondpass.errors import CompositionError, ConfigError, InputError
from secondpass.forking import reset_after_fork
from secondpass.loading import load
from secondpass.types import RankedDocument, Request, Scale, Scores, Trace
from secondpass.validation import OPEN_SHARE, Flag, Number, OneOf, Text, Whole, check, must_be

__all__ = ["ABTestReranker"]

_log = logging.getLogger("secondpass.experiment")

_PREFERENCE = "preference"


class ABTestReranker(Reranker):
    """Tries rerankers on live traffic: the first arm is the control, the others are treatments.

    Each unit (a user, a session, a tenant) belongs to an arm, by a hash of its id, and stays there. The unit of a call
    is the ``unit`` of its request, or that of the ``experiment_unit("user-42")`` block around it; without one, each
    query is a unit of its own. What the weight of a treatment means depends on the mode:

    - ``split``: it answers that share of the units.
    - ``shadow``: the control answers everybody. For that share of the units the treatment is asked as well,
      afterwards; what it says is only logged (``secondpass.experiment``, with the `ShadowResult` as
      ``record.shadow``) and counted. By default each request is shadowed by one treatment. One that is given by its
      name or configuration runs in a process of its own, which has its own memory, gets the processor last, and is
      stopped while a call of the control is under way. An object runs in a thread, as does, with a warning in the
      log, what no other process can load; it waits for the control between pieces of its work, see
      `secondpass.composition.experiment.shadow`.
    - ``interleave``: that share of the units, by default all, sees one list, for which control and treatment pick
      documents in turn (team draft); clicks tell which is better. Scores are ordinal, and ``team`` is the arm that
      picked a document.

    In each mode, ``rollback`` gives everybody the control alone. Explanations: ``arm``, or ``team``. The trace counts
    ``arm.NAME``, and so do the events of a `MonitoredReranker` around it; one around an arm has all that is known of
    that arm's calls.

    Seconds of calls and failures are counted for each arm (``latency_s``, ``failed``; in the shadow ``overlap`` and
    ``same_top`` as well); what users do is told by `record` and `record_clicks`, and `report` compares the arms, with
    intervals that hold however often one looks. Change the ``name`` for a new experiment: units are then assigned
    anew. Counts are in memory, in ``outcomes``; see `Outcomes` for several processes.

    Args:
        arms: rerankers by name, the control first: objects, names as for `secondpass.load`, or configurations. The
            order of the treatments does not matter.
        weights: the percent of units of each arm, which sum to 100; by default the same for each in a split, and
            nothing for the control otherwise.
        mode: see above.
        name: of the experiment.
        rollback: whether all units get the control.
        plan: a YAML or JSON file with ``weights`` or ``rollback``, which take the place of these settings, and which
            is read again when it changes. A version that can't be used is logged, and the one before stays in force.
        check_every_s: how many seconds may pass until a change of that file is seen.
        max_waiting: how many requests may wait in the shadow; further ones are dropped, and counted in ``dropped``.
        control: the name of the control, where it is not the first arm: programs that write configurations may sort the
            names.

    Attributes:
        outcomes: what was counted.

    Raises:
        CompositionError: the arms' scales differ, and it is a split; or there are not two arms, and it interleaves.
        ConfigError: a setting or the plan can't be used.
        MissingExtraError: the plan is YAML, and pyyaml is not installed.
    """

    registry_name: ClassVar[str] = "ab-test"
    not_identity: ClassVar[frozenset[str]] = frozenset({"check_every_s", "max_waiting"})
    pointwise = False  # a document's score depends on the unit that asks

    def __init__(
        self,
        arms: Mapping[str, Reranker | str | Mapping[str, Any]],
        weights: Mapping[str, float] | None = None,
        *,
        mode: Literal["split", "shadow", "interleave"] = "split",
        name: str = "experiment",
        rollback: bool = False,
        plan: str | os.PathLike[str] | None = None,
        check_every_s: float = 5.0,
        max_waiting: int = 100,
        control: str | None = None,
    ) -> None:
        self.mode, self.name, self.rollback = mode, name, rollback
        self.check_every_s, self.max_waiting = check_every_s, max_waiting
        self.plan = os.fspath(plan) if isinstance(plan, os.PathLike) else plan
        check(
            self,
            mode=OneOf("split", "shadow", "interleave"),
            name=Text(),
            rollback=Flag(),
            plan=Text() | None,
            check_every_s=Number(at_least=0, unit="seconds"),
            max_waiting=Whole(at_least=1, unit="requests"),
        )
        names = _checked_names(arms, control)
        arms = {arm: arms[arm] for arm in names}
        self.weights = self._usual_weights(names) if weights is None else checked_weights(weights, arms, _OWNER)
        self.arms = {arm: self._loaded(reranker, arm != names[0]) for arm, reranker in arms.items()}
        self.control = names[0]
        self.scale = self._checked_scale()
        answering = names[:1] if self.mode == "shadow" else names
        # Which arm answers adds no order of the documents.
        self.log_odds = all(takes_prior(self.arms[arm]) for arm in answering) or None
        usual = Allocation(self.weights, self.rollback)
        self._plan = None if self.plan is None else Plan(self.plan, usual, _OWNER, check_every_s)
        self._usual = usual
        self.outcomes = Outcomes()
        self._start_anew()
        reset_after_fork(self, ABTestReranker._forget_parent)

    def _start_anew(self) -> None:
        self._shadow = Shadow(self.max_waiting)
        self._finalizer = weakref.finalize(self, self._shadow.close)

    def _forget_parent(self) -> None:
        # What waits is the parent's, and the thread that would work on it does not exist here.
        self._finalizer.detach()
        self._start_anew()

    def _usual_weights(self, names: Sequence[str]) -> dict[str, float]:
        sharing = names if self.mode == "split" else names[1:]
        return {name: 100 / len(sharing) if name in sharing else 0.0 for name in names}

    def _loaded(self, reranker: Reranker | str | Mapping[str, Any], treatment: bool) -> Reranker:
        if self.mode == "shadow" and treatment and not isinstance(reranker, Reranker):
            try:
                return ProcessReranker(reranker)
            except Exception as exc:  # whatever it is: if nothing can load it, what follows says why
                reason = exc
            loaded = load(reranker)
            _log.warning("%r is shadowed by threads of this process: it can't be had in another: %s", loaded, reason)
            return loaded
        return load(reranker)

    def _checked_scale(self) -> Scale:
        for reranker in self.arms.values():
            self.require_traits(reranker)
        control = self.arms[self.control]
        if self.mode == "interleave":
            if len(self.arms) != 2:
                raise CompositionError(
                    f"{_OWNER} interleaves two arms, a control and a treatment, not {len(self.arms)}"
                )
            return Scale.ORDINAL
        for name, reranker in self.arms.items():
            if self.mode == "split" and reranker.scale is not control.scale:
                raise CompositionError(
                    f"{_OWNER} needs arms of one scale, but {control!r} ({self.control!r}) gives {control.scale} "
                    f"scores and {reranker!r} ({name!r}) {reranker.scale} ones; calibrate them, or interleave"
                )
        return control.scale

    @property
    def fingerprint(self) -> str:
        """In the shadow that of the control, else the identity of all arms, and of what chooses among them."""
        return self.arms[self.control].fingerprint if self.mode == "shadow" else super().fingerprint

    @property
    def calibration(self) -> ReadyCalibration | None:
        """In the shadow that of the control; in a split that of the arms, if it is the same for all."""
        control, *treatments = [reranker.calibration for reranker in self.arms.values()]
        if self.mode == "interleave" or (self.mode == "split" and any(each != control for each in treatments)):
            return None
        return control

    @property
    def dropped(self) -> int:
        """How many requests the shadow did not get, as too many waited there."""
        return self._shadow.dropped

    @classmethod
    def built_setting(cls, name: str, value: Any) -> Any:
        """Return what the constructor takes, which builds the arms."""
        return value

    def arm_of(self, unit: str) -> str:
        """Return the arm of a unit.

        Raises:
            InputError: the unit is not a text, or it is empty.
        """
        return self._allocation().arm_of(unit_hash(self.name, checked_unit(unit)))

    def record(self, metric: str, value: float, *, unit: str | None = None) -> str:
        """Count what a unit did, such as ``record("clicked", 1.0, unit="user-42")``; return its arm.

        Args:
            metric: what was measured; the mean over the units is what is compared.
            value: a finite number; of a unit's values, the mean counts.
            unit: by default that of the `experiment_unit` block around the call.

        Raises:
            InputError: there is no unit, or the value is not a finite number.
        """
        hashed = unit_hash(self.name, self._named(unit))
        allocation = self._allocation()
        arm = allocation.arm_of(hashed)
        self.outcomes.add(allocation.key, metric, arm, hashed, value)
        return arm

    def record_clicks(self, clicked: Iterable[RankedDocument | str], *, unit: str | None = None) -> int:
        """Count the clicks on an interleaved ranking, all those of one ranking together.

        Args:
            clicked: documents of the ranking, or the ``team`` of each; none if there was no click.
            unit: by default that of the `experiment_unit` block around the call.

        Returns:
            1 if more clicks went to the treatment, -1 if more went to the control, else 0.

        Raises:
            InputError: there is no unit, or a document has no team.
            ConfigError: nothing is interleaved.
        """
        if self.mode != "interleave":
            raise ConfigError(f"{_OWNER}: record_clicks is for mode='interleave'; record counts what units do")
        if isinstance(clicked, str | RankedDocument) or not isinstance(clicked, Iterable):
            raise InputError(f"clicks are a list, of all those on one ranking together, not {clicked!r:.80}")
        teams = [self._team(each) for each in clicked]
        preferred = preference(teams, self.control)
        hashed, allocation = unit_hash(self.name, self._named(unit)), self._allocation()
        _, treatment = self.arms
        if teams and allocation.arm_of(hashed) == treatment:  # else it saw the control alone
            self.outcomes.add(allocation.key, _PREFERENCE, treatment, hashed, preferred)
        return preferred

    def report(
        self, metric: str | None = None, *, alpha: float = 0.05, planned_units: int = 10_000
    ) -> ExperimentReport:
        """Compare the arms by a metric, as far as it was recorded under the weights that are in force.

        Args:
            metric: of `record`, or one that is counted anyway; when interleaving, the preference of `record_clicks`.
            alpha: one minus the confidence, for all looks and all treatments together.
            planned_units: for how many units in all the intervals shall be narrowest; they are valid for any number.
                Don't change it from look to look.

        Raises:
            InputError: nothing was recorded for the metric.
            ConfigError: a setting is out of range.
        """
        OPEN_SHARE.checked(alpha, "alpha")
        Whole(at_least=1, unit="units").checked(planned_units, "planned_units")
        allocation = replace(self._allocation(), rollback=False)
        if metric is None and self.mode != "interleave":
            raise ConfigError(f"{_OWNER}: report needs a metric: {', '.join(self.outcomes.metrics(allocation.key))}")
        arguments = (self.outcomes, self.name, metric or _PREFERENCE, allocation.weights, allocation.key)
        if self.mode == "interleave" and metric in (None, _PREFERENCE):
            return report_of_clicks(*arguments, alpha=alpha, planned=planned_units)
        return report_of(*arguments, alpha=alpha, planned=planned_units)

    def drain(self, timeout_s: float | None = None) -> bool:
        """Wait until nothing waits in the shadow; return whether that came within the time."""
        return self._shadow.drain(timeout_s)

    def close(self) -> None:
        """Drop what waits in the shadow, and end its thread and its processes; calls are still answered."""
        self._shadow.close()
        for reranker in self.arms.values():
            if isinstance(reranker, ProcessReranker):
                reranker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _allocation(self) -> Allocation:
        return self._usual if self._plan is None else self._plan.allocation()

    def _named(self, unit: str | None) -> str:
        found = current_unit() if unit is None else unit
        if found is None:
            raise InputError("whose outcome is it? Pass unit=..., or call it within experiment_unit(...)")
        return checked_unit(found)

    def _team(self, clicked: RankedDocument | str) -> str:
        team = clicked.explanation.get("team") if isinstance(clicked, RankedDocument) else clicked
        if not isinstance(team, str) or team not in self.arms:
            raise InputError(f"a click is on a document of an interleaved ranking, or its team, not {clicked!r:.80}")
        return team

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        allocation, unit = self._allocation(), current_unit()
        hashes = [unit_hash(self.name, request.unit or unit or request.query) for request in requests]
        of_arm: dict[str, list[int]] = {}
        for at, hashed in enumerate(hashes):
            of_arm.setdefault(allocation.arm_of(hashed), []).append(at)
        if self.mode == "shadow":
            return self._beside(requests, hashes, of_arm, allocation)
        scored: dict[int, Scores] = {}
        for arm, positions in of_arm.items():
            asked = [requests[at] for at in positions]
            units = [hashes[at] for at in positions]
            interleaves = self.mode == "interleave" and arm != self.control
            start, failed = time.perf_counter(), True
            try:
                results = self._interleaved(asked, units) if interleaves else self._by(arm, asked)
                failed = False
            finally:
                self._count(allocation, arm, units, time.perf_counter() - start, failed)
            scored.update(zip(positions, results, strict=True))
        return [scored[at] for at in range(len(requests))]

    def _by(self, arm: str, requests: Sequence[Request]) -> list[Scores]:
        answers, counts = self.arms[arm].score_many(requests), {f"arm.{arm}": 1}
        if self.mode == "interleave":
            return [
                each.rescored(ordinal(best_first(each.values)), counts=counts, team=[arm] * len(each))
                for each in answers
            ]
        return [each.rescored(each.values, counts=counts, arm=[arm] * len(each)) for each in answers]

    def _interleaved(self, requests: Sequence[Request], units: Sequence[str]) -> list[Scores]:
        control, treatment = self.arms
        # In parallel, as the slower one decides; the best k of either need not be the best k of both.
        answers, _ = ask_members(dict(enumerate(self.arms.values())), without_k(requests), parallel=True, catch=False)
        return [
            self._drafted(of_control, of_treatment, int(unit_hash(unit, request.query), 16), (control, treatment))
            for of_control, of_treatment, unit, request in zip(answers[0], answers[1], units, requests, strict=True)
        ]

    def _drafted(self, first: Scores, second: Scores, seed: int, names: tuple[str, str]) -> Scores:
        values, by_second = team_draft(first.values, second.values, seed)
        team = [names[int(other)] for other in by_second]
        columns = joined_explanations({"team": team}, {0: first, 1: second})
        counts = {f"arm.{name}": 1 for name in names}
        return Scores(values, columns, Trace(counts=counts, stages=(first.trace, second.trace)))

    def _beside(
        self,
        requests: Sequence[Request],
        hashes: Sequence[str],
        of_arm: Mapping[str, Sequence[int]],
        allocation: Allocation,
    ) -> list[Scores]:
        start, failed = time.perf_counter(), True
        try:
            with self._shadow.control():
                results = self.arms[self.control].score_many(requests)
            failed = False
        finally:
            latency_s = time.perf_counter() - start
            self._count(allocation, self.control, hashes, latency_s, failed)
        for arm, positions in of_arm.items():
            if arm == self.control:
                continue
            for at in positions:
                job = Job(
                    arm,
                    self.arms[arm],
                    hashes[at],
                    replace(requests[at], k=None),
                    results[at].values,
                    latency_s,
                    lambda result: self._shadowed(result, allocation),
                )
                self._shadow.submit(job)
        return [scores.rescored(scores.values, counts={f"arm.{self.control}": 1}) for scores in results]

    def _shadowed(self, result: ShadowResult, allocation: Allocation) -> None:
        said = result.error or f"overlap {result.overlap:.2f}"
        message = "shadow %s: %d documents in %.1f ms (control: %.1f ms), %s"
        times = (1000 * result.latency_s, 1000 * result.control_latency_s)
        _log.info(message, result.arm, result.documents, *times, said, extra={"shadow": result})
        self._count(allocation, result.arm, [result.unit], result.latency_s, bool(result.error))
        for metric, value in (("overlap", result.overlap), ("same_top", result.same_top)):
            if value is not None:
                self.outcomes.add(allocation.key, metric, result.arm, result.unit, float(value))

    def _count(self, allocation: Allocation, arm: str, units: Iterable[str], latency_s: float, failed: bool) -> None:
        for unit in units:
            self.outcomes.add(allocation.key, "failed", arm, unit, float(failed))
            if not failed:
                self.outcomes.add(allocation.key, "latency_s", arm, unit, latency_s)

    def __getstate__(self) -> dict[str, Any]:
        return settings_of(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        ABTestReranker.__init__(self, **state)

    def __repr__(self) -> str:
        return f"ABTestReranker({self.arms!r}, {self._allocation().key!r}, mode={self.mode!r})"


_OWNER = ABTestReranker.__name__


def _checked_names(arms: object, control: str | None) -> list[str]:
    """Return the names of the arms, the control's first: their order decides which units get which arm."""
    if not isinstance(arms, Mapping) or len(arms) < 2 or not all(isinstance(name, str) and name for name in arms):
        takes = "a mapping of at least two names to rerankers, the control first"
        raise ConfigError(must_be(f"{_OWNER}: arms", takes, arms))
    if "type" in arms:
        raise ConfigError(f"{_OWNER}: an arm can't be named 'type', the key of a reranker's configuration")
    first = next(iter(arms)) if control is None else OneOf(*arms).checked(control, f"{_OWNER}: control")
    return [first, *sorted(name for name in arms if name != first)]
