"""Compare retrievers and rerankers: quality with intervals, time, memory, money, and the queries that changed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from secondpass.counts import counted
from secondpass.errors import ConfigError, SecondPassError
from secondpass.evaluate.changes import changes
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.figures import DepthCurve, DepthPoint, GroupResult, SystemResult
from secondpass.evaluate.groups import Groups, query_groups
from secondpass.evaluate.measuring import Measured, Runs, latency, measured, texts_by_id
from secondpass.evaluate.memory import peak_memory_mb
from secondpass.evaluate.metrics import cutoff, per_query
from secondpass.evaluate.prices import Price, checked_prices
from secondpass.evaluate.results import Comparison
from secondpass.evaluate.statistics import Difference, holm, mean_estimate, paired_difference
from secondpass.evaluate.systems import Question, System, as_systems
from secondpass.validation import OPEN_SHARE, Flag, Whole, checked_k, shown

__all__ = ["checked_measures", "compare"]

_FEW = 30  # queries below which a bootstrap's intervals are known to be too narrow

Values = Mapping[str, Mapping[str, Mapping[str, float]]]  # system to measure to query to value


def compare(
    systems: Mapping[str, Any],
    dataset: Dataset,
    *,
    measures: Sequence[str] = ("nDCG@10",),
    k: int | None = None,
    depth: int = 100,
    depths: Sequence[int] = (),
    groups: Groups | None = None,
    prices: Mapping[str, Price | str] | None = None,
    memory: bool = False,
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
        groups: by what else to group the queries than what their texts tell (see `query_groups`): a name to query id
            to group, such as ``{"category": {"q1": "billing", ...}}``.
        prices: what systems cost: a name to a `Price`, or to a text such as ``"0.002/call"``.
        memory: also measure the peak memory of each system, in a process of its own that loads it again.
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
    Flag().checked(memory, "memory")
    names = checked_measures(measures, wanted, deep)
    grouped = query_groups(dataset, groups)
    asked = as_systems(systems, dataset, progress=progress)
    priced = checked_prices({} if prices is None else prices, [system.name for system in asked])
    runs, first_stage, questions = measured(asked, dataset, wanted, deep, curve_at, progress)
    peaks, unmeasured = _memory(asked, questions) if memory else ({}, [])
    settings = {"confidence": confidence, "n_samples": n_samples, "seed": seed}
    values = {
        system.name: {name: per_query(dataset.qrels, runs[system.name, deep].ids, name) for name in names}
        for system in asked
    }
    return Comparison(
        systems=tuple(_results(asked, dataset, runs, deep, values, settings, priced, peaks)),
        measures=names,
        curves={
            system.name: _curve(system.name, curve_at, dataset, runs, names[0], settings)
            for system in asked
            if curve_at and system.kind == "reranker"
        },
        n_queries=len(dataset.judged),
        n_documents=len(dataset.documents),
        depth=deep,
        k=wanted,
        candidates="the dataset" if first_stage is None else first_stage.name,
        confidence=confidence,
        notes=(*_notes(asked, dataset, runs, deep, first_stage), *_unpriced(priced, runs, deep), *unmeasured),
        groups=grouped,
        by_group=_by_group(grouped, {name: each[names[0]] for name, each in values.items()}, settings),
    )


def _checked_depths(depths: Sequence[int]) -> list[int]:
    if isinstance(depths, str | bytes) or not isinstance(depths, Sequence):
        raise ConfigError(f"depths must be a list of whole numbers, such as (10, 20, 50), not {shown(depths)}")
    checked = sorted({checked_k(depth, "each of depths") or 1 for depth in depths})
    if len(checked) == 1:
        raise ConfigError(f"depths must be at least two, as they are compared with each other, not only {checked[0]}")
    return checked


def checked_measures(measures: Sequence[str], k: int | None, depth: int) -> tuple[str, ...]:
    """Return the names of measures, given how many documents are wanted and how many are ranked.

    Raises:
        ConfigError: there is no such measure, or it looks at more documents than there will be.
    """
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


def _memory(systems: Sequence[System], questions: Sequence[Question]) -> tuple[dict[str, float], list[str]]:
    peaks, notes = {}, []
    for system in systems:
        if system.subject is None:
            continue
        try:
            peaks[system.name] = peak_memory_mb(system.subject, questions)
        except SecondPassError as exc:
            notes.append(f"{system.name}: its memory was not measured: {exc}")
    return peaks, notes


def _results(
    systems: Sequence[System],
    dataset: Dataset,
    runs: Runs,
    depth: int,
    values: Values,
    settings: Mapping[str, Any],
    prices: Mapping[str, Price],
    peaks: Mapping[str, float],
) -> Iterator[SystemResult]:
    differences = _differences(values, settings)
    documents = texts_by_id(dataset)
    first = systems[0].name
    for system in systems:
        of = runs[system.name, depth]
        main = next(iter(values[first]))
        gained, lost = (
            changes(
                dataset,
                documents,
                {name: values[name][main] for name in (first, system.name)},
                {name: runs[name, depth].ids for name in (first, system.name)},
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
            latency=latency(of.seconds) if system.timed else None,
            pairs_per_s=of.pairs / of.own_seconds if of.pairs and of.own_seconds else None,
            memory_mb=peaks.get(system.name),
            cost=_cost(of, prices.get(system.name)),
            usage=dict(of.usage),
            gained=gained,
            lost=lost,
            run=of.ids,
        )


def _cost(of: Measured, price: Price | None) -> float | None:
    """Return what a thousand queries cost; None if nothing has a price."""
    if price is None and "cost_micros" not in of.usage:
        return None
    n = len(of.ids)
    return 1000 * (price or Price()).of(of.usage, n, sum(of.seconds)) / n


def _unpriced(prices: Mapping[str, Price], runs: Runs, depth: int) -> Iterator[str]:
    for name, price in prices.items():
        usage: Counter[str] = runs[name, depth].usage
        for of, unit in ((price.call, "calls"), (price.million_tokens, "tokens")):
            if of and not usage.get(unit):
                yield f"{name} has a price for {unit}, and no server counted any, so its cost lacks that part."


def _differences(values: Values, settings: Mapping[str, Any]) -> dict[str, dict[str, Difference]]:
    """Return measure to system to its difference to the first system, adjusted over the systems."""
    first, *others = values
    found: dict[str, dict[str, Difference]] = {}
    for name in values[first]:
        baseline = [*values[first][name].values()]
        raw = {other: paired_difference([*values[other][name].values()], baseline, **settings) for other in others}
        adjusted = holm({other: difference.p for other, difference in raw.items()})
        found[name] = {other: replace(raw[other], p_adjusted=adjusted[other]) for other in others}
    return found


def _by_group(
    groups: Groups, values: Mapping[str, Mapping[str, float]], settings: Mapping[str, Any]
) -> tuple[GroupResult, ...]:
    """Return a measure on each group of queries; p values are adjusted over all of them and all systems."""
    first, *others = values
    members: dict[tuple[str, str], list[str]] = {}
    for by, of_queries in groups.items():
        for query, group in sorted(of_queries.items(), key=lambda item: item[1]):
            members.setdefault((by, group), []).append(query)
    raw = {
        (of, other): paired_difference(
            [values[other][query] for query in queries], [values[first][query] for query in queries], **settings
        )
        for of, queries in members.items()
        for other in others
    }
    adjusted = holm({repr(key): difference.p for key, difference in raw.items()})
    return tuple(
        GroupResult(
            by=of[0],
            group=of[1],
            n_queries=len(queries),
            means={
                name: mean_estimate([each[query] for query in queries], **settings) for name, each in values.items()
            },
            differences={other: replace(raw[of, other], p_adjusted=adjusted[repr((of, other))]) for other in others},
        )
        for of, queries in members.items()
    )


def _curve(
    name: str, depths: Sequence[int], dataset: Dataset, runs: Runs, measure: str, settings: Mapping[str, Any]
) -> DepthCurve:
    by_query = {at: per_query(dataset.qrels, runs[name, at].whole(), measure) for at in depths}
    values = {at: [*each.values()] for at, each in by_query.items()}
    last = depths[-1]
    points = [
        DepthPoint(
            depth=at,
            mean=mean_estimate(values[at], **settings),
            gain=paired_difference(values[last], values[at], **settings) if at != last else None,
            latency=latency(runs[name, at].seconds),
            values=by_query[at],
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


def _notes(
    systems: Sequence[System], dataset: Dataset, runs: Runs, depth: int, first_stage: System | None
) -> Iterator[str]:
    n = len(dataset.judged)
    if n < _FEW:
        yield (
            f"Only {counted(n, 'query')} {'counts' if n == 1 else 'count'}: with so few, intervals by bootstrap are "
            "too narrow, and little can be shown."
        )
    rerankers = [system for system in systems if system.kind == "reranker"]
    if rerankers and (first_stage is None or not first_stage.timed):
        yield "The times of rerankers are without the first stage, whose candidates were given."
    for system in rerankers:
        of = runs[system.name, depth]
        if of.cached:
            yield f"{system.name}: {of.cached} of {of.pairs} scores came from a cache, so its times are too good."
    for system in systems:
        found = runs[system.name, depth].ids
        empty = sum(not found[query] for query in dataset.judged)
        if empty:
            yield f"{system.name} returned nothing for {empty} of {counted(n, 'query')}, which count 0."
