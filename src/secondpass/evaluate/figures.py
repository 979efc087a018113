"""The figures of a comparison: of systems, of queries, of depths. All are frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from secondpass.evaluate.statistics import Difference, Estimate

__all__ = ["Change", "DepthCurve", "DepthPoint", "GroupResult", "Latency", "Move", "SystemResult"]


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
        memory_mb: the peak of a process of its own, in MiB; None if it was not measured.
        cost: money for a thousand queries, the first stage's calls included; None if there are no prices.
        usage: calls of servers and the tokens that these counted, of all queries together.
        gained: queries on which it is better than the first system by the first measure, furthest first; at most ten.
        lost: queries on which it is worse, likewise.
        run: query id to document ids, best first.
    """

    name: str
    kind: str
    means: Mapping[str, Estimate]
    differences: Mapping[str, Difference]
    values: Mapping[str, Mapping[str, float]] = field(repr=False)
    latency: Latency | None
    pairs_per_s: float | None
    memory_mb: float | None
    cost: float | None
    usage: Mapping[str, int]
    gained: tuple[Change, ...] = field(repr=False)
    lost: tuple[Change, ...] = field(repr=False)
    run: Mapping[str, tuple[str, ...]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class GroupResult:
    """The first measure on some of the queries.

    Attributes:
        by: by what queries are grouped: ``length``, ``language``, ``category`` and so on.
        group: which of these groups it is.
        n_queries: how many queries it has.
        means: system to its mean.
        differences: system to its difference to the first one, with p adjusted for all groups and systems.
    """

    by: str
    group: str
    n_queries: int
    means: Mapping[str, Estimate]
    differences: Mapping[str, Difference]


@dataclass(frozen=True, slots=True)
class DepthPoint:
    """A reranker at one depth, by the first measure.

    Attributes:
        depth: how many candidates it ranked; the others keep their order behind them.
        mean: over queries.
        gain: how far the greatest depth lies above this one; None for the greatest.
        latency: with the first stage's, if that is one of the systems.
        values: query id to value.
    """

    depth: int
    mean: Estimate
    gain: Difference | None
    latency: Latency
    values: Mapping[str, float] = field(repr=False)


@dataclass(frozen=True, slots=True)
class DepthCurve:
    """A reranker at several depths.

    Attributes:
        points: from the lowest depth to the greatest.
        enough: the lowest depth that no greater one is better than, as far as the queries can tell.
    """

    points: tuple[DepthPoint, ...]
    enough: int
