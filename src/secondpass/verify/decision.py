"""Decides: from probabilities and facts to a verdict and the windows that it rests on, or to a judge."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from secondpass.errors import ScoringError, SecondPassWarning, warn
from secondpass.logistic import FloatArray
from secondpass.verify.evidence import Window
from secondpass.verify.facts.kind import FactKind
from secondpass.verify.facts.kinds import GROUPS, NEGATIONS, OPENINGS, OPPOSITES, STRENGTHS, VALUES
from secondpass.verify.judge import VERDICTS, Judge, Judgement
from secondpass.verify.reasons import described
from secondpass.verify.signals import ALL_WORDS, Premise, Signals
from secondpass.verify.types import Evidence, Mismatch, Verdict

__all__ = ["Decision", "Escalated", "as_evidence", "decide", "escalate", "overruled"]

_HIGH_OVERLAP = 0.5  # of the claim's words: so a premise speaks of the same, and a number in it is about the same
_SOME_OVERLAP = 0.3  # models tend to call contradicted what is only unrelated
_SURE = 0.5  # of one window, by the model alone
# A model often misses a "not": claims that were made to mislead passed with up to .9, and right ones that only look
# like denials had more in most cases.
_SURE_OF_A_DENIAL = 0.92
_OPPOSED = (NEGATIONS, OPPOSITES, OPENINGS, GROUPS, VALUES)
_VERBATIM = 0.92  # the share of right ones among claims that are a sentence of the source
_SHOWN = 3
_RECOMBINED = "the source has all of its words, but seems to put them together otherwise"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided of a claim.

    Attributes:
        probability: that the claim is supported.
        evidence: positions of the windows that the verdict rests on, or came nearest, best first.
        contradicting: positions of windows that speak against the claim, strongest first.
        conflict: whether one passage supports it and another one contradicts it.
        mismatches: facts that the best premise, or the one that contradicts it, states differently.
        settled: whether a rule decides, so that no judge is asked: facts that differ, or that no window has, forbid to
            support the claim, or a sentence says the same word for word.
        reason: in a sentence; empty if there is nothing to say.
        escalated: whether a judge decided.
    """

    verdict: Verdict
    probability: float
    evidence: tuple[int, ...]
    contradicting: tuple[int, ...]
    conflict: bool
    mismatches: tuple[Mismatch, ...]
    settled: bool
    reason: str
    escalated: bool = False


def decide(
    signals: Signals,
    probabilities: FloatArray,
    windows: Sequence[Window],
    threshold: float,
    contradiction_threshold: float,
    partner: Window | None = None,
) -> Decision:
    """Decide about one claim.

    Supported: a sentence says the same word for word; or the probability is at least the threshold, the best premise
    states no number, date or unit differently, some premise has those that the claim gives in digits, the claim
    is none of `Signals.recombined`, and of claim and premise none denies what the other says, has the opposite of its
    word, gives another value to a field, or says more, all for some or must for may, unless the model is sure.
    Contradicted: that probability is the larger one and at least its threshold (or passages disagree, or the best
    premise says what the claim denies, the opposite of its word, or another value of a field), and some premise speaks
    of the claim's subject or shares words with it; or a premise that is about the same states a number, date or unit
    differently.
    Everything else: not enough info.

    Args:
        signals: of the claim.
        probabilities: that it is supported, contradicted, neither, shape (3,).
        windows: that were scored, in the order of ``signals.premises``.
        threshold: of the probability that it is supported.
        contradiction_threshold: of the probability that it is contradicted.
        partner: the window that was read only together with the first one; as evidence it is numbered after all others.
    """
    supported, contradicted = float(probabilities[0]), float(probabilities[1])
    facts, conflict = signals.best.facts, _conflict(signals, windows)
    hard, lacking = signals.best.hard, _lacking(signals)
    opposed = _differs(signals.best, *_OPPOSED, STRENGTHS) and signals.best.entailment < _SURE_OF_A_DENIAL
    forbidden = bool(hard or lacking or signals.recombined or opposed)
    if signals.verbatim:
        verdict, hard, lacking, supported = Verdict.SUPPORTED, (), (), max(supported, threshold, _VERBATIM)
    elif supported >= threshold and not forbidden and supported >= contradicted:
        verdict = Verdict.SUPPORTED
    else:
        likely = contradicted >= contradiction_threshold or conflict or _differs(signals.best, *_OPPOSED)
        denied = contradicted > supported and likely and _related(signals)
        otherwise = _states_otherwise(signals)
        if otherwise is not None:
            facts, hard = otherwise.facts, otherwise.hard
        verdict = Verdict.CONTRADICTED if denied or otherwise is not None else Verdict.NOT_ENOUGH_INFO
    if verdict is not Verdict.SUPPORTED and supported >= threshold:
        supported = overruled(supported, threshold)
    against = _contradicting(signals, verdict)
    return Decision(
        verdict,
        supported,
        _evidence(signals, windows, verdict, against, partner),
        against,
        conflict,
        facts.mismatches,
        bool(hard or lacking or signals.verbatim),
        _reason(verdict, hard or lacking, conflict, signals),
    )


def overruled(probability: float, threshold: float) -> float:
    """Return the probability of what facts, or a contradiction, forbid to support: one that does not look supported."""
    return min(probability, 1 - probability, math.nextafter(threshold, 0.0))


def as_evidence(window: Window, premise: Premise, identity: object) -> Evidence:
    """Return a scored window as the evidence that is shown; ``identity`` is the passage's id."""
    return Evidence(window.passage, identity, window.start, window.end, window.text, *premise.probabilities)


def _related(signals: Signals) -> bool:
    """Whether any premise speaks of what the claim speaks of: models call what is only unrelated contradicted, too."""
    every = (signals.best, *signals.premises)
    return any(premise.about_subject or premise.overlap >= _SOME_OVERLAP for premise in every)


def _differs(premise: Premise, *kinds: FactKind[Any]) -> bool:
    """Whether a premise states otherwise what is of one of some kinds that a model may overrule."""
    return any(mismatch.kind == kind.name for mismatch in premise.facts.mismatches for kind in kinds)


def _states_otherwise(signals: Signals) -> Premise | None:
    """Return the premise that is about the same as the claim, but has another number, date or unit."""
    stating = [premise for premise in (signals.best, *signals.premises) if _is_about(premise) and premise.hard]
    return max(stating, key=lambda premise: premise.overlap, default=None)


def _lacking(signals: Signals) -> tuple[Mismatch, ...]:
    """Return what the best premise has not, if no premise has it all."""
    every = [premise.facts.lacking for premise in (signals.best, *signals.premises)]
    return every[0] if all(every) else ()


def _is_about(premise: Premise) -> bool:
    return premise.about_subject and premise.overlap >= _HIGH_OVERLAP


def _speaks_against(premise: Premise) -> bool:
    if not premise.about_subject:
        return False
    denied = premise.contradiction >= _SURE and premise.overlap >= _SOME_OVERLAP
    return denied or (bool(premise.hard) and _is_about(premise))


def _conflict(signals: Signals, windows: Sequence[Window]) -> bool:
    each = list(zip(signals.premises, windows, strict=True))
    for_it = {window.passage for premise, window in each if premise.entailment >= _SURE and not premise.hard}
    against = {window.passage for premise, window in each if _speaks_against(premise)}
    # A passage on both sides is one that a window's border cut badly.
    return bool(for_it - against) and bool(against - for_it)


def _contradicting(signals: Signals, verdict: Verdict) -> tuple[int, ...]:
    premises = signals.premises
    by_strength = sorted(range(len(premises)), key=lambda at: -_strength(premises[at]))
    against = [at for at in by_strength if _speaks_against(premises[at])]
    if not against and verdict is Verdict.CONTRADICTED:
        against = by_strength[:1]
    return tuple(against[:_SHOWN])


def _strength(premise: Premise) -> float:
    return premise.contradiction + premise.overlap / 2 + (1.0 if premise.hard else 0.0)


def _evidence(
    signals: Signals, windows: Sequence[Window], verdict: Verdict, against: tuple[int, ...], partner: Window | None
) -> tuple[int, ...]:
    order = signals.order
    if verdict is Verdict.CONTRADICTED:
        return tuple(dict.fromkeys((*against, *order)))[:_SHOWN]
    if _needs_both(signals):  # the two that were joined are the first two as they were retrieved
        every = [*windows, *([] if partner is None else [partner])]
        pair = sorted((0, 1 if partner is None else len(windows)), key=lambda at: (every[at].passage, every[at].start))
        return tuple(dict.fromkeys((*pair, *order)))[:_SHOWN]
    if verdict is Verdict.SUPPORTED:
        sure = [at for at in order[1:] if signals.premises[at].entailment >= _SURE and not signals.premises[at].hard]
        return (order[0], *sure)[:_SHOWN]
    return order[:_SHOWN]


def _needs_both(signals: Signals) -> bool:
    """Whether two windows say together what none of them says alone."""
    alone = signals.premises[signals.order[0]]
    return signals.by_joined and (alone.hard != () or alone.entailment < _SURE)


def _reason(verdict: Verdict, hard: Sequence[Mismatch], conflict: bool, signals: Signals) -> str:
    parts = []
    if hard and verdict is not Verdict.SUPPORTED:
        parts.append("; ".join(described(mismatch.to_dict()) for mismatch in hard[:_SHOWN]))
    elif signals.recombined and verdict is Verdict.NOT_ENOUGH_INFO:
        has_all = signals.best.overlap >= ALL_WORDS
        parts.append(_RECOMBINED if has_all else "the source seems to have it the other way round")
    if conflict:
        parts.append("one passage supports it and another one contradicts it")
    if verdict is Verdict.SUPPORTED and _needs_both(signals):
        parts.append("two windows support it together")
    return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class Escalated:
    """What came of asking a judge about the claims of one answer.

    Attributes:
        decisions: on each claim, the judge's where it gave one.
        counts: what the judge counted, and ``escalated`` and ``fallbacks``: claims it was asked about, and those of
            them that keep the model's verdict since it gave none.
        notes: in sentences.
    """

    decisions: list[Decision]
    counts: Mapping[str, int]
    notes: tuple[str, ...] = ()


def escalate(
    judge: Judge, claims: Sequence[tuple[Decision, tuple[str, Sequence[str]]]], band: tuple[float, float]
) -> Escalated:
    """Ask a judge about the claims whose probability lies in the band, both ends included.

    Claims that a rule has settled are not asked about. A verdict of the judge takes the place of the model's, and the
    probability moves to the end of the band on that side, as a judge gives none. Where it fails, the model's verdict
    stays.

    Args:
        judge: who is asked.
        claims: the decision on each, and the claim's text with its windows.
        band: the lowest and the highest uncertain probability.
    """
    decisions = [decision for decision, _ in claims]
    asked = [
        at
        for at, (decision, _) in enumerate(claims)
        if band[0] <= decision.probability <= band[1] and not decision.settled
    ]
    if not asked:
        return Escalated(decisions, {})
    try:
        judgement = _usable(judge.judge([claims[at][1] for at in asked]), judge, len(asked))
    except Warning:
        raise
    except Exception as exc:  # a judge may be anyone's
        note = f"the judge failed ({type(exc).__name__}: {str(exc)[:200]})"
        judgement = Judgement((None,) * len(asked), notes=(note,))
    missing = 0
    for at, verdict in zip(asked, judgement.verdicts, strict=True):
        if verdict is None:
            missing += 1
        else:
            decisions[at] = _judged(claims[at][0], verdict, band)
    counts = {**judgement.counts, "escalated": len(asked)} | ({"fallbacks": missing} if missing else {})
    notes = judgement.notes
    if missing:
        notes += (f"the judge gave no verdict on {missing} of {len(asked)} claims: the model's own stands",)
        warn("; ".join(notes), SecondPassWarning)
    return Escalated(decisions, counts, notes)


def _usable(judgement: Judgement, judge: Judge, n_claims: int) -> Judgement:
    """Return a judgement of which everything can be used; whatever else a judge gives is an error."""
    verdicts = tuple(judgement.verdicts)
    if len(verdicts) != n_claims:
        raise ScoringError(f"{judge!r} gave {len(verdicts)} verdicts on {n_claims} claims")
    for verdict in verdicts:
        if verdict is not None and not (isinstance(verdict, Verdict) and verdict in VERDICTS):
            raise ScoringError(f"{judge!r} gave {verdict!r}, which is neither None nor one of {', '.join(VERDICTS)}")
    return Judgement(verdicts, dict(judgement.counts), tuple(map(str, judgement.notes)))


def _judged(decision: Decision, verdict: Verdict, band: tuple[float, float]) -> Decision:
    supported = verdict is Verdict.SUPPORTED
    probability = max(decision.probability, band[1]) if supported else min(decision.probability, band[0])
    parts = (decision.reason, f"the judge says {verdict.value.replace('_', ' ')}")
    reason = "; ".join(part for part in parts if part)
    return replace(decision, verdict=verdict, probability=probability, reason=reason, escalated=True)
