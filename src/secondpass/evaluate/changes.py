"""Which queries a system answers better or worse than another one, and what became of their documents."""

from collections.abc import Mapping, Sequence

from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.figures import Change, Move
from secondpass.types import Document, document_text, shortened

__all__ = ["changes", "moves"]

_QUERIES, _DOCUMENTS, _CHARACTERS = 10, 5, 300
_ROUNDING = 1e-12


def changes(
    dataset: Dataset,
    documents: Mapping[str, Document],
    values: Mapping[str, Mapping[str, float]],
    runs: Mapping[str, Mapping[str, Sequence[str]]],
) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """Return the queries that gained most, and those that lost most, furthest first; at most ten of each.

    Args:
        dataset: their texts and judgements.
        documents: by id.
        values: the name of a first system, and of the one that is compared with it, to query id to value.
        runs: the same names to query id to document ids, best first.
    """
    before, after = values.values()
    by_gain = sorted(before, key=lambda query: before[query] - after[query])
    gained = [query for query in by_gain if after[query] - before[query] > _ROUNDING][:_QUERIES]
    lost = [query for query in reversed(by_gain) if before[query] - after[query] > _ROUNDING][:_QUERIES]

    def change(query: str) -> Change:
        first, second = (run[query] for run in runs.values())
        moved = moves(dataset.qrels[query], documents, first, second)
        return Change(query, dataset.queries[query], before[query], after[query], moved)

    return tuple(map(change, gained)), tuple(map(change, lost))


def moves(
    grades: Mapping[str, int], documents: Mapping[str, Document], before: Sequence[str], after: Sequence[str]
) -> tuple[Move, ...]:
    """Return the relevant documents of a query that come first in one of two rankings, and what either begins with."""
    ranks = [{name: rank for rank, name in enumerate(run, start=1)} for run in (before, after)]
    last = max(len(before), len(after)) + 1

    def best(name: str) -> tuple[int, int]:
        return min(of.get(name, last) for of in ranks), -grades.get(name, 0)

    relevant = sorted((name for name, grade in grades.items() if grade > 0), key=best)[:_DOCUMENTS]
    chosen = dict.fromkeys([*relevant, *before[:1], *after[:1]])
    ordered = sorted(chosen, key=lambda name: ranks[1].get(name, last))
    return tuple(
        Move(
            name,
            shortened(document_text(documents[name], 0), _CHARACTERS),
            grades.get(name),
            *(of.get(name) for of in ranks),
        )
        for name in ordered
    )
