"""The result of a comparison: frozen, and without any model."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from secondpass.errors import ConfigError
from secondpass.evaluate.advice import advice
from secondpass.evaluate.figures import DepthCurve, GroupResult, SystemResult
from secondpass.evaluate.layout import write_page
from secondpass.evaluate.page import page
from secondpass.evaluate.tables import as_html, as_text

__all__ = ["Comparison"]


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
        groups: by what queries are grouped, to query id to group, as `secondpass.evaluate.query_groups` has it.
        by_group: the first measure on each group.
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
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    by_group: tuple[GroupResult, ...] = ()

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
        return advice(self)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data, the advice included."""
        plain = asdict(self)
        for system, result in zip(plain["systems"], self.systems, strict=True):
            for name, difference in result.differences.items():
                system["differences"][name]["verdict"] = difference.verdict
        for group, of_group in zip(plain["by_group"], self.by_group, strict=True):
            for name, difference in of_group.differences.items():
                group["differences"][name]["verdict"] = difference.verdict
        return {**plain, "advice": list(self.advice)}

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write a page that needs nothing else: sortable, readable on a phone and in the dark, with the queries.

        Raises:
            InputError: it can't be written.
        """
        write_page(page(self), path)

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)
