"""What a verification tells of how it came about."""

from collections.abc import Sequence

from secondpass.types import Trace
from secondpass.verify.pipeline import Checked
from secondpass.verify.types import CheckedClaim

__all__ = ["trace_of"]


def trace_of(
    at: int, claims: Sequence[CheckedClaim], checked: Checked, latency_s: float, notes: tuple[str, ...]
) -> Trace:
    """Return the trace of one answer.

    Args:
        at: the number of the answer among those that were checked together.
        claims: of the answer.
        checked: what came of the call, for all answers.
        latency_s: seconds of the whole call.
        notes: what there is to say already.
    """
    if not claims:
        notes += ("the answer is empty: there is nothing to verify, so it does not pass",)
    elif not any(claim.checked for claim in claims):
        notes += ("no claim of the answer is checkable",)
    notes += checked.judge_notes.get(at, ())
    counts = {"claims": len(claims), **checked.judge_counts.get(at, {})}
    nli = Trace("nli", checked.run.latency_s, checked.run.counts)
    return Trace("FactVerifier", latency_s, counts, notes, (nli,))
