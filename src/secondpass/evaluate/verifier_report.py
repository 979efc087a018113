"""The results of measuring a verifier: frozen, and without any model."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from secondpass.counts import counted
from secondpass.evaluate.layout import write_page
from secondpass.evaluate.statistics import Estimate
from secondpass.evaluate.tables import aligned, escaped
from secondpass.evaluate.verifier_page import verifier_page
from secondpass.types import printable, shortened

__all__ = ["VerifierFigures", "VerifierReport", "WorstCase"]

_SHOWN = 10  # cases in a terminal and a notebook
_HEADS = ("claims", "supported", "AUC", "balanced", "recall", "false contr.", "ECE", "Brier")


@dataclass(frozen=True, slots=True)
class VerifierFigures:
    """The figures of a verifier on claims, each in [0, 1]; None where a class that it needs is missing.

    Attributes:
        n: how many claims.
        n_supported: how many of them are labelled as supported.
        auc: the area under the ROC curve of the probability.
        balanced_accuracy: the mean of the shares of both classes that were told right, at the verifier's threshold.
        recall: the share of the supported claims that it calls supported.
        false_contradictions: the share of the supported claims that it calls contradicted.
        ece: the expected calibration error of the probability: see `secondpass.calibration.probability_quality`.
        brier: the mean squared error of the probability.
    """

    n: int
    n_supported: int
    auc: Estimate | None
    balanced_accuracy: Estimate | None
    recall: Estimate | None
    false_contradictions: Estimate | None
    ece: Estimate | None
    brier: Estimate | None

    @property
    def estimates(self) -> tuple[Estimate | None, ...]:
        """The figures that have intervals, in the order of a table."""
        return self.auc, self.balanced_accuracy, self.recall, self.false_contradictions, self.ece, self.brier


@dataclass(frozen=True, slots=True)
class WorstCase:
    """A claim whose probability is far from its label.

    Attributes:
        row: its number among those that were passed, from 0.
        claim: its text.
        label: whether the passages support it.
        probability: that they do, as the verifier has it.
        verdict: of its weakest part.
        weakest: that part, if it is not all of it.
        reason: why, in a sentence; empty if the evidence says it all.
        evidence: the beginning of what the verdict rests on; empty if that is nothing.
        source: where it is from.
    """

    row: int
    claim: str
    label: bool
    probability: float
    verdict: str
    weakest: str | None
    reason: str
    evidence: str
    source: str


@dataclass(frozen=True, slots=True, repr=False)
class VerifierReport:
    """How well a verifier does on labelled claims.

    Attributes:
        overall: on all of them.
        sources: by source, if they have any.
        worst: the cases that were furthest from their labels, furthest first.
        claims_per_s: claims verified in a second.
        confidence: of the intervals.
    """

    overall: VerifierFigures
    sources: Mapping[str, VerifierFigures]
    worst: tuple[WorstCase, ...]
    claims_per_s: float
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return asdict(self)

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write a page that needs nothing else, as `Comparison.to_html` does.

        Raises:
            InputError: it can't be written.
        """
        write_page(verifier_page(self, self._headline(), _HEADS[2:]), path)

    def __repr__(self) -> str:
        lines = [self._headline(), "", *aligned([("", *_HEADS), *self._rows()])]
        if self.worst:
            lines += ["", "furthest from their labels:"]
        for case in self.worst[:_SHOWN]:
            lines.append(f"  row {case.row}: {_said(case)} {shortened(case.claim, 90)}")
            told = case.reason or case.evidence
            lines += [f"{'':10}{shortened(told, 110)}"] if told else []
        return "\n".join(printable(line) for line in lines)

    def _repr_html_(self) -> str:
        heads = "".join(f"<th>{name}" for name in ("", *_HEADS))
        rows = (f"<tr><td style='text-align:left'>{'<td>'.join(map(escaped, row))}" for row in self._rows())
        cases = (
            f"<tr><td>{case.row}<td>{escaped(_said(case))}<td style='text-align:left'>{escaped(case.claim)}"
            f"<td style='text-align:left'>{escaped(case.reason or case.evidence)}"
            for case in self.worst[:_SHOWN]
        )
        worst = f"<table style='color:inherit'><tr><th>row<th>was<th>claim<th>why{''.join(cases)}</table>"
        return (
            f"<div style='color:inherit;line-height:1.5'><p><b>{escaped(self._headline())}</b></p>"
            f"<table style='color:inherit'><tr>{heads}{''.join(rows)}</table>"
            f"{f'<p>furthest from their labels</p>{worst}' if self.worst else ''}</div>"
        )

    def _headline(self) -> str:
        of = self.overall
        return (
            f"Verifier: {counted(of.n, 'claim')}, {of.n_supported} of them supported; {self.claims_per_s:.1f} "
            "claims/s; "
            f"{100 * self.confidence:g} % intervals"
        )

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for name, of in (("all", self.overall), *self.sources.items()):
            cells = ("" if each is None else _shown(each) for each in of.estimates)
            yield shortened(name, 40), str(of.n), str(of.n_supported), *cells


def _shown(of: Estimate) -> str:
    return f"{of.value:.3f} ({of.low:.2f}-{of.high:.2f})"


def _said(case: WorstCase) -> str:
    label = "supported" if case.label else "not supported"
    return f"{label}, but {case.verdict.replace('_', ' ') or 'no claim'} at {case.probability:.2f}:"
