"""What follows from a comparison, in plain sentences: whether to rerank, with what, and how deep."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from secondpass.counts import counted
from secondpass.evaluate.figures import DepthCurve, SystemResult
from secondpass.evaluate.statistics import paired_difference
from secondpass.evaluate.wording import against, interval, milliseconds, money

if TYPE_CHECKING:
    from secondpass.evaluate.results import Comparison

__all__ = ["advice"]

_FASTER = 0.8  # of the time: what is less than this is worth a sentence
_SAMPLES = 10_000
_RERANKS = ("reranker", "two-stage")


def advice(comparison: "Comparison") -> tuple[str, ...]:
    """Return the sentences: first what to do, then one for each system but the first, then one for each curve."""
    verdicts = {system.name: _verdict(comparison, system) for system in comparison.systems[1:]}
    sentences = [_recommendation(comparison, verdicts)]
    sentences += [_said(comparison, system, verdicts[system.name]) for system in comparison.systems[1:]]
    sentences += _cheaper(comparison, verdicts)
    sentences += _groups(comparison, verdicts)
    sentences += [_depth(comparison, name, curve) for name, curve in comparison.curves.items()]
    return tuple(sentences)


def _verdict(comparison: "Comparison", system: SystemResult) -> str:
    return system.differences[comparison.measures[0]].verdict


def _recommendation(comparison: "Comparison", verdicts: dict[str, str]) -> str:
    first = comparison.systems[0].name
    better = [name for name, verdict in verdicts.items() if verdict == "better"]
    if better:
        best = max(better, key=lambda name: comparison[name].means[comparison.measures[0]].value)
        return f"Use {best}."
    if all(verdict == "worse" for verdict in verdicts.values()):
        return f"Stay with {first}: everything else is worse."
    return f"Stay with {first}: nothing is better, as far as {counted(comparison.n_queries, 'query')} can tell."


def _said(comparison: "Comparison", system: SystemResult, verdict: str) -> str:
    first, measure = comparison.systems[0], comparison.measures[0]
    of = system.differences[measure]
    reranks = system.kind in _RERANKS and first.kind not in _RERANKS
    queries = f"better on {of.better} of {counted(comparison.n_queries, 'query')}, worse on {of.worse}"
    if verdict == "undecided":
        start = "reranking does not help" if reranks else f"not better than {first.name}"
        so = f"{measure} changes by {against(of)}; {queries}."
        sentence = f"{system.name}: {start}, as far as {counted(comparison.n_queries, 'query')} can tell. {so}"
        return sentence if of.low <= 0 <= of.high else f"{sentence} {_close(of.p_adjusted, len(comparison) - 1)}"
    helps = {"better": "reranking helps", "worse": "reranking hurts"}[verdict] if reranks else verdict
    low, high = sorted((abs(of.low), abs(of.high)))
    side = "higher" if verdict == "better" else "lower"
    return (
        f"{system.name}: {helps}. {measure} is {abs(of.value):.3f} {side} than that of {first.name} "
        f"({low:.3f} to {high:.3f}), {queries}.{_cost(system, first)}"
    )


def _close(p: float, n_systems: int) -> str:
    adjusted = f", adjusted for {n_systems} systems," if n_systems > 1 else ""
    return f"The interval does not hold 0, but the test{adjusted} has p = {p:.2g}: more queries would tell."


def _cost(system: SystemResult, first: SystemResult) -> str:
    if system.latency is None:
        return ""
    rather = "" if first.latency is None else f" rather than {milliseconds(first.latency.p50_s)}"
    pays = "" if system.cost is None else f", and {money(system.cost)} for 1,000 queries"
    return f" It takes {milliseconds(system.latency.p50_s)} a query (p50){rather}{pays}."


def _cheaper(comparison: "Comparison", verdicts: dict[str, str]) -> Iterator[str]:
    """Yield for the best system the faster ones that are as good, as far as can be told."""
    measure = comparison.measures[0]
    helping = {name: comparison[name] for name, verdict in verdicts.items() if verdict == "better"}
    p50_s = {name: system.latency.p50_s for name, system in helping.items() if system.latency is not None}
    best = max(p50_s, key=lambda name: helping[name].means[measure].value, default="")
    for name in p50_s:
        if p50_s[name] > _FASTER * p50_s[best]:
            continue
        of = paired_difference(
            [*helping[name].values[measure].values()],
            [*helping[best].values[measure].values()],
            confidence=comparison.confidence,
            n_samples=_SAMPLES,
            seed=0,
        )
        if of.low <= 0 <= of.high:
            yield (
                f"{name} is as good as {best}, as far as {counted(comparison.n_queries, 'query')} can tell "
                f"({of.value:+.3f}, "
                f"{interval(of, '+')}), and takes {milliseconds(p50_s[name])} a query rather than "
                f"{milliseconds(p50_s[best])}."
            )


def _groups(comparison: "Comparison", verdicts: dict[str, str]) -> Iterator[str]:
    """Yield for each group of queries what is not true of all of them: that a system hurts there, or helps there."""
    first = comparison.systems[0].name
    for of in comparison.by_group:
        for name, difference in of.differences.items():
            if difference.verdict in ("undecided", verdicts[name]):
                continue
            does = "is better" if difference.verdict == "better" else "is worse"
            yield (
                f"{name} {does} than {first} where {of.by} is {of.group!r} ({counted(of.n_queries, 'query')}): "
                f"{comparison.measures[0]} changes by {against(difference)}."
            )


def _depth(comparison: "Comparison", name: str, curve: DepthCurve) -> str:
    points = {point.depth: point for point in curve.points}
    enough, last = points[curve.enough], curve.points[-1]
    measure = comparison.measures[0]
    at = f"{name}: {measure} is {enough.mean.value:.3f} at a depth of {enough.depth}"
    if enough.gain is None:
        return f"{at}, the greatest that was tried, and better than at any lower one: a greater one may pay."
    gain = enough.gain
    unsure = "no gain that could be told from chance"
    if gain.low > 0:  # the interval and the test do not agree
        unsure = f"a gain that chance makes with p = {gain.p:.2g}"
    says = "which is worse" if gain.verdict == "worse" else unsure
    return (
        f"{at} and {last.mean.value:.3f} at {last.depth}, {against(gain)}, {says}: going deeper than {enough.depth} "
        f"does not pay here. A query takes {milliseconds(enough.latency.p50_s)} (p50) "
        f"rather than {milliseconds(last.latency.p50_s)}."
    )
