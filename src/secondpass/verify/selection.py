"""Selects what the model has to read for each claim: the windows that match it best, and no more than fit."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from secondpass.base import Reranker
from secondpass.composition.attempts import attempts
from secondpass.language import is_foreign
from secondpass.verify.evidence import RowsFor, Window, WindowIndex, joined, select
from secondpass.verify.siblings import is_of_a_sibling, lends_only_its_name
from secondpass.verify.stages import Planned, Stated, attempt, each, failed, merged, still_open, without_evidence
from secondpass.verify.types import CheckedClaim, Claim, Mismatch, Verdict
from secondpass.verify.words import overlap
from secondpass.windows import Tokenization

__all__ = ["Selection"]

_log = logging.getLogger(__name__)
_ABOUT_THE_SAME = 0.5  # of the claim's words
_MIN_ROOM = 16  # tokens for a window: about the shortest sentence that says something


@dataclass(frozen=True, slots=True)
class _Sought:
    """A claim with the windows that it is looked for in; ``room`` is how many tokens a premise may have beside it."""

    stated: Stated
    room: int
    index: WindowIndex

    @property
    def claim(self) -> Claim:
        return self.stated.claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Selects windows for claims.

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

    def __call__(self, stated: Sequence[Stated]) -> list[Planned | CheckedClaim]:
        """Return each claim with what is to be read for it, or with its verdict where there is nothing to read."""
        sought = each(stated, self._sought)
        return merged(sought, self._planned(still_open(sought)))

    def _sought(self, stated: Stated) -> _Sought | CheckedClaim:
        claim, passages = stated.claim, stated.passages
        if not claim.checkable:
            return without_evidence(claim, Verdict.NOT_CHECKABLE, claim.reason)
        if not passages.texts:
            return without_evidence(claim, Verdict.NOT_ENOUGH_INFO, "no passages were given")
        if passages.blank:
            return without_evidence(claim, Verdict.NOT_ENOUGH_INFO, "no passages were given: all of them are blank")
        (length,) = self.tokenization.lengths([stated.hypothesis])
        room = self.tokenization.document_room(length) if self.room is None else self.room - length
        if room < _MIN_ROOM:
            reason = f"the claim is too long for the model: it has {length} tokens"
            return without_evidence(stated.claim, Verdict.ERROR, reason)
        index = stated.passages.index(room)
        # A few words that are read with their question are in its language: "May to October".
        foreign = self.english_only and is_foreign(claim.text) and is_foreign(stated.hypothesis)
        if foreign and not index.speaks_like(claim.text):
            reason = "the model reads English only, and the claim is in another language"
            return without_evidence(claim, Verdict.NOT_ENOUGH_INFO, reason)
        if not index.is_readable:
            reason = "the model reads English only, and the passages are in other languages"
            return without_evidence(stated.claim, Verdict.NOT_ENOUGH_INFO, reason)
        return _Sought(stated, room, index)

    def _planned(self, sought: Sequence[_Sought]) -> list[Planned | CheckedClaim]:
        """Select for claims that share windows together; where the retriever fails, for each of them alone."""
        groups: dict[int, list[int]] = {}
        for at, item in enumerate(sought):
            groups.setdefault(id(item.index), []).append(at)
        planned: dict[int, Planned | CheckedClaim] = {}
        for group in groups.values():
            items = [sought[at] for at in group]
            chosen = attempts(self._chosen, items, catch=Exception, on_failure=_tell)  # the retriever may be anyone's
            for at, item, windows in zip(group, items, chosen, strict=True):
                if isinstance(windows, Exception):
                    planned[at] = failed(item.claim, windows)
                else:
                    planned[at] = attempt(partial(self._with_windows, windows=windows), item)
        return [planned[at] for at in range(len(sought))]

    def _chosen(self, group: Sequence[_Sought]) -> list[tuple[Window, ...]]:
        hypotheses = [item.stated.hypothesis for item in group]
        return select(hypotheses, group[0].index, self.windows_per_claim, self.retriever)

    def _with_windows(self, sought: _Sought, windows: tuple[Window, ...]) -> Planned:
        stated, index = sought.stated, sought.index
        rows = index.rows_for(stated.hypothesis, windows, self.windows_per_claim)
        windows = self._of_its_own(stated.hypothesis, windows, rows) or windows
        same = stated.passages.sentence(stated.hypothesis) or stated.passages.sentence(stated.sentence)
        if same is not None:
            # Other passages are read all the same: one of them may say otherwise.
            windows = (same, *(window for window in windows if window.passage != same.passage))
        together = self._joined(windows, stated.hypothesis) if len(windows) > 1 and same is None else ""
        if together and self.tokenization.lengths([together])[0] > sought.room:
            together = ""
        partner = windows[1] if together else None
        windows = (windows[0], *filter(partial(self._may_tell, stated.hypothesis), windows[1:]))
        further = sorted(set(stated.cited) - {window.passage for window in windows})
        scores = index.scores(stated.hypothesis) if further else np.empty(0)
        found = [index.of_passage(passage, scores) for passage in further]
        cited = tuple(window for window in found if window is not None)
        return Planned(
            stated,
            windows,
            together,
            cited,
            verbatim=same is not None,
            contested=any(window.passage != windows[0].passage for window in windows[1:]),
            partner=None if partner in windows else partner,
            otherwise={window: Mismatch("value", *stray) for window, stray in rows.strays.items()},
        )

    def _of_its_own(self, hypothesis: str, windows: Sequence[Window], rows: RowsFor) -> tuple[Window, ...]:
        """Return the windows that speak of nothing else of the kind that a claim names, and a row that it names."""
        kept = [each for each in windows if each not in rows.others and not is_of_a_sibling(hypothesis, each.read)]
        if rows.own and not any(each in kept for each in rows.own):
            kept = [*kept[: self.windows_per_claim - 1], *rows.own][: self.windows_per_claim]
        return tuple(kept)

    def _may_tell(self, hypothesis: str, window: Window) -> bool:
        """Whether another window than the first is worth reading: those that share few words changed nothing."""
        return self._is_about(hypothesis, window.read)

    def _is_about(self, hypothesis: str, premise: str) -> bool:
        return self.retriever is not None or overlap(hypothesis, premise) >= _ABOUT_THE_SAME

    def _joined(self, windows: Sequence[Window], hypothesis: str) -> str:
        """Return the first two windows as one premise; empty if that is not worth reading."""
        first, second = windows[:2]
        together = joined(first, second, hypothesis)
        if first.passage == second.passage:
            return together
        # Two passages with few of the claim's words between them are of other things, each of its own.
        lent = lends_only_its_name(hypothesis, first.read, second.read)
        if lent or lends_only_its_name(hypothesis, second.read, first.read):
            return ""
        return together if self._is_about(hypothesis, together) else ""


def _tell(exc: Exception) -> None:
    _log.debug("the windows for several claims could not be selected together: %s", exc)
