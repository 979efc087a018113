"""First-stage retrieval by vectors: a bi-encoder and a FAISS index."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, Unpack

import numpy as np

from secondpass.config import digest
from secondpass.errors import MissingExtraError
from secondpass.forking import alone_after_fork
from secondpass.models.backends.load import LoadSettings, check_loading, load_embedding_model
from secondpass.models.embedding import EmbeddingModel
from secondpass.models.sources.catalog import languages_of
from secondpass.retrieve.base import Hits, Retriever
from secondpass.validation import OneOf, check

__all__ = ["DenseRetriever"]

_INDEX = "index.faiss"


class DenseRetriever(Retriever):
    """Finds the documents whose vectors are nearest to the query's, exactly (a flat index).

    Vectors have length 1, so inner product (the cosine) and L2 give the same order; choose L2 for tools that
    expect distances. Scores: the cosine in [-1, 1], or the negative squared distance in [-4, 0].

    Args:
        model: a name, folder or repository, or an `EmbeddingModel`.
        metric: ``inner_product`` or ``l2``.
        loading: where the model is taken from and how it runs: see `secondpass.models.LoadSettings`. The index is
            on the CPU; one that was saved is searched with the ``precision`` that it was built with.

    Attributes:
        embedding_model: the loaded `EmbeddingModel`, which another retriever can share.

    Raises:
        MissingExtraError: FAISS is not installed.
        ModelError: the model can't be found, read or used.
    """

    registry_name: ClassVar[str] = "dense"

    def __init__(
        self,
        model: str | EmbeddingModel = "bge-small-en-v1.5",
        *,
        metric: Literal["inner_product", "l2"] = "inner_product",
        **loading: Unpack[LoadSettings],
    ) -> None:
        super().__init__()
        alone_after_fork(self, _faiss().omp_set_num_threads)
        self.model, self.metric, self.loading = model, metric, loading
        check(self, metric=OneOf("inner_product", "l2"))
        check_loading(loading, LoadSettings, DenseRetriever, loaded=isinstance(model, EmbeddingModel))
        self.embedding_model = model if isinstance(model, EmbeddingModel) else load_embedding_model(model, **loading)
        self.languages = languages_of(self.embedding_model.name)
        self._vectors: Any = None

    @property
    def fingerprint(self) -> str:
        """The identity of the weights, and of all settings that can change a score."""
        return digest([self.registry_name, self.embedding_model.fingerprint, self.metric])

    @property
    def settings(self) -> dict[str, Any]:
        """The model's name, fingerprint, limit and precision, and the metric."""
        model = self.embedding_model
        saved = {"model": model.name, "metric": self.metric, "max_length": model.max_length}
        return saved | {"precision": self.loading.get("precision"), "fingerprint": model.fingerprint}

    def _index(self, texts: Sequence[str], progress: bool) -> None:
        vectors = self.embedding_model.encode_documents(texts, progress=progress)
        flat = _faiss().IndexFlatIP if self.metric == "inner_product" else _faiss().IndexFlatL2
        index = flat(vectors.shape[1])
        index.add(vectors)
        self._vectors = index

    def _search(self, queries: Sequence[str], k: int) -> list[Hits]:
        scores, positions = self._vectors.search(self.embedding_model.encode_queries(queries), k)
        sign = 1.0 if self.metric == "inner_product" else -1.0
        return [
            (np.asarray(row, dtype=np.intp), sign * np.asarray(found, dtype=np.float64))
            for row, found in zip(positions, scores, strict=True)
        ]

    @classmethod
    def _restored(cls, settings: dict[str, Any]) -> Self:
        if not isinstance(settings["model"], EmbeddingModel):
            return cls(**settings)
        # It has a limit and a precision already; the fingerprint tells whether they are those of the index.
        return cls(**{name: value for name, value in settings.items() if name not in ("max_length", "precision")})

    def _save(self, folder: Path) -> None:
        _faiss().write_index(self._vectors, str(folder / _INDEX))

    def _load(self, folder: Path) -> None:
        self._vectors = _faiss().read_index(str(folder / _INDEX))
        if self._vectors.ntotal != len(self):
            raise ValueError(f"{self._vectors.ntotal} vectors for {len(self)} documents")


def _faiss() -> Any:
    # Not kept in an attribute: a retriever that holds a module can't be pickled.
    try:
        import faiss
    except ImportError as exc:
        raise MissingExtraError.of("faiss", "DenseRetriever") from exc
    return faiss
