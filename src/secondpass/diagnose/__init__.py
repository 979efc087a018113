"""Find out why it is slow or odd: a check-up, a profile, and what a score or a verdict rests on."""

from typing import TYPE_CHECKING

from secondpass.lazy import lazy

if TYPE_CHECKING:
    from secondpass.diagnose.diagnosis import Diagnosis, diagnose
    from secondpass.diagnose.environment import Environment
    from secondpass.diagnose.explanation import Explanation, Part, explain
    from secondpass.diagnose.finding import Finding
    from secondpass.diagnose.profiling import Profile, profile
    from secondpass.diagnose.verdicts import ExplainedClaim, ExplainedVerification, explain_verification

_LAZY = {
    "Diagnosis": "secondpass.diagnose.diagnosis",
    "Environment": "secondpass.diagnose.environment",
    "ExplainedClaim": "secondpass.diagnose.verdicts",
    "ExplainedVerification": "secondpass.diagnose.verdicts",
    "Explanation": "secondpass.diagnose.explanation",
    "Finding": "secondpass.diagnose.finding",
    "Part": "secondpass.diagnose.explanation",
    "Profile": "secondpass.diagnose.profiling",
    "diagnose": "secondpass.diagnose.diagnosis",
    "explain": "secondpass.diagnose.explanation",
    "explain_verification": "secondpass.diagnose.verdicts",
    "profile": "secondpass.diagnose.profiling",
}

__all__ = [
    "Diagnosis",
    "Environment",
    "ExplainedClaim",
    "ExplainedVerification",
    "Explanation",
    "Finding",
    "Part",
    "Profile",
    "diagnose",
    "explain",
    "explain_verification",
    "profile",
]

__getattr__, __dir__ = lazy(__name__, _LAZY)
