"""What the model has to read for each claim: the windows that match it best, and no more than fit."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from secondpass.base import Reranker
from secondpass.verify.claims.citations import CitationMarker
from secondpass.verify.decision import Decision
from secondpass.verify.english import is_foreign
from secondpass.verify.entailment import Task
from secondpass.verify.evidence import Passages, Window, WindowIndex, joined, select
from secondpass.verify.signals import Premise, Signals
from secondpass.verify.types import CheckedClaim, Claim, Verdict
from secondpass.windows import Tokenization

__all__ = ["Job", "Planner", "Work", "still_open"]

_log = logging.getLogger(__name__)
_MIN_ROOM = 16  # tokens for a window: about the shortest sentence that says something
_FEW_WORDS = 3  # a claim of so few is an answer to the question, not a sentence
_MAX_QUESTION = 400  # characters; a longer one would leave too little of the model's room to the windows
_MAX_CITED = 8  # passages for which one claim's citations are checked


@dataclass(frozen=True, slots=True)
class Job:
    """A claim to check.

    Attributes:
        passages: what it is checked against.
        question: what was asked; empty if that is unknown.
        markers: the citation markers that stand with it.
        quotes: what it quotes.
        answer: which answer it is from, so that a judge's limits hold for each.
    """

    claim: Claim
    passages: Passages
    question: str = ""
    markers: tuple[CitationMarker, ...] = ()
    quotes: tuple[str, ...] = ()
    answer: int = 0

    @property
    def hypothesis(self) -> str:
        """What the model reads as the claim: with the question before an answer of very few words."""
        short = len(self.claim.text.split()) <= _FEW_WORDS and self.question and len(self.question) <= _MAX_QUESTION
        return f"{self.question} {self.claim.text}" if short else self.claim.text

    @property
    def cited(self) -> tuple[int, ...]:
        """The cited passages that exist, from 0, at most eight."""
        numbers = dict.fromkeys(number for marker in self.markers for number in marker.numbers)
        return tuple(number - 1 for number in numbers if 1 <= number <= len(self.passages))[:_MAX_CITED]


@dataclass(slots=True)
class Work:
    """One claim on its way: a result ends it, whatever step it has come to."""

    job: Job
    index: WindowIndex | None = None
    task: Task | None = None
    premises: tuple[Premise, ...] = ()
    cited: tuple[Premise, ...] = ()
    signals: Signals | None = None
    decision: Decision | None = None
    escalated: bool = False
    result: CheckedClaim | None = None

    def end(self, verdict: Verdict, reason: str) -> None:
        """Give it a verdict without evidence."""
        self.result = CheckedClaim(self.job.claim, verdict, reason=reason)

    def fail(self, exc: Exception) -> None:
        """Make an error of it."""
        _log.debug("a claim could not be checked", exc_info=exc)
        self.end(Verdict.ERROR, f"it could not be checked: {type(exc).__name__}: {str(exc)[:300]}")

    def attempt(self, step: Callable[[], None]) -> None:
        """Do a step; if it fails, the claim is an error."""
        try:
            step()
        except Warning:
            raise  # the caller made it an error
        except Exception as exc:  # one claim's failure is not the others'
            self.fail(exc)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Finds the windows for claims.

    Attributes:
        tokenization: how the model counts tokens.
        room: tokens that a premise and a hypothesis have together; None if that is unknown.
        retriever: orders the windows; None for the words that they share with the claim.
        windows_per_claim: how many the model reads for a claim.
        english_only: whether claims in other languages are not checked.
    """

    tokenization: Tokenization
    room: int | None
    retriever: Reranker | None
    windows_per_claim: int
    english_only: bool

    def plan(self, works: Sequence[Work]) -> None:
        """Give each claim its task, or its result where there is nothing to read."""
        for work in works:
            claim, passages = work.job.claim, work.job.passages
            if not claim.checkable:
                work.end(Verdict.NOT_CHECKABLE, claim.reason)
            elif not passages.texts:
                work.end(Verdict.NOT_ENOUGH_INFO, "no passages were given")
            elif passages.blank:
                work.end(Verdict.NOT_ENOUGH_INFO, "no passages were given: all of them are blank")
            elif self.english_only and is_foreign(claim.text):
                work.end(Verdict.NOT_ENOUGH_INFO, "the model reads English only, and the claim is in another language")
        open_ = still_open(works)
        lengths = self.tokenization.lengths([work.job.hypothesis for work in open_])
        rooms: dict[int, int] = {}
        for work, length in zip(open_, lengths, strict=True):
            room = self.tokenization.document_room(length) if self.room is None else self.room - length
            rooms[id(work)] = room
            if room < _MIN_ROOM:
                work.end(Verdict.ERROR, f"the claim is too long for the model: it has {length} tokens")
            else:
                work.attempt(partial(self._find_index, work, room))
        groups: dict[int, list[Work]] = {}
        for work in still_open(works):
            groups.setdefault(id(work.index), []).append(work)
        for group in groups.values():
            self._find_windows(group, rooms)

    def _find_index(self, work: Work, room: int) -> None:
        work.index = work.job.passages.index(room)
        if not work.index.windows:
            work.end(Verdict.NOT_ENOUGH_INFO, "the model reads English only, and the passages are in other languages")

    def _find_windows(self, group: Sequence[Work], rooms: Mapping[int, int]) -> None:
        """Plan claims that share windows; a retriever that fails on all of them is tried on each."""
        index = group[0].index
        assert index is not None
        try:
            chosen = select([work.job.hypothesis for work in group], index, self.windows_per_claim, self.retriever)
        except Warning:
            raise
        except Exception as exc:  # the retriever may be anyone's
            if len(group) == 1:
                group[0].fail(exc)
                return
            for work in group:
                self._find_windows([work], rooms)
            return
        for work, windows in zip(group, chosen, strict=True):
            work.attempt(partial(self._set_task, work, index, windows, rooms))

    def _set_task(self, work: Work, index: WindowIndex, windows: tuple[Window, ...], rooms: Mapping[int, int]) -> None:
        together = ""
        if len(windows) > 1:
            together = joined(windows[0], windows[1], work.job.passages.texts)
            if self.tokenization.lengths([together])[0] > rooms[id(work)]:
                together = ""
        further = sorted(set(work.job.cited) - {window.passage for window in windows})
        scores = index.scores(work.job.hypothesis) if further else np.empty(0)
        found = [index.of_passage(passage, scores) for passage in further]
        cited = tuple(window for window in found if window is not None)
        work.task = Task(work.job.hypothesis, windows, together, cited)


def still_open(works: Sequence[Work]) -> list[Work]:
    """Return those without a result."""
    return [work for work in works if work.result is None]
