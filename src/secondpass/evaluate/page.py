"""A comparison as one page that needs nothing else: its tables can be sorted, and it asks nobody for anything."""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from importlib import resources
from typing import TYPE_CHECKING

from secondpass.evaluate.figures import Change, DepthCurve, Move, SystemResult
from secondpass.evaluate.plot import interval_bar, quality_against_time
from secondpass.evaluate.tables import COLOURS, COST_HEADS, cost_cells, escaped, headline, quality_cells, quality_heads
from secondpass.evaluate.wording import against, milliseconds, p_value

if TYPE_CHECKING:
    from secondpass.evaluate.results import Comparison

__all__ = ["page"]


def page(comparison: "Comparison") -> str:
    """Return the page. Nothing that was measured can run in it: only its own script, which is named by its hash."""
    style, script = (_file(name) for name in ("page.css", "page.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<meta name='color-scheme' content='light dark'><title>secondpass compare</title>"
        f"<style>{style}</style></head><body><main>"
        f"<h1>Comparison</h1><p>{escaped(headline(comparison))}</p>"
        f"{''.join(_sections(comparison))}</main><script>{script}</script></body></html>"
    )


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _sections(comparison: "Comparison") -> Iterator[str]:
    first, *more = comparison.advice
    yield f"<section class='advice'><p><strong>{escaped(first)}</strong></p>{_list(more)}</section>"
    for measure in comparison.measures:
        yield f"<section><h2>{escaped(measure)}</h2>{_quality(comparison, measure)}</section>"
    yield f"<section><h2>Time</h2>{_times(comparison)}{quality_against_time(comparison)}</section>"
    for name, curve in comparison.curves.items():
        yield f"<section><h2>Depth: {escaped(name)}</h2>{_depths(curve)}</section>"
    for system in comparison.systems[1:]:
        yield f"<section><h2>Queries: {escaped(system.name)}</h2>{_queries(comparison, system)}</section>"
    if comparison.notes:
        yield f"<section><h2>Notes</h2>{_list(comparison.notes)}</section>"


def _list(sentences: Iterable[str]) -> str:
    items = "".join(f"<li>{escaped(sentence)}</li>" for sentence in sentences)
    return f"<ul>{items}</ul>" if items else ""


def _quality(comparison: "Comparison", measure: str) -> str:
    rows = []
    for system in comparison.systems:
        mean, _, difference, p, counts = quality_cells(system, measure)
        estimate, of = system.means[measure], system.differences.get(measure)
        if of is not None:
            difference = _verdict(of.verdict, difference)
        cells = [
            _cell(escaped(system.name), system.name),
            _cell(mean, estimate.value),
            _cell(interval_bar(estimate), estimate.value),
            _cell(difference, of.value if of else 0.0),
            _cell(p, of.p_adjusted if of else 2.0),
            _cell(counts, of.better if of else 0),
        ]
        rows.append("".join(cells))
    return _table(("system", *quality_heads(comparison)), rows)


def _times(comparison: "Comparison") -> str:
    rows = []
    for system in comparison.systems:
        latency = system.latency
        values = (0.0, 0.0, 0.0) if latency is None else (latency.p50_s, latency.p95_s, latency.p99_s)
        cells = zip(cost_cells(system), (*values, system.pairs_per_s or 0.0), strict=True)
        rows.append(_cell(escaped(system.name), system.name) + "".join(_cell(text, value) for text, value in cells))
    return _table(("system", *COST_HEADS), rows)


def _depths(curve: DepthCurve) -> str:
    rows = [
        _cell(f"{point.depth}{' (enough)' if point.depth == curve.enough else ''}", point.depth)
        + _cell(f"{point.mean.value:.3f}", point.mean.value)
        + _cell(interval_bar(point.mean), point.mean.value)
        + _cell(against(point.gain), point.gain.value if point.gain else 0.0)
        + _cell(p_value(point.gain), point.gain.p if point.gain else 2.0)
        + _cell(milliseconds(point.latency.p50_s), point.latency.p50_s)
        for point in curve.points
    ]
    return _table(("depth", "mean", "interval", "the greatest depth against it", "p", "p50"), rows)


def _queries(comparison: "Comparison", system: SystemResult) -> str:
    of = system.differences[comparison.measures[0]]
    parts = []
    for changes, verdict, n in ((system.gained, "better", of.better), (system.lost, "worse", of.worse)):
        shown = f", the {len(changes)} furthest" if len(changes) < n else ""
        parts.append(f"<h3>{_verdict(verdict, f'{verdict} on {n}')}{shown}</h3>")
        parts += [_change(change, comparison.systems[0].name, system.name) for change in changes]
    return "".join(parts)


def _change(change: Change, first: str, second: str) -> str:
    rows = [_move(move) for move in change.documents]
    heads = (f"in {first}", f"in {second}", "judged", "document")
    return (
        f"<details><summary>{escaped(change.query)} <small>{change.before:.3f} to {change.after:.3f}, "
        f"{escaped(change.id)}</small></summary>{_table(heads, rows)}</details>"
    )


def _move(move: Move) -> str:
    ranks = "".join(_cell("none" if rank is None else str(rank), rank or 1 << 30) for rank in (move.before, move.after))
    grade = _cell("" if move.grade is None else str(move.grade), -1 if move.grade is None else move.grade)
    text = f"<b>{escaped(move.id)}</b> {escaped(move.text)}"
    return f"{ranks}{grade}<td class='text' data-v='{escaped(move.id)}'>{text}</td>"


def _verdict(verdict: str, words: str) -> str:
    return f"<span class='verdict' style='background:rgba({COLOURS[verdict]},.25)'>{words}</span>"


def _cell(content: str, value: float | str) -> str:
    return f"<td data-v='{escaped(str(value))}'>{content}</td>"


def _table(heads: Iterable[str], rows: Iterable[str]) -> str:
    head = "".join(f"<th scope='col'><button type='button'>{escaped(name)}</button></th>" for name in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
