"""Metrics of rankings by qrels: the measures of trec_eval, computed by the ir-measures library."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from secondpass.errors import ConfigError, InputError, MissingExtraError
from secondpass.evaluate.reading import ScoredRun
from secondpass.types import Qrels, Run
from secondpass.validation import checked_k

__all__ = ["measure", "mrr", "ndcg", "per_query"]


def ndcg(qrels: Qrels, run: Run | ScoredRun, k: int = 10) -> float:
    """Return the mean normalized discounted cumulative gain of the first ``k`` (Järvelin and Kekäläinen 2002).

    The gain of a document is its grade, as in trec_eval, divided by log2(rank + 1).

    Args:
        qrels: the judgements.
        run: the document ids of each query, best first, or their scores.
        k: how far down to look.

    Returns:
        In [0, 1]; the mean over the queries that have a relevant document. One that the run lacks counts 0.

    Raises:
        InputError: no query has a relevant document, a ranking contains a document twice, or ``k`` is below 1.
        MissingExtraError: ir-measures is not installed.
    """
    return measure(qrels, run, f"nDCG@{checked_k(k)}")[f"nDCG@{k}"]


def mrr(qrels: Qrels, run: Run | ScoredRun, k: int = 10) -> float:
    """Return the mean of 1 / rank of the first relevant document, 0 if it is not in the first ``k``.

    Arguments, range and errors are those of `ndcg`.
    """
    return measure(qrels, run, f"RR@{checked_k(k)}")[f"RR@{k}"]


def measure(qrels: Qrels, run: Run | ScoredRun, *measures: str) -> dict[str, float]:
    """Return the means of measures over the queries that have a relevant document.

    Args:
        qrels: the judgements.
        run: the document ids of each query, best first; or their scores, and then ir-measures breaks ties as the tool
            behind a measure does. A query that it lacks counts 0, and a document without a judgement is not relevant.
        measures: in the words of ir-measures: ``"nDCG@10"``, ``"MRR@10"`` (or ``"RR@10"``), ``"MAP"`` (or ``"AP"``),
            ``"R@100"``, ``"P@5"``, ``"Success@1"``.

    Raises:
        InputError: no query has a relevant document, or a ranking contains a document twice.
        ConfigError: there is no such measure.
        MissingExtraError: ir-measures is not installed.
    """
    return {name: sum(values.values()) / len(values) for name, values in _values(qrels, run, measures)}


def per_query(qrels: Qrels, run: Run | ScoredRun, name: str = "nDCG@10") -> dict[str, float]:
    """Return the value of a measure for each query that has a relevant document; arguments as in `measure`."""
    ((_, values),) = _values(qrels, run, [name])
    return values


def cutoff(name: str) -> int | None:
    """Return how many documents a measure looks at; None for all.

    Raises:
        ConfigError: there is no such measure.
        MissingExtraError: ir-measures is not installed.
    """
    (measure,) = _parsed(_ir_measures(), [name])
    found: int | None = measure.params.get("cutoff")
    return found


def _values(qrels: Qrels, run: Run | ScoredRun, names: Sequence[str]) -> Iterator[tuple[str, dict[str, float]]]:
    ir_measures = _ir_measures()
    measures = _parsed(ir_measures, names)
    judged = {query: dict(grades) for query, grades in qrels.items() if any(grade > 0 for grade in grades.values())}
    if not judged:
        raise InputError("no query of the qrels has a relevant document")
    scored = {query: _scored(query, run.get(query, ())) for query in judged}
    for name, each in zip(names, measures, strict=True):
        found = {row.query_id: row.value for row in ir_measures.iter_calc([each], judged, scored)}
        yield name, {query: float(found[query]) for query in judged}


def _parsed(ir_measures: Any, names: Sequence[str]) -> list[Any]:
    try:
        return [ir_measures.parse_measure(name) for name in names]
    except (ValueError, NameError, SyntaxError, TypeError) as exc:
        raise ConfigError(f"{names!r} are not all measures of ir-measures: {exc}") from exc


def _scored(query: str, ranking: Sequence[str] | Mapping[str, float]) -> dict[str, float]:
    """Return scores; of documents in their order such that fall with the rank, as trec_eval sorts by score."""
    if isinstance(ranking, Mapping):
        return {document: float(score) for document, score in ranking.items()}
    scores = {document: -float(rank) for rank, document in enumerate(ranking)}
    if len(scores) != len(ranking):
        raise InputError(f"the ranking of query {query!r} contains a document twice")
    return scores


def _ir_measures() -> Any:
    try:
        import ir_measures
    except ImportError as exc:
        raise MissingExtraError.of("eval", "secondpass.evaluate") from exc
    return ir_measures
