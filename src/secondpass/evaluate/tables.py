"""A comparison for a terminal, and for a notebook."""

import html
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from secondpass.counts import counted
from secondpass.evaluate.figures import SystemResult
from secondpass.evaluate.wording import against, interval, megabytes, milliseconds, money, p_value
from secondpass.types import printable, shortened

if TYPE_CHECKING:
    from secondpass.evaluate.results import Comparison

__all__ = [
    "COLOURS",
    "aligned",
    "as_html",
    "as_text",
    "cost_cells",
    "cost_heads",
    "escaped",
    "headline",
    "quality_cells",
    "quality_heads",
]

# Half transparent over whatever the page has behind it, so that it can be read on light and on dark.
COLOURS = {"better": "60,170,90", "worse": "220,60,60", "undecided": "130,130,130"}
_NAME = 40  # characters of a system's name in a terminal

Cells = tuple[str, ...]


def as_text(comparison: "Comparison") -> str:
    """Return tables and advice in characters that can't steer a terminal."""
    blocks = [f"Comparison: {headline(comparison)}"]
    for measure in comparison.measures:
        heads = (measure, *quality_heads(comparison))
        rows = [(_name(system), *quality_cells(system, measure)) for system in comparison.systems]
        blocks.append("\n".join(aligned([heads, *rows])))
    rows = [(_name(system), *cost_cells(comparison, system)) for system in comparison.systems]
    blocks.append("\n".join(aligned([("time a query", *cost_heads(comparison)), *rows])))
    blocks.append("\n".join(printable(sentence) for sentence in comparison.advice))
    blocks += [f"note: {printable(note)}" for note in comparison.notes]
    return "\n\n".join(blocks)


def as_html(comparison: "Comparison") -> str:
    """Return a piece of HTML that needs nothing else, and runs nothing."""
    advice = "".join(f"<li>{escaped(sentence)}" for sentence in comparison.advice)
    return (
        "<div style='color:inherit;line-height:1.5'>"
        f"<p><b>{escaped(headline(comparison))}</b></p>"
        f"{''.join(_table(comparison, measure) for measure in comparison.measures)}"
        f"<ul>{advice}</ul>"
        f"{''.join(f'<p><small>{escaped(note)}</small></p>' for note in comparison.notes)}"
        "</div>"
    )


def headline(comparison: "Comparison") -> str:
    """Return in a sentence what was measured."""
    wanted = "" if comparison.k is None else f", {comparison.k} wanted"
    return (
        f"{counted(len(comparison), 'system')}, {counted(comparison.n_queries, 'query')}, "
        f"{counted(comparison.n_documents, 'document')}; "
        f"candidates of {comparison.candidates}, depth {comparison.depth}{wanted}"
    )


def quality_heads(comparison: "Comparison") -> Cells:
    """Return the names of the columns that `quality_cells` fills."""
    percent = f"{100 * comparison.confidence:g} %"
    first = shortened(comparison.systems[0].name, _NAME)
    return "mean", f"{percent} interval", f"against {first} ({percent})", "p (Holm)", "better/worse"


def quality_cells(system: SystemResult, measure: str) -> Cells:
    """Return mean, interval, difference to the first system, p, and on how many queries it is better and worse."""
    mean, of = system.means[measure], system.differences.get(measure)
    counts = "" if of is None else f"{of.better}/{of.worse}"
    return f"{mean.value:.3f}", interval(mean), against(of), p_value(of), counts


def cost_heads(comparison: "Comparison") -> Cells:
    """Return the names of the columns that `cost_cells` fills: memory and money only where there are any."""
    memory = ("MB",) if any(system.memory_mb is not None for system in comparison) else ()
    cost = ("cost of 1,000",) if any(system.cost is not None for system in comparison) else ()
    return ("p50", "p95", "p99", "pairs/s", *memory, *cost)


def cost_cells(comparison: "Comparison", system: SystemResult) -> Cells:
    """Return the times of a query, how many documents were ranked in a second, peak memory, and money."""
    of = system.latency
    times = ("", "", "") if of is None else (of.p50_s, of.p95_s, of.p99_s)
    cells = [time if isinstance(time, str) else milliseconds(time) for time in times]
    cells.append("" if system.pairs_per_s is None else f"{system.pairs_per_s:,.0f}")
    if "MB" in cost_heads(comparison):
        cells.append(megabytes(system.memory_mb))
    if "cost of 1,000" in cost_heads(comparison):
        cells.append(money(system.cost))
    return tuple(cells)


def escaped(text: str) -> str:
    """Return a text for HTML, without what could steer a terminal or turn the direction of what is beside it."""
    return html.escape(printable(text))


def _name(system: SystemResult) -> str:
    return shortened(system.name, _NAME)


def aligned(rows: Iterable[Cells]) -> Iterator[str]:
    """Yield the lines of a table whose first column is of texts, and the others of figures."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *cells in rows:
        rest = "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))
        yield f"{first:<{widths[0]}}  {rest}".rstrip()


def _table(comparison: "Comparison", measure: str) -> str:
    heads = (measure, *quality_heads(comparison), *cost_heads(comparison))
    rows = []
    for system in comparison.systems:
        cells = [*quality_cells(system, measure), *cost_cells(comparison, system)]
        of = system.differences.get(measure)
        if of is not None:
            cells[2] = f"<span style='background:rgba({COLOURS[of.verdict]},.25)'>{cells[2]}</span>"
        rows.append(f"<tr><td style='text-align:left'>{escaped(_name(system))}<td>{'<td>'.join(cells)}")
    head = "".join(f"<th>{escaped(name)}" for name in heads)
    return f"<table style='color:inherit'><tr>{head}{''.join(rows)}</table>"
