"""A verifier's report as one page: its figures by source, and the cases that were furthest from their labels."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from secondpass.evaluate.layout import cell, labelled, section, table, whole_page
from secondpass.evaluate.statistics import Estimate
from secondpass.evaluate.tables import escaped

if TYPE_CHECKING:
    from secondpass.evaluate.verifier_report import VerifierFigures, VerifierReport, WorstCase

__all__ = ["verifier_page"]

_MISSING = -1.0  # what a figure that there is none of is sorted by


def verifier_page(report: "VerifierReport", headline: str, heads: tuple[str, ...]) -> str:
    """Return the page.

    Args:
        report: what is shown.
        headline: what was measured, in a sentence.
        heads: the names of the figures, in the order of `VerifierFigures.estimates`.
    """
    groups = {"all": report.overall, **report.sources}
    overall = zip(heads, report.overall.estimates, strict=True)
    cards = "".join(_card(name, of) for name, of in overall if of is not None)
    title = "Figures by source" if report.sources else "Figures"
    body = f"<section class='cards'>{cards}</section>" + section(title, _table(groups, heads))
    body += section("Furthest from their labels", "".join(_case(case) for case in report.worst))
    return whole_page("Verifier", headline, body)


def _card(name: str, of: Estimate) -> str:
    return (
        f"<article><h3>{escaped(name)}</h3><p class='figure'>{of.value:.3f}</p>"
        f"<p>{of.low:.3f} to {of.high:.3f}</p></article>"
    )


def _table(groups: "dict[str, VerifierFigures]", heads: tuple[str, ...]) -> str:
    rows = []
    for name, of in groups.items():
        cells = [cell(escaped(name), name), cell(str(of.n), of.n), cell(str(of.n_supported), of.n_supported)]
        cells += [cell("", _MISSING) if each is None else cell(_shown(each), each.value) for each in of.estimates]
        rows.append("".join(cells))
    return table(("source", "claims", "supported", *heads), rows)


def _shown(of: Estimate) -> str:
    return f"{of.value:.3f}<br><small>{of.low:.2f} to {of.high:.2f}</small>"


def _case(case: "WorstCase") -> str:
    label = labelled("better", "supported") if case.label else labelled("worse", "not supported")
    said = f"{escaped(case.verdict.replace('_', ' ') or 'no claim')} at {case.probability:.2f}"
    lines = "".join(f"<p><small>{name}</small> {escaped(text)}</p>" for name, text in _details(case) if text)
    return f"<details><summary>{escaped(case.claim)} <small>{label} {said}</small></summary>{lines}</details>"


def _details(case: "WorstCase") -> Iterator[tuple[str, str]]:
    yield "weakest part", case.weakest or ""
    yield "because", case.reason
    yield "evidence", case.evidence
    yield "source", case.source
    yield "row", str(case.row)
