"""Measure a verifier on labelled claims."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from secondpass.errors import ConfigError, InputError
from secondpass.evaluate.claims import LabelledClaim, read_claims
from secondpass.evaluate.classification import Resampling, balanced_accuracy, calibration, rate, roc_auc
from secondpass.evaluate.verifier_report import VerifierFigures, VerifierReport, WorstCase
from secondpass.logistic import FloatArray
from secondpass.types import shortened
from secondpass.validation import OPEN_SHARE, Whole, must_be
from secondpass.verify.types import CheckedClaim, Verdict, Verification

__all__ = ["evaluate_verifier", "figures"]

_BATCH, _CHARACTERS = 25, 400


class Verifier(Protocol):
    """What a verifier needs: `FactVerifier` has it."""

    def verify_many(self, items: Iterable[Any]) -> list[Verification]:
        """Return the verifications of (answer, passages, question), in order."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a verifier said of n claims.

    Attributes:
        probabilities: shape (n,), float64: of the least probable checkable claim of each.
        supported: shape (n,), bool: whether every checkable claim is.
        contradicted: shape (n,), bool: whether any claim is.
        weakest: the claims that decided; None where there was none.
        seconds: the wall-clock time of all of them.
    """

    probabilities: FloatArray
    supported: npt.NDArray[np.bool_]
    contradicted: npt.NDArray[np.bool_]
    weakest: tuple[CheckedClaim | None, ...]
    seconds: float


def evaluate_verifier(
    verifier: Verifier,
    rows: object,
    *,
    n_worst: int = 20,
    confidence: float = 0.95,
    n_samples: int = 1000,
    seed: int = 0,
    progress: bool = False,
) -> VerifierReport:
    """Measure a verifier on labelled claims, overall and by source.

    Args:
        verifier: a `FactVerifier`, or anything with its ``verify_many``.
        rows: what `secondpass.evaluate.read_claims` takes: a ``.jsonl`` file, mappings or a DataFrame, each row with
            ``claim``, ``passages``, ``label``, and perhaps ``question`` and ``source``.
        n_worst: how many cases to keep that were furthest from their labels.
        confidence: of the intervals, in (0, 1).
        n_samples: how often the claims are resampled for them.
        seed: of the resampling.
        progress: show a bar.

    Raises:
        InputError: a row can't be used, or all labels are the same.
        ConfigError: the verifier raises on answers that don't pass, or a setting is out of range.
    """
    OPEN_SHARE.checked(confidence, "confidence")
    resampling = Resampling(confidence, Whole(at_least=100).checked(n_samples, "n_samples"), seed)
    Whole(at_least=0).checked(n_worst, "n_worst")
    claims = read_claims(rows)
    labels = np.array([claim.label for claim in claims])
    if labels.all() or not labels.any():
        kind = "supported" if labels.all() else "not supported"
        raise InputError(f"all {len(labels)} claims are labelled as {kind}: both kinds are needed to tell them apart")
    answers = answered(verifier, claims, progress=progress)
    sources = sorted({claim.source for claim in claims if claim.source})
    return VerifierReport(
        overall=figures(labels, answers.probabilities, answers.supported, answers.contradicted, resampling),
        sources={
            source: figures(
                labels[of], answers.probabilities[of], answers.supported[of], answers.contradicted[of], resampling
            )
            for source in sources
            for of in [np.array([claim.source == source for claim in claims])]
        },
        worst=tuple(_worst(claims, labels, answers, n_worst)),
        claims_per_s=len(claims) / answers.seconds,
        confidence=confidence,
    )


def answered(verifier: Verifier, claims: Sequence[LabelledClaim], *, progress: bool = False) -> Answers:
    """Return what a verifier says of claims: an answer is as probable as its least probable checkable claim.

    Raises:
        ConfigError: it is not a verifier, or it raises on answers that don't pass.
    """
    from tqdm import tqdm

    if not callable(getattr(verifier, "verify_many", None)):
        raise ConfigError(must_be("verifier", "a FactVerifier, or another object with verify_many", verifier))
    if getattr(verifier, "policy", None) == "raise":
        raise ConfigError('the verifier\'s policy is "raise", so the first false claim would end it: use "annotate"')
    start = time.perf_counter()
    results: list[Verification] = []
    for at in tqdm(range(0, len(claims), _BATCH), unit="batch", delay=1, leave=False, disable=not progress):
        results += verifier.verify_many((row.claim, row.passages, row.question) for row in claims[at : at + _BATCH])
    seconds = time.perf_counter() - start
    counted = [[claim for claim in result if claim.checked] or list(result) for result in results]
    weakest = [min(checked, key=lambda claim: claim.probability, default=None) for checked in counted]
    return Answers(
        probabilities=np.array([0.0 if claim is None else claim.probability for claim in weakest]),
        supported=np.array([{claim.verdict for claim in each} == {Verdict.SUPPORTED} for each in counted]),
        contradicted=np.array([any(claim.verdict is Verdict.CONTRADICTED for claim in each) for each in counted]),
        weakest=tuple(weakest),
        seconds=seconds,
    )


def figures(
    labels: npt.NDArray[np.bool_],
    probabilities: FloatArray,
    supported: npt.NDArray[np.bool_],
    contradicted: npt.NDArray[np.bool_],
    resampling: Resampling,
) -> VerifierFigures:
    """Return the figures of answers; all arrays have shape (n,). What needs a class that is not there is None."""
    some, others = bool(labels.any()), bool((~labels).any())
    ece, brier = calibration(labels, probabilities, resampling) if some and others else (None, None)
    return VerifierFigures(
        n=len(labels),
        n_supported=int(labels.sum()),
        auc=roc_auc(labels, probabilities, resampling) if some and others else None,
        balanced_accuracy=balanced_accuracy(labels, supported, resampling) if some and others else None,
        recall=rate(supported, labels, resampling) if some else None,
        false_contradictions=rate(contradicted, labels, resampling) if some else None,
        ece=ece,
        brier=brier,
    )


def _worst(
    claims: Sequence[LabelledClaim], labels: npt.NDArray[np.bool_], answers: Answers, n: int
) -> Iterable[WorstCase]:
    for at in np.argsort(-np.abs(answers.probabilities - labels), kind="stable")[:n].tolist():
        row, claim = claims[at], answers.weakest[at]
        evidence = (*claim.evidence, *claim.contradicting) if claim is not None else ()
        yield WorstCase(
            row=at,
            claim=shortened(row.claim, _CHARACTERS),
            label=row.label,
            probability=float(answers.probabilities[at]),
            verdict="" if claim is None else str(claim.verdict),
            weakest=None if claim is None or claim.text == row.claim else shortened(claim.text, _CHARACTERS),
            reason="" if claim is None else claim.reason or claim.claim.reason,
            evidence=shortened(evidence[0].text, _CHARACTERS) if evidence else "",
            source=row.source,
        )
