"""The steps from an answer to its checked claims: read it from top to bottom.

split the answer -> select evidence -> entail -> measure words and facts -> decide -> ask the judge -> check citations.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from secondpass.counts import counted
from secondpass.errors import InputError, ScoringError, SecondPassWarning, warn
from secondpass.logistic import FloatArray
from secondpass.types import Trace, well_formed
from secondpass.verify.claims.citations import CitationStream, check_citations, citing_claims
from secondpass.verify.claims.split import ClaimStream, Decomposer, split_claims
from secondpass.verify.decision import Decision, as_evidence, decide, escalate, overruled
from secondpass.verify.entailment import Entailed, EntailmentModel, entail
from secondpass.verify.evidence import Passages
from secondpass.verify.facts.check import Facts, facts_of
from secondpass.verify.facts.wording import in_words_of
from secondpass.verify.judge import Judge
from secondpass.verify.selection import Selection
from secondpass.verify.signals import FEATURES, Premise, Reader, measure_premises
from secondpass.verify.spans import find_spans, placed
from secondpass.verify.stages import (
    Answer,
    Decided,
    Measured,
    Planned,
    Scored,
    Stated,
    each,
    merged,
    replying,
    still_open,
    told,
)
from secondpass.verify.types import CheckedClaim, Claim, Span, Verdict

__all__ = ["Pipeline"]

_MAX_PARTS = 32  # of one claim; more are not a decomposition


@dataclass(frozen=True, slots=True)
class _Checked:
    """The checked claims of all answers, with what there is to tell about how they came about."""

    claims: list[CheckedClaim]
    entailed: Entailed
    judge_counts: Mapping[int, Mapping[str, int]]
    judge_notes: Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Checks the claims of answers: each on its own, but all of them in two calls of the model at most.

    A claim for which anything fails is an error, and takes no other with it.

    Attributes:
        pattern: finds citation markers.
        decomposer: splits claims further; None to leave them as they are.
        selection: selects the windows that are read for a claim.
        model: reads them.
        probabilities: from signals of shape (n, n_features) to the probabilities of shape (n, 3).
        threshold: the lowest probability of a supported claim.
        contradiction_threshold: the lowest probability of a contradicted one.
        judge: asked about the claims whose probability lies in ``band``; None if there is no judge.
        band: the lowest and the highest of these probabilities.
    """

    pattern: re.Pattern[str]
    decomposer: Decomposer | None
    selection: Selection
    model: EntailmentModel
    probabilities: Callable[[FloatArray], FloatArray]
    threshold: float
    contradiction_threshold: float
    judge: Judge | None
    band: tuple[float, float] | None

    def verify(self, answers: Sequence[Answer], notes: tuple[str, ...]) -> list[tuple[tuple[CheckedClaim, ...], Trace]]:
        """Return the checked claims of each answer, and a trace that begins with the notes."""
        start = time.perf_counter()
        shared: dict[tuple[str, ...], Passages] = {}  # answers from the same passages share their windows
        stated: list[Stated] = []
        told: list[tuple[str, ...]] = []
        for at, answer in enumerate(answers):
            passages = shared.setdefault((*answer.passages.texts, repr(answer.passages.ids)), answer.passages)
            answer = replace(answer, passages=passages)
            claims, failures = self._decomposed(split_claims(answer.text, pattern=self.pattern), answer)
            stated += self._stated(claims, answer, at)
            told.append((*failures, *notes))
        checked = self._check(stated)
        latency_s = time.perf_counter() - start
        claims_of: list[list[CheckedClaim]] = [[] for _ in answers]
        for item, claim in zip(stated, checked.claims, strict=True):
            claims_of[item.answer].append(claim)
        return [(tuple(own), _trace(at, own, checked, latency_s, told[at])) for at, own in enumerate(claims_of)]

    def stream(self, chunks: Iterable[str], answer: Answer) -> Iterator[CheckedClaim]:
        """Yield the checked claims of an answer that comes in pieces, in linear time.

        Args:
            chunks: the pieces.
            answer: its passages and question; the text before the first piece.

        Raises:
            InputError: a chunk is not a str.
        """
        claims, held = ClaimStream(pattern=self.pattern), CitationStream(self.pattern)
        text = answer.text
        for at, chunk in enumerate(chunks):
            if not isinstance(chunk, str):
                raise InputError(f"chunks[{at}] must be a str, not {type(chunk).__name__}")
            text += well_formed(chunk)
            yield from self._checked_now(held.feed(text, claims.feed(well_formed(chunk))), text, answer)
        yield from self._checked_now([*held.feed(text, claims.finish()), *held.finish()], text, answer)

    def signals(self, claims: Sequence[Answer]) -> FloatArray:
        """Return the signals of answers that are one claim each, shape (n_claims, len(FEATURES)).

        There is a row of NaN where nothing can be measured.
        """
        stated = [
            Stated(replying(Claim(each.text, 0, len(each.text), 0), each.question), each.passages, each.question)
            for each in claims
        ]
        measured, _ = self._measured(stated)
        nothing = np.full(len(FEATURES), np.nan)
        rows = [nothing if isinstance(item, CheckedClaim) else item.signals.features for item in measured]
        return np.array(rows).reshape(-1, len(FEATURES))

    def _checked_now(self, claims: Sequence[Claim], text: str, answer: Answer) -> list[CheckedClaim]:
        if not claims:
            return []
        so_far = replace(answer, text=text)
        parts, _ = self._decomposed(claims, so_far)
        return self._check(self._stated(parts, so_far, 0)).claims

    # Split.

    def _decomposed(self, claims: Sequence[Claim], answer: Answer) -> tuple[list[Claim], tuple[str, ...]]:
        """Return claims taken apart, each part standing where its claim does, and notes on what failed.

        A claim for which the decomposer fails, or gives nothing, stays as it is, and a warning says so. One with a
        method ``decompose``, as `LLMDecomposer` has, is given all claims of the answer at once, with its question.
        """
        if self.decomposer is None:
            return list(claims), ()
        checkable = [claim for claim in claims if claim.checkable]
        texts: dict[int, list[str]] = {}
        failures: list[str] = []
        together = getattr(self.decomposer, "decompose", None)
        batches = [checkable] if together else [[claim] for claim in checkable]
        for batch in filter(None, batches):
            try:
                if together:
                    found = together(batch, question=answer.question, answer=answer.text)
                else:
                    found = [self.decomposer(batch[0])]
                texts |= {id(claim): _checked_parts(parts) for claim, parts in zip(batch, found, strict=True)}
            except Warning:
                raise
            except Exception as exc:  # the decomposer may be anyone's
                failures += [f"{type(exc).__name__}: {str(exc)[:200]}"] * len(batch)
        parts = [replace(claim, text=text) for claim in claims for text in texts.get(id(claim), [claim.text])]
        if not failures:
            return parts, ()
        note = f"the decomposer failed on {counted(len(failures), 'claim')}, verified as they are; first: {failures[0]}"
        warn(note, SecondPassWarning)
        return parts, (note,)

    def _stated(self, claims: Sequence[Claim], answer: Answer, at: int) -> list[Stated]:
        return [
            Stated(
                told(replying(found.claim, answer.question), answer.passages),
                answer.passages,
                answer.question,
                found.markers,
                found.quotes,
                found.sentence,
                answer.text[found.claim.start : found.claim.end],
                at,
            )
            for found in citing_claims(answer.text, claims, self.pattern)
        ]

    # All that follows, for the claims of all answers.

    def _check(self, stated: Sequence[Stated]) -> _Checked:
        measured, entailed = self._measured(stated)
        decided = each(measured, self._decided)
        judged, counts, notes = self._judged(still_open(decided))
        finished = each(merged(decided, judged), self._finished)
        claims = [_with_markers(claim, item) for item, claim in zip(stated, finished, strict=True)]
        _warn_of_errors(claims)
        return _Checked(claims, entailed, counts, notes)

    # Select evidence, entail, and measure words and facts.

    def _measured(self, stated: Sequence[Stated]) -> tuple[list[Measured | CheckedClaim], Entailed]:
        read: dict[str, Facts] = {}  # claims share windows
        planned = each(self.selection(stated), lambda found: _with_wording(found, read))
        entailed = entail(self.model, still_open(planned))
        return each(merged(planned, entailed.claims), lambda scored: _measure(scored, read)), entailed

    # Decide.

    def _decided(self, measured: Measured) -> Decided:
        probabilities = self.probabilities(measured.signals.features[None])[0]
        thresholds, planned = (self.threshold, self.contradiction_threshold), measured.planned
        return Decided(measured, decide(measured.signals, probabilities, planned.windows, *thresholds, planned.partner))

    def _judged(
        self, decided: Sequence[Decided]
    ) -> tuple[list[Decided], dict[int, Mapping[str, int]], dict[int, tuple[str, ...]]]:
        """Ask the judge, for each answer by itself, so that its limits hold for each; with its counts and notes."""
        counts: dict[int, Mapping[str, int]] = {}
        notes: dict[int, tuple[str, ...]] = {}
        if self.judge is None or self.band is None:
            return list(decided), counts, notes
        by_answer: dict[int, list[int]] = {}
        for at, item in enumerate(decided):
            by_answer.setdefault(item.measured.planned.stated.answer, []).append(at)
        judged = list(decided)
        for answer, places in by_answer.items():
            outcome = escalate(self.judge, [_question(decided[at]) for at in places], self.band)
            for at, decision in zip(places, outcome.decisions, strict=True):
                judged[at] = replace(decided[at], decision=decision)
            counts[answer], notes[answer] = outcome.counts, outcome.notes
        return judged, counts, notes

    # Check the citations, and put together what is shown.

    def _finished(self, decided: Decided) -> CheckedClaim:
        measured, decision = decided.measured, decided.decision
        planned = measured.planned
        stated, premises = planned.stated, measured.signals.premises
        by_passage: dict[int, list[Premise]] = {}
        for window, premise in zip((*planned.windows, *planned.cited), (*premises, *measured.cited), strict=True):
            by_passage.setdefault(window.passage, []).append(premise)

        def alone(passage: int) -> tuple[float, bool] | None:
            return self._alone(stated.hypothesis, by_passage[passage]) if passage in by_passage else None

        supported = decision.verdict is Verdict.SUPPORTED
        cited = check_citations(
            stated.markers, stated.quotes, stated.passages.texts, alone, sorted(by_passage), supported
        )
        read = list(zip(planned.windows, premises, strict=True))
        if planned.partner is not None and measured.signals.by_joined:
            read.append((planned.partner, measured.signals.best))
        shown = [as_evidence(window, premise, stated.passages.ids[window.passage]) for window, premise in read]
        return CheckedClaim(
            stated.claim,
            decision.verdict,
            decision.probability,
            evidence=tuple(shown[at] for at in decision.evidence),
            contradicting=tuple(shown[at] for at in decision.contradicting),
            conflict=decision.conflict,
            mismatches=tuple(placed(each, stated.stretch, stated.claim.start) for each in decision.mismatches),
            citations=cited.citations,
            suggested=cited.suggested,
            escalated=decision.escalated,
            reason="; ".join(part for part in (decision.reason, cited.reason) if part),
            spans=() if supported else self._spans(decided),
        )

    def _spans(self, decided: Decided) -> tuple[Span, ...]:
        """Return the words that are not supported, by the premise that the decision rests on."""
        signals, stated = decided.measured.signals, decided.measured.planned.stated
        mismatches = decided.decision.mismatches
        premises = (signals.best, *signals.premises)
        premise = next((each for each in premises if each.facts.mismatches == mismatches), signals.best)
        return find_spans(decided.measured.facts, stated.stretch, stated.claim.start, premise, self.pattern)

    def _alone(self, hypothesis: str, premises: Sequence[Premise]) -> tuple[float, bool]:
        """Return the probability that one passage by itself supports a claim, and whether that is enough."""
        signals = measure_premises(hypothesis, premises)
        probability = float(self.probabilities(signals.features[None])[0, 0])
        if signals.best.hard:
            return overruled(probability, self.threshold), False
        return probability, probability >= self.threshold


def _checked_parts(texts: object) -> list[str]:
    parts = list(texts) if isinstance(texts, list | tuple) else []
    if not parts or len(parts) > _MAX_PARTS or not all(isinstance(text, str) and text.strip() for text in parts):
        raise ScoringError(f"a decomposer returns 1 to {_MAX_PARTS} texts that are not blank, not {texts!r:.100}")
    return [well_formed(text).strip() for text in parts]


def _with_wording(planned: Planned, read: dict[str, Facts]) -> Planned:
    """Return what the model has to read with the claim in the words of each premise: "14 days" for "two weeks"."""
    claim = facts_of(planned.stated.hypothesis, read)
    return replace(planned, wording=lambda premise: in_words_of(claim, facts_of(premise, read)))


def _measure(scored: Scored, read: dict[str, Facts]) -> Measured:
    planned = scored.planned
    reader = Reader(planned.stated.hypothesis, read)
    premises = [
        reader.premise(w.read, row, planned.otherwise.get(w))
        for w, row in zip(planned.windows, scored.windows, strict=True)
    ]
    cited = [reader.premise(w.read, row) for w, row in zip(planned.cited, scored.cited, strict=True)]
    together = None if scored.joined is None else reader.premise(planned.joined, scored.joined)
    signals = measure_premises(planned.stated.hypothesis, premises, together, verbatim=planned.verbatim)
    return Measured(planned, signals, tuple(cited), facts_of(planned.stated.hypothesis, read))


def _question(decided: Decided) -> tuple[Decision, tuple[str, list[str]]]:
    """Return what a judge is asked about a claim."""
    planned = decided.measured.planned
    return decided.decision, (planned.stated.hypothesis, [window.read for window in planned.windows])


def _with_markers(claim: CheckedClaim, stated: Stated) -> CheckedClaim:
    """Return a claim with its citations, whatever became of it: at least whether their passages exist."""
    if not stated.markers or claim.citations:
        return claim
    bare = check_citations(stated.markers, (), stated.passages.texts, lambda passage: None, (), False)
    return replace(claim, citations=bare.citations)


def _warn_of_errors(claims: Sequence[CheckedClaim]) -> None:
    errors = [claim for claim in claims if claim.verdict is Verdict.ERROR]
    if errors:
        warn(
            f"{len(errors)} of {len(claims)} claims could not be checked, and so count as not supported; the first "
            f"one: {errors[0].reason}",
            SecondPassWarning,
        )


def _trace(
    at: int, claims: Sequence[CheckedClaim], checked: _Checked, latency_s: float, notes: tuple[str, ...]
) -> Trace:
    """Return the trace of one answer, the one with the number ``at``; the seconds are those of all together."""
    if not claims:
        notes += ("the answer is empty: there is nothing to verify, so it does not pass",)
    elif not any(claim.checked for claim in claims):
        notes += ("no claim of the answer is checkable",)
    notes += checked.judge_notes.get(at, ())
    counts = {"claims": len(claims), **checked.judge_counts.get(at, {})}
    nli = Trace("nli", checked.entailed.latency_s, checked.entailed.counts)
    return Trace("FactVerifier", latency_s, counts, notes, (nli,))
