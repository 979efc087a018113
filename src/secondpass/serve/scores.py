"""Scores as the dialects' clients expect them: in [0, 1]."""

import math

from secondpass.types import Ranking, Scale

__all__ = ["unit_scores"]


def unit_scores(ranking: Ranking, n_documents: int) -> list[float]:
    """Return a score in [0, 1] for each document of a ranking, in its order, which they never contradict.

    Probabilities stay what they are. Logits become calibrated probabilities if a calibration comes with the model, and
    else go through the logistic function, as text-embeddings-inference and Infinity do. Of ordinal scores only the
    order means anything: the first of n documents gets 1, the last one 1/n.

    Args:
        ranking: as the reranker returned it.
        n_documents: how many documents were ranked, if not all were returned.
    """
    if ranking.scale is Scale.PROBABILITY:
        return [document.score for document in ranking]
    if ranking.scale is Scale.ORDINAL:
        return [1 - (document.rank - 1) / n_documents for document in ranking]
    calibrated = [document.probability for document in ranking]
    known = [probability for probability in calibrated if probability is not None]
    if len(known) == len(calibrated) and known == sorted(known, reverse=True):
        return known
    return [_sigmoid(document.score) for document in ranking]


def _sigmoid(logit: float) -> float:
    # Either way the exponential is of a number that is not above 0, and can't overflow.
    grown = math.exp(-abs(logit))
    return 1 / (1 + grown) if logit >= 0 else grown / (1 + grown)
