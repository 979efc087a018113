"""How good rankings are, by qrels."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from secondpass.errors import InputError
from secondpass.types import Qrels, Run
from secondpass.validation import checked_k

__all__ = ["mrr", "ndcg", "per_query"]

Metric = Callable[[Mapping[str, int], Sequence[str], int], float]


def ndcg(qrels: Qrels, run: Run, k: int = 10) -> float:
    """Return the mean normalized discounted cumulative gain of the first ``k`` (Järvelin and Kekäläinen 2002).

    The gain of a document is its grade, as in trec_eval, divided by log2(rank + 1).

    Args:
        qrels: the judgements.
        run: the document ids of each query, best first.
        k: how far down to look.

    Returns:
        In [0, 1]; the mean over the queries that have a relevant document. One that the run lacks counts 0.

    Raises:
        InputError: no query has a relevant document, a ranking holds a document twice, or ``k`` is below 1.
    """
    return float(np.mean(list(per_query(qrels, run, k, _ndcg_of).values())))


def mrr(qrels: Qrels, run: Run, k: int = 10) -> float:
    """Return the mean of 1 / rank of the first relevant document, 0 if it is not in the first ``k``.

    Arguments, range and errors are those of `ndcg`.
    """
    return float(np.mean(list(per_query(qrels, run, k, _reciprocal_rank).values())))


def per_query(qrels: Qrels, run: Run, k: int, metric: Metric | None = None) -> dict[str, float]:
    """Return the value of a metric for each query that has a relevant document; nDCG by default."""
    k = checked_k(k) or 1
    judged = {query: grades for query, grades in qrels.items() if any(grade > 0 for grade in grades.values())}
    if not judged:
        raise InputError("no query of the qrels has a relevant document")
    values = {}
    for query, grades in judged.items():
        ranking = list(run.get(query, ()))
        if len(set(ranking)) != len(ranking):
            raise InputError(f"the ranking of query {query!r} holds a document twice")
        values[query] = (metric or _ndcg_of)(grades, ranking[:k], k)
    return values


def _ndcg_of(grades: Mapping[str, int], ranking: Sequence[str], k: int) -> float:
    gained = _dcg([max(0, grades.get(document, 0)) for document in ranking])
    return gained / _dcg(sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:k])


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def _reciprocal_rank(grades: Mapping[str, int], ranking: Sequence[str], k: int) -> float:
    ranks = (rank for rank, document in enumerate(ranking, start=1) if grades.get(document, 0) > 0)
    return 1.0 / next(ranks, math.inf)
