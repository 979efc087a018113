"""Claims and windows to the entailment model, all in one call; what fails takes nothing else with it."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from secondpass.composition.attempts import attempts
from secondpass.errors import ScoringError
from secondpass.models.nli import NliOutput
from secondpass.verify.stages import Planned, Scored, failed
from secondpass.verify.types import CheckedClaim

__all__ = ["Entailed", "EntailmentModel", "entail"]

_log = logging.getLogger(__name__)
_PREMISE, _HYPOTHESIS = 0, 1  # columns of NliOutput.truncated


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
    """Score all claims in one call; if it fails, one by one, unless the first two fail as well."""
    counts = dict.fromkeys(("pairs", "pairs_scored", "tokens"), 0)
    if not claims:
        return Entailed([], counts, 0.0)

    def tell(exc: Exception) -> None:  # the model may be anyone's, and fail in any way
        _log.debug("the entailment model failed on %d claims: %s", len(claims), exc)

    start = time.perf_counter()
    score = partial(_scored, model, counts=counts)
    results = list(attempts(score, claims, catch=Exception, on_failure=tell))
    latency_s = time.perf_counter() - start
    scored = [
        failed(claim.claim, result) if isinstance(result, Exception) else result
        for claim, result in zip(claims, results, strict=True)
    ]
    return Entailed(scored, counts, latency_s)


def _scored(model: EntailmentModel, claims: Sequence[Planned], *, counts: dict[str, int]) -> list[Scored | Exception]:
    pairs = [pair for claim in claims for pair in claim.pairs]
    output = model.run(pairs)
    if output.probabilities.shape != (len(pairs), 3):
        raise ScoringError(
            f"the entailment model gave probabilities of shape {output.probabilities.shape} for {len(pairs)} pairs"
        )
    counts["pairs"] += len(pairs)
    counts["pairs_scored"] += int((~output.repeated).sum())
    counts["tokens"] += int(output.n_tokens.sum())
    results: list[Scored | Exception] = []
    begin = 0
    for claim in claims:
        end = begin + len(claim.pairs)
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
