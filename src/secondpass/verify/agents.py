"""What becomes of an agent's answer that did not pass; shared by the adapters for agents of frameworks."""

from collections.abc import Collection
from typing import Literal

from secondpass.errors import ConfigError
from secondpass.verify.types import CheckedClaim, Verdict, Verification

__all__ = ["OnFailure", "checked_sources", "feedback"]

OnFailure = Literal["annotate", "regenerate", "end"]
"""``annotate``: the answer as the policy leaves it; ``regenerate``: the model answers again; ``end``: a message."""

_MOST_CLAIMS, _CLAIM_LENGTH = 20, 300
_WORDS = {Verdict.CONTRADICTED: "contradicted", Verdict.ERROR: "could not be checked"}
_REJECTED = "Your answer was compared with what your tools returned for this question. It can't be given out:"
_AGAIN = (
    "Answer again. Say only what the tools returned, and call them again if that is not enough. If they do not answer "
    "the question, say that you don't know. Do not mention this check."
)


def checked_sources(sources: Collection[str] | None) -> frozenset[str] | None:
    """Return the names of the tools whose results are sources; None stands for all.

    Raises:
        ConfigError: it is not a list of names.
    """
    if isinstance(sources, str) or not all(isinstance(name, str) for name in sources or ()):
        raise ConfigError(f"sources must be a list of names of tools, or None for all, not {sources!r}")
    return None if sources is None else frozenset(sources)


def feedback(verification: Verification) -> str:
    """Return what a model is told of its answer that did not pass: which claims, and that it shall answer again.

    It has the model's own words only: what a source says must not come back to the model as words of its user.
    """
    failed = [claim for claim in verification if claim.checked and claim.verdict is not Verdict.SUPPORTED]
    listed = [_listed(claim) for claim in failed[:_MOST_CLAIMS]] or ["- nothing in it could be checked"]
    if len(failed) > _MOST_CLAIMS:
        listed.append(f"- and {len(failed) - _MOST_CLAIMS} more")
    return "\n".join([_REJECTED, *listed, _AGAIN])


def _listed(checked: CheckedClaim) -> str:
    text = " ".join(checked.text.split())[:_CLAIM_LENGTH]
    differing = ", ".join(f"the {mismatch.kind} {mismatch.claim!r} differs" for mismatch in checked.mismatches)
    verdict = _WORDS.get(checked.verdict, "not supported")
    return f'- "{text}" ({verdict}{": " if differing else ""}{differing})'
