"""Choose what to search with, by measuring what is installed on this machine, on the user's queries."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from secondpass.base import Reranker
from secondpass.composition.prior import with_prior
from secondpass.errors import CompositionError, ConfigError
from secondpass.evaluate.choice import Choice, Option, Plan
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.figures import Latency
from secondpass.evaluate.installed import installed_rerankers, installed_retrievers
from secondpass.evaluate.measuring import Measured, candidates, first_of, latency, measured, texts_by_id, timed
from secondpass.evaluate.metrics import cutoff, per_query
from secondpass.evaluate.statistics import Difference, holm, mean_estimate, paired_difference
from secondpass.evaluate.systems import Answer, Question, System, as_system
from secondpass.loading import load
from secondpass.retrieve.base import Retriever, retriever_of
from secondpass.validation import OPEN_SHARE, Number, Whole, checked_k, must_be, shown

__all__ = ["choose"]

_PROBES = 3  # queries on which it is seen whether a reranker at a depth is anywhere near the limit
_TOO_SLOW = 1.5  # times the limit: what takes longer than that on the probes is not measured any further
_CANDIDATES = "candidates"


def choose(
    dataset: Dataset,
    *,
    latency_ms: float | None = None,
    k: int = 10,
    retrievers: Sequence[str] | Mapping[str, Retriever | str] | None = None,
    rerankers: Sequence[str] | Mapping[str, Reranker | str | Mapping[str, Any]] | None = None,
    depths: Sequence[int] = (10, 20, 50, 100),
    measure: str | None = None,
    n_queries: int = 50,
    confidence: float = 0.95,
    n_samples: int = 10_000,
    seed: int = 0,
    progress: bool = False,
) -> Choice:
    """Measure retrievers alone and with rerankers at several depths, and recommend one with the measurements.

    Nothing is looked up: every figure is measured here, on this machine and these queries, one by one. A reranker is
    measured as `RetrieveRerank` and the adapters use it: with the retriever's prior. It
    ranks what the retriever finds that has the best recall among those in time. What takes far longer than
    ``latency_ms`` on the first three queries is not measured any further, and named.

    Recommended is the fastest option that is as good as the best one, as far as the queries can tell, among those that
    are better than every retriever alone; if none is, a retriever alone.

    Args:
        dataset: the user's documents, with some queries and judgements.
        latency_ms: what 95 % of the queries have to stay below; None for no limit.
        k: how many documents are wanted.
        retrievers: names (``"bm25"``, ``"dense:MODEL"``), or retrievers by name, which index the documents if they have
            none. None for BM25 and all embedding models of the catalogue that are installed; or, if the dataset has
            candidates, for these, whose times then don't count.
        rerankers: names as `load` takes them, or rerankers by name; None for all of the catalogue that are installed.
        depths: how many candidates are reranked.
        measure: what counts, in the words of ir-measures; None for nDCG at ``k``.
        n_queries: at most so many of the judged queries are asked, the same ones each time.
        confidence: of intervals and verdicts, in (0, 1).
        n_samples: of the bootstrap and of the randomisation tests.
        seed: of both, and of the sample.
        progress: show bars.

    Raises:
        ConfigError: a setting can't be used, or a name stands twice.
        CompositionError: there is nothing to measure.
        InputError: ``k``, a depth or ``n_queries`` is below 1.
        ModelError: a reranker that was named can't be loaded.
        MissingExtraError: ir-measures is not installed.
    """
    if not isinstance(dataset, Dataset):
        raise ConfigError(f"the dataset must be a Dataset, as Dataset.of and read_beir return it, not {shown(dataset)}")
    limit_s = (Number(above=0, unit="milliseconds") | None).checked(latency_ms, "latency_ms")
    limit_s = None if limit_s is None else limit_s / 1000
    wanted = checked_k(k) or 10
    name = f"nDCG@{wanted}" if measure is None else measure
    deep = _checked_depths(depths, max(wanted, cutoff(name) or 0))
    OPEN_SHARE.checked(confidence, "confidence")
    settings = {
        "confidence": confidence,
        "n_samples": Whole(at_least=100).checked(n_samples, "n_samples"),
        "seed": seed,
    }
    sample = dataset.sample(n_queries, seed=seed)
    firsts = _retrievers(retrievers, sample, progress)
    seconds = _rerankers(rerankers)
    runs, values, skipped = _measure(firsts, seconds, sample, name, deep, limit_s, progress)
    chosen, options = _chosen(runs, values, limit_s, settings)
    return Choice(
        chosen=chosen,
        options=tuple(options),
        measure=name,
        k=wanted,
        latency_ms=latency_ms,
        n_queries=len(sample.judged),
        confidence=confidence,
        skipped=tuple(skipped),
        candidates_given=firsts[0].kind == "candidates",
    )


def _checked_depths(depths: object, least: int) -> list[int]:
    if isinstance(depths, str | bytes) or not isinstance(depths, Sequence) or not depths:
        raise ConfigError(must_be("depths", "a list of whole numbers, such as (10, 20, 50)", depths))
    checked = sorted({checked_k(depth, "each of depths") or 1 for depth in depths})
    if checked[-1] < least:
        raise ConfigError(f"the greatest of depths must be at least {least}, the documents that are looked at")
    return checked


def _retrievers(given: object, dataset: Dataset, progress: bool) -> list[System]:
    if given is None and dataset.candidates is not None:
        return [as_system(_CANDIDATES, None, dataset)]
    found = _by_name(installed_retrievers() if given is None else given, "retrievers", "['bm25', 'dense']")
    if not found:
        raise CompositionError(
            'nothing is installed that finds documents: pip install "secondpass[bm25]" or "secondpass[faiss]", pass '
            "retrievers, or give the dataset candidates"
        )
    built = {name: retriever_of(each) if isinstance(each, str) else each for name, each in found.items()}
    strange = next((each for each in built.values() if not isinstance(each, Retriever)), None)
    if strange is not None:
        raise ConfigError(must_be("each of retrievers", "a Retriever or the name of one", strange))
    return [as_system(name, retriever, dataset, progress=progress) for name, retriever in built.items()]


def _rerankers(given: object) -> dict[str, Reranker]:
    found = _by_name(installed_rerankers() if given is None else given, "rerankers", "['cross-encoder']")
    return {name: with_prior(load(reranker)) for name, reranker in found.items()}


def _by_name(given: object, setting: str, example: str) -> dict[str, Any]:
    if isinstance(given, str | bytes) or not isinstance(given, Sequence | Mapping):
        raise ConfigError(must_be(setting, f"names, such as {example}, or a mapping of names to {setting}", given))
    if isinstance(given, Mapping):
        return {str(name): each for name, each in given.items()}
    named = {each.partition(":")[2] or each if isinstance(each, str) else repr(each): each for each in given}
    if len(named) != len(given):
        raise ConfigError(f"{setting} has one of them twice: pass a mapping of names to {setting}")
    return named


def _measure(
    firsts: Sequence[System],
    rerankers: Mapping[str, Reranker],
    dataset: Dataset,
    measure: str,
    depths: Sequence[int],
    limit_s: float | None,
    progress: bool,
) -> tuple[dict[Plan, Measured], dict[Plan, dict[str, float]], list[Plan]]:
    """Return what retrievers alone and rerankers behind one of them said and took, how good they are, what is slow."""
    base = dataset if firsts[0].kind == "candidates" else replace(dataset, candidates=None)
    alone, _, _ = measured(firsts, base, None, depths[-1], (), progress)
    runs = {Plan(each.name): alone[each.name, depths[-1]] for each in firsts}
    in_time = [plan for plan, of in runs.items() if limit_s is None or _times(of).p95_s <= limit_s] or list(runs)
    found = {plan: per_query(dataset.qrels, runs[plan].ids, f"R@{depths[-1]}") for plan in in_time}
    name = max(found, key=lambda plan: sum(found[plan].values())).retriever
    first = next(each for each in firsts if each.name == name)
    plans = {
        Plan(name, reranker, depth): _at_depth(f"{reranker} at {depth}", system, depth, base)
        for reranker, system in rerankers.items()
        for depth in depths
    }
    slow = [] if limit_s is None else _too_slow(first, plans, base, depths[-1], _TOO_SLOW * limit_s)
    fast = {plan: system for plan, system in plans.items() if plan not in slow}
    if fast:
        reranked, _, _ = measured([first, *fast.values()], base, None, depths[-1], (), progress)
        runs.update({plan: reranked[system.name, depths[-1]] for plan, system in fast.items()})
    return runs, {plan: per_query(dataset.qrels, of.whole(), measure) for plan, of in runs.items()}, slow


def _at_depth(name: str, reranker: Reranker, depth: int, dataset: Dataset) -> System:
    system = as_system(name, reranker, dataset)

    def answer(question: Question) -> Answer:
        return system.answer(first_of(question, depth))

    return replace(system, answer=answer)


def _too_slow(first: System, plans: Mapping[Plan, System], dataset: Dataset, depth: int, limit_s: float) -> list[Plan]:
    """Return the plans whose median time on a few queries, the first stage's included, is above a limit."""
    texts = texts_by_id(dataset)
    questions: list[tuple[Question, float]] = []
    for query in dataset.judged[:_PROBES]:
        found, seconds = candidates(first, dataset, Question(query, dataset.queries[query], (), (), depth, None))
        documents = [texts[name] for name in found.ids]
        questions.append((Question(query, dataset.queries[query], documents, found.scores, depth, None), seconds))
    slow = []
    for plan, system in plans.items():
        system.answer(first_of(questions[0][0], 1))
        if median(timed(system, asked)[1] + seconds for asked, seconds in questions) > limit_s:
            slow.append(plan)
    return slow


def _times(of: Measured) -> Latency:
    return latency(of.seconds)


def _chosen(
    runs: Mapping[Plan, Measured],
    values: Mapping[Plan, Mapping[str, float]],
    limit_s: float | None,
    settings: Mapping[str, Any],
) -> tuple[Option | None, list[Option]]:
    """Return the recommended option, None if nothing is in time, and all of them, the best mean first."""
    means = {plan: mean_estimate([*each.values()], **settings) for plan, each in values.items()}
    times = {plan: _times(of) for plan, of in runs.items()}
    in_time = {plan: limit_s is None or times[plan].p95_s <= limit_s for plan in runs}
    alone = [plan for plan in runs if plan.reranker is None]
    base = max(alone, key=lambda plan: (in_time[plan], means[plan].value))

    def difference(plan: Plan, other: Plan) -> Difference:
        return paired_difference([*values[plan].values()], [*values[other].values()], **settings)

    raw = {plan: difference(plan, base) for plan in runs if plan != base}
    adjusted = holm({str(plan): of.p for plan, of in raw.items()})
    against = {plan: replace(of, p_adjusted=adjusted[str(plan)]) for plan, of in raw.items()}
    options = {
        plan: Option(plan, means[plan], against.get(plan), times[plan], in_time[plan])
        for plan in sorted(runs, key=lambda plan: -means[plan].value)
    }
    helping = [plan for plan in options if in_time[plan] and plan != base and against[plan].verdict == "better"]
    if not helping:
        return options[base] if in_time[base] else None, [*options.values()]
    equals = [plan for plan in helping if difference(helping[0], plan).verdict != "better"]
    return options[min(equals, key=lambda plan: times[plan].p50_s)], [*options.values()]
