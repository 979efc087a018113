"""A comparison as one page, to look at, to sort and to hand on."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from secondpass.evaluate.figures import Change, DepthCurve, Move, SystemResult
from secondpass.evaluate.layout import bullets, cell, labelled, section, table, whole_page
from secondpass.evaluate.plot import depth_curve, interval_bar, quality_against_time, span
from secondpass.evaluate.tables import cost_cells, cost_heads, escaped, headline, quality_cells, quality_heads
from secondpass.evaluate.wording import against, milliseconds, p_value

if TYPE_CHECKING:
    from secondpass.evaluate.results import Comparison

__all__ = ["page"]


def page(comparison: "Comparison") -> str:
    """Return the page."""
    return whole_page("Comparison", headline(comparison), "".join(_sections(comparison)))


def _sections(comparison: "Comparison") -> Iterator[str]:
    first, *more = comparison.advice
    yield f"<section class='advice'><p><strong>{escaped(first)}</strong></p>{bullets(more)}</section>"
    yield f"<section class='cards'>{''.join(_cards(comparison))}</section>"
    yield section("Quality and time", quality_against_time(comparison))
    for measure in comparison.measures:
        yield section(measure, _quality(comparison, measure))
    yield section("Time and cost", _costs(comparison))
    for name, curve in comparison.curves.items():
        yield section(f"Depth: {name}", depth_curve(curve, comparison.measures[0], name) + _depths(curve))
    yield section("Groups of queries", _groups(comparison))
    for system in comparison.systems[1:]:
        yield section(f"Queries: {system.name}", _queries(comparison, system))
    yield section("Notes", bullets(comparison.notes))


def _cards(comparison: "Comparison") -> Iterator[str]:
    measure = comparison.measures[0]
    for system in comparison.systems:
        of = system.differences.get(measure)
        change = "baseline" if of is None else labelled(of.verdict, f"{of.value:+.3f}")
        time = "" if system.latency is None else f"<span>{milliseconds(system.latency.p50_s)} a query</span>"
        yield (
            f"<article><h3>{escaped(system.name)}</h3><p class='figure'>{system.means[measure].value:.3f} "
            f"<small>{escaped(measure)}</small></p><p><span>{change}</span> {time}</p></article>"
        )


def _quality(comparison: "Comparison", measure: str) -> str:
    rows, ends = [], span(system.means[measure] for system in comparison.systems)
    for system in comparison.systems:
        mean, _, difference, p, counts = quality_cells(system, measure)
        estimate, of = system.means[measure], system.differences.get(measure)
        if of is not None:
            difference = labelled(of.verdict, difference)
        cells = [
            cell(escaped(system.name), system.name),
            cell(mean, estimate.value),
            cell(interval_bar(estimate, ends), estimate.value),
            cell(difference, of.value if of else 0.0),
            cell(p, of.p_adjusted if of else 2.0),
            cell(counts, of.better if of else 0),
        ]
        rows.append("".join(cells))
    return table(("system", *quality_heads(comparison)), rows)


def _costs(comparison: "Comparison") -> str:
    heads, rows = cost_heads(comparison), []
    for system in comparison.systems:
        latency = system.latency
        values = [0.0, 0.0, 0.0] if latency is None else [latency.p50_s, latency.p95_s, latency.p99_s]
        values.append(system.pairs_per_s or 0.0)
        optional = (("MB", system.memory_mb), ("cost of 1,000", system.cost))
        values += [of or 0.0 for head, of in optional if head in heads]
        cells = zip(cost_cells(comparison, system), values, strict=True)
        rows.append(cell(escaped(system.name), system.name) + "".join(cell(text, value) for text, value in cells))
    return table(("system", *heads), rows)


def _depths(curve: DepthCurve) -> str:
    ends = span(point.mean for point in curve.points)
    rows = [
        cell(f"{point.depth}{' (enough)' if point.depth == curve.enough else ''}", point.depth)
        + cell(f"{point.mean.value:.3f}", point.mean.value)
        + cell(interval_bar(point.mean, ends), point.mean.value)
        + cell(against(point.gain), point.gain.value if point.gain else 0.0)
        + cell(p_value(point.gain), point.gain.p if point.gain else 2.0)
        + cell(milliseconds(point.latency.p50_s), point.latency.p50_s)
        for point in curve.points
    ]
    return table(("depth", "mean", "interval", "the greatest depth against it", "p", "p50"), rows)


def _groups(comparison: "Comparison") -> str:
    if not comparison.by_group:
        return ""
    first, *others = (system.name for system in comparison.systems)
    rows = []
    for of in comparison.by_group:
        cells = [cell(escaped(of.by), of.by), cell(escaped(of.group), of.group), cell(str(of.n_queries), of.n_queries)]
        cells.append(cell(f"{of.means[first].value:.3f}", of.means[first].value))
        for name in others:
            difference = of.differences[name]
            cells.append(cell(labelled(difference.verdict, against(difference)), difference.value))
        rows.append("".join(cells))
    return table(("by", "group", "queries", first, *others), rows, "groups")


def _queries(comparison: "Comparison", system: SystemResult) -> str:
    of = system.differences[comparison.measures[0]]
    parts = []
    for changes, verdict, n in ((system.gained, "better", of.better), (system.lost, "worse", of.worse)):
        if not n:
            continue
        shown = f", the {len(changes)} furthest" if len(changes) < n else ""
        parts.append(f"<h3>{labelled(verdict, f'{verdict} on {n}')}{shown}</h3>")
        parts += [_change(change, comparison.systems[0].name, system.name) for change in changes]
    return "".join(parts) or f"<p>As good as {escaped(comparison.systems[0].name)} on every query.</p>"


def _change(change: Change, first: str, second: str) -> str:
    heads = (f"in {first}", f"in {second}", "judged", "document")
    rows = [_move(move, heads) for move in change.documents]
    verdict = "better" if change.after > change.before else "worse"
    figures = labelled(verdict, f"{change.before:.3f} to {change.after:.3f}")
    return (
        f"<details><summary>{escaped(change.query)} <small>{figures} {escaped(change.id)}</small></summary>"
        f"{table(heads, rows, 'moves')}</details>"
    )


def _move(move: Move, heads: tuple[str, ...]) -> str:
    ranks = "".join(
        cell("none" if rank is None else str(rank), rank or 1 << 30, head)
        for rank, head in zip((move.before, move.after), heads, strict=False)
    )
    grade = cell("not" if move.grade is None else str(move.grade), -1 if move.grade is None else move.grade, heads[2])
    text = f"<b>{escaped(move.id)}</b> {escaped(move.text)}"
    return f"{ranks}{grade}<td class='text' data-v='{escaped(move.id)}'>{text}</td>"
