"""Models that turn one text into one vector: the bi-encoders of the first stage."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from secondpass.models.batching import Rows

__all__ = ["EmbeddingModel", "pool"]


class EmbeddingModel(ABC):
    """A text encoder; queries and documents may be treated differently, as the model was trained.

    Args:
        name: what it is called in messages and saved indexes.
        query_prefix: what the model expects before a query.
        document_prefix: what it expects before a document.

    Attributes:
        fingerprint: the identity of all that can change a vector: weights, tokenizer and settings, as they were loaded.
    """

    fingerprint: str

    def __init__(self, name: str, *, query_prefix: str = "", document_prefix: str = "") -> None:
        self.name = name
        self.query_prefix, self.document_prefix = query_prefix, document_prefix

    @property
    @abstractmethod
    def max_length(self) -> int:
        """How many tokens of a text its vector sees."""

    @abstractmethod
    def _encode(self, texts: Sequence[str], progress: bool) -> Rows:
        """Return one vector for each text, of any length; there is at least one text."""

    def encode_queries(self, queries: Sequence[str]) -> Rows:
        """Return the queries' vectors: shape (n_queries, n_dimensions), float32, of length 1."""
        return self._normalized(self.query_prefix, queries, progress=False)

    def encode_documents(self, texts: Sequence[str], *, progress: bool = False) -> Rows:
        """Return the documents' vectors: shape (n_texts, n_dimensions), float32, of length 1."""
        return self._normalized(self.document_prefix, texts, progress=progress)

    def _encode_behind(self, prefix: str, texts: Sequence[str], progress: bool) -> Rows:
        """Return what `_encode` does, for texts with a prefix; a backend that tells the two apart overrides it."""
        return self._encode([prefix + text for text in texts], progress)

    def _normalized(self, prefix: str, texts: Sequence[str], *, progress: bool) -> Rows:
        if not texts:
            return np.empty((0, 0), dtype=np.float32)
        vectors = self._encode_behind(prefix, texts, progress)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, np.finfo(np.float32).tiny), dtype=np.float32)


def pool(outputs: Rows, mask: npt.NDArray[np.int64], pooling: str) -> Rows:
    """Make one vector of a sequence's token vectors; vectors that are pooled already stay as they are.

    Args:
        outputs: shape (n_sequences, n_tokens, n_dimensions) or (n_sequences, n_dimensions).
        mask: shape (n_sequences, n_tokens); 0 where there is padding.
        pooling: ``cls`` takes the first token's vector, ``mean`` the mean over all tokens.
    """
    if outputs.ndim == 2:
        return outputs
    if pooling == "cls":
        return np.asarray(outputs[:, 0])
    weights = mask[:, :, None].astype(np.float32)
    return np.asarray((outputs * weights).sum(axis=1) / weights.sum(axis=1))
