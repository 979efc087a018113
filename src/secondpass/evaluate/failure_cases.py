"""Queries that one system answers and another one does not: what they have in common, and as training data."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from secondpass.counts import counted
from secondpass.errors import ConfigError, InputError, reason
from secondpass.evaluate.changes import moves
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.figures import Move
from secondpass.evaluate.measuring import texts_by_id
from secondpass.evaluate.results import Comparison
from secondpass.evaluate.tables import aligned
from secondpass.files import write_whole
from secondpass.types import document_text, printable, shortened
from secondpass.validation import Flag, Whole

__all__ = ["Failure", "Failures", "failures"]

_SHOWN = 10  # failures in a terminal
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Failure:
    """A query that the other system answers better.

    Attributes:
        id: the query's.
        query: its text.
        right: the measure's value of the other system.
        wrong: that of the one that failed.
        groups: by what it is grouped, and into which group.
        relevant: texts of the relevant documents, the best grade first, with ``grades``.
        grades: how they were judged.
        distractors: texts of documents that are not known to be relevant and that the failing system has above its
            best relevant one, or among its first if there is none; best first.
        documents: relevant documents and what came first, with their ranks in the other system and in this one.
    """

    id: str
    query: str
    right: float
    wrong: float
    groups: Mapping[str, str]
    relevant: tuple[str, ...]
    grades: tuple[int, ...]
    distractors: tuple[str, ...]
    documents: tuple[Move, ...]

    def to_example(self) -> dict[str, Any]:
        """Return it as a training example: a query, documents, and a label for each, 0 for those to push down."""
        documents = [*self.relevant, *self.distractors]
        return {"query": self.query, "documents": documents, "labels": [*self.grades, *([0] * len(self.distractors))]}


@dataclass(frozen=True, slots=True, repr=False)
class Failures:
    """The queries on which a system is worse than another one, furthest first.

    Attributes:
        system: the one that fails.
        against: the one that does not.
        measure: by which.
        n_queries: how many queries were measured.
        cases: the failures.
        groups: by what, to group, to how many failures and how many queries it has.
    """

    system: str
    against: str
    measure: str
    n_queries: int
    cases: tuple[Failure, ...]
    groups: Mapping[str, Mapping[str, tuple[int, int]]]

    def __len__(self) -> int:
        return len(self.cases)

    def __iter__(self) -> Iterator[Failure]:
        return iter(self.cases)

    def __getitem__(self, at: int) -> Failure:
        return self.cases[at]

    def to_jsonl(self, path: str | os.PathLike[str]) -> int:
        """Write training examples, one a line with ``query``, ``documents`` and ``labels``; returns how many.

        A failure without anything to push down is left out. Nothing but the queries that were measured is in it: don't
        measure on them again.

        Raises:
            InputError: it can't be written, and then no part of it is there.
        """
        lines = [json.dumps(case.to_example(), ensure_ascii=False) for case in self if case.distractors]
        target = Path(path).expanduser()
        try:
            write_whole(target, "".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
        except OSError as exc:
            raise InputError(f"{target} can't be written: {reason(exc)}") from exc
        return len(lines)

    def __repr__(self) -> str:
        lines = [
            f"{self.system} is worse than {self.against} on {len(self)} of {counted(self.n_queries, 'query')}, by "
            f"{self.measure}"
        ]
        for name, groups in self.groups.items():
            rows = [(group, f"{n} of {of}", f"{n / of:.0%}") for group, (n, of) in groups.items()]
            lines += ["", *aligned([(name, "failures", "share"), *rows])]
        if self.cases:
            lines += ["", "furthest:"]
        lines += [
            f"  {case.right:.2f} to {case.wrong:.2f}  {shortened(case.query, 100)}" for case in self.cases[:_SHOWN]
        ]
        return "\n".join(printable(line) for line in lines)


def failures(
    comparison: Comparison,
    dataset: Dataset,
    system: str,
    *,
    against: str | None = None,
    measure: str | None = None,
    n_distractors: int = 10,
    judged_only: bool = False,
) -> Failures:
    """Return the queries on which a system is worse than another one.

    Args:
        comparison: of both.
        dataset: what they were compared on, whose texts are taken.
        system: the name of the one whose failures are wanted.
        against: the name of the one that does better; None for the first system that was compared, or for the best
            other one if that is ``system`` itself.
        measure: by which; None for the first.
        n_distractors: how many documents to push down are kept for each at most.
        judged_only: whether only documents that were judged as not relevant are distractors. Else those that nobody
            judged are, too, and some of them may be relevant.

    Raises:
        ConfigError: there is no such system or measure.
        InputError: the dataset is another one.
    """
    measure = comparison.measures[0] if measure is None else measure
    if measure not in comparison.measures:
        raise ConfigError(f"there is no measure {measure!r}, only: {', '.join(comparison.measures)}")
    of = comparison[system]
    other = comparison[_other(comparison, system, measure) if against is None else against]
    if other is of:
        raise ConfigError(f"{system!r} can't be compared with itself: name another system as against")
    Whole(at_least=1).checked(n_distractors, "n_distractors")
    Flag().checked(judged_only, "judged_only")
    documents = texts_by_id(dataset)
    if set(of.values[measure]) != set(dataset.judged):
        raise InputError("the dataset is not the one that was compared: pass the same queries, in full")
    lost = {q: other.values[measure][q] - value for q, value in of.values[measure].items()}
    failed = [query for query in sorted(lost, key=lambda query: -lost[query]) if lost[query] > _ROUNDING]
    texts = {name: document_text(document, 0) for name, document in documents.items()}

    def failure(query: str) -> Failure:
        grades = dataset.qrels[query]
        relevant = sorted((d for d, grade in grades.items() if grade > 0), key=lambda d: -grades[d])
        return Failure(
            id=query,
            query=dataset.queries[query],
            right=other.values[measure][query],
            wrong=of.values[measure][query],
            groups={name: groups[query] for name, groups in comparison.groups.items() if query in groups},
            relevant=tuple(texts[d] for d in relevant),
            grades=tuple(grades[d] for d in relevant),
            distractors=tuple(texts[d] for d in _above(of.run[query], grades, judged_only)[:n_distractors]),
            documents=moves(grades, documents, other.run[query], of.run[query]),
        )

    return Failures(
        system=system,
        against=other.name,
        measure=measure,
        n_queries=len(lost),
        cases=tuple(map(failure, failed)),
        groups={name: _counts(groups, failed) for name, groups in comparison.groups.items()},
    )


def _other(comparison: Comparison, system: str, measure: str) -> str:
    first = comparison.systems[0].name
    others = [each for each in comparison if each.name != system]
    return first if system != first else max(others, key=lambda each: each.means[measure].value).name


def _above(ranking: Sequence[str], grades: Mapping[str, int], judged_only: bool) -> list[str]:
    """Return what stands above the best relevant document; where that is first, what stands behind it."""
    others = [d for d in ranking if grades.get(d, 0) <= 0 and (d in grades or not judged_only)]
    best = next((at for at, d in enumerate(ranking) if grades.get(d, 0) > 0), len(ranking))
    above = set(ranking[:best])
    return [d for d in others if d in above] or others


def _counts(groups: Mapping[str, str], failed: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return of each group how many failures and queries it has, the highest share first."""
    sizes, n = Counter(groups.values()), Counter(groups[query] for query in failed if query in groups)
    return {group: (n[group], sizes[group]) for group in sorted(sizes, key=lambda group: -n[group] / sizes[group])}
