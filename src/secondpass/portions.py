"""Requests in portions, so that memory does not grow with their number, and the answers in one piece again."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from secondpass.types import Request, Scores, Trace

__all__ = ["joined", "joined_trace", "portions"]

Part = tuple[int, range]
"""The position of a request, and some of its documents."""


def portions(requests: Sequence[Request], max_characters: int) -> Iterator[list[Part]]:
    """Cut requests into portions of whole documents.

    Args:
        requests: any number of them.
        max_characters: of the documents in a portion; a longer document is a portion of its own.

    Yields:
        Parts of requests, in order; every document of every request is in exactly one.
    """
    portion: list[Part] = []
    n_characters = 0
    for at, request in enumerate(requests):
        start = 0
        for position, text in enumerate(request.texts):
            if n_characters + len(text) > max_characters and (portion or position > start):
                yield [*portion, (at, range(start, position))] if position > start else portion
                portion, n_characters, start = [], 0, position
            n_characters += len(text)
        if start < len(request):
            portion.append((at, range(start, len(request))))
    if portion:
        yield portion


def joined(parts: Sequence[Scores]) -> Scores:
    """Return the scores of a request's parts as one; what only some of them explain is None for the others."""
    if len(parts) == 1:
        return parts[0]
    columns: dict[str, list[Any]] = {name: [] for part in parts for name in part.explanations}
    for part in parts:
        for name, column in columns.items():
            column.extend(part.explanations.get(name, [None] * len(part)))
    return Scores(
        np.concatenate([part.values for part in parts]), columns, joined_trace([part.trace for part in parts])
    )


def joined_trace(traces: Sequence[Trace]) -> Trace:
    """Return the trace of something that was called several times for one request: times and counts add up."""
    counts: dict[str, int] = {}
    for trace in traces:
        for name, count in trace.counts.items():
            counts[name] = counts.get(name, 0) + count
    stages: dict[tuple[int, str], list[Trace]] = {}
    for trace in traces:
        for position, stage in enumerate(trace.stages):
            stages.setdefault((position, stage.name), []).append(stage)
    return Trace(
        name=traces[0].name,
        latency_s=sum(trace.latency_s for trace in traces),
        counts=counts,
        notes=tuple(dict.fromkeys(note for trace in traces for note in trace.notes)),
        stages=tuple(joined_trace(same) for same in stages.values()),
    )
