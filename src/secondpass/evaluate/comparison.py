"""Compare retrievers and rerankers: quality with intervals, time, and the queries that changed."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from secondpass.errors import ConfigError
from secondpass.evaluate.changes import changes
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.figures import DepthCurve, DepthPoint, Latency, SystemResult
from secondpass.evaluate.metrics import cutoff, per_query
from secondpass.evaluate.results import Comparison
from secondpass.evaluate.statistics import Difference, holm, mean_estimate, paired_difference
from secondpass.evaluate.systems import Answer, Question, System, as_systems
from secondpass.types import Document
from secondpass.validation import OPEN_SHARE, Whole, checked_k, shown

__all__ = ["compare"]

_WARM_UP = 4  # candidates that each reranker ranks before anything is timed
_FEW = 30  # queries below which a bootstrap's intervals are known to be too narrow


@dataclass
class _Measured:
    """What one system said and took, at one depth, by query id."""

    ids: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rest: dict[str, tuple[str, ...]] = field(default_factory=dict)  # candidates that were not ranked, in their order
    seconds: list[float] = field(default_factory=list)
    own_seconds: float = 0.0
    pairs: int = 0
    cached: int = 0


Measured = dict[tuple[str, int], _Measured]


def compare(
    systems: Mapping[str, Any],
    dataset: Dataset,
    *,
    measures: Sequence[str] = ("nDCG@10",),
    k: int | None = None,
    depth: int = 100,
    depths: Sequence[int] = (),
    confidence: float = 0.95,
    n_samples: int = 10_000,
    seed: int = 0,
    progress: bool = False,
) -> Comparison:
    """Measure systems on the queries of a dataset, and compare each with the first one.

    A reranker ranks candidates: those of the dataset, or else those of the first system that searches. Each query is
    asked by itself, by all systems in turn, after each of them has answered one that is not counted.

    Args:
        systems: name to system: a `Reranker`, its name or configuration; a `Retriever` or a `RetrieveRerank`, which
            index the dataset's documents if they have none; a run (a path, mapping or DataFrame, as
            `secondpass.evaluate.read_run` takes them); a function from a query to document ids, best first; or None,
            for the dataset's candidates as they are.
        dataset: queries, documents and judgements. Queries without a relevant document don't count.
        measures: in the words of ir-measures, see `secondpass.evaluate.measure`; the first decides what the advice
            says.
        k: how many documents are wanted; rerankers may stop early for it. None for all that there are.
        depth: how many candidates are ranked, and how many documents a retriever is asked for.
        depths: also rank so many candidates, with each reranker, for its depth curve; the others keep their order
            behind them.
        confidence: of intervals and verdicts, in (0, 1).
        n_samples: of the bootstrap and of the randomisation test.
        seed: of both.
        progress: show bars.

    Raises:
        ConfigError: a system, a measure or a setting can't be used.
        CompositionError: there are rerankers, and nothing finds candidates for them.
        InputError: a system returns documents that the dataset does not have; or ``k`` or a depth is below 1.
        MissingExtraError: ir-measures is not installed.
    """
    if not isinstance(dataset, Dataset):
        raise ConfigError(f"the dataset must be a Dataset, as Dataset.of and read_beir return it, not {shown(dataset)}")
    wanted, deep, curve_at = checked_k(k), checked_k(depth, "depth") or 1, _checked_depths(depths)
    OPEN_SHARE.checked(confidence, "confidence")
    Whole(at_least=100).checked(n_samples, "n_samples")
    names = _checked_measures(measures, wanted, deep)
    asked = as_systems(systems, dataset, progress=progress)
    measured, first_stage = _run(asked, dataset, wanted, deep, curve_at, progress)
    settings = {"confidence": confidence, "n_samples": n_samples, "seed": seed}
    values = {
        system.name: {name: per_query(dataset.qrels, measured[system.name, deep].ids, name) for name in names}
        for system in asked
    }
    return Comparison(
        systems=tuple(_results(asked, dataset, measured, deep, values, settings)),
        measures=names,
        curves={
            system.name: _curve(system.name, curve_at, dataset, measured, names[0], settings)
            for system in asked
            if curve_at and system.kind == "reranker"
        },
        n_queries=len(dataset.judged),
        n_documents=len(dataset.documents),
        depth=deep,
        k=wanted,
        candidates="the dataset" if first_stage is None else first_stage.name,
        confidence=confidence,
        notes=tuple(_notes(asked, dataset, measured, deep, first_stage)),
    )


def _checked_depths(depths: Sequence[int]) -> list[int]:
    if isinstance(depths, str | bytes) or not isinstance(depths, Sequence):
        raise ConfigError(f"depths must be a list of whole numbers, such as (10, 20, 50), not {shown(depths)}")
    checked = sorted({checked_k(depth, "each of depths") or 1 for depth in depths})
    if len(checked) == 1:
        raise ConfigError(f"depths must be at least two, as they are compared with each other, not only {checked[0]}")
    return checked


def _checked_measures(measures: Sequence[str], k: int | None, depth: int) -> tuple[str, ...]:
    names = (measures,) if isinstance(measures, str) else tuple(measures)
    if not names or len(set(names)) != len(names):
        raise ConfigError("measures must be a list of different names, such as ('nDCG@10', 'MRR@10')")
    shortest = min(depth, k or depth)
    for name in names:
        if (cutoff(name) or 0) > shortest:
            setting = "k" if k is not None and k <= depth else "depth"
            raise ConfigError(
                f"{name} looks at {cutoff(name)} documents, and {setting}={shortest} leaves fewer: raise {setting}"
            )
    return names


def _run(
    systems: Sequence[System], dataset: Dataset, k: int | None, depth: int, depths: Sequence[int], progress: bool
) -> tuple[Measured, System | None]:
    """Ask every query of every system; returns what was measured, and the system whose candidates are ranked."""
    from tqdm import tqdm

    first_stage = None if dataset.candidates is not None else next(each for each in systems if each.searches)
    texts = {str(document["id"]): document for document in dataset.documents if not isinstance(document, str)}
    deepest = max(depth, *depths) if depths else depth
    tasks = [(system, depth) for system in systems]
    tasks += [(system, at) for system in systems if system.kind == "reranker" for at in depths if at != depth]
    measured: Measured = defaultdict(_Measured)
    bar = tqdm(dataset.judged, unit="query", delay=1, leave=False, disable=not progress)
    for at, query in enumerate(bar):
        question = Question(query, dataset.queries[query], (), (), deepest, k)
        if first_stage is None:
            found = (dataset.candidates or {}).get(query, {})
            first, first_s = Answer(tuple(found)[:deepest], tuple(found.values())[:deepest]), 0.0
        else:
            if at == 0:
                first_stage.answer(question)
            first, first_s = _timed(first_stage, question)
        question = replace(question, documents=[texts[name] for name in first.ids], scores=first.scores)
        if at == 0:
            _warm_up([system for system in systems if system is not first_stage], question, depth)
        # Each begins in turn, so that no system always comes after the same other one.
        for system, ranked in tasks[at % len(tasks) :] + tasks[: at % len(tasks)]:
            of = measured[system.name, ranked]
            if system is first_stage:
                of.ids[query] = first.ids[: k or depth]
                of.seconds.append(first_s)
                continue
            answer, own_s = _timed(system, _first(question, ranked))
            of.ids[query] = answer.ids[: k or ranked]
            of.own_seconds += own_s
            of.seconds.append(own_s + first_s if system.kind == "reranker" else own_s)
            if system.kind == "reranker":
                of.pairs += min(ranked, len(question.documents))
                of.cached += answer.trace.total("cache_hits") if answer.trace else 0
                of.rest[query] = tuple(name for name in first.ids if name not in set(answer.ids))
    return dict(measured), first_stage


def _first(question: Question, n: int) -> Question:
    return replace(question, documents=question.documents[:n], scores=question.scores[:n], depth=n)


def _warm_up(systems: Sequence[System], question: Question, depth: int) -> None:
    for system in systems:
        system.answer(_first(question, _WARM_UP if system.kind == "reranker" else depth))


def _timed(system: System, question: Question) -> tuple[Answer, float]:
    start = time.perf_counter()
    answer = system.answer(question)
    return answer, time.perf_counter() - start


def _results(
    systems: Sequence[System],
    dataset: Dataset,
    measured: Measured,
    depth: int,
    values: Mapping[str, Mapping[str, Mapping[str, float]]],
    settings: Mapping[str, Any],
) -> Iterator[SystemResult]:
    differences = _differences(values, settings)
    documents: dict[str, Document] = {
        str(document["id"]): document for document in dataset.documents if not isinstance(document, str)
    }
    first = systems[0].name
    for system in systems:
        of = measured[system.name, depth]
        main = next(iter(values[first]))
        gained, lost = (
            changes(
                dataset,
                documents,
                {name: values[name][main] for name in (first, system.name)},
                {name: measured[name, depth].ids for name in (first, system.name)},
            )
            if system.name != first
            else ((), ())
        )
        yield SystemResult(
            name=system.name,
            kind=system.kind,
            means={name: mean_estimate([*each.values()], **settings) for name, each in values[system.name].items()},
            differences={name: each[system.name] for name, each in differences.items() if system.name in each},
            values=values[system.name],
            latency=_latency(of.seconds) if system.timed else None,
            pairs_per_s=of.pairs / of.own_seconds if of.pairs and of.own_seconds else None,
            gained=gained,
            lost=lost,
        )


def _differences(
    values: Mapping[str, Mapping[str, Mapping[str, float]]], settings: Mapping[str, Any]
) -> dict[str, dict[str, Difference]]:
    """Return measure to system to its difference to the first system, adjusted over the systems."""
    first, *others = values
    found: dict[str, dict[str, Difference]] = {}
    for name in values[first]:
        baseline = [*values[first][name].values()]
        raw = {other: paired_difference([*values[other][name].values()], baseline, **settings) for other in others}
        adjusted = holm({other: difference.p for other, difference in raw.items()})
        found[name] = {other: replace(raw[other], p_adjusted=adjusted[other]) for other in others}
    return found


def _curve(
    name: str,
    depths: Sequence[int],
    dataset: Dataset,
    measured: Measured,
    measure: str,
    settings: Mapping[str, Any],
) -> DepthCurve:
    values = {}
    for at in depths:
        of = measured[name, at]
        run = {query: of.ids[query] + of.rest[query] for query in of.ids}
        values[at] = [*per_query(dataset.qrels, run, measure).values()]
    last = depths[-1]
    points = [
        DepthPoint(
            depth=at,
            mean=mean_estimate(values[at], **settings),
            gain=paired_difference(values[last], values[at], **settings) if at != last else None,
            latency=_latency(measured[name, at].seconds),
        )
        for at in depths
    ]
    enough = next(
        at
        for at in depths
        if not any(
            paired_difference(values[deeper], values[at], **settings).verdict == "better"
            for deeper in depths
            if deeper > at
        )
    )
    return DepthCurve(tuple(points), enough)


def _latency(seconds: Sequence[float]) -> Latency:
    p50, p95, p99 = np.quantile(seconds, [0.5, 0.95, 0.99])
    return Latency(float(p50), float(p95), float(p99))


def _notes(
    systems: Sequence[System], dataset: Dataset, measured: Measured, depth: int, first_stage: System | None
) -> Iterator[str]:
    n = len(dataset.judged)
    if n < _FEW:
        yield f"Only {n} queries count: with so few, intervals by bootstrap are too narrow, and little can be shown."
    rerankers = [system for system in systems if system.kind == "reranker"]
    if rerankers and (first_stage is None or not first_stage.timed):
        yield "The times of rerankers are without the first stage, whose candidates were given."
    for system in rerankers:
        of = measured[system.name, depth]
        if of.cached:
            yield f"{system.name}: {of.cached} of {of.pairs} scores came from a cache, so its times are too good."
    for system in systems:
        found = measured[system.name, depth].ids
        empty = sum(not found[query] for query in dataset.judged)
        if empty:
            yield f"{system.name} returned nothing for {empty} of {n} queries, which count 0."
