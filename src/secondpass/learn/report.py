"""What `learn` found, in a terminal and as one page."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from secondpass.counts import counted
from secondpass.evaluate.layout import bullets, cell, labelled, section, table, whole_page, write_page
from secondpass.evaluate.plot import interval_bar, line_chart, span
from secondpass.evaluate.tables import aligned, escaped, quality_cells, quality_heads
from secondpass.evaluate.wording import against, interval
from secondpass.learn.data.findings import Finding
from secondpass.types import printable

if TYPE_CHECKING:
    from secondpass.learn.pipeline import Learned

__all__ = ["as_text", "report_page", "write_report"]


def as_text(learned: "Learned") -> str:
    """Return what came of it in characters that can't steer a terminal."""
    measure = learned.comparison.measures[0]
    rows = [(system.name, *quality_cells(system, measure)) for system in learned.comparison.systems]
    blocks = [
        _headline(learned),
        "\n".join(aligned([(measure, *quality_heads(learned.comparison)), *rows])),
        "\n".join(_facts(learned)),
        *(f"{'!' if finding.severe else '-'} {finding}" for finding in learned.findings),
        f"model: {learned.model}\nreport: {learned.report}",
    ]
    return "\n\n".join(printable(block) for block in blocks)


def write_report(learned: "Learned", path: Path) -> None:
    """Write the page.

    Raises:
        InputError: it can't be written.
    """
    write_page(report_page(learned), path)


def report_page(learned: "Learned") -> str:
    """Return the page: all that is of others is escaped, and it asks nobody for anything."""
    return whole_page("secondpass learn", _headline(learned), "".join(_sections(learned)))


def _headline(learned: "Learned") -> str:
    measure = learned.comparison.measures[0]
    difference = learned.comparison["tuned"].differences[measure]
    verdict = {"better": "is better", "worse": "is worse"}.get(
        difference.verdict, "is neither better nor worse for sure"
    )
    return (
        f"The tuned model {verdict} than the start: {measure} {against(difference)} on "
        f"{learned.n_queries['test']} queries that it was neither trained nor chosen by"
    )


def _facts(learned: "Learned") -> Iterator[str]:
    run, loss = learned.run, learned.export.loss
    made = (
        f", {learned.n_queries['synthetic']} of them judged by a teacher," if "synthetic" in learned.n_queries else ""
    )
    yield (
        f"trained on {counted(run.n_examples, 'query')}{made} by {run.loss}, {counted(run.steps, 'step')} in "
        f"{run.seconds:.0f} s; "
        f"{learned.n_queries['dev']} queries to choose by, {learned.n_queries['test']} to measure on"
    )
    if run.base is not None and run.best is not None:
        best = f"{run.best:.3f} at step {run.best_step}"
        yield f"{run.measure} on the queries to choose by: {run.base:.3f} at the start, {best}"
    if loss is not None:
        yield (
            f"{learned.export.precision}, {learned.export.size_mb:.1f} MB: {learned.export.measure} {loss.value:+.4f} "
            f"({interval(loss, '+')}) against float32"
        )
    if learned.calibration is not None:
        low, high = learned.calibration.ece_interval
        yield (
            f"probabilities on queries that nothing was fitted on: ECE {learned.calibration.ece:.3f} "
            f"({low:.3f} to {high:.3f}), Brier score {learned.calibration.brier:.3f}"
        )
    version = f" as {learned.version.name}" if learned.version else ""
    yield f"gate: {learned.decision}"
    if learned.version is not None:
        yield f"registered{version}, {'promoted to production' if learned.promoted else 'not promoted'}"


def _sections(learned: "Learned") -> Iterator[str]:
    yield f"<section class='advice' style='overflow-wrap:anywhere'>{bullets(_facts(learned))}</section>"
    yield section("Findings", "".join(map(_finding, learned.findings)) or "<p>Nothing was found to be wrong.</p>")
    yield section("Quality", _quality(learned))
    yield section("Training", "".join(_curves(learned)))
    yield section("Calibration", _calibration(learned))
    yield section("Queries", _changes(learned))
    yield section("How to use it", _usage(learned))
    yield section("Settings", _pairs({"model": learned.decision.incumbent, **learned.run.settings.to_dict()}))
    yield section("Time", _pairs({name: f"{seconds:.1f} s" for name, seconds in learned.seconds.items()}))


def _finding(finding: Finding) -> str:
    label = labelled("worse" if finding.severe else "undecided", escaped(finding.name))
    words = f"{escaped(finding.message)}. <em>{escaped(finding.advice)}.</em>"
    return f"<p style='overflow-wrap:anywhere'>{label} {words}</p>"


def _quality(learned: "Learned") -> str:
    comparison = learned.comparison
    measure = comparison.measures[0]
    ends, rows = span(system.means[measure] for system in comparison.systems), []
    for system in comparison.systems:
        mean, _, difference, p, counts = quality_cells(system, measure)
        estimate, of = system.means[measure], system.differences.get(measure)
        shown = difference if of is None else labelled(of.verdict, difference)
        cells = (
            cell(escaped(system.name), system.name),
            cell(mean, estimate.value),
            cell(interval_bar(estimate, ends), estimate.value),
            cell(shown, of.value if of else 0.0),
            cell(p, of.p_adjusted if of else 2.0),
            cell(counts, of.better if of else 0),
        )
        rows.append("".join(cells))
    return table((measure, *quality_heads(comparison)), rows)


def _curves(learned: "Learned") -> Iterator[str]:
    history = learned.run.history
    losses = [(entry["step"], entry["loss"]) for entry in history if "loss" in entry]
    dev = [(entry["step"], entry["dev"]) for entry in history if "dev" in entry]
    seen = [(entry["step"], entry["seen"]) for entry in history if "seen" in entry]
    yield line_chart(
        f"{learned.run.measure} by step", "The fainter line is of queries that it was trained on.", dev, seen
    )
    yield line_chart("Loss by step", "It should fall.", losses)


def _calibration(learned: "Learned") -> str:
    quality = learned.calibration
    if quality is None:
        return ""
    rows = [
        cell(f"{each.predicted:.3f}", each.predicted)
        + cell(f"{each.observed:.3f}", each.observed)
        + cell(str(each.n), each.n)
        for each in quality.bins
    ]
    return table(("probability", "share that is relevant", "documents"), rows)


def _changes(learned: "Learned") -> str:
    tuned = learned.comparison["tuned"]
    rows = [
        cell(escaped(change.query), change.query)
        + cell(f"{change.before:.3f}", change.before)
        + cell(f"{change.after:.3f}", change.after)
        + cell(f"{change.after - change.before:+.3f}", change.after - change.before)
        for change in (*tuned.gained, *tuned.lost)
    ]
    return table(("query", "start", "tuned", "change"), rows) if rows else ""


def _usage(learned: "Learned") -> str:
    lines = [
        "import secondpass as sp",
        f'sp.CalibratedReranker(sp.CrossEncoderReranker("{learned.model}"), calibrator="ready")',
    ]
    return f"<pre style='white-space:pre-wrap;overflow-wrap:anywhere'>{escaped(chr(10).join(lines))}</pre>"


def _pairs(values: dict[str, Any]) -> str:
    rows = [cell(escaped(name), name) + cell(escaped(str(value)), str(value)) for name, value in values.items()]
    return table(("setting", "value"), rows)
