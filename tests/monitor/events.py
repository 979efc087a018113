"""Events whose fields are written down."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from secondpass.monitor import Event, ScoreSummary
from secondpass.types import Scale


def event(values: Sequence[float] = (0.9, 0.1), **fields: Any) -> Event:
    """Return an event with some scores, and with what is given in place of the usual."""
    usual: dict[str, Any] = {
        "kind": "rerank",
        "time_s": 1_000.0,
        "name": "FakeReranker",
        "fingerprint": "f" * 16,
        "query_hash": "0" * 16,
        "latency_s": 0.01,
        "candidates": len(values),
        "scale": Scale.PROBABILITY,
        "scores": ScoreSummary.of(np.array(values, dtype=np.float64)),
    }
    return Event(**usual | fields)
