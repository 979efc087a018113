"""First-stage retrieval by words and by vectors: several retrievers over one corpus, fused by reciprocal ranks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from secondpass.errors import CompositionError, ConfigError
from secondpass.language import unread_language
from secondpass.retrieve.base import Hits, Retriever, retriever_of, retrievers
from secondpass.retrieve.bm25 import BM25Retriever
from secondpass.retrieve.dense import DenseRetriever
from secondpass.types import Document, document_text
from secondpass.validation import NOT_NEGATIVE, check

__all__ = ["HybridRetriever"]

_SAMPLE = 8  # of the documents that one retriever found, to see their language


class HybridRetriever(Retriever):
    """Searches with several retrievers, and fuses what they find by reciprocal ranks (Cormack et al. 2009, SIGIR).

    Words find names, numbers and what the bi-encoder's language is not; vectors find paraphrases. A document's score
    is the sum of 1 / (rrf_k + rank) over the retrievers that found it. A retriever whose model, by the catalogue, does
    not read the language of a query or of what the others found for it is left out there, if others found something. In
    two stages, in one line:

    ```python
    search = RetrieveRerank(HybridRetriever(), sp.CrossEncoderReranker()).index(documents)
    ```

    Args:
        retrievers: two or more, or their names or configurations; by default `BM25Retriever` and `DenseRetriever`.
        rrf_k: how much less the first ranks stand out; the paper's 60 is rarely far off.

    Raises:
        CompositionError: one of them is not a `Retriever`, or there are fewer than two.
        ConfigError: ``rrf_k`` is out of range.
        MissingExtraError: bm25s or FAISS, which the default takes, is not installed.
    """

    registry_name: ClassVar[str] = "hybrid"

    def __init__(
        self, retrievers: Sequence[Retriever | str | Mapping[str, Any]] | None = None, *, rrf_k: float = 60.0
    ) -> None:
        listed = [BM25Retriever(), DenseRetriever()] if retrievers is None else retrievers
        if not isinstance(listed, list | tuple) or len(listed) < 2:
            raise CompositionError("HybridRetriever takes a list of two or more retrievers")
        self.retrievers: tuple[Retriever, ...] = ()
        for retriever in map(retriever_of, listed):
            if not isinstance(retriever, Retriever):
                raise CompositionError(f"HybridRetriever takes Retrievers, not a {type(retriever).__name__}")
            self.retrievers += (retriever,)
        self.rrf_k = rrf_k
        check(self, rrf_k=NOT_NEGATIVE)

    @property
    def settings(self) -> dict[str, Any]:
        """Those of each retriever, with its type, and the constant."""
        each = [{"type": retriever.registry_name, **retriever.settings} for retriever in self.retrievers]
        return {"retrievers": each, "rrf_k": self.rrf_k}

    @property
    def _documents(self) -> tuple[Document, ...]:
        documents: tuple[Document, ...] = self.retrievers[0]._documents
        return documents

    @_documents.setter
    def _documents(self, documents: tuple[Document, ...]) -> None:
        for retriever in self.retrievers:
            retriever._documents = documents

    def _index(self, texts: Sequence[str], progress: bool) -> None:
        for retriever in self.retrievers:
            retriever._index(texts, progress)

    def _copy(self) -> Self:
        copy = super()._copy()
        copy.retrievers = tuple(retriever._copy() for retriever in self.retrievers)
        return copy

    def _take(self, other: Self) -> None:
        for retriever, built in zip(self.retrievers, other.retrievers, strict=True):
            retriever._take(built)

    def _search(self, queries: Sequence[str], k: int) -> list[Hits]:
        found = [retriever._search(queries, k) for retriever in self.retrievers]
        lists = [[list(map(int, positions)) for positions, _ in hits] for hits in zip(*found, strict=True)]
        return [self._fused(self._reading(query, each), k) for query, each in zip(queries, lists, strict=True)]

    def _reading(self, query: str, lists: Sequence[list[int]]) -> Sequence[list[int]]:
        """Return the lists of the retrievers that read the language, if there is something on them; else all."""
        of = list(zip(self.retrievers, lists, strict=True))
        others = [index for retriever, found in of if retriever.languages is None for index in found[:_SAMPLE]]
        texts = [document_text(self._documents[index], index) for index in others]
        read = [
            found
            for retriever, found in of
            if retriever.languages is None or unread_language(query, texts, retriever.languages) is None
        ]
        return read if any(read) else lists

    def _fused(self, lists: Sequence[list[int]], k: int) -> Hits:
        scores: dict[int, float] = {}
        best: dict[int, int] = {}
        for positions in lists:
            for rank, index in enumerate(positions, start=1):
                scores[index] = scores.get(index, 0.0) + 1 / (self.rrf_k + rank)
                best[index] = min(best.get(index, rank), rank)
        # Among equals the one that stood higher somewhere, then the one of the first retriever.
        order = sorted(scores, key=lambda index: (-scores[index], best[index]))[:k]
        return np.array(order, dtype=np.intp), np.array([scores[index] for index in order], dtype=np.float64)

    def _save(self, folder: Path) -> None:
        for at, retriever in enumerate(self.retrievers):
            (folder / str(at)).mkdir()
            retriever._save(folder / str(at))

    def _load(self, folder: Path) -> None:
        for at, retriever in enumerate(self.retrievers):
            retriever._load(folder / str(at))

    @classmethod
    def _restored(cls, settings: dict[str, Any]) -> Self:
        return cls(**{**settings, "retrievers": [_restored_one(dict(each)) for each in settings["retrievers"]]})


def _restored_one(settings: dict[str, Any]) -> Retriever:
    kind, fingerprint = retrievers.get(settings.pop("type")), settings.pop("fingerprint", None)
    retriever: Retriever = kind._restored(settings)
    if retriever.settings.get("fingerprint") != fingerprint:
        raise ConfigError(f"it was built with another model than the {settings.get('model')!r} found here: index again")
    return retriever
