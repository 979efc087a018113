"""Which documents an uncertain reranker should ask somebody stronger about, and what becomes of the verdict."""

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from secondpass.errors import ConfigError
from secondpass.types import Request, Scores

__all__ = ["best_first", "checked_band", "is_number", "merged", "spread_out", "uncertain"]

_STEPS = 10


def uncertain(
    request: Request, scores: Scores, band: tuple[float, float] | None, max_spread: float | None
) -> list[int]:
    """Return the documents in the band, or with a spread above the limit, most uncertain first.

    The uncertainty is how near a score is to the middle of the band, in ten steps; then come those that only the
    spread speaks for, the widest first, likewise. Within a step, shorter documents, which cost less, come first.
    """
    keys: list[tuple[tuple[int, int, int, int], int]] = []
    spreads: Sequence[object] = scores.explanations.get("spread", ()) if max_spread is not None else ()
    for at, value in enumerate(scores.values.tolist()):
        cost = (len(request.texts[at]), at)
        spread = spreads[at] if at < len(spreads) else None
        if band is not None and band[0] <= value <= band[1]:
            half = (band[1] - band[0]) / 2
            distance = abs(value - (band[0] + half)) / half if half else 0.0
            keys.append(((0, int(distance * _STEPS), *cost), at))
        elif max_spread is not None and isinstance(spread, int | float) and spread > max_spread:
            excess = int(min(_STEPS * spread / max(max_spread, 1e-9), 1e12))
            keys.append(((1, -excess, *cost), at))
    return [at for _, at in sorted(keys)]


def best_first(indices: Sequence[int], values: npt.NDArray[np.float64]) -> list[int]:
    """Return documents by falling score, and in their order among equals."""
    return sorted(indices, key=lambda at: (-values[at], at))


def merged(
    base: npt.NDArray[np.float64],
    asked: Sequence[int],
    verdict: npt.NDArray[np.float64],
    merge: Literal["replace", "order"],
) -> npt.NDArray[np.float64]:
    """Return the base's scores with the judge's verdict on some documents worked in.

    Args:
        base: shape (n_documents,).
        asked: the documents that the judge gave a verdict on.
        verdict: its scores for these, shape (len(asked),).
        merge: ``replace`` takes its scores; ``order`` hands the base's own scores of these documents out
            anew, the highest to the judge's best, equal ones of the judge's in the base's order.
    """
    values, places = base.copy(), list(asked)
    if merge == "replace":
        values[places] = verdict
    else:
        by_verdict = np.lexsort((np.array(places), -base[places], -verdict))
        values[np.array(places, dtype=np.intp)[by_verdict]] = np.sort(base[places])[::-1]
    return values


def spread_out(column: Sequence[Any], asked: Sequence[int], n: int) -> list[Any]:
    """Return a column of explanations for all ``n`` documents, None where nobody was asked."""
    cells: list[Any] = [None] * n
    for at, cell in zip(asked, column, strict=True):
        cells[at] = cell
    return cells


def checked_band(band: object) -> tuple[float, float]:
    """Return a band as two floats.

    Raises:
        ConfigError: it is none, or not one of probabilities.
    """
    if isinstance(band, list | tuple) and len(band) == 2 and all(map(is_number, band)) and 0 <= band[0] <= band[1] <= 1:
        return float(band[0]), float(band[1])
    raise ConfigError(f"FallbackReranker: band must be (lowest, highest) probability within 0 and 1, not {band!r}")


def is_number(value: object) -> bool:
    """Return whether it is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
