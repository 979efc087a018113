"""What `choose` recommends, with all that it measured: frozen, and without any model."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from secondpass.counts import counted
from secondpass.evaluate.figures import Latency
from secondpass.evaluate.statistics import Difference, Estimate
from secondpass.evaluate.tables import COLOURS, aligned, escaped
from secondpass.evaluate.wording import against, interval, milliseconds, p_value
from secondpass.types import printable

__all__ = ["Choice", "Option", "Plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to search.

    Attributes:
        retriever: the first stage's name.
        reranker: the second stage's; None for none.
        depth: how many candidates are reranked; 0 for none.
    """

    retriever: str
    reranker: str | None = None
    depth: int = 0

    def __str__(self) -> str:
        return f"{self.retriever} alone" if self.reranker is None else f"{self.reranker} at {self.depth}"


@dataclass(frozen=True, slots=True)
class Option:
    """A plan that was measured.

    Attributes:
        plan: what it is.
        mean: the measure's mean over the queries.
        difference: to the best retriever alone, with p adjusted for the number of options; None for that one.
        latency: of a query, both stages together.
        in_time: whether 95 % of the queries stay below the limit.
    """

    plan: Plan
    mean: Estimate
    difference: Difference | None
    latency: Latency
    in_time: bool


@dataclass(frozen=True, slots=True, repr=False)
class Choice:
    """A recommendation, with everything that was measured for it.

    Attributes:
        chosen: what is recommended; None if nothing is in time.
        options: all that were measured, the best mean first.
        measure: by which.
        k: how many documents were wanted.
        latency_ms: the limit; None for none.
        n_queries: on how many queries.
        confidence: of intervals and verdicts.
        skipped: what was too slow to be measured on all queries.
        candidates_given: whether the candidates came with the dataset, so that the first stage took no time.
    """

    chosen: Option | None
    options: tuple[Option, ...]
    measure: str
    k: int
    latency_ms: float | None
    n_queries: int
    confidence: float
    skipped: tuple[Plan, ...]
    candidates_given: bool

    @property
    def baseline(self) -> Option:
        """The retriever alone that the others are compared with: the best one in time, if one is."""
        return next(option for option in self.options if option.difference is None)

    @property
    def advice(self) -> tuple[str, ...]:
        """What is recommended, and why, in plain sentences."""
        return tuple(self._sentences())

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return {**asdict(self), "advice": list(self.advice)}

    def _sentences(self) -> Iterator[str]:
        limit = "" if self.latency_ms is None else f" below {self.latency_ms:g} ms"
        queries = f"as far as {counted(self.n_queries, 'query')} can tell"
        chosen, base = self.chosen, self.baseline
        if chosen is None:
            fastest = min(self.options, key=lambda option: option.latency.p95_s)
            yield (
                f"Nothing stays{limit} on this machine: the fastest, {fastest.plan}, takes "
                f"{milliseconds(fastest.latency.p95_s)} (p95)."
            )
        elif chosen.difference is None:
            yield f"Use {chosen.plan}: no reranker{limit} is better, {queries}."
        else:
            yield (
                f"Use {chosen.plan}, on what {chosen.plan.retriever} finds. {self.measure} is {chosen.mean.value:.3f}, "
                f"{against(chosen.difference)} against {base.plan}; a query takes {milliseconds(chosen.latency.p50_s)} "
                f"(p50), {milliseconds(chosen.latency.p95_s)} (p95)."
            )
        in_time = [option for option in self.options if option.in_time]
        if chosen is not None and in_time[0] != chosen:
            best = in_time[0]
            yield (
                f"{best.plan} has the highest mean{limit}, {best.mean.value:.3f}, which {self.n_queries} queries can't "
                f"tell from chance, and takes {milliseconds(best.latency.p50_s)} (p50)."
            )
        if in_time and self.options[0] != in_time[0]:
            best = self.options[0]
            yield (
                f"With more time, {best.plan} has {best.mean.value:.3f}, and takes {milliseconds(best.latency.p50_s)} "
                f"(p50), {milliseconds(best.latency.p95_s)} (p95)."
            )
        if self.skipped:
            names = ", ".join(map(str, self.skipped))
            yield f"Far too slow on a few queries, so not measured any further: {names}."
        if self.candidates_given:
            yield "The candidates came with the dataset, so times are without the first stage's."

    def _headline(self) -> str:
        limit = "no limit" if self.latency_ms is None else f"95 % below {self.latency_ms:g} ms"
        return (
            f"Choice: {counted(len(self.options), 'option')} on {counted(self.n_queries, 'query')}, {self.k} wanted, "
            f"{limit}"
        )

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for option in self.options:
            mark = "* " if option == self.chosen else "  "
            times = (milliseconds(option.latency.p50_s), milliseconds(option.latency.p95_s))
            cells = (against(option.difference), p_value(option.difference), *times, "yes" if option.in_time else "no")
            yield f"{mark}{option.plan}", f"{option.mean.value:.3f}", interval(option.mean), *cells

    def _heads(self) -> tuple[str, ...]:
        percent = f"{100 * self.confidence:g} %"
        base = f"against {self.baseline.plan}"
        return (f"  {self.measure}", "mean", f"{percent} interval", base, "p (Holm)", "p50", "p95", "in time")

    def __repr__(self) -> str:
        lines = [self._headline(), "", *aligned([self._heads(), *self._rows()]), "", *self.advice]
        return "\n".join(printable(line) for line in lines)

    def _repr_html_(self) -> str:
        heads = "".join(f"<th>{escaped(name)}" for name in self._heads())
        rows = []
        for option, (first, *cells) in zip(self.options, self._rows(), strict=True):
            if option.difference is not None:
                colour = COLOURS[option.difference.verdict]
                cells[2] = f"<span style='background:rgba({colour},.25)'>{cells[2]}</span>"
            rows.append(f"<tr><td style='text-align:left'>{escaped(first)}<td>{'<td>'.join(cells)}")
        advice = "".join(f"<li>{escaped(sentence)}" for sentence in self.advice)
        return (
            f"<div style='color:inherit;line-height:1.5'><p><b>{escaped(self._headline())}</b></p>"
            f"<table style='color:inherit'><tr>{heads}{''.join(rows)}</table><ul>{advice}</ul></div>"
        )
