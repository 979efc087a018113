"""Which claims go to a judge, and what becomes of its verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from secondpass.errors import ScoringError, SecondPassWarning, warn
from secondpass.verify.decision import Decision
from secondpass.verify.judge import VERDICTS, Judge, Judgement
from secondpass.verify.types import Verdict

__all__ = ["Escalated", "escalate"]


@dataclass(frozen=True, slots=True)
class Escalated:
    """What came of asking a judge about the claims of one answer.

    Attributes:
        decisions: of each claim, and whether the judge was asked and gave a verdict on it.
        counts: what the judge counted, and ``escalated`` and ``fallbacks``: claims it was asked about, and those of
            them that keep the model's verdict since it gave none.
        notes: in sentences.
    """

    decisions: list[tuple[Decision, bool]]
    counts: Mapping[str, int]
    notes: tuple[str, ...] = ()


def escalate(
    judge: Judge, claims: Sequence[tuple[Decision, tuple[str, Sequence[str]]]], band: tuple[float, float]
) -> Escalated:
    """Ask a judge about the claims whose probability lies in the band, both ends included.

    Claims whose numbers, dates or units the evidence states differently are decided already: they are not asked
    about. A verdict of the judge takes the place of the model's, and the probability moves to the end of the band
    on that side, as a judge gives none. Where it fails, the model's verdict stays.

    Args:
        judge: who is asked.
        claims: the decision on each, and the claim's text with its windows.
        band: the lowest and the highest uncertain probability.
    """
    decisions = [(decision, False) for decision, _ in claims]
    asked = [
        at
        for at, (decision, _) in enumerate(claims)
        if band[0] <= decision.probability <= band[1] and not decision.hard
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
            decisions[at] = _overruled(claims[at][0], verdict, band), True
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
            raise ScoringError(f"{judge!r} gave {verdict!r}, which is none of {', '.join(VERDICTS)} and None")
    return Judgement(verdicts, dict(judgement.counts), tuple(map(str, judgement.notes)))


def _overruled(decision: Decision, verdict: Verdict, band: tuple[float, float]) -> Decision:
    supported = verdict is Verdict.SUPPORTED
    probability = max(decision.probability, band[1]) if supported else min(decision.probability, band[0])
    parts = (decision.reason, f"the judge says {verdict.value.replace('_', ' ')}")
    return replace(decision, verdict=verdict, probability=probability, reason="; ".join(part for part in parts if part))
