"""Verification: what was generated, claim by claim, against the passages that it was generated from."""

from typing import TYPE_CHECKING

from secondpass.lazy import lazy

if TYPE_CHECKING:
    from secondpass.verify.claims.decompose import LLMDecomposer
    from secondpass.verify.claims.split import ClaimStream, Decomposer, split_claims
    from secondpass.verify.combination import SignalCombination
    from secondpass.verify.decision_judge import DecisionJudge
    from secondpass.verify.judge import Judge, Judgement, LLMJudge
    from secondpass.verify.monitored import MonitoredVerifier
    from secondpass.verify.policy import POLICIES, Policy
    from secondpass.verify.types import CheckedClaim, Citation, Claim, Evidence, Mismatch, Span, Verdict, Verification
    from secondpass.verify.verifier import FactVerifier, verifiers

# Imported when they are first asked for: who only shows verifications loads no model.
_LAZY = {
    "CheckedClaim": "secondpass.verify.types",
    "Citation": "secondpass.verify.types",
    "Claim": "secondpass.verify.types",
    "ClaimStream": "secondpass.verify.claims.split",
    "DecisionJudge": "secondpass.verify.decision_judge",
    "Decomposer": "secondpass.verify.claims.split",
    "Evidence": "secondpass.verify.types",
    "FactVerifier": "secondpass.verify.verifier",
    "Judge": "secondpass.verify.judge",
    "Judgement": "secondpass.verify.judge",
    "LLMDecomposer": "secondpass.verify.claims.decompose",
    "LLMJudge": "secondpass.verify.judge",
    "Mismatch": "secondpass.verify.types",
    "MonitoredVerifier": "secondpass.verify.monitored",
    "POLICIES": "secondpass.verify.policy",
    "Policy": "secondpass.verify.policy",
    "SignalCombination": "secondpass.verify.combination",
    "Span": "secondpass.verify.types",
    "Verdict": "secondpass.verify.types",
    "Verification": "secondpass.verify.types",
    "split_claims": "secondpass.verify.claims.split",
    "verifiers": "secondpass.verify.verifier",
}

__all__ = [
    "POLICIES",
    "CheckedClaim",
    "Citation",
    "Claim",
    "ClaimStream",
    "DecisionJudge",
    "Decomposer",
    "Evidence",
    "FactVerifier",
    "Judge",
    "Judgement",
    "LLMDecomposer",
    "LLMJudge",
    "Mismatch",
    "MonitoredVerifier",
    "Policy",
    "SignalCombination",
    "Span",
    "Verdict",
    "Verification",
    "split_claims",
    "verifiers",
]

__getattr__, __dir__ = lazy(__name__, _LAZY)
