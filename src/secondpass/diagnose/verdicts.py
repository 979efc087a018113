"""Which evidence and which fact decided a verdict: what it would be without the one, and with the other put right."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from secondpass.errors import ConfigError, InputError, VerificationFailedError
from secondpass.types import Document, document_text, printable
from secondpass.validation import must_be
from secondpass.verify.monitored import MonitoredVerifier
from secondpass.verify.types import CheckedClaim, Evidence, Mismatch, Verdict, Verification
from secondpass.verify.verifier import FactVerifier

__all__ = ["ExplainedClaim", "ExplainedVerification", "explain_verification"]

_MOST_CLAIMS = 50
_Item = tuple[str, Sequence[Document], str | None]


@dataclass(frozen=True, slots=True)
class Otherwise:
    """What a claim would be if something were otherwise.

    Attributes:
        verdict: what it would be.
        probability: that the passages would support it.
    """

    verdict: Verdict
    probability: float


@dataclass(frozen=True, slots=True)
class ExplainedClaim:
    """A claim with what decided its verdict.

    Attributes:
        text: the claim.
        verdict: what the passages say about it.
        probability: that they support it.
        evidence: the window that decided, or came nearest; None if there is none.
        without: what the claim would be if that window were not in its passage; None if there is none.
        fact: the number, date, unit, name or negation that the evidence states differently, and that decided; None if
            there is none.
        corrected: the claim with what the evidence has in the place of that fact; empty if there is none.
        with_correction: what the corrected claim would be; None if there is none.
        why: all of it, in a sentence.
    """

    text: str
    verdict: Verdict
    probability: float
    evidence: Evidence | None = None
    without: Otherwise | None = None
    fact: Mismatch | None = None
    corrected: str = ""
    with_correction: Otherwise | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class ExplainedVerification:
    """An answer with what decided each of its claims.

    Attributes:
        verification: of the answer.
        claims: the first fifty, each explained.
    """

    verification: Verification
    claims: tuple[ExplainedClaim, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data; JSON-ready if the passages' own ids are."""
        return {"verification": self.verification.to_dict(), "claims": [asdict(claim) for claim in self.claims]}

    def to_html(self) -> str:
        """Return it as a page that needs nothing else; texts are escaped."""
        from secondpass.diagnose.page import verdict_page

        return verdict_page(self)

    def __repr__(self) -> str:
        outcome = "passed" if self.verification.passed else "not passed"
        lines = [outcome]
        for claim in self.claims:
            probability = "" if claim.verdict is Verdict.NOT_CHECKABLE else f"{claim.probability:.2f}"
            lines.append(f"  {claim.verdict!s:<15} {probability:<4}  {printable(' '.join(claim.text.split()))}")
            lines.append(f"{'':24}{printable(claim.why)}")
        return "\n".join(lines)


def explain_verification(
    verifier: FactVerifier | MonitoredVerifier,
    answer: str,
    passages: Sequence[Document],
    *,
    question: str | None = None,
) -> ExplainedVerification:
    """Verify an answer, and each claim again without its evidence, and with the fact put right that differs.

    Args:
        verifier: the verifier; of one that is monitored, no event tells of this.
        answer: what was generated.
        passages: what it was generated from.
        question: what was asked.

    Raises:
        InputError: the answer or the passages can't be used.
        ConfigError: it is not a verifier.
    """
    plain = verifier.wrapped if isinstance(verifier, MonitoredVerifier) else verifier
    if not isinstance(plain, FactVerifier):
        raise ConfigError(must_be("what verifies", "a FactVerifier", verifier))
    if isinstance(passages, str) or not isinstance(passages, Sequence):
        raise InputError(f"passages must be a list of documents, not {type(passages).__name__}")
    (verification,) = _verified(plain, [(answer, passages, question)])
    claims = verification.claims[:_MOST_CLAIMS]
    asked: list[_Item] = []
    plans: list[tuple[int | None, int | None, Mismatch | None, str]] = []
    for claim in claims:
        window, (fact, corrected) = _window(claim), _correction(claim)
        without_at = with_at = None
        if window is not None:
            without_at = len(asked)
            asked.append((claim.text, _without(passages, window), question))
        if fact is not None:
            with_at = len(asked)
            asked.append((corrected, passages, question))
        plans.append((without_at, with_at, fact, corrected))
    others = [_otherwise(each) for each in _verified(plain, asked)]
    explained = []
    for claim, (without_at, with_at, fact, corrected) in zip(claims, plans, strict=True):
        found = ExplainedClaim(
            text=claim.text,
            verdict=claim.verdict,
            probability=claim.probability,
            evidence=_window(claim),
            without=None if without_at is None else others[without_at],
            fact=fact,
            corrected=corrected,
            with_correction=None if with_at is None else others[with_at],
        )
        explained.append(ExplainedClaim(**_fields(found) | {"why": _why(claim, found)}))
    return ExplainedVerification(verification, tuple(explained))


def _verified(verifier: FactVerifier, items: Sequence[_Item]) -> list[Verification]:
    if verifier.policy != "raise":
        return verifier.verify_many(items) if items else []
    verifications = []
    for answer, passages, question in items:
        try:
            verifications.append(verifier.verify(answer, passages, question=question))
        except VerificationFailedError as exc:
            if exc.verification is None:
                raise
            verifications.append(exc.verification)
    return verifications


def _window(claim: CheckedClaim) -> Evidence | None:
    against = claim.verdict is Verdict.CONTRADICTED
    windows = [*claim.contradicting, *claim.evidence] if against else [*claim.evidence, *claim.contradicting]
    return windows[0] if windows else None


def _correction(claim: CheckedClaim) -> tuple[Mismatch | None, str]:
    if claim.verdict is Verdict.SUPPORTED:
        return None, ""
    for mismatch in claim.mismatches:
        if mismatch.evidence and mismatch.claim in claim.text:
            return mismatch, claim.text.replace(mismatch.claim, mismatch.evidence, 1)
    return next(iter(claim.mismatches), None), ""


def _without(passages: Sequence[Document], window: Evidence) -> list[Document]:
    kept: list[Document] = []
    for at, passage in enumerate(passages):
        if at != window.passage:
            kept.append(passage)
            continue
        text = document_text(passage, at)
        left = text[: window.start] + text[window.end :]
        kept.append(left if isinstance(passage, str) else {**passage, "text": left})
    return kept


def _otherwise(verification: Verification) -> Otherwise | None:
    """Return what the claims of a text are together: of several, the one that is least supported decides."""
    checked = [claim for claim in verification if claim.checked]
    if not checked:
        return None
    least = min(checked, key=lambda claim: claim.probability)
    return Otherwise(least.verdict, least.probability)


def _fields(claim: ExplainedClaim) -> dict[str, Any]:
    return {name: getattr(claim, name) for name in ExplainedClaim.__slots__}


def _why(claim: CheckedClaim, found: ExplainedClaim) -> str:
    if not claim.checked or claim.verdict is Verdict.ERROR or found.evidence is None:
        return claim.reason or claim.claim.reason or "there is nothing in the passages to compare it with"
    window = found.evidence
    told = f"by passage {window.passage + 1}, characters {window.start}-{window.end}"
    if found.fact is not None:
        has = f"it has {found.fact.evidence!r}" if found.fact.evidence else "it has none"
        told += f": the claim has the {found.fact.kind} {found.fact.claim!r}, and {has}"
        if found.with_correction is not None:
            told += f"; with that the claim would be {_said(found.with_correction)}"
    elif found.without is not None:
        told += f"; without it the claim would be {_said(found.without)}"
    return told if found.fact is not None or not claim.reason else f"{told}; {claim.reason}"


def _said(other: Otherwise) -> str:
    return f"{str(other.verdict).replace('_', ' ')} ({other.probability:.2f})"
