"""Interpolation of a reranker with the first stage, so that what the retriever saw still counts."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, Literal, Self

import numpy as np

from secondpass.base import RequestLike, Reranker, as_requests
from secondpass.composition.fusion import (
    Grades,
    Vector,
    judged_rows,
    mean_ndcg,
    middle_of_best,
    minmax,
    weighted_sum,
    zscores,
)
from secondpass.composition.members import member_of, require_initial_scores, without_k
from secondpass.loading import RerankerLike
from secondpass.types import Request, Scale, Scores
from secondpass.validation import SHARE, OneOf, check, checked_k

__all__ = ["BlendedReranker"]

_log = logging.getLogger(__name__)

_NORMALISED: Mapping[str, Callable[[Vector], Vector]] = {"minmax": minmax, "zscore": zscores}
_INSTEAD = "or set missing_initial='skip' to rerank without them"
# Both ends are on it: the retriever alone and the reranker alone.
_GRID = [step / 100 for step in range(101)]


class BlendedReranker(Reranker):
    """Adds ``weight`` times the reranker's score and ``1 - weight`` times the retriever's, normalised per request.

    Interpolation with the first stage often beats the reranker alone, above all on data that the model was not
    trained on (Wang et al. 2021, ICTIR, "BERT-based dense retrievers require interpolation with BM25"; Bruch et
    al. 2023, ACM TOIS 42). The scores are ordinal.

    Explanations: ``reranker_score`` and ``initial_score``, as they were before normalising.

    Args:
        wrapped: the reranker, of any scale.
        weight: the reranker's, in [0, 1]: 1 gives the reranker's order, 0 the retriever's. `fit` sets it.
        normalise: how the two are brought to one scale: ``minmax`` or ``zscore``.
        missing_initial: what happens to a request without ``initial_scores``: ``raise``, or ``skip`` the blending and
            keep the reranker's order, which is noted in the trace and counted there under ``fallbacks``.

    Attributes:
        fitted_ndcg_: nDCG@k on what it was fitted on, of ``retriever``, ``reranker`` and ``blended``; None
            before `fit`.

    Raises:
        ConfigError: a setting is out of range.
        InputError: a request has no ``initial_scores``.
    """

    registry_name: ClassVar[str] = "blended"
    scale = Scale.ORDINAL
    pointwise = False

    def __init__(
        self,
        wrapped: RerankerLike,
        *,
        weight: float = 0.5,
        normalise: Literal["minmax", "zscore"] = "minmax",
        missing_initial: Literal["raise", "skip"] = "raise",
    ) -> None:
        wrapped = member_of(self, wrapped)
        self.wrapped, self.weight = wrapped, weight
        self.normalise, self.missing_initial = normalise, missing_initial
        check(self, weight=SHARE, normalise=OneOf(*_NORMALISED), missing_initial=OneOf("raise", "skip"))
        self.fitted_ndcg_: dict[str, float] | None = None

    def fit(self, requests: Iterable[RequestLike], grades: Sequence[Grades], *, k: int = 10) -> Self:
        """Set the weight that gives the best nDCG@k on judged requests; returns itself.

        Tried are 0, 0.01 and so on to 1, so on these requests the result is at least as good as the retriever
        alone and as the reranker alone. Of weights that are equally good, it takes the middle of the longest run.

        Args:
            requests: what to fit on: `Request`s with ``initial_scores``.
            grades: for each request, a grade of at least 0 for each document; or its qrels, a mapping of document
                id to grade, for documents with an ``id``: then what was not retrieved counts in the ideal, too.
            k: how far down nDCG looks.

        Raises:
            InputError: a request has no ``initial_scores``, grades don't fit, or no document is relevant.
        """
        depth = checked_k(k) or 10
        asked = without_k(as_requests(requests, None))
        require_initial_scores(asked, "BlendedReranker", _INSTEAD)
        rows = [self._rows(r, s) for r, s in zip(asked, self.wrapped.score_many(asked), strict=True)]
        judged = judged_rows(asked, grades, rows)
        values = [mean_ndcg(judged, [weight, 1 - weight], depth) for weight in _GRID]
        best = middle_of_best(values)
        self.weight = _GRID[best]
        self.fitted_ndcg_ = {"retriever": values[0], "reranker": values[-1], "blended": values[best]}
        if values[best] <= values[0]:
            _log.warning("%r adds nothing to the retriever on what the blend was fitted on", self.wrapped)
        return self

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        weight = self.weight  # read once: another thread may fit meanwhile
        asked = without_k(requests)
        if self.missing_initial == "raise":
            require_initial_scores(asked, "BlendedReranker", _INSTEAD)
        scored = self.wrapped.score_many(asked)
        return [self._blended(r, scores, weight) for r, scores in zip(asked, scored, strict=True)]

    def _blended(self, request: Request, scores: Scores, weight: float) -> Scores:
        reranker_score = scores.values.tolist()
        if request.initial_scores is None:
            note = "the request has no initial_scores, so the reranker's order stands"
            return scores.rescored(scores.values, counts={"fallbacks": 1}, notes=(note,), reranker_score=reranker_score)
        values = weighted_sum(self._rows(request, scores), [weight, 1 - weight])
        return scores.rescored(values, reranker_score=reranker_score, initial_score=list(request.initial_scores))

    def _rows(self, request: Request, scores: Scores) -> list[Vector]:
        initial = np.array(request.initial_scores if len(request) else [], dtype=np.float64)
        return [_NORMALISED[self.normalise](row) for row in (scores.values, initial)]

    def __repr__(self) -> str:
        return f"BlendedReranker({self.wrapped!r}, weight={self.weight})"
