"""What tuning found, and what it is worth on queries that it was not chosen by: frozen, and without any model."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from secondpass.counts import counted
from secondpass.evaluate.figures import Latency
from secondpass.evaluate.statistics import Difference, Estimate
from secondpass.evaluate.tables import aligned, escaped
from secondpass.evaluate.wording import against, interval, milliseconds
from secondpass.types import printable, shortened

__all__ = ["Fold", "Tried", "Tuned"]

_SHOWN = 10  # combinations in a terminal and a notebook


@dataclass(frozen=True, slots=True)
class Tried:
    """A combination of settings on all queries.

    Attributes:
        settings: by name.
        mean: over the queries; too good for the best one, which was chosen by it.
        latency: of a query's reranking.
        in_time: whether it may be chosen.
    """

    settings: Mapping[str, Any]
    mean: Estimate
    latency: Latency
    in_time: bool


@dataclass(frozen=True, slots=True)
class Fold:
    """What was chosen without a fold's queries, and how good it is on them.

    Attributes:
        settings: what was chosen.
        inside: the mean on the queries that it was chosen by.
        outside: the mean on the fold's queries.
        n_queries: how many these are.
    """

    settings: Mapping[str, Any]
    inside: float
    outside: float
    n_queries: int


@dataclass(frozen=True, slots=True, repr=False)
class Tuned:
    """The best settings, with an honest figure.

    Attributes:
        settings: the best ones on all queries: what to use if the gain is real.
        default: what they are compared with.
        estimate: the mean that tuning gives on queries that were not looked at (nested cross-validation).
        gain: how far that lies above the default on the same queries.
        tried: every combination, in the order of ``space``.
        folds: what was chosen in each.
        measure: by which.
        n_queries: on how many queries.
        confidence: of the intervals.
    """

    settings: Mapping[str, Any]
    default: Mapping[str, Any]
    estimate: Estimate
    gain: Difference
    tried: tuple[Tried, ...]
    folds: tuple[Fold, ...]
    measure: str
    n_queries: int
    confidence: float

    @property
    def optimism(self) -> float:
        """By how much the best combination's mean on the queries that it was chosen by is above the honest figure."""
        best = next(each for each in self.tried if each.settings == self.settings)
        return best.mean.value - self.estimate.value

    @property
    def advice(self) -> tuple[str, ...]:
        """What to use, how sure that is, and whether the folds agree, in plain sentences."""
        return tuple(self._sentences())

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data; JSON-ready if the settings are."""
        return {**asdict(self), "optimism": self.optimism, "advice": list(self.advice)}

    def _sentences(self) -> Iterator[str]:
        of, n = self.gain, f"as far as {counted(self.n_queries, 'query')} can tell"
        worth = f"{self.measure} changes by {against(of)} on queries that were not looked at"
        if of.verdict == "better":
            yield f"Use {_said(self.settings)}: {worth}."
        elif of.verdict == "worse":
            yield f"Stay with {_said(self.default)}: tuning on so few queries makes it worse ({worth})."
        else:
            yield f"Stay with {_said(self.default)}: nothing is better, {n}. With tuning {worth}."
        chosen = Counter(_said(fold.settings) for fold in self.folds)
        most, times = chosen.most_common(1)[0]
        if len(chosen) > 1:
            yield (
                f"The folds do not agree: {len(chosen)} different settings were chosen, {most} "
                f"{counted(times, 'time')}."
            )
        yield f"On the queries that it was chosen by, the best looks {self.optimism:+.3f} better than it is."

    def _headline(self) -> str:
        return (
            f"Tuned: {counted(len(self.tried), 'combination')}, {counted(self.n_queries, 'query')}, "
            f"{counted(len(self.folds), 'fold')}; {self.measure} "
            f"{self.estimate.value:.3f} ({interval(self.estimate)})"
        )

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for each in sorted(self.tried, key=lambda each: -each.mean.value)[:_SHOWN]:
            mark = "* " if each.settings == self.settings else "  "
            late = "" if each.in_time else "too slow"
            name = shortened(_said(each.settings), 60)
            yield f"{mark}{name}", f"{each.mean.value:.3f}", interval(each.mean), milliseconds(each.latency.p50_s), late

    def __repr__(self) -> str:
        heads = ("  settings", "mean", f"{100 * self.confidence:g} % interval", "p50", "")
        lines = [self._headline(), "", *aligned([heads, *self._rows()]), "", *self.advice]
        return "\n".join(printable(line) for line in lines)

    def _repr_html_(self) -> str:
        heads = "".join(f"<th>{name}" for name in ("settings", "mean", "interval", "p50", ""))
        rows = (f"<tr><td style='text-align:left'>{'<td>'.join(map(escaped, row))}" for row in self._rows())
        advice = "".join(f"<li>{escaped(sentence)}" for sentence in self.advice)
        return (
            f"<div style='color:inherit;line-height:1.5'><p><b>{escaped(self._headline())}</b></p>"
            f"<table style='color:inherit'><tr>{heads}{''.join(rows)}</table><ul>{advice}</ul></div>"
        )


def _said(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in settings.items())
