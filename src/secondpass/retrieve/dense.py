"""The first stage by vectors: a bi-encoder and a FAISS index."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from secondpass.errors import ConfigError, MissingExtraError
from secondpass.models.backends.load import load_embedding_model
from secondpass.models.embedding import EmbeddingModel
from secondpass.models.graph.cache import PrecisionSetting
from secondpass.retrieve.base import Hits, Retriever

__all__ = ["DenseRetriever"]

_INDEX = "index.faiss"


class DenseRetriever(Retriever):
    """Finds the documents whose vectors are nearest to the query's, exactly (a flat index).

    Vectors have length 1, so inner product (the cosine) and L2 give the same order; choose L2 for tools that
    expect distances. Scores: the cosine in [-1, 1], or the negative squared distance in [-4, 0].

    Args:
        model: a name, folder or repository, or an `EmbeddingModel`.
        metric: ``inner_product`` or ``l2``.
        backend: as in `CrossEncoderReranker`.
        device: where the model runs; the index is on the CPU.
        precision: as in `CrossEncoderReranker`; a saved index is searched with the one that it was built with.
        max_length: tokens of a text that its vector sees; the model's own limit by default.
        local_files_only: never touch the network.

    Attributes:
        model: the loaded `EmbeddingModel`, which another retriever can share.

    Raises:
        MissingExtraError: FAISS is not installed.
        ModelError: the model can't be found, read or used.
    """

    def __init__(
        self,
        model: str | EmbeddingModel = "bge-small-en-v1.5",
        *,
        metric: Literal["inner_product", "l2"] = "inner_product",
        backend: str = "auto",
        device: str | None = None,
        precision: PrecisionSetting | None = None,
        max_length: int | None = None,
        local_files_only: bool = False,
    ) -> None:
        super().__init__()
        _faiss()
        if metric not in ("inner_product", "l2"):
            raise ConfigError(f"metric must be 'inner_product' or 'l2', not {metric!r}")
        self.metric, self.precision = metric, precision
        self.model = (
            model
            if isinstance(model, EmbeddingModel)
            else load_embedding_model(
                model,
                backend=backend,
                device=device,
                precision=precision,
                max_length=max_length,
                local_files_only=local_files_only,
            )
        )
        self._vectors: Any = None

    @property
    def settings(self) -> dict[str, Any]:
        """The model's name, fingerprint, limit and precision, and the metric."""
        saved = {"model": self.model.name, "metric": self.metric, "max_length": self.model.max_length}
        return saved | {"precision": self.precision, "fingerprint": self.model.fingerprint}

    def _index(self, texts: Sequence[str], progress: bool) -> None:
        vectors = self.model.encode_documents(texts, progress=progress)
        flat = _faiss().IndexFlatIP if self.metric == "inner_product" else _faiss().IndexFlatL2
        index = flat(vectors.shape[1])
        index.add(vectors)
        self._vectors = index

    def _search(self, queries: Sequence[str], k: int) -> list[Hits]:
        scores, positions = self._vectors.search(self.model.encode_queries(queries), k)
        sign = 1.0 if self.metric == "inner_product" else -1.0
        return [
            (np.asarray(row, dtype=np.intp), sign * np.asarray(found, dtype=np.float64))
            for row, found in zip(positions, scores, strict=True)
        ]

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
