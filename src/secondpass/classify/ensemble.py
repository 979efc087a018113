"""The members of a classifier together: from hypotheses to each member's probabilities."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from secondpass.classify.member import Item, Member
from secondpass.logistic import FloatArray, sigmoid, softmax
from secondpass.windows import Span

__all__ = ["Choice", "Outcome", "Panel"]

Choice = tuple[str, Sequence[tuple[str, ...]]]
"""A text, and for each label that is compared the hypotheses that stand for it."""

# Texts without content (the three of Zhao et al. 2021).
_CONTENT_FREE = ("N/A", "", "[MASK]")
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the members say of one choice.

    Attributes:
        probabilities: shape (n_members, n_labels).
        windows: for each label the window that the first member found best; None if the text went in whole.
        counts: pairs and tokens, summed over the members.
    """

    probabilities: FloatArray
    windows: tuple[Span | None, ...]
    counts: Counter[str]


class Panel:
    """Scores texts against labels by every member.

    Args:
        members: the models.
        calibrate: take the logits of texts without content off (contextual calibration, Zhao et al. 2021,
            arXiv:2102.09690: dividing probabilities by those is subtracting logits).
    """

    def __init__(self, members: Sequence[Member], *, calibrate: bool) -> None:
        self.members, self.calibrate = tuple(members), calibrate
        self._remembered: dict[tuple[int, tuple[str, ...], bool], float] = {}

    def decide(self, choices: Sequence[Choice], *, independent: bool) -> list[Outcome]:
        """Return each label's probability for each text, all choices in one run of each member.

        Args:
            choices: texts, with the hypotheses of their labels.
            independent: whether several labels may be true at once: each is then its log odds, the highest of the
                text's and its clauses' (`Member.clauses`), put through the logistic function; else they share one
                softmax.
        """
        rows: list[list[FloatArray]] = [[] for _ in choices]
        counts: list[Counter[str]] = [Counter() for _ in choices]
        windows: list[tuple[Span | None, ...]] = []
        for number, member in enumerate(self.members):
            texts = [[text, *(member.clauses(text) if independent else ())] for text, _ in choices]
            items = [
                (text, hypotheses)
                for several, (_, groups) in zip(texts, choices, strict=True)
                for text in several
                for hypotheses in groups
            ]
            scores = member.score(items, odds=independent)
            logits = scores.logits - self._offsets(number, items, independent) if self.calibrate else scores.logits
            end, spans = 0, []
            for at, (several, (_, groups)) in enumerate(zip(texts, choices, strict=True)):
                start, end = end, end + len(several) * len(groups)
                each = logits[start:end].reshape(len(several), len(groups))
                rows[at].append(
                    sigmoid(np.max([member.log_odds(one) for one in each], axis=0)) if independent else softmax(each[0])
                )
                for count in scores.counts[start:end]:
                    counts[at].update(count)
                spans.append(scores.windows[start : start + len(groups)])
            windows = windows or spans
        return [Outcome(np.stack(each), spans, count) for each, spans, count in zip(rows, windows, counts, strict=True)]

    def _offsets(self, number: int, items: Sequence[Item], odds: bool) -> FloatArray:
        """Return the mean logit of each item's hypotheses on texts without content; remembered between calls."""
        keys = [(number, hypotheses, odds) for _, hypotheses in items]
        known = {key: self._remembered[key] for key in set(keys) if key in self._remembered}
        missing = list(dict.fromkeys(key for key in keys if key not in known))
        if missing:
            asked = [(text, hypotheses) for _, hypotheses, _ in missing for text in _CONTENT_FREE]
            logits = self.members[number].score(asked, odds=odds).logits.reshape(len(missing), -1).mean(axis=1)
            known |= dict(zip(missing, logits.tolist(), strict=True))
            if len(self._remembered) + len(missing) <= _MOST_REMEMBERED:
                self._remembered |= {key: known[key] for key in missing}
        return np.array([known[key] for key in keys])

    def __getstate__(self) -> dict[str, Any]:
        return {"members": self.members, "calibrate": self.calibrate}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Panel.__init__(self, state["members"], calibrate=state["calibrate"])
