"""LlamaIndex's result of an evaluation, with the verification in it and feedback for a person to read."""

from collections.abc import Iterator, Sequence
from typing import Any

from llama_index.core.bridge.pydantic import ConfigDict, Field, field_serializer
from llama_index.core.evaluation import EvaluationResult

from secondpass.types import Document, document_text, printable, well_formed
from secondpass.verify.types import CheckedClaim, Verdict, Verification

__all__ = ["VerificationResult", "result_of"]


class VerificationResult(EvaluationResult):
    """LlamaIndex's `EvaluationResult`, with every claim and its evidence under ``verification``.

    Dumped, the verification becomes its `to_dict`.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    # As Any, or pydantic would look into it, field by field, instead of taking it as it is.
    verification: Any = Field(default=None, description="The Verification: every claim with its verdict and evidence.")

    @field_serializer("verification")
    def _verification_as_data(self, verification: Verification | None) -> dict[str, Any] | None:
        return None if verification is None else verification.to_dict()


def result_of(query: str | None, passages: Sequence[Document], verification: Verification) -> VerificationResult:
    """Return a verification as the result of an evaluation."""
    errors = [claim for claim in verification if claim.verdict is Verdict.ERROR]
    reason = f"{len(errors)} of {len(verification)} claims could not be checked: {errors[0].reason}" if errors else None
    return VerificationResult(
        query=None if query is None else well_formed(query),  # pydantic takes no lone surrogates
        response=verification.answer,
        contexts=[well_formed(document_text(passage, at)) for at, passage in enumerate(passages)],
        passing=verification.passed,
        score=verification.supported_fraction,
        feedback="\n".join(_feedback(verification)),
        invalid_result=bool(errors),
        invalid_reason=reason,
        verification=verification,
    )


def _feedback(verification: Verification) -> Iterator[str]:
    checked = [claim for claim in verification if claim.checked]
    if not checked:
        yield "The response is empty." if not verification.claims else "The response has no checkable claim."
        return
    yield f"{verification.counts[Verdict.SUPPORTED]} of {len(checked)} checkable claims are supported."
    for claim in checked:
        if claim.verdict is not Verdict.SUPPORTED:
            yield from _told(claim)


def _told(claim: CheckedClaim) -> Iterator[str]:
    because = f" ({claim.reason})" if claim.reason else ""
    yield f'- {claim.verdict.replace("_", " ")}: "{_line(claim.text)}"{because}'
    for evidence in (claim.contradicting or claim.evidence)[:1]:
        identity = "" if evidence.id is None else f", {evidence.id}"
        yield f'  context {evidence.passage + 1}{identity}: "{_line(evidence.text)}"'


def _line(text: str) -> str:
    return printable(" ".join(text.split()))
