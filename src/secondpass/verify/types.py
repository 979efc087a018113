"""The results of a verification: claims, evidence, verdicts. All are frozen, and none needs a model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from secondpass.types import Trace
from secondpass.verify.report import as_html, as_text

__all__ = ["CheckedClaim", "Citation", "Claim", "Evidence", "Mismatch", "Span", "Verdict", "Verification"]

_ODDS_BY_CLAIMS = 0.4


class Verdict(StrEnum):
    """What the passages say about a claim."""

    SUPPORTED = "supported"
    """A passage, or two of them together, say it."""
    CONTRADICTED = "contradicted"
    """A passage says otherwise."""
    NOT_ENOUGH_INFO = "not_enough_info"
    """The passages neither say it nor deny it."""
    NOT_CHECKABLE = "not_checkable"
    """It claims no fact: a question, a greeting, an opinion."""
    ERROR = "error"
    """It could not be checked, and so is never counted as supported."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that an answer says.

    Attributes:
        text: what is verified; it may have the subject of the sentence put in front of a conjunct, and
            markdown and citation markers taken off.
        start: where it begins in the answer, in characters.
        end: where it ends: ``answer[start:end]`` is where it stands.
        sentence: the index of its sentence, from 0.
        checkable: whether it claims a fact.
        reason: why it is not checkable; empty if it is.
    """

    text: str
    start: int
    end: int
    sentence: int
    checkable: bool = True
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return {
            "text": self.text,
            "start": self.start,
            "end": self.end,
            "sentence": self.sentence,
            "checkable": self.checkable,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """A window of a passage, with what it says about one claim.

    Attributes:
        passage: the index of its passage among those that were passed in, from 0.
        id: the ``id`` of a passage that was passed as a mapping, else None.
        start: where it begins in the passage's text, in characters.
        end: where it ends: ``text[start:end]`` of the passage is the evidence.
        text: that text, with U+FFFD for each lone surrogate. The model read it without ligatures and hyphens at line
            ends, and a row of data with the names of its columns.
        entailment: the model's probability that the claim follows from it; where it was read only together with another
            window of its passage, and both are far from saying the claim, the three probabilities are theirs.
        neutral: the model's probability that it says nothing of the claim.
        contradiction: the model's probability that it says otherwise.
    """

    passage: int
    id: Any
    start: int
    end: int
    text: str
    entailment: float
    neutral: float
    contradiction: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data; JSON-ready if the passage's own id is."""
        return {
            "passage": self.passage,
            "id": self.id,
            "start": self.start,
            "end": self.end,
            "text": self.text,
            "entailment": self.entailment,
            "neutral": self.neutral,
            "contradiction": self.contradiction,
        }


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A fact of the claim that the evidence states differently, or not at all.

    Attributes:
        kind: ``number``, ``date``, ``unit``, ``name``, ``negation``, ``opposite`` (fell for rose), ``strength`` (all
            for some, must for may), ``value`` (what a row of a table has otherwise), ``opening`` (closed on a day when
            it is open) or ``group`` (what is kept to some is for others).
        claim: the claim's words.
        evidence: the evidence's words; empty if it has none.
        start: where the claim's words begin in the answer, in characters; None if it has them in another form, or if
            they are of a claim that was put together.
        end: where they end, or None.
    """

    kind: str
    claim: str
    evidence: str = ""
    start: int | None = None
    end: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return {
            "kind": self.kind,
            "claim": self.claim,
            "evidence": self.evidence,
            "start": self.start,
            "end": self.end,
        }


@dataclass(frozen=True, slots=True)
class Span:
    """Words of the answer that are not supported: ``answer[start:end]``.

    Attributes:
        start: where they begin in the answer, in characters.
        end: where they end.
        kind: ``number``, ``date``, ``unit``, ``name``, ``negation``, ``opposite``, ``strength``, ``value``, ``opening``
            or ``group`` for what the evidence states differently or does not have; ``addition`` for other words that
            it does not have; ``relation`` where it has all the words, but does not say this of them.
        text: the words, with U+FFFD for each lone surrogate.
        evidence: what the evidence has in their place; empty if that is nothing, or not known.
    """

    start: int
    end: int
    kind: str
    text: str
    evidence: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return {
            "start": self.start,
            "end": self.end,
            "kind": self.kind,
            "text": self.text,
            "evidence": self.evidence,
        }


@dataclass(frozen=True, slots=True)
class Citation:
    """One number of a citation marker in the answer; ``[2, 3]`` makes two of them.

    Attributes:
        marker: the whole marker, as it stands in the answer.
        start: where the marker begins in the answer, in characters.
        end: where it ends.
        number: the number that is cited, from 1.
        passage: the index of the cited passage, from 0; None if there is no such passage.
        exists: whether there is such a passage.
        supports: whether that passage supports the claim.
        probability: that the cited passage alone supports the claim; None if it wasn't scored.
    """

    marker: str
    start: int
    end: int
    number: int
    passage: int | None
    exists: bool
    supports: bool
    probability: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return {
            "marker": self.marker,
            "start": self.start,
            "end": self.end,
            "number": self.number,
            "passage": self.passage,
            "exists": self.exists,
            "supports": self.supports,
            "probability": self.probability,
        }


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """A claim with its verdict, and with what it rests on.

    Attributes:
        claim: the claim.
        verdict: what the passages say about it.
        probability: the calibrated probability that the passages support it, in [0, 1]; 0 if it
            could not be checked.
        evidence: the windows of the passages that the verdict rests on, best first; where it is that there is not
            enough info, those that came nearest.
        contradicting: windows that speak against it, strongest first.
        conflict: whether one passage supports it and another contradicts it.
        mismatches: facts of the claim that the evidence states differently.
        citations: what the answer cites for it.
        suggested: numbers of the passages, from 1, that support it although the answer doesn't cite them.
        escalated: whether an LLM judge decided.
        reason: why the verdict is what it is, in a sentence; empty if the evidence says it all.
        spans: which of its words in the answer are not supported, in order. None of a claim that is supported or not
            checkable, or that was compared with nothing: without passages, in another language, or after an error.
    """

    claim: Claim
    verdict: Verdict
    probability: float = 0.0
    evidence: tuple[Evidence, ...] = ()
    contradicting: tuple[Evidence, ...] = ()
    conflict: bool = False
    mismatches: tuple[Mismatch, ...] = ()
    citations: tuple[Citation, ...] = ()
    suggested: tuple[int, ...] = ()
    escalated: bool = False
    reason: str = ""
    spans: tuple[Span, ...] = ()

    @property
    def text(self) -> str:
        """The claim's text, as it was verified."""
        return self.claim.text

    @property
    def checked(self) -> bool:
        """Whether it counts for the supported fraction: all but what is not checkable does."""
        return self.verdict is not Verdict.NOT_CHECKABLE

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data; JSON-ready if the passages' own ids are."""
        return {
            **self.claim.to_dict(),
            "verdict": str(self.verdict),
            "probability": self.probability,
            "evidence": [evidence.to_dict() for evidence in self.evidence],
            "contradicting": [evidence.to_dict() for evidence in self.contradicting],
            "conflict": self.conflict,
            "mismatches": [mismatch.to_dict() for mismatch in self.mismatches],
            "citations": [citation.to_dict() for citation in self.citations],
            "suggested": list(self.suggested),
            "escalated": self.escalated,
            "reason": self.reason or self.claim.reason,
            "spans": [span.to_dict() for span in self.spans],
        }


@dataclass(frozen=True, slots=True, repr=False)
class Verification:
    """An answer, claim by claim.

    Attributes:
        answer: what was verified.
        claims: its claims, in the order in which they stand in it.
        passed: whether the answer may be given out as it is.
        policy: the name of the policy that made ``text``.
        text: the answer after the policy was applied.
        trace: what happened.
        question: what was asked; None if that is not known.
        model: the name of the model that verified it.
    """

    answer: str
    claims: tuple[CheckedClaim, ...]
    passed: bool
    policy: str = "annotate"
    text: str = ""
    trace: Trace = field(default_factory=Trace)
    question: str | None = None
    model: str = ""

    def __len__(self) -> int:
        return len(self.claims)

    def __iter__(self) -> Iterator[CheckedClaim]:
        return iter(self.claims)

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """How many claims have each verdict."""
        return {verdict: sum(claim.verdict is verdict for claim in self.claims) for verdict in Verdict}

    @property
    def supported_fraction(self) -> float:
        """The share of the checkable claims that are supported; 0 if there is none."""
        checked = sum(claim.checked for claim in self.claims)
        return self.counts[Verdict.SUPPORTED] / checked if checked else 0.0

    @property
    def min_probability(self) -> float:
        """The lowest probability of a checkable claim; 0 if there is none."""
        return min((claim.probability for claim in self.claims if claim.checked), default=0.0)

    @property
    def probability(self) -> float:
        """The probability that all of the answer is supported; 0 if nothing in it is checkable.

        It is that of the weakest claim, with allowance for the lowest of several estimates being low by chance: the
        odds grow with the number of claims to the power of .4, as fitted on answers put together of right claims, with
        and without a wrong one among them. A product of the claims' probabilities would let no long answer pass.
        """
        n = sum(claim.checked for claim in self.claims)
        lowest = self.min_probability
        if not 0 < lowest < 1:
            return lowest
        odds: float = lowest / (1 - lowest) * n**_ODDS_BY_CLAIMS
        return odds / (1 + odds)

    @property
    def contradicted(self) -> bool:
        """Whether any claim is contradicted."""
        return any(claim.verdict is Verdict.CONTRADICTED for claim in self.claims)

    @property
    def spans(self) -> tuple[Span, ...]:
        """The words of the answer that are not supported, of all claims, in order.

        Of spans that overlap, as those of claims that a decomposer makes of one sentence may, only the first is here.
        """
        kept: list[Span] = []
        every = (span for claim in self.claims for span in claim.spans)
        for span in sorted(every, key=lambda span: (span.start, -span.end)):
            if not kept or span.start >= kept[-1].end:
                kept.append(span)
        return tuple(kept)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data; JSON-ready if the passages' own ids are."""
        return {
            "question": self.question,
            "model": self.model,
            "answer": self.answer,
            "passed": self.passed,
            "supported_fraction": self.supported_fraction,
            "probability": self.probability,
            "min_probability": self.min_probability,
            "contradicted": self.contradicted,
            "policy": self.policy,
            "text": self.text,
            "claims": [claim.to_dict() for claim in self.claims],
            "spans": [span.to_dict() for span in self.spans],
            "trace": self.trace.to_dict(),
        }

    def to_html(self) -> str:
        """Return it as a piece of HTML that needs nothing else: claims coloured, evidence linked."""
        return as_html(self.to_dict())

    def _repr_html_(self) -> str:
        return self.to_html()

    def __repr__(self) -> str:
        return as_text(self.to_dict())
