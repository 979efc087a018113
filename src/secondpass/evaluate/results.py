"""The results of a comparison. All are frozen, and none needs a model."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from secondpass.errors import ConfigError, InputError
from secondpass.evaluate.statistics import Difference, Estimate

__all__ = ["Change", "Comparison", "DepthCurve", "DepthPoint", "Latency", "Move", "SystemResult"]


@dataclass(frozen=True, slots=True)
class Latency:
    """How long a query took, in wall-clock seconds, each query by itself.

    Attributes:
        p50_s: the median.
        p95_s: what 95 % of the queries stayed below.
        p99_s: what 99 % stayed below; with fewer than a hundred queries, nearly the slowest one.
    """

    p50_s: float
    p95_s: float
    p99_s: float


@dataclass(frozen=True, slots=True)
class Move:
    """A document of a query, with its ranks in two systems.

    Attributes:
        id: the document's.
        text: its beginning.
        grade: how it was judged; None if it was not.
        before: its rank in the first system, from 1; None if it was not returned.
        after: its rank in the other one.
    """

    id: str
    text: str
    grade: int | None
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """A query on which a system and the first one differ.

    Attributes:
        id: the query's.
        query: its text.
        before: the measure's value of the first system.
        after: that of the other one.
        documents: relevant documents of either, and what either had in the first place.
    """

    id: str
    query: str
    before: float
    after: float
    documents: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class SystemResult:
    """What was measured of one system.

    Attributes:
        name: as it was passed.
        kind: ``candidates``, ``retriever``, ``two-stage``, ``reranker``, ``run`` or ``function``.
        means: measure to the mean over queries.
        differences: measure to the difference to the first system; empty for the first one.
        values: measure to query id to value.
        latency: None for a run, and for candidates that came with the dataset. That of a reranker includes its first
            stage's where that is one of the systems.
        pairs_per_s: documents that a reranker ranked in a second of its own time; None for others.
        gained: queries on which it is better than the first system by the first measure, furthest first; at most ten.
        lost: queries on which it is worse, likewise.
    """

    name: str
    kind: str
    means: Mapping[str, Estimate]
    differences: Mapping[str, Difference]
    values: Mapping[str, Mapping[str, float]] = field(repr=False)
    latency: Latency | None
    pairs_per_s: float | None
    gained: tuple[Change, ...] = field(repr=False)
    lost: tuple[Change, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class DepthPoint:
    """A reranker at one depth, by the first measure.

    Attributes:
        depth: how many candidates it ranked; the others keep their order behind them.
        mean: over queries.
        gain: how far the greatest depth lies above this one; None for the greatest.
        latency: with the first stage's, if that is one of the systems.
    """

    depth: int
    mean: Estimate
    gain: Difference | None
    latency: Latency


@dataclass(frozen=True, slots=True)
class DepthCurve:
    """A reranker at several depths.

    Attributes:
        points: from the lowest depth to the greatest.
        enough: the lowest depth that no greater one is better than, as far as the queries can tell.
    """

    points: tuple[DepthPoint, ...]
    enough: int


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """Systems on the queries of a dataset, the first one being what the others are compared with.

    Attributes:
        systems: in the order in which they were passed.
        measures: the first of them decides what the advice says, and which queries are shown.
        curves: reranker to its depth curve; empty if none was asked for.
        n_queries: how many queries have a relevant document, and so count.
        n_documents: how many documents the dataset has.
        depth: how many candidates rerankers ranked, and how many documents were asked for.
        k: how many documents were wanted of each; None for all.
        candidates: whose candidates rerankers ranked: a system's name, or "the dataset".
        confidence: of all intervals and verdicts.
        notes: what to know when reading it, in sentences.
    """

    systems: tuple[SystemResult, ...]
    measures: tuple[str, ...]
    curves: Mapping[str, DepthCurve]
    n_queries: int
    n_documents: int
    depth: int
    k: int | None
    candidates: str
    confidence: float
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> SystemResult:
        """Return the result of a system by its name.

        Raises:
            ConfigError: there is no such system.
        """
        for system in self.systems:
            if system.name == name:
                return system
        raise ConfigError(f"there is no system {name!r}, only: {', '.join(system.name for system in self.systems)}")

    def __iter__(self) -> Iterator[SystemResult]:
        return iter(self.systems)

    def __len__(self) -> int:
        return len(self.systems)

    @property
    def advice(self) -> tuple[str, ...]:
        """What follows from it, in plain sentences: whether to rerank, with what, and how deep."""
        from secondpass.evaluate.advice import advice

        return advice(self)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data, the advice included."""
        plain = asdict(self)
        for system, result in zip(plain["systems"], self.systems, strict=True):
            for name, difference in result.differences.items():
                system["differences"][name]["verdict"] = difference.verdict
        return {**plain, "advice": list(self.advice)}

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write a page that needs nothing else: sortable, readable on a phone and in the dark, with the queries.

        Raises:
            InputError: it can't be written.
        """
        from secondpass.evaluate.page import page

        try:
            Path(path).write_bytes(page(self).encode("utf-8", "replace"))
        except OSError as exc:
            raise InputError(f"{path} can't be written: {exc}") from exc

    def __repr__(self) -> str:
        from secondpass.evaluate.tables import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from secondpass.evaluate.tables import as_html

        return as_html(self)
