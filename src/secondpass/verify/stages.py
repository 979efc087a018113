"""What a claim is on its way from the answer to its verdict: frozen records, each made from the one before it.

`Stated` -> `Planned` -> `Scored` -> `Measured` -> `Decided` -> `CheckedClaim`. A claim may have its verdict early, as
what is not checkable or could not be read has: it is then a `CheckedClaim`, and the remaining steps pass it on.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from secondpass.cancellation import check_cancelled
from secondpass.logistic import FloatArray
from secondpass.verify.claims.checkable import NOT_KNOWN
from secondpass.verify.claims.citations import CitationMarker
from secondpass.verify.claims.replies import as_statement, needs_question
from secondpass.verify.decision import Decision
from secondpass.verify.evidence import Passages, Window
from secondpass.verify.facts.check import Facts
from secondpass.verify.signals import Premise, Signals
from secondpass.verify.types import CheckedClaim, Claim, Mismatch, Verdict
from secondpass.verify.words import addressed

__all__ = ["Answer", "Decided", "Measured", "Planned", "Scored", "Stated", "attempt", "each", "failed", "merged"]
__all__ += ["replying", "still_open", "told", "without_evidence"]

_log = logging.getLogger(__name__)
_MAX_QUESTION = 400  # characters; a longer one would leave too little of the model's room to the windows
_ONE_WORD = re.compile(r"\W*\w+\W+")
_END = " .!"
_MAX_CITED = 8  # passages for which one claim's citations are checked


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to verify, with the passages that it is verified against; the question may be empty."""

    text: str
    passages: Passages
    question: str = ""


@dataclass(frozen=True, slots=True)
class Stated:
    """A claim as an answer states it.

    Attributes:
        passages: what it is verified against.
        question: what was asked; empty if that is unknown.
        markers: the citation markers that belong to it.
        quotes: what it quotes.
        sentence: the whole sentence that it is of, without markup and markers.
        stretch: where it stands in the answer, with markup and markers.
        answer: the number of its answer among those that are verified together.
    """

    claim: Claim
    passages: Passages
    question: str = ""
    markers: tuple[CitationMarker, ...] = ()
    quotes: tuple[str, ...] = ()
    sentence: str = ""
    stretch: str = ""
    answer: int = 0

    @property
    def hypothesis(self) -> str:
        """What the model reads as the claim: an answer of few words with its question, as a sentence if it can."""
        statement = _answered(self.question, self.claim.text)
        if not statement and _ONE_WORD.fullmatch(_before(self.claim.text, self.sentence)):
            statement = _answered(self.question, self.sentence)  # "Yes, on Mondays.": the claim is "On Mondays."
        if statement:
            return statement
        short = len(self.question) <= _MAX_QUESTION and needs_question(self.question, self.claim.text)
        return f"{addressed(self.question)} {self.claim.text}" if short else self.claim.text

    @property
    def cited(self) -> tuple[int, ...]:
        """The cited passages that exist, from 0, at most eight."""
        numbers = dict.fromkeys(number for marker in self.markers for number in marker.numbers)
        return tuple(number - 1 for number in numbers if 1 <= number <= len(self.passages))[:_MAX_CITED]


def replying(claim: Claim, question: str) -> Claim:
    """Return a claim as one to be checked if it says yes or no to a question: "Certainly!" alone is a phrase."""
    if claim.checkable or not _answered(question, claim.text):
        return claim
    return replace(claim, checkable=True, reason="")


def told(claim: Claim, passages: Passages) -> Claim:
    """Return a refusal as a claim to be checked if a source says the like of itself: "The text has no vowels."."""
    if claim.reason != NOT_KNOWN or not passages.speak_of_themselves(claim.text):
        return claim
    return replace(claim, checkable=True, reason="")


def _answered(question: str, reply: str) -> str:
    return as_statement(addressed(question), reply) if len(question) <= _MAX_QUESTION else ""


def _before(text: str, sentence: str) -> str:
    """Return what a sentence begins with that ends in a text; empty if it does not."""
    end, whole = text.rstrip(_END).lower(), sentence.rstrip(_END).lower()
    return whole.removesuffix(end) if whole.endswith(end) else ""


@dataclass(frozen=True, slots=True)
class Planned:
    """A claim with what the model has to read for it.

    Attributes:
        windows: where the evidence is looked for, best first.
        joined: the best window with what the second one adds, as one premise; empty for none.
        partner: the second of these two where it is not read by itself, as it has few of the claim's words; else None.
        cited: further windows, of passages that the answer cites for the claim: they are not evidence, and are
            read only to check these citations.
        verbatim: whether the first window is a sentence that says the same word for word.
        wording: makes of a premise the claim as the model reads it there, with quantities and dates as the premise
            writes them; None to read the claim as it is. It is asked only about what is read.
        otherwise: of rows of tables, what others have in the claim's words where these have something else.
        contested: whether a window of another passage speaks of the same as the first one, and so may say otherwise.
    """

    stated: Stated
    windows: tuple[Window, ...]
    joined: str = ""
    cited: tuple[Window, ...] = ()
    verbatim: bool = False
    wording: Callable[[str], str] | None = field(default=None, compare=False, repr=False)
    contested: bool = True
    partner: Window | None = None
    otherwise: Mapping[Window, Mismatch] = field(default_factory=dict, compare=False, repr=False)

    @property
    def claim(self) -> Claim:
        """The claim itself."""
        return self.stated.claim

    @property
    def widened(self) -> bool:
        """Whether the joined premise is of the first window's own passage."""
        second = self.partner or (self.windows[1] if len(self.windows) > 1 else None)
        return self.joined != "" and second is not None and second.passage == self.windows[0].passage

    @property
    def opening(self) -> "Planned":
        """What is read first: the cited windows and the first one, or this as its own passage widens it."""
        if self.widened:
            return replace(self, windows=())
        return replace(self, windows=self.windows[:1], joined="", partner=None)

    @property
    def remainder(self) -> "Planned":
        """What else there is to read, if the opening has not settled the claim."""
        if self.widened:
            return replace(self, joined="", cited=())
        return replace(self, windows=self.windows[1:], cited=())

    @property
    def settled(self) -> "Planned":
        """What was read where the joined premise has settled the claim: it, and the first window by it."""
        return replace(self, windows=self.windows[:1], partner=self.partner or self.windows[1])

    @property
    def others(self) -> "Planned":
        """The windows but for the first."""
        return replace(self, windows=self.windows[1:], joined="", cited=())

    @property
    def premises(self) -> list[str]:
        """What the claim is read with: the windows, the cited ones, and the joined one."""
        return [window.read for window in (*self.windows, *self.cited)] + ([self.joined] if self.joined else [])

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The premises, each with the claim."""
        wording = self.wording or (lambda premise: self.stated.hypothesis)
        return [(premise, wording(premise)) for premise in self.premises]


@dataclass(frozen=True, slots=True)
class Scored:
    """A claim with the model's probabilities of entailment, neutral and contradiction.

    Attributes:
        windows: shape (n_windows, 3).
        cited: shape (n_cited, 3).
        joined: shape (3,); None if there is no joined premise, or if it did not fit into the model.
    """

    planned: Planned
    windows: FloatArray
    cited: FloatArray
    joined: FloatArray | None

    @property
    def claim(self) -> Claim:
        """The claim itself."""
        return self.planned.claim


@dataclass(frozen=True, slots=True)
class Measured:
    """A claim with what its windows say of it, by the model, by shared words and by facts.

    Attributes:
        signals: of all the windows together.
        cited: the further windows of cited passages, as premises.
        facts: of the claim.
    """

    planned: Planned
    signals: Signals
    cited: tuple[Premise, ...]
    facts: Facts

    @property
    def claim(self) -> Claim:
        """The claim itself."""
        return self.planned.claim


@dataclass(frozen=True, slots=True)
class Decided:
    """A claim with the decision on it, of the pipeline or of a judge."""

    measured: Measured
    decision: Decision

    @property
    def claim(self) -> Claim:
        """The claim itself."""
        return self.measured.claim


class _Stage(Protocol):
    @property
    def claim(self) -> Claim: ...


S = TypeVar("S", bound=_Stage)
T = TypeVar("T")


def without_evidence(claim: Claim, verdict: Verdict, reason: str) -> CheckedClaim:
    """Return a claim that has its verdict early, for a reason that needs no evidence."""
    return CheckedClaim(claim, verdict, reason=reason)


def failed(claim: Claim, exc: Exception) -> CheckedClaim:
    """Return a claim that could not be checked."""
    _log.debug("a claim could not be checked", exc_info=exc)
    return without_evidence(claim, Verdict.ERROR, f"it could not be checked: {type(exc).__name__}: {str(exc)[:300]}")


def attempt(step: Callable[[S], T], item: S) -> T | CheckedClaim:
    """Return what a step makes of a claim; one for which the step fails is an error, and takes no other with it."""
    check_cancelled()
    try:
        return step(item)
    except Warning:
        raise  # the caller made it an error
    except Exception as exc:  # the model, the retriever and the passages may be anyone's
        return failed(item.claim, exc)


def still_open(items: Iterable[T | CheckedClaim]) -> list[T]:
    """Return the claims that have no verdict yet."""
    return [item for item in items if not isinstance(item, CheckedClaim)]


def merged(items: Iterable[S | CheckedClaim], done: Sequence[T | CheckedClaim]) -> list[T | CheckedClaim]:
    """Return all claims in their order, given what a step made of those that were still open."""
    made = iter(done)
    return [item if isinstance(item, CheckedClaim) else next(made) for item in items]


def each(items: Sequence[S | CheckedClaim], step: Callable[[S], T | CheckedClaim]) -> list[T | CheckedClaim]:
    """Do a step for each claim that is still open, as `attempt` does."""
    return merged(items, [attempt(step, item) for item in still_open(items)])
