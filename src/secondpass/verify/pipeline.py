"""The steps from claims to checked claims, for claims of any number of answers at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from secondpass.errors import SecondPassWarning, warn
from secondpass.logistic import FloatArray
from secondpass.verify.citing import CitedClaim, check_citations
from secondpass.verify.decision import Decision, as_evidence, decide, overruled
from secondpass.verify.entailment import EntailmentModel, Run, Task, TaskScores, run_tasks
from secondpass.verify.escalating import escalate
from secondpass.verify.facts.check import Facts
from secondpass.verify.judge import Judge
from secondpass.verify.selection import Job, Planner, Work, still_open
from secondpass.verify.signals import Premise, Reader, measure_premises
from secondpass.verify.types import CheckedClaim, Verdict

__all__ = ["Checked", "Checker"]


@dataclass(slots=True)
class Checked:
    """What came of a call.

    Attributes:
        claims: in the order of the jobs.
        run: the model's part.
        judge_counts: what the judge counted, for each answer that it was asked about.
        judge_notes: what it, or whoever asked it, has to say, likewise.
    """

    claims: list[CheckedClaim]
    run: Run
    judge_counts: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    judge_notes: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checker:
    """Checks claims; holds what the `FactVerifier` was set to.

    Attributes:
        probabilities: from signals of shape (n, n_features) to the probabilities of shape (n, 3).
    """

    model: EntailmentModel
    probabilities: Callable[[FloatArray], FloatArray]
    planner: Planner
    threshold: float
    contradiction_threshold: float
    judge: Judge | None
    band: tuple[float, float] | None

    def check(self, jobs: Sequence[Job]) -> Checked:
        """Check claims: each on its own, but all of them in one call of the model.

        A claim for which anything fails is an error, and takes no other with it.
        """
        works, run = self.measured(jobs)
        for work in still_open(works):
            work.attempt(partial(self._decide, work))
        counts, notes = self._escalate(still_open(works))
        for work in still_open(works):
            work.attempt(partial(self._finish, work))
        claims = [_result(work) for work in works]
        _warn_of_errors(claims)
        return Checked(claims, run, counts, notes)

    def measured(self, jobs: Sequence[Job]) -> tuple[list[Work], Run]:
        """Do the first steps of `check`: those that are open afterwards have their signals."""
        works = [Work(job) for job in jobs]
        self.planner.plan(works)
        open_ = [work for work in works if work.result is None]
        run = run_tasks(self.model, [work.task for work in open_ if work.task is not None])
        read: dict[str, Facts] = {}  # claims share windows
        for work, scores in zip(open_, run.results, strict=True):
            if isinstance(scores, Exception):
                work.fail(scores)
            else:
                work.attempt(partial(self._measure, work, scores, read))
        return works, run

    def _measure(self, work: Work, scores: TaskScores, read: dict[str, Facts]) -> None:
        task = work.task
        assert task is not None
        reader = Reader(task.hypothesis, read)
        work.premises = tuple(reader.premise(w.text, row) for w, row in zip(task.windows, scores.windows, strict=True))
        work.cited = tuple(reader.premise(w.text, row) for w, row in zip(task.cited, scores.cited, strict=True))
        together = None if scores.joined is None else reader.premise(task.joined, scores.joined)
        work.signals = measure_premises(task.hypothesis, work.premises, together)

    def _decide(self, work: Work) -> None:
        assert work.signals is not None and work.task is not None
        probabilities = self.probabilities(work.signals.features[None])[0]
        work.decision = decide(
            work.signals, probabilities, work.task.windows, self.threshold, self.contradiction_threshold
        )

    def _escalate(self, works: Sequence[Work]) -> tuple[dict[int, Mapping[str, int]], dict[int, tuple[str, ...]]]:
        if self.judge is None or self.band is None:
            return {}, {}
        counts: dict[int, Mapping[str, int]] = {}
        notes: dict[int, tuple[str, ...]] = {}
        for answer in dict.fromkeys(work.job.answer for work in works):
            own = [work for work in works if work.job.answer == answer]
            items = [(work.decision, _judged(work)) for work in own if work.decision is not None]
            outcome = escalate(self.judge, items, self.band)
            for work, (decision, escalated) in zip(own, outcome.decisions, strict=True):
                work.decision, work.escalated = decision, escalated
            counts[answer] = outcome.counts
            notes[answer] = outcome.notes
        return counts, notes

    def _finish(self, work: Work) -> None:
        decision, task = work.decision, work.task
        assert decision is not None and task is not None
        passages = work.job.passages
        cited = self._citations(work, decision, task)
        shown = [
            as_evidence(window, premise, passages.ids[window.passage])
            for window, premise in zip(task.windows, work.premises, strict=True)
        ]
        work.result = CheckedClaim(
            work.job.claim,
            decision.verdict,
            decision.probability,
            evidence=tuple(shown[at] for at in decision.evidence),
            contradicting=tuple(shown[at] for at in decision.contradicting),
            conflict=decision.conflict,
            mismatches=decision.mismatches,
            citations=cited.citations,
            suggested=cited.suggested,
            escalated=work.escalated,
            reason="; ".join(part for part in (decision.reason, cited.reason) if part),
        )

    def _citations(self, work: Work, decision: Decision, task: Task) -> CitedClaim:
        by_passage: dict[int, list[Premise]] = {}
        windows = (*task.windows, *task.cited)
        for window, premise in zip(windows, (*work.premises, *work.cited), strict=True):
            by_passage.setdefault(window.passage, []).append(premise)

        def alone(passage: int) -> tuple[float, bool] | None:
            if passage not in by_passage:
                return None
            signals = measure_premises(task.hypothesis, by_passage[passage])
            probability = float(self.probabilities(signals.features[None])[0, 0])
            if signals.best.hard:
                return overruled(probability, self.threshold), False
            return probability, probability >= self.threshold

        return check_citations(
            work.job.markers,
            work.job.quotes,
            work.job.passages.texts,
            alone,
            sorted(by_passage),
            decision.verdict is Verdict.SUPPORTED,
        )


def _judged(work: Work) -> tuple[str, list[str]]:
    assert work.task is not None
    return work.task.hypothesis, [window.text for window in work.task.windows]


def _result(work: Work) -> CheckedClaim:
    assert work.result is not None
    if work.job.markers and not work.result.citations:
        # Markers are told of whatever became of the claim, at least whether their passages exist.
        bare = check_citations(work.job.markers, (), work.job.passages.texts, lambda passage: None, (), False)
        return replace(work.result, citations=bare.citations)
    return work.result


def _warn_of_errors(claims: Sequence[CheckedClaim]) -> None:
    failed = [claim for claim in claims if claim.verdict is Verdict.ERROR]
    if failed:
        warn(
            f"{len(failed)} of {len(claims)} claims could not be checked, and so count as not supported; the first "
            f"one: {failed[0].reason}",
            SecondPassWarning,
        )
