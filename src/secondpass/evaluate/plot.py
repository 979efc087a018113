"""Small drawings of a comparison, as SVG: an interval, and quality against time."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from secondpass.evaluate.figures import SystemResult
from secondpass.evaluate.statistics import Estimate
from secondpass.evaluate.tables import escaped
from secondpass.evaluate.wording import interval, milliseconds

if TYPE_CHECKING:
    from secondpass.evaluate.results import Comparison

__all__ = ["interval_bar", "quality_against_time"]

_WIDTH, _HEIGHT, _MARGIN = 640, 300, 48


def interval_bar(estimate: Estimate) -> str:
    """Return a figure in [0, 1] with its interval, on a line from 0 to 1, and the interval in words."""
    low, value, high = (100 * min(1.0, max(0.0, x)) for x in (estimate.low, estimate.value, estimate.high))
    return (
        f"<span class='bar'><svg viewBox='0 0 100 10' width='100' height='10' aria-hidden='true'>"
        f"<path d='M0 5H100' class='axis'/><path d='M{low:.1f} 5H{high:.1f}' class='range'/>"
        f"<circle cx='{value:.1f}' cy='5' r='3'/></svg> {interval(estimate)}</span>"
    )


def quality_against_time(comparison: "Comparison") -> str:
    """Return the first measure over the median time of a query, which is on a logarithmic scale; "" for fewer than two.

    Systems that none is both better and faster than are filled, the others are rings.
    """
    measure = comparison.measures[0]
    timed = [(system, system.latency.p50_s) for system in comparison.systems if system.latency is not None]
    if len(timed) < 2 or any(p50_s <= 0 for _, p50_s in timed):
        return ""
    quality = [system.means[measure].value for system, _ in timed]
    left, right = (math.log(edge(p50_s for _, p50_s in timed)) for edge in (min, max))
    bottom, top = min(quality), max(quality)
    points = "".join(
        _point(
            system,
            _MARGIN + (_WIDTH - 3 * _MARGIN) * _share(math.log(p50_s), left, right),
            _HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * _share(of, bottom, top),
            f"{of:.3f}, {milliseconds(p50_s)}",
            not any(better > of and faster < p50_s for better, (_, faster) in zip(quality, timed, strict=True)),
        )
        for (system, p50_s), of in zip(timed, quality, strict=True)
    )
    return (
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' class='plot' role='img' aria-label='quality against time'>"
        f"{''.join(_axes(measure))}{points}</svg>"
    )


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def _axes(measure: str) -> Iterator[str]:
    bottom = _HEIGHT - _MARGIN / 2
    yield f"<path d='M{_MARGIN / 2} {_MARGIN / 2}V{bottom}H{_WIDTH - _MARGIN / 2}' class='axis' fill='none'/>"
    yield f"<text x='{_MARGIN / 2}' y='{_MARGIN / 3}'>{escaped(measure)}</text>"
    yield f"<text x='{_WIDTH - _MARGIN / 2}' y='{_HEIGHT - 6}' text-anchor='end'>time a query (p50, logarithmic)</text>"


def _point(system: SystemResult, x: float, y: float, figures: str, best: bool) -> str:
    filled = "" if best else " class='ring'"
    name = system.name if len(system.name) <= 24 else f"{system.name[:23]}…"
    return (
        f"<g><title>{escaped(system.name)}: {figures}</title><circle cx='{x:.1f}' cy='{y:.1f}' r='5'{filled}/>"
        f"<text x='{x + 9:.1f}' y='{y + 4:.1f}'>{escaped(name)}</text></g>"
    )
