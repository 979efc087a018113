"""What an answer is made into before it is checked: its claims, each with its markers and quotations."""

import re
from collections.abc import Sequence
from dataclasses import replace

from secondpass.errors import ScoringError, SecondPassWarning, warn
from secondpass.types import well_formed
from secondpass.verify.claims.citations import citing_claims
from secondpass.verify.claims.split import Decomposer
from secondpass.verify.evidence import Passages
from secondpass.verify.selection import Job
from secondpass.verify.types import Claim

__all__ = ["decomposed", "jobs_of"]

_MAX_PARTS = 32  # of one claim; more is no decomposition


def decomposed(
    claims: Sequence[Claim], decomposer: Decomposer | None, question: str = "", answer: str = ""
) -> tuple[list[Claim], tuple[str, ...]]:
    """Return claims taken apart, each part standing where its claim does, and notes on what failed.

    A claim for which the decomposer fails, or gives nothing, stays as it is, and a warning says so. One with a method
    ``decompose``, as `LLMDecomposer` has, is given all claims of the answer at once, with question and answer.
    """
    if decomposer is None:
        return list(claims), ()
    open_ = [claim for claim in claims if claim.checkable]
    texts: dict[int, list[str]] = {}
    failures: list[str] = []
    together = getattr(decomposer, "decompose", None)
    batches = [open_] if together else [[claim] for claim in open_]
    for batch in filter(None, batches):
        try:
            found = together(batch, question=question, answer=answer) if together else [decomposer(batch[0])]
            texts |= {id(claim): _checked_parts(parts) for claim, parts in zip(batch, found, strict=True)}
        except Warning:
            raise
        except Exception as exc:  # the decomposer may be anyone's
            failures += [f"{type(exc).__name__}: {str(exc)[:200]}"] * len(batch)
    parts = [replace(claim, text=text) for claim in claims for text in texts.get(id(claim), [claim.text])]
    if not failures:
        return parts, ()
    note = f"the decomposer failed on {len(failures)} claims, which are verified as they are; first: {failures[0]}"
    warn(note, SecondPassWarning)
    return parts, (note,)


def _checked_parts(texts: object) -> list[str]:
    parts = list(texts) if isinstance(texts, list | tuple) else []
    if not parts or len(parts) > _MAX_PARTS or not all(isinstance(text, str) and text.strip() for text in parts):
        raise ScoringError(f"a decomposer returns 1 to {_MAX_PARTS} texts that are not blank, not {texts!r:.100}")
    return [well_formed(text).strip() for text in parts]


def jobs_of(
    answer: str,
    claims: Sequence[Claim],
    passages: Passages,
    question: str,
    pattern: re.Pattern[str],
    at: int,
) -> list[Job]:
    """Return what is to be checked of an answer.

    Args:
        answer: the whole of it, or as much as there is so far.
        claims: of it, in order.
        passages: what they are checked against.
        question: what was asked; may be empty.
        pattern: finds citation markers.
        at: the number of the answer.
    """
    return [
        Job(found.claim, passages, question, found.markers, found.quotes, at)
        for found in citing_claims(answer, claims, pattern)
    ]
