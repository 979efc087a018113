"""How figures are written."""

from secondpass.evaluate.statistics import Difference, Estimate

__all__ = ["against", "interval", "megabytes", "milliseconds", "money", "p_value"]


def milliseconds(seconds: float) -> str:
    """Return a time as it is said: "310 ms", "0.4 ms", "2.1 s"."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    if seconds < 1e-4:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"


def interval(of: Estimate | Difference, sign: str = "") -> str:
    """Return an interval: "0.64 to 0.78", or with ``sign="+"`` "+0.031 to +0.093"."""
    digits = f"{sign}.3f"
    return f"{of.low:{digits}} to {of.high:{digits}}"


def against(of: Difference | None) -> str:
    """Return a difference with its interval; empty for None, the first system's."""
    return "" if of is None else f"{of.value:+.3f} ({interval(of, '+')})"


def p_value(of: Difference | None) -> str:
    """Return an adjusted p; empty for None."""
    if of is None:
        return ""
    return "< 0.0001" if of.p_adjusted < 0.0001 else f"{of.p_adjusted:.4f}"


def money(cost: float | None) -> str:
    """Return what a thousand queries cost, in the user's currency: "1.20", "0.0034"; empty for None."""
    if cost is None:
        return ""
    return f"{cost:,.2f}" if cost >= 0.1 or cost == 0 else f"{cost:.2g}"


def megabytes(of: float | None) -> str:
    """Return a size in MB; empty for None."""
    return "" if of is None else f"{of:,.0f}"
