"""Search with variants of the query as well, and fuse what they find.

```python
from secondpass.retrieve import BM25Retriever, RetrieveRerank
from secondpass.retrieve.expand import ExpandedRetriever, FeedbackExpander, SynonymExpander

first = ExpandedRetriever(BM25Retriever(), [SynonymExpander({"copy": ["duplicate"]}), FeedbackExpander()])
search = RetrieveRerank(first, reranker).index(documents)  # reranked with the query that was asked
```
"""

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, overload

import numpy as np

from secondpass.composition.members import SETUP_FAULTS
from secondpass.errors import CompositionError, ConfigError
from secondpass.retrieve.base import Hits, Retriever, checked_queries, retriever_of
from secondpass.retrieve.expanders import (
    Expander,
    FeedbackExpander,
    FunctionExpander,
    SynonymExpander,
    TemplateExpander,
    checked_variants,
    expander_of,
)
from secondpass.types import Document, RankedDocument, Ranking, Request, Scale, Trace
from secondpass.validation import Flag, OneOf, Whole, check, checked_k

__all__ = [
    "ExpandedRetriever",
    "Expander",
    "FeedbackExpander",
    "FunctionExpander",
    "SynonymExpander",
    "TemplateExpander",
]

_log = logging.getLogger(__name__)
# The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher 2009).
_RRF_K = 60
_NOT_SAVED = "expanders are not saved"


@dataclass(slots=True)
class _Plan:
    """What one query is searched by."""

    variants: list[str]
    n_failed: int = 0
    n_left_out: int = 0
    notes: list[str] = field(default_factory=list)


class ExpandedRetriever(Retriever):
    """Searches for a query and its variants, and fuses the results: a first stage like any other.

    The rankings hold the query that was asked, so that `RetrieveRerank` reranks with that one. All variants of
    all queries are searched together, equal ones once. An expander that fails is skipped: the trace counts it
    under ``expanders_failed`` and says why, and it is logged; what no query can mend (a `ConfigError`, a package that
    is missing) is raised. In the rankings the explanations hold, under
    ``found_by``, which variants found a document, and at which rank.

    Args:
        retriever: what searches: a retriever, its name or its configuration.
        expanders: `Expander`s, or functions of a query that return a list of texts; one, or several.
        fusion: ``rrf`` sums 1 / (60 + rank) over the variants that found a document (Cormack et al. 2009), and
            works with any retriever; ``max`` takes a document's best score, which makes sense where scores of
            different queries are comparable: cosines are, BM25 scores hardly.
        include_original: whether to search for the query itself as well. If there are no variants, it always is.
        depth: how many documents to find with each variant; by default ``k``.
        max_variants: the most variants searched for one query, the query included.

    Raises:
        CompositionError: the first one is not a `Retriever`.
        ConfigError: a setting can't be used.
    """

    registry_name: ClassVar[str] = "expanded"

    def __init__(
        self,
        retriever: Retriever | str | Mapping[str, Any],
        expanders: Expander | Callable[[str], Sequence[str]] | Sequence[Expander | Callable[[str], Sequence[str]]],
        *,
        fusion: Literal["rrf", "max"] = "rrf",
        include_original: bool = True,
        depth: int | None = None,
        max_variants: int = 16,
    ) -> None:
        retriever = retriever_of(retriever)  # type: ignore[assignment]  # what it is, is checked next
        if not isinstance(retriever, Retriever):
            raise CompositionError(f"ExpandedRetriever wraps a Retriever, not a {type(retriever).__name__}")
        listed = list(expanders) if isinstance(expanders, list | tuple) else [expanders]
        if not listed:
            raise ConfigError("at least one expander is needed; without any, use the retriever itself")
        self.retriever, self.languages = retriever, retriever.languages
        self.expanders = tuple(
            expander if isinstance(expander, Expander) else FunctionExpander(expander)  # type: ignore[arg-type]
            for expander in listed
        )
        self.fusion, self.include_original = fusion, include_original
        self.depth, self.max_variants = depth, max_variants
        check(self, fusion=OneOf("rrf", "max"), include_original=Flag())
        check(self, depth=Whole(at_least=1) | None, max_variants=Whole(at_least=1))

    @classmethod
    def built_setting(cls, name: str, value: Any) -> Any:
        """Return the expanders for their configurations; all else is taken as it is."""
        if name != "expanders":
            return value
        return [expander_of(each) for each in (value if isinstance(value, list | tuple) else [value])]

    @property
    def settings(self) -> dict[str, Any]:
        """Those of the retriever, whose index this is."""
        return self.retriever.settings

    @property
    def _documents(self) -> tuple[Document, ...]:
        return self.retriever._documents

    @_documents.setter
    def _documents(self, documents: tuple[Document, ...]) -> None:
        self.retriever._documents = documents

    def _index(self, texts: Sequence[str], progress: bool) -> None:
        self.retriever._index(texts, progress)

    def _copy(self) -> Self:
        copy = super()._copy()
        copy.retriever = self.retriever._copy()
        return copy

    def _take(self, other: Self) -> None:
        self.retriever._take(other.retriever)

    def _search(self, queries: Sequence[str], k: int) -> list[Hits]:
        found = [self._fused(*result, k) for result in self._results(queries, k)[0]]
        return [(np.array([d.index for d in hits], dtype=np.intp), np.array([d.score for d in hits])) for hits in found]

    def _save(self, folder: Path) -> None:
        # Of a retriever around this one: what it wrote could not be read.
        raise ConfigError(f"{_NOT_SAVED}: save the retriever that is wrapped, and wrap it again once it is loaded")

    def _load(self, folder: Path) -> None:
        raise ConfigError(f"{_NOT_SAVED}: load the retriever that was wrapped, and wrap it again")

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Save the retriever that is wrapped; load it by its own class, and wrap it again."""
        self.retriever.save(folder)

    @classmethod
    def load(cls, folder: str | os.PathLike[str], **settings: Any) -> Self:
        """Always raise an error: expanders are not saved.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(f"{_NOT_SAVED}: load the retriever that was wrapped, and wrap it again")

    @overload  # a str is a sequence of str too; the first match is meant
    def search(self, queries: str, k: int | None = 10) -> Ranking: ...  # type: ignore[overload-overlap]
    @overload
    def search(self, queries: Sequence[str], k: int | None = 10) -> list[Ranking]: ...
    def search(self, queries: str | Sequence[str], k: int | None = 10) -> Ranking | list[Ranking]:
        """Return the best documents for a query and its variants; see `Retriever.search`.

        Raises:
            InputError: a query or ``k`` can't be used, or nothing was indexed.
        """
        if isinstance(queries, str):
            return self.search([queries], k)[0]
        self._indexed()
        # Checked before any expander costs anything.
        checked, k = checked_queries(queries), checked_k(k)
        return self._of_one_index(lambda documents: self._rankings(checked, min(k or len(documents), len(documents))))

    def _rankings(self, checked: Sequence[str], limit: int) -> list[Ranking]:
        start = time.perf_counter()
        results, stages = self._results(checked, limit)
        latency_s = time.perf_counter() - start
        rankings = []
        for query, (plan, found) in zip(checked, results, strict=True):
            counts = {"variants": len(plan.variants), "expanders_failed": plan.n_failed}
            counts["variants_left_out"] = plan.n_left_out
            trace = Trace(type(self).__name__, latency_s, counts, tuple(plan.notes), stages)
            rankings.append(Ranking(query, tuple(self._fused(plan, found, limit)), Scale.ORDINAL, trace))
        return rankings

    def _results(self, queries: Sequence[str], k: int) -> tuple[list[tuple[_Plan, list[Ranking]]], tuple[Trace, ...]]:
        """Return, for each query, its plan and what each variant found; and the traces of the searches."""
        depth = self.depth or k
        looked_into = max(expander.depth for expander in self.expanders)
        found: dict[str, Ranking] = {}
        stages = self._search_for(queries, max(depth, looked_into), found) if looked_into else ()
        plans = [self._plan(query, found[query].texts if looked_into else ()) for query in queries]
        stages += self._search_for([variant for plan in plans for variant in plan.variants], depth, found)
        return [(plan, [found[variant].top(depth) for variant in plan.variants]) for plan in plans], stages

    def _search_for(self, queries: Sequence[str], depth: int, found: dict[str, Ranking]) -> tuple[Trace, ...]:
        """Search for what was not searched for yet, all at once; a trace for that if there was anything."""
        new = [query for query in dict.fromkeys(queries) if query not in found]
        rankings = self.retriever.search(new, depth) if new else []
        found.update(zip(new, rankings, strict=True))
        return (rankings[0].trace,) if rankings else ()

    def _plan(self, query: str, documents: Sequence[str]) -> _Plan:
        plan = _Plan([query] if self.include_original else [])
        for expander in self.expanders:
            try:
                variants = checked_variants(expander.expand(query, documents[: expander.depth]))
            except SETUP_FAULTS:
                raise
            except Exception as exc:  # of the user's own code, or of a language model's client
                plan.n_failed += 1
                plan.notes.append(f"{expander!r} failed and was left out: {type(exc).__name__}: {exc}")
                _log.warning("%r failed on a query and was left out: %s: %s", expander, type(exc).__name__, exc)
                _log.debug("where %r failed", expander, exc_info=exc)
                continue
            plan.variants += [well_formed(variant) for variant in variants]
        unique: dict[str, str] = {}
        for variant in plan.variants:
            unique.setdefault(" ".join(variant.split()), variant)  # white space does not make another query
        plan.variants = list(unique.values())[: self.max_variants]
        plan.n_left_out = len(unique) - len(plan.variants)
        if plan.n_left_out:
            plan.notes.append(f"{plan.n_left_out} variants were left out: max_variants is {self.max_variants}")
        if not plan.variants:
            plan.variants = [query]
        return plan

    def _fused(self, plan: _Plan, found: Sequence[Ranking], k: int) -> list[RankedDocument]:
        scores: dict[int, float] = {}
        found_by: dict[int, dict[str, int]] = {}
        documents: dict[int, Document] = {}
        for variant, ranking in zip(plan.variants, found, strict=True):
            for hit in ranking:
                documents.setdefault(hit.index, hit.document)
                found_by.setdefault(hit.index, {})[variant] = hit.rank
                if self.fusion == "rrf":
                    scores[hit.index] = scores.get(hit.index, 0.0) + 1 / (_RRF_K + hit.rank)
                else:
                    scores[hit.index] = max(scores.get(hit.index, hit.score), hit.score)
        # Among equals the one that stood higher somewhere, then the one that is first in the corpus.
        order = sorted(scores, key=lambda index: (-scores[index], min(found_by[index].values()), index))
        return [
            RankedDocument(index, rank, scores[index], documents[index], {"found_by": found_by[index]})
            for rank, index in enumerate(order[:k], start=1)
        ]

    def __repr__(self) -> str:
        expanders = ", ".join(map(repr, self.expanders))
        return f"ExpandedRetriever({self.retriever!r}, [{expanders}], fusion={self.fusion!r})"


def well_formed(text: str) -> str:
    # As a Request does it, so that the ranking of a variant is found under the variant.
    return Request(text, ()).query
