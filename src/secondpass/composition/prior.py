"""What the retriever knew, as a prior: the order in which the documents came counts beside the reranker's scores."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from secondpass.base import Reranker, inner_rerankers
from secondpass.calibration.ready import ReadyCalibration
from secondpass.composition.fusion import Vector
from secondpass.composition.members import member_of, without_k
from secondpass.loading import RerankerLike
from secondpass.logistic import log_odds, sigmoid
from secondpass.types import Request, Scale, Scores
from secondpass.validation import NOT_NEGATIVE, check

__all__ = ["PriorReranker", "rank_prior", "takes_prior", "with_prior"]

_OFFSET = 10  # of ranks: how little the very first ones stand out
_WEIGHT = 2.0  # what the ready calibration is of
_DEPTH = 50  # of the candidates whose spread is the unit
_UNIT = float(np.std(1 / (_OFFSET + np.arange(1, _DEPTH + 1))))


class PriorReranker(Reranker):
    """Adds to each document's log-odds of relevance what its rank with the retriever says.

    By Bayes' rule log-odds add up: the retriever's order is the prior, the reranker's logit the evidence. Where the
    reranker is sure, it decides; where its logits are flat, as in a language or on a subject that it knows nothing of,
    the retriever's order stands. A document's score is ``logit + weight * prior(rank)``, see `rank_prior`; it stays on
    the wrapped reranker's scale: probabilities go through their log-odds and back. A single document keeps its score,
    and all do if ``initial_scores`` are all equal, as the retriever then did not order them.

    The adapters and `RetrieveRerank` put it around cross-encoders by themselves. Elsewhere, use it only for documents
    that come in a retriever's order, the best first.

    Explanations: ``reranker_score``, the wrapped reranker's score, and ``prior``, what was added, in log-odds.

    Args:
        wrapped: a reranker that gives logits or probabilities.
        weight: how much the prior counts, at least 0, which is not at all. The default is that for logits of
            cross-encoders, which lie some 15 apart; see "The retriever's prior" in the documentation for how it was
            chosen.

    Raises:
        CompositionError: the scores are ordinal, and nothing can be added to them: `BlendedReranker` takes those.
        ConfigError: ``weight`` is negative or not a number.
    """

    registry_name: ClassVar[str] = "prior"
    pointwise = False

    def __init__(self, wrapped: RerankerLike, *, weight: float = _WEIGHT) -> None:
        wrapped = member_of(self, wrapped, Scale.LOGIT, Scale.PROBABILITY)
        self.wrapped, self.weight, self.scale = wrapped, weight, wrapped.scale
        check(self, weight=NOT_NEGATIVE)

    @property
    def calibration(self) -> ReadyCalibration | None:
        """That of the wrapped reranker with the prior, which is one of the default weight."""
        own = self.wrapped.calibration
        return None if own is None or self.weight != _WEIGHT else own.after_prior(self.scale)

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        scored = self.wrapped.score_many(without_k(requests))
        return [self._with_prior(request, scores) for request, scores in zip(requests, scored, strict=True)]

    def _with_prior(self, request: Request, scores: Scores) -> Scores:
        values, ordered = scores.values, len(request) > 1 and len(set(request.initial_scores or (0, 1))) > 1
        prior = self.weight * rank_prior(len(request)) if ordered else np.zeros(len(request))
        if prior.any():
            logits = log_odds(values) if self.scale is Scale.PROBABILITY else values
            values = sigmoid(logits + prior) if self.scale is Scale.PROBABILITY else logits + prior
        return scores.rescored(values, reranker_score=scores.values.tolist(), prior=prior.tolist())

    def __repr__(self) -> str:
        return f"PriorReranker({self.wrapped!r}, weight={self.weight})"


def rank_prior(n_documents: int) -> Vector:
    """Return the prior of each rank: 1 / (10 + rank), with mean 0, in standard deviations of those of 50 documents.

    So two neighbours are as far apart in a short list as in a long one: the first and the second by 0.4, the first and
    the fiftieth by 4.1. With 50 documents these are z-scores.

    Returns:
        Shape (n_documents,), falling.
    """
    raw = 1 / (_OFFSET + np.arange(1, n_documents + 1))
    return np.asarray((raw - raw.mean()) / _UNIT) if n_documents else raw


def with_prior(reranker: Reranker) -> Reranker:
    """Return a reranker with the retriever's prior, if that is what it lacks: what adapters and `RetrieveRerank` use.

    These are the rerankers that score each document by itself and give a cross-encoder's logits, or probabilities made
    of them: cross-encoders, progressive ones included, what wraps nothing else, and what chooses among such. All others
    are returned unchanged: those that look at several documents (blends, fusions, cascades, list-wise ones, one with a
    prior), calibrated probabilities, which would not be calibrated any more, and the scores of servers and language
    models, whose unit is not known.
    """
    return PriorReranker(reranker) if takes_prior(reranker) else reranker


def takes_prior(reranker: Reranker) -> bool:
    """Return whether the retriever's prior can be added to a reranker's scores; see `with_prior`."""
    by_itself = reranker.pointwise or reranker.log_odds  # what says so itself has no order of the documents in it
    return bool(by_itself) and reranker.scale is not Scale.ORDINAL and _gives_log_odds(reranker)


def _gives_log_odds(reranker: Reranker) -> bool:
    if reranker.log_odds is not None:
        return reranker.log_odds
    inner = inner_rerankers(reranker)
    return bool(inner) and all(map(_gives_log_odds, inner))
