"""Keep as few documents as will do, with a guarantee that the answer is among them."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from secondpass.base import Reranker
from secondpass.calibration.examples import ScoredExamples
from secondpass.calibration.selection import Selection, require_same_reranker, selected
from secondpass.config import Configured
from secondpass.errors import CompositionError, InputError
from secondpass.types import Ranking, Scale
from secondpass.validation import OPEN_SHARE, Number, OneOf, Whole, check

__all__ = ["ConformalCoverage", "ConformalSelector"]


@dataclass(frozen=True, slots=True)
class ConformalCoverage:
    """What a `ConformalSelector` does to judged examples.

    Attributes:
        coverage: the share of the queries with a relevant candidate of which one is kept.
        n_answerable: how many such queries there are.
        found_unanswerable: the share of the other queries of which nothing is kept; None without any.
        n_unanswerable: how many of those there are.
        mean_kept: how many documents are kept for a query.
    """

    coverage: float
    n_answerable: int
    found_unanswerable: float | None
    n_unanswerable: int
    mean_kept: float


@dataclass(frozen=True, slots=True)
class ConformalSelector(Configured):
    """Keeps the documents above a threshold that loses every relevant one for at most a share ``alpha`` of queries.

    Split conformal prediction (Vovk, Gammerman and Shafer 2005; Angelopoulos and Bates 2021, arXiv:2107.07511,
    section 1) with one number for each query: the best score of a relevant candidate. Of n calibration queries
    that have one, the threshold is the floor(alpha (n + 1))-th smallest of these numbers.

    **Guaranteed**, for a new query that is exchangeable with the calibration queries (drawn in the same way, and
    its candidates retrieved in the same way) and has a relevant candidate: at least one relevant candidate is
    kept with probability at least ``1 - alpha``, and, unless scores tie, at most ``1 - alpha + 1 / (n + 1)``.
    So a query that could be answered here is found to have no answer with probability at most ``alpha``. The
    model need not be good, nor the scores calibrated: a bad model only keeps more.

    **Not guaranteed**:

    - that *all* relevant documents are kept, or that those kept are relevant;
    - anything about a query none of whose candidates is relevant: how often its selection is empty depends
      on how well the model tells the two apart, so measure it;
    - coverage for each kind of query: it holds on average over queries, and easy ones may make up for hard
      ones; nor for each calibration set: over calibration sets it spreads as a Beta(n + 1 - l, l) distribution,
      l = floor(alpha (n + 1)), around its mean;
    - anything after a shift: other users, another corpus, another retriever or depth, another model;
    - anything if the calibration queries were used to train or calibrate the reranker, or if the ranking was
      cut (``k``) before the selection.

    Args:
        threshold: documents that score at least this much are kept.
        alpha: the share of answerable queries for which nothing relevant may be kept, in (0, 1).
        n_queries: how many calibration queries had a relevant candidate.
        scale: of the scores.
        fitted_on: the fingerprint of the reranker; None if unknown.

    Raises:
        ConfigError: a setting is out of range.
    """

    registry_name: ClassVar[str] = "conformal"

    threshold: float
    alpha: float
    n_queries: int
    scale: Scale = Scale.PROBABILITY
    fitted_on: str | None = None

    def __post_init__(self) -> None:
        scale = OneOf(Scale.LOGIT, Scale.PROBABILITY)
        check(self, threshold=Number(), alpha=OPEN_SHARE, n_queries=Whole(at_least=0), scale=scale)

    @classmethod
    def fit(cls, scored: ScoredExamples, *, alpha: float = 0.1) -> Self:
        """Choose the threshold on judged examples; only queries with a relevant one among them count.

        Args:
            scored: the candidates of queries that the reranker was neither trained nor calibrated on.
            alpha: the share of answerable queries for which nothing relevant may be kept, in (0, 1).

        Raises:
            InputError: too few queries for so small an alpha; the message says how many are needed.
            ConfigError: alpha is out of range.
        """
        return cls.from_best_scores(scored.best_relevant(), alpha=alpha, scale=scored.scale, fitted_on=scored.scored_by)

    @classmethod
    def from_best_scores(
        cls,
        best_scores: npt.ArrayLike,
        *,
        alpha: float = 0.1,
        scale: Scale = Scale.PROBABILITY,
        fitted_on: str | None = None,
    ) -> Self:
        """Choose the threshold from, for each calibration query, the best score of a relevant candidate."""
        share, best = _as_fraction(alpha), np.sort(np.asarray(best_scores, dtype=np.float64))
        if best.ndim != 1 or not np.isfinite(best).all():
            raise InputError("the best scores must be finite numbers, one for each query")
        position = math.floor(share * (len(best) + 1))
        if position < 1:
            needed = math.ceil(1 / share) - 1
            raise InputError(
                f"alpha={alpha} needs at least {needed} calibration queries with a relevant candidate, but there are "
                f"{len(best)}: only keeping every document would guarantee it. Judge more queries, or raise alpha"
            )
        return cls(float(best[position - 1]), alpha, len(best), scale, fitted_on)

    def select(self, ranking: Ranking, *, reranker: Reranker | None = None) -> Selection:
        """Select from a whole ranking, one that was not cut by ``k``.

        An empty selection says that nothing here answers the query, which is wrong for at most a share
        ``alpha`` of the queries that have an answer among their candidates.

        Args:
            ranking: from the reranker that this was fitted for.
            reranker: if given, checked to be that one.

        Raises:
            CompositionError: the ranking's scale, or the reranker, is another one.
        """
        require_same_reranker(self.fitted_on, reranker, "the conformal threshold was fitted")
        return selected(ranking, self.threshold, self.scale)

    def measure(self, scored: ScoredExamples) -> ConformalCoverage:
        """Measure it on other judged examples: the coverage, and what is not guaranteed.

        Raises:
            CompositionError: they were scored by another reranker, or are on another scale.
        """
        same = self.fitted_on is None or scored.scored_by is None or self.fitted_on == scored.scored_by
        if scored.scale is not self.scale or not same:
            raise CompositionError("the examples were scored by another reranker than the one that this was fitted for")
        kept = scored.scores >= self.threshold
        n_kept = np.bincount(scored.queries, weights=kept)
        n_relevant_kept = np.bincount(scored.queries, weights=kept & scored.relevant)
        answerable = np.bincount(scored.queries, weights=scored.relevant) > 0
        n_answerable = int(answerable.sum())
        n_others = scored.n_queries - n_answerable
        return ConformalCoverage(
            coverage=float((n_relevant_kept[answerable] > 0).mean()),
            n_answerable=n_answerable,
            found_unanswerable=float((n_kept[~answerable] == 0).mean()) if n_others else None,
            n_unanswerable=n_others,
            mean_kept=float(n_kept.mean()),
        )


def _as_fraction(alpha: float) -> Fraction:
    # As it is written: in binary 0.29 * 100 is less than 29.
    return Fraction(repr(float(OPEN_SHARE.checked(alpha, "alpha"))))
