"""Small drawings of a comparison that fit any width: an interval, quality against time, quality against depth."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from secondpass.evaluate.figures import DepthCurve
from secondpass.evaluate.statistics import Estimate
from secondpass.evaluate.tables import escaped
from secondpass.evaluate.wording import interval, milliseconds

if TYPE_CHECKING:
    from secondpass.evaluate.results import Comparison

__all__ = ["depth_curve", "interval_bar", "line_chart", "quality_against_time", "span"]

_LABEL = 7.0  # percent of the height that a label takes
_STEPS = (1, 2, 5)
_ENOUGH = 4  # ticks on an axis, beside which no finer ones are needed


@dataclass(frozen=True, slots=True)
class _Mark:
    """A point: where it is, in percent of width and height, with its interval, and what stands beside it."""

    x: float
    y: float
    low: float
    high: float
    label: str
    says: str
    filled: bool


def span(estimates: Iterable[Estimate]) -> tuple[float, float]:
    """Return the lowest and the highest end of intervals, which are then drawn on one scale."""
    found = list(estimates)
    return min(of.low for of in found), max(of.high for of in found)


def interval_bar(estimate: Estimate, ends: tuple[float, float]) -> str:
    """Return a figure with its interval on a line between two ends, and the interval in words."""
    low, value, high = (100 * _share(x, *ends) for x in (estimate.low, estimate.value, estimate.high))
    return (
        f"<span class='bar'><svg viewBox='-4 0 108 10' width='108' height='10' aria-hidden='true'>"
        f"<path d='M0 5H100' class='axis'/><path d='M{low:.1f} 5H{high:.1f}' class='range'/>"
        f"<circle cx='{value:.1f}' cy='5' r='3.5'/></svg> {interval(estimate)}</span>"
    )


def quality_against_time(comparison: "Comparison") -> str:
    """Return the first measure over the median time of a query, which is on a logarithmic scale; "" for fewer than two.

    Systems that none is both better and faster than are filled and joined by a line (the Pareto front); the others are
    rings.
    """
    measure = comparison.measures[0]
    timed = [(system, system.latency.p50_s) for system in comparison.systems if system.latency is not None]
    if len(timed) < 2 or any(p50_s <= 0 for _, p50_s in timed):
        return ""
    bottom, top = _widened(*span(system.means[measure] for system, _ in timed))
    times = [math.log10(p50_s) for _, p50_s in timed]
    left, right = _widened(min(times), max(times), share=0.1)
    marks = []
    for system, p50_s in timed:
        mean = system.means[measure]
        beaten = any(other.means[measure].value > mean.value and faster < p50_s for other, faster in timed)
        y, low, high = (100 * _share(value, bottom, top) for value in (mean.value, mean.low, mean.high))
        says = f"{system.name}: {measure} {mean.value:.3f}, {milliseconds(p50_s)}"
        x = 100 * _share(math.log10(p50_s), left, right)
        marks.append(_Mark(x, y, low, high, system.name, says, not beaten))
    front = sorted((mark.x, 100 - mark.y) for mark in marks if mark.filled)
    steps = "".join(f"H{x:.2f}V{y:.2f}" for x, y in front[1:])
    x_ticks = [(100 * _share(math.log10(s), left, right), _time(s)) for s in _log_ticks(10**left, 10**right)]
    y_ticks = [(100 * _share(value, bottom, top), f"{value:g}") for value in _ticks(bottom, top)]
    return _chart(
        f"{measure} against the time of a query",
        "Up and to the left is better. The line joins what nothing else is both better and faster than; time is on a "
        "logarithmic scale, and the thin bars are intervals.",
        [f"<path d='M{front[0][0]:.2f} {front[0][1]:.2f}{steps}' class='front'/>", *_whiskers(marks)],
        marks,
        x_ticks,
        y_ticks,
    )


def depth_curve(curve: DepthCurve, measure: str, name: str) -> str:
    """Return a measure over the depth, with its interval as a band and the depth that is enough marked."""
    points = curve.points
    bottom, top = _widened(*span(point.mean for point in points))
    left, right = _widened(math.log(points[0].depth), math.log(points[-1].depth), share=0.04)
    marks = []
    for point in points:
        y, low, high = (100 * _share(v, bottom, top) for v in (point.mean.value, point.mean.low, point.mean.high))
        says = f"depth {point.depth}: {measure} {point.mean.value:.3f}, {milliseconds(point.latency.p50_s)}"
        label = f"{point.depth} is enough" if point.depth == curve.enough else ""
        x = 100 * _share(math.log(point.depth), left, right)
        marks.append(_Mark(x, y, low, high, label, says, point.depth == curve.enough))
    line = " L".join(f"{mark.x:.2f},{100 - mark.y:.2f}" for mark in marks)
    upper = [f"{mark.x:.2f},{100 - mark.high:.2f}" for mark in marks]
    lower = [f"{mark.x:.2f},{100 - mark.low:.2f}" for mark in reversed(marks)]
    return _chart(
        f"{measure} of {name} against the depth",
        "The band is the interval of the mean.",
        [f"<path d='M{' L'.join(upper + lower)}Z' class='band'/>", f"<path d='M{line}' class='front'/>"],
        marks,
        [(mark.x, str(point.depth)) for mark, point in zip(marks, points, strict=True)],
        [(100 * _share(value, bottom, top), f"{value:g}") for value in _ticks(bottom, top)],
    )


def line_chart(
    title: str, note: str, points: Sequence[tuple[float, float]], beside: Sequence[tuple[float, float]] = ()
) -> str:
    """Return values over steps as a line, with the highest marked; "" for fewer than two.

    Args:
        title: what is shown.
        note: how it is to be read.
        points: steps and values, in their order.
        beside: those of a second, fainter line on the same scale.
    """
    shown = [(x, y) for x, y in points if math.isfinite(y)]
    faint = [(x, y) for x, y in beside if math.isfinite(y)]
    if len(shown) < 2:
        return ""
    both = [*shown, *faint]
    left, right = _widened(min(x for x, _ in both), max(x for x, _ in both), share=0.02)
    bottom, top = _widened(min(y for _, y in both), max(y for _, y in both))

    def placed(line: Sequence[tuple[float, float]]) -> str:
        return " L".join(
            f"{100 * _share(x, left, right):.2f},{100 - 100 * _share(y, bottom, top):.2f}" for x, y in line
        )

    best = max(shown, key=lambda point: point[1])
    height = 100 * _share(best[1], bottom, top)
    mark = _Mark(
        100 * _share(best[0], left, right), height, height, height, "", f"step {best[0]:g}: {best[1]:.3f}", True
    )
    paths = [f"<path d='M{placed(shown)}' class='front'/>"]
    if len(faint) > 1:
        paths.insert(0, f"<path d='M{placed(faint)}' class='front' opacity='.4'/>")
    return _chart(
        title,
        note,
        paths,
        [mark],
        [(100 * _share(value, left, right), f"{value:g}") for value in _ticks(left, right)],
        [(100 * _share(value, bottom, top), f"{value:g}") for value in _ticks(bottom, top)],
    )


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def _widened(low: float, high: float, share: float = 0.06) -> tuple[float, float]:
    room = share * (high - low) or 0.5
    return low - room, high + room


def _ticks(low: float, high: float) -> list[float]:
    """Return some five round values between two."""
    size = 10.0 ** math.floor(math.log10(high - low))
    step = next(s for s in (size, size / 2, size / 5, size / 10) if (high - low) / s >= _ENOUGH)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(at * step, 10) for at in range(first, last + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    """Return powers of ten between two values, or 1, 2 and 5 times these where they are few."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    coarse = [10.0**power for power in powers if low <= 10.0**power <= high]
    fine = [step * 10.0**power for power in powers for step in _STEPS if low <= step * 10.0**power <= high]
    return coarse if len(coarse) >= _ENOUGH else fine[:: math.ceil(len(fine) / 7)] if fine else []


def _time(seconds: float) -> str:
    return f"{seconds:g} s" if seconds >= 1 else f"{1000 * seconds:g} ms"


def _whiskers(marks: Iterable[_Mark]) -> Iterator[str]:
    for mark in marks:
        yield f"<path d='M{mark.x:.2f} {100 - mark.high:.2f}V{100 - mark.low:.2f}' class='whisker'/>"


def _chart(
    title: str,
    caption: str,
    lines: Sequence[str],
    marks: Sequence[_Mark],
    x_ticks: Sequence[tuple[float, str]],
    y_ticks: Sequence[tuple[float, str]],
) -> str:
    """Return a drawing whose lines are stretched to the width that there is, and whose words and points are not."""
    grid = "".join(f"<path d='M0 {100 - y:.2f}H100' class='grid'/>" for y, _ in y_ticks)
    ticks = "".join(f"<span class='x tick' style='left:{x:.2f}%'>{escaped(text)}</span>" for x, text in x_ticks)
    ticks += "".join(f"<span class='y tick' style='bottom:{y:.2f}%'>{escaped(text)}</span>" for y, text in y_ticks)
    return (
        f"<figure><div class='chart' role='img' aria-label='{escaped(title)}'>"
        f"<svg viewBox='0 0 100 100' preserveAspectRatio='none' aria-hidden='true'>{grid}{''.join(lines)}</svg>"
        f"{ticks}{''.join(_points(marks))}</div>"
        f"<figcaption><b>{escaped(title)}.</b> {escaped(caption)}</figcaption></figure>"
    )


def _points(marks: Sequence[_Mark]) -> Iterator[str]:
    labels = _apart([mark.y for mark in marks])
    for mark, y in zip(marks, labels, strict=True):
        kind = "point" if mark.filled else "point ring"
        at = f"left:{mark.x:.2f}%;bottom:{mark.y:.2f}%"
        yield f"<span class='{kind}' style='{at}' title='{escaped(mark.says)}'></span>"
        if mark.label:
            side = "label first" if mark.x < 25 else "label last" if mark.x > 75 else "label"
            yield f"<span class='{side}' style='left:{mark.x:.2f}%;bottom:{y:.2f}%'>{escaped(mark.label)}</span>"


def _apart(heights: Sequence[float]) -> list[float]:
    """Return the heights of labels, moved up so that none lies on another one."""
    placed: list[float] = [0.0] * len(heights)
    last = -math.inf
    for at in sorted(range(len(heights)), key=lambda at: heights[at]):
        last = placed[at] = max(heights[at], last + _LABEL)
    return placed
