"""Claims and windows to the entailment model, all claims in two calls at most; what fails takes nothing else with it.

The first window of every claim is read first. Where it says the claim beyond doubt, and no other passage speaks of the
same, nothing else is read for that claim. Where a second window of the same passage adds a word of the claim, both are
read together first: if even so they are far from saying it, the first one is not read once more without the other, and
if they settle it, nothing else is. What else a long window says can distract the model: one that has all the words of a
claim, and does not say it for the model, is read once more without the sentences that have none of them; that counts
where it says the claim beyond doubt.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np

from secondpass.composition.attempts import attempts
from secondpass.counts import counted
from secondpass.errors import ScoringError
from secondpass.models.nli import NliOutput
from secondpass.verify.evidence import narrowed
from secondpass.verify.signals import ALL_WORDS, DOUBTED
from secondpass.verify.stages import Planned, Scored, failed
from secondpass.verify.types import CheckedClaim
from secondpass.verify.words import overlap

__all__ = ["Entailed", "EntailmentModel", "entail"]

_log = logging.getLogger(__name__)
_PREMISE, _HYPOTHESIS = 0, 1  # columns of NliOutput.truncated
_ENTAILMENT = 0  # column of NliOutput.probabilities
_SETTLED, _FAR = 0.8, 0.2


class EntailmentModel(Protocol):
    """What is needed of an `NliModel`."""

    def run(self, pairs: Sequence[tuple[str, str]]) -> NliOutput:
        """Score pairs of a premise and a hypothesis."""
        ...


@dataclass(frozen=True, slots=True)
class Entailed:
    """What the model said.

    Attributes:
        claims: each with its probabilities, or with an error.
        counts: ``pairs``, ``pairs_scored`` and ``tokens``.
        latency_s: seconds in the model.
    """

    claims: list[Scored | CheckedClaim]
    counts: dict[str, int]
    latency_s: float


def entail(model: EntailmentModel, claims: Sequence[Planned]) -> Entailed:
    """Score all claims in two calls at most: their openings, and then what those have not settled.

    If a call fails, its claims are scored one by one, unless the first two fail as well.
    """
    counts = dict.fromkeys(("pairs", "pairs_scored", "tokens"), 0)
    start = time.perf_counter()
    found = _read(model, [claim.opening for claim in claims], counts)
    found = [_opened(claim, scored) for claim, scored in zip(claims, found, strict=True)]
    rest = {at: left for at, claim in enumerate(claims) if (left := _rest(claim, found[at])) is not None}
    fewer = {at: less for at, claim in enumerate(claims) if (less := _narrowed(claim, found[at])) is not None}
    read = _read(model, [*rest.values(), *fewer.values()], counts)
    for at, remainder in zip(rest, read, strict=False):
        found[at] = _together(claims[at], found[at], remainder)
    for at, alone in zip(fewer, read[len(rest) :], strict=True):
        found[at] = _with_narrowed(found[at], alone)
    return Entailed(found, counts, time.perf_counter() - start)


def _opened(claim: Planned, opening: Scored | CheckedClaim) -> Scored | CheckedClaim:
    """Return an opening, with a row for the first window if no other reading of it is needed."""
    if isinstance(opening, CheckedClaim) or not claim.widened or opening.joined is None:
        return opening
    row, entailment = opening.joined[None], opening.joined[_ENTAILMENT]
    if entailment >= _SETTLED and not claim.contested:
        return replace(opening, planned=claim.settled, windows=row)
    return replace(opening, planned=claim, windows=row) if entailment < _FAR else opening


def _rest(claim: Planned, opening: Scored | CheckedClaim) -> Planned | None:
    """Return what of a claim has still to be read; None for nothing."""
    if isinstance(opening, CheckedClaim):
        return None
    if claim.widened and not len(opening.windows):
        rest = claim.remainder
    else:
        settled = claim.verbatim or opening.windows[0, _ENTAILMENT] >= _SETTLED
        if settled and not claim.contested:
            return None
        rest = claim.others if claim.widened else claim.remainder
    return rest if rest.premises else None


def _narrowed(claim: Planned, opening: Scored | CheckedClaim) -> Planned | None:
    """Return a claim with less of its first window, which has all of its words and is doubted; None for others."""
    if isinstance(opening, CheckedClaim) or claim.verbatim:
        return None
    read = [*opening.windows[:, _ENTAILMENT], *([] if opening.joined is None else [opening.joined[_ENTAILMENT]])]
    hypothesis, first = claim.stated.hypothesis, claim.windows[0]
    if max(read, default=1.0) >= DOUBTED or overlap(hypothesis, first.read) < ALL_WORDS:
        return None
    less = narrowed(first, hypothesis)
    return None if less is None else Planned(claim.stated, (less,), wording=claim.wording)


def _with_narrowed(found: Scored | CheckedClaim, alone: Scored | CheckedClaim) -> Scored | CheckedClaim:
    """Return a claim with a reading of less than a window, if that settles it."""
    if isinstance(found, CheckedClaim) or isinstance(alone, CheckedClaim) or alone.windows[0, _ENTAILMENT] < _SETTLED:
        return found
    planned = replace(found.planned, windows=(*found.planned.windows, *alone.planned.windows))
    return replace(found, planned=planned, windows=np.concatenate([found.windows, alone.windows]))


def _together(
    claim: Planned, opening: Scored | CheckedClaim, remainder: Scored | CheckedClaim
) -> Scored | CheckedClaim:
    if isinstance(opening, CheckedClaim):
        return opening
    if isinstance(remainder, CheckedClaim):
        return remainder
    windows = np.concatenate([opening.windows, remainder.windows])
    return Scored(claim, windows, opening.cited, opening.joined if claim.widened else remainder.joined)


def _read(model: EntailmentModel, claims: Sequence[Planned], counts: dict[str, int]) -> list[Scored | CheckedClaim]:
    """Score the premises of claims in one call."""
    if not claims:
        return []

    def tell(exc: Exception) -> None:  # the model may be anyone's, and fail in any way
        _log.debug("the entailment model failed on %d claims: %s", len(claims), exc)

    results = attempts(partial(_scored, model, counts=counts), claims, catch=Exception, on_failure=tell)
    return [
        failed(claim.claim, result) if isinstance(result, Exception) else result
        for claim, result in zip(claims, results, strict=True)
    ]


def _scored(model: EntailmentModel, claims: Sequence[Planned], *, counts: dict[str, int]) -> list[Scored | Exception]:
    pairs = [pair for claim in claims for pair in claim.pairs]
    output = model.run(pairs)
    if output.probabilities.shape != (len(pairs), 3):
        raise ScoringError(
            f"the entailment model gave probabilities of shape {output.probabilities.shape} for "
            f"{counted(len(pairs), 'pair')}"
        )
    counts["pairs"] += len(pairs)
    counts["pairs_scored"] += int((~output.repeated).sum())
    counts["tokens"] += int(output.n_tokens.sum())
    results: list[Scored | Exception] = []
    begin = 0
    for claim in claims:
        end = begin + len(claim.premises)
        results.append(_of_claim(claim, output, slice(begin, end)))
        begin = end
    return results


def _of_claim(claim: Planned, output: NliOutput, part: slice) -> Scored | Exception:
    probabilities, truncated = output.probabilities[part], output.truncated[part]
    if not ((probabilities >= 0) & (probabilities <= 1)).all():  # neither is NaN
        return ScoringError("the entailment model gave something other than probabilities")
    if truncated[:, _HYPOTHESIS].any():
        return ScoringError("the claim does not fit into the model")
    n, cited = len(claim.windows), len(claim.cited)
    whole = bool(claim.joined) and not truncated[-1, _PREMISE]
    return Scored(claim, probabilities[:n], probabilities[n : n + cited], probabilities[-1] if whole else None)
