"""Which documents to keep: a threshold on scores, and what it leaves of a ranking."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from secondpass.base import Reranker
from secondpass.calibration.examples import ScoredExamples
from secondpass.errors import CompositionError, InputError
from secondpass.logistic import FloatArray
from secondpass.types import RankedDocument, Ranking, Scale
from secondpass.validation import POSITIVE, Number

__all__ = ["Selection", "Threshold", "at_precision", "best_f_beta", "require_same_reranker", "selected"]


@dataclass(frozen=True, slots=True, repr=False)
class Selection:
    """What is kept of a ranking; if it is empty, no candidate answers the query.

    Attributes:
        ranking: the ranking of the kept documents, with their ranks and the trace.
        threshold: what a score had to reach.
        n_candidates: how many documents there were.
        best_score: the best of all their scores; None if there were no documents.
    """

    ranking: Ranking
    threshold: float
    n_candidates: int
    best_score: float | None

    @property
    def documents(self) -> tuple[RankedDocument, ...]:
        """The kept documents, best first."""
        return self.ranking.documents

    @property
    def is_empty(self) -> bool:
        """Whether nothing was kept: nothing here answers the query."""
        return not self.ranking.documents

    def __len__(self) -> int:
        return len(self.ranking)

    def __iter__(self) -> Iterator[RankedDocument]:
        return iter(self.ranking)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data; JSON-ready if the documents' own metadata is."""
        rest = {"threshold": self.threshold, "n_candidates": self.n_candidates, "best_score": self.best_score}
        return {"is_empty": self.is_empty, **rest, **self.ranking.to_dict()}

    def __repr__(self) -> str:
        if self.best_score is None:
            return f"Nothing here answers {self.ranking.query!r}: there are no candidates"
        if self.is_empty:
            return (
                f"Nothing here answers {self.ranking.query!r}: the best of {self.n_candidates} candidates "
                f"has {self.best_score:.4f}, below {self.threshold:.4f}"
            )
        return f"{len(self)} of {self.n_candidates} candidates with at least {self.threshold:.4f}\n{self.ranking!r}"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold on a reranker's scores, and what it does to the examples that it was chosen on.

    The shares are over the examples of all queries together. They are those of the same
    examples that the threshold was chosen on, and therefore slightly optimistic; measure them on others.

    Attributes:
        value: documents that score at least this much are kept.
        scale: of the scores.
        precision: the share of the kept examples that is relevant.
        recall: the share of the relevant examples that is kept.
        n_kept: how many examples are kept.
        n_examples: how many there were.
        fitted_on: the fingerprint of the reranker that scored the examples; None if unknown.
    """

    value: float
    scale: Scale
    precision: float
    recall: float
    n_kept: int
    n_examples: int
    fitted_on: str | None = None

    def select(self, ranking: Ranking, *, reranker: Reranker | None = None) -> Selection:
        """Return what the threshold keeps of a ranking.

        Args:
            ranking: from the reranker that the threshold was chosen for.
            reranker: if given, checked to be that one.

        Raises:
            CompositionError: the ranking's scale, or the reranker, is another one.
        """
        require_same_reranker(self.fitted_on, reranker, "the threshold was chosen")
        return selected(ranking, self.value, self.scale)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return asdict(self) | {"scale": str(self.scale)}


def best_f_beta(scored: ScoredExamples, beta: float = 1.0) -> Threshold:
    """Choose the threshold with the highest F-beta score over all examples (van Rijsbergen 1979).

    Of several that are equally good, the highest is chosen.

    Args:
        scored: examples that neither the model nor its calibration was fitted on.
        beta: how many times as much recall counts as precision, above 0.

    Raises:
        ConfigError: beta is not above 0.
    """
    beta = POSITIVE.checked(beta, "beta")
    values, kept, hits = _cuts(scored)
    n_relevant = int(scored.relevant.sum())
    f_beta = (1 + beta**2) * hits / (beta**2 * n_relevant + kept)
    return _threshold(scored, values, kept, hits, int(np.argmax(f_beta)))


def at_precision(scored: ScoredExamples, precision: float) -> Threshold:
    """Choose the threshold that keeps the most examples at a precision of at least ``precision``.

    The precision is that of the examples; nothing is promised for others. With few examples above the
    threshold (``n_kept``), it is little more than chance: ask for a higher one than you need.

    Args:
        scored: examples that neither the model nor its calibration was fitted on.
        precision: in (0, 1].

    Raises:
        ConfigError: the precision is out of range.
        InputError: no threshold reaches it; the message gives the best that can be reached.
    """
    precision = Number(above=0, at_most=1).checked(precision, "precision")
    values, kept, hits = _cuts(scored)
    enough = np.flatnonzero(hits / kept >= precision)
    if not len(enough):
        best = int(np.argmax(hits / kept))
        raise InputError(
            f"no threshold has a precision of {precision} on these {len(scored)} examples; the best is "
            f"{hits[best] / kept[best]:.4f}, at {values[best]:.4f} with {int(kept[best])} kept"
        )
    return _threshold(scored, values, kept, hits, int(enough[-1]))


def selected(ranking: Ranking, threshold: float, scale: Scale) -> Selection:
    """Return what a threshold keeps of a ranking, after a look at its scale."""
    if ranking.scale is not scale:
        raise CompositionError(f"a threshold on {scale} scores can't be applied to a ranking with {ranking.scale} ones")
    best = ranking.documents[0].score if len(ranking) else None
    return Selection(ranking.above(threshold), threshold, len(ranking), best)


def require_same_reranker(fitted_on: str | None, reranker: Reranker | None, what: str) -> None:
    """Check that a fitted object is used with the reranker that it was made for.

    Raises:
        CompositionError: it is another one, or has other settings.
    """
    if reranker is not None and fitted_on is not None and reranker.fingerprint != fitted_on:
        raise CompositionError(
            f"{what} for the reranker with fingerprint {fitted_on}, but {reranker!r} has {reranker.fingerprint}: "
            f"another model, or other settings. Fit it again for this one"
        )


def _cuts(scored: ScoredExamples) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return every threshold that makes a difference, falling, with how many, and how many relevant, it keeps."""
    order = np.argsort(-scored.scores, kind="stable")
    values, hits = scored.scores[order], np.cumsum(scored.relevant[order], dtype=np.float64)
    last = np.concatenate([values[1:] != values[:-1], [True]])  # equal scores are kept or dropped together
    return values[last], (np.flatnonzero(last) + 1).astype(np.float64), hits[last]


def _threshold(scored: ScoredExamples, values: FloatArray, kept: FloatArray, hits: FloatArray, at: int) -> Threshold:
    return Threshold(
        value=float(values[at]),
        scale=scored.scale,
        precision=float(hits[at] / kept[at]),
        recall=float(hits[at] / scored.relevant.sum()),
        n_kept=int(kept[at]),
        n_examples=len(scored),
        fitted_on=scored.scored_by,
    )
