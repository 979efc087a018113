"""A test collection: documents, queries, judgements, and candidates of a first stage."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from secondpass.counts import counted
from secondpass.errors import InputError
from secondpass.evaluate.reading import ScoredRun, read_qrels, read_run, read_texts
from secondpass.types import Document, document_text
from secondpass.validation import OneOf, checked_k

__all__ = ["Dataset"]


@dataclass(frozen=True, slots=True, repr=False)
class Dataset:
    """Documents with queries and judgements, which fit together: what systems are measured on.

    `Dataset.of` makes one of files, mappings and DataFrames.

    Attributes:
        documents: mappings with ``id`` and ``text``.
        queries: query id to text.
        qrels: query id to document id to grade, where 0, or no entry, means not relevant.
        candidates: what a first stage found, for rerankers: query id to document id to score, best first; None if the
            candidates are to come from a system.

    Raises:
        InputError: something is empty, an id stands twice, or the parts don't fit together.
    """

    documents: tuple[Document, ...]
    queries: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]]
    candidates: ScoredRun | None = None

    def __post_init__(self) -> None:
        ids = _ids(self.documents)
        _refuse_strangers(self.qrels, self.queries)
        for query, text in self.queries.items():
            if not isinstance(text, str) or not text.strip():
                raise InputError(f"query {query!r} has no text")
        strange = [(query, name) for query, grades in self.qrels.items() for name in grades if name not in ids]
        if strange:
            raise InputError(
                f"the qrels judge documents that the corpus does not have, such as {strange[0][1]!r} for query "
                f'{strange[0][0]!r} ({len(strange)} in all): pass the whole corpus, or missing="drop" to leave them out'
            )
        if not self.judged:
            raise InputError("no query of the qrels has a relevant document, so there is nothing to measure")
        if self.candidates is not None:
            _check_candidates(self.candidates, self.judged, ids)

    @classmethod
    def of(
        cls,
        documents: object,
        queries: object,
        qrels: object,
        candidates: object = None,
        *,
        missing: Literal["raise", "drop"] = "raise",
    ) -> "Dataset":
        """Return the dataset of files, mappings and DataFrames, in any combination.

        Queries without judgements are left out, and so are candidates for them.

        Args:
            documents: a ``.jsonl`` file in BEIR's form, a ``.tsv`` file of ids and texts, a mapping of ids to texts,
                mappings with ``id`` and ``text``, or a DataFrame with ``doc_id`` and ``text``.
            queries: likewise, with ``query_id``.
            qrels: what `read_qrels` takes.
            candidates: what `read_run` takes; None for none.
            missing: what happens to judgements of documents that the corpus does not have: ``raise`` an error, or
                ``drop`` them, so that figures are of the documents that can be found.

        Raises:
            InputError: something can't be read, is empty, or does not fit to the rest; says what.
            ConfigError: ``missing`` is something else.
        """
        OneOf("raise", "drop").checked(missing, "missing")
        corpus = tuple(read_texts(documents, "document"))
        texts: dict[str, str] = {}
        for row in read_texts(queries, "query"):
            if texts.setdefault(row["id"], row["text"]) != row["text"]:
                raise InputError(f"two queries have the id {row['id']!r}")
        if not texts:
            raise InputError("there are no queries")
        judged = read_qrels(qrels)
        _refuse_strangers(judged, texts)
        if missing == "drop":
            ids = _ids(corpus)
            kept = {query: {d: grade for d, grade in of.items() if d in ids} for query, of in judged.items()}
            judged = {query: grades for query, grades in kept.items() if grades}
        run = None if candidates is None else read_run(candidates)
        if run is not None:
            run = {query: ranking for query, ranking in run.items() if query in judged}
        return cls(corpus, {query: text for query, text in texts.items() if query in judged}, judged, run)

    @property
    def judged(self) -> tuple[str, ...]:
        """The queries that have a relevant document, which are those that count, in the order of `queries`."""
        return tuple(query for query in self.queries if any(grade > 0 for grade in self.qrels.get(query, {}).values()))

    def sample(self, n_queries: int, *, seed: int = 0) -> "Dataset":
        """Return the dataset with at most so many of its judged queries, drawn at random, the same ones each time.

        Raises:
            InputError: ``n_queries`` is below 1.
        """
        n = min(checked_k(n_queries, "n_queries") or 1, len(self.judged))
        chosen = {self.judged[at] for at in np.random.default_rng(seed).permutation(len(self.judged))[:n]}
        queries = {query: text for query, text in self.queries.items() if query in chosen}
        run = self.candidates
        return replace(
            self,
            queries=queries,
            qrels={query: self.qrels[query] for query in queries},
            candidates=None if run is None else {query: run[query] for query in queries if query in run},
        )

    def __repr__(self) -> str:
        candidates = "" if self.candidates is None else ", with candidates"
        return (
            f"Dataset({counted(len(self.documents), 'document')}, "
            f"{counted(len(self.judged), 'judged query')}{candidates})"
        )


def _ids(documents: Iterable[Document]) -> set[str]:
    ids: set[str] = set()
    for at, document in enumerate(documents):
        document_text(document, at)
        name = None if isinstance(document, str) else document.get("id")
        if not isinstance(name, str):
            raise InputError(f"documents[{at}] has no id: pass a mapping with a str under 'id'")
        if name in ids:
            raise InputError(f"two documents have the id {name!r}")
        ids.add(name)
    if not ids:
        raise InputError("there are no documents")
    return ids


def _refuse_strangers(qrels: Mapping[str, object], queries: Mapping[str, str]) -> None:
    strange = [query for query in qrels if query not in queries]
    if strange:
        raise InputError(
            f"the qrels judge queries that have no text, such as {strange[0]!r} ({len(strange)} of {len(qrels)}): pass "
            f"those queries as well, or leave their judgements out"
        )


def _check_candidates(run: ScoredRun, judged: tuple[str, ...], ids: set[str]) -> None:
    for query, ranking in run.items():
        name = next((name for name in ranking if name not in ids), None)
        if name is not None:
            raise InputError(
                f"the candidates of query {query!r} contain document {name!r}, which the corpus does not have: pass "
                f"the corpus that was searched"
            )
    if not any(run.get(query) for query in judged):
        raise InputError("the candidates are of other queries: no judged query has any")
