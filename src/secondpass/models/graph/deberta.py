"""DeBERTa, versions 2 and 3: BERT whose heads see how far apart two tokens are, and no token's position.

The score of a query i and a key j is (q_i k_j + q_i K_t + k_j Q_t) / sqrt(3 size), where t is a number for the
distance i - j, exact for near tokens and logarithmic for others. K and Q don't depend on the texts, so they are
computed here. Products are made with K and Q in the order of distances, of which row i then needs a run of columns that
begins one later in the next row: laid out without gaps that is a view of another width, where a gather of single
numbers would take longer than the product.
"""

import numpy as np
import numpy.typing as npt

from secondpass.forking import product
from secondpass.models.graph.bert import BertWriter
from secondpass.models.sources.encoders import DebertaConfig

__all__ = ["DebertaWriter", "distance_buckets"]

Floats = npt.NDArray[np.float32]
Whole = npt.NDArray[np.int64]


class DebertaWriter(BertWriter):
    """Writes DeBERTa with disentangled attention."""

    encoder: DebertaConfig

    def embeddings(self) -> str:
        """Return the vectors of words, and of types where there are some, normalised."""
        ids = self.input("input_ids")
        x = self.words(ids)
        types = self.tensors.get("embeddings.token_type_embeddings.weight")
        if types is not None:
            x = self.node("Add", x, self.node("Gather", self.constant("types", types), self.input("token_type_ids")))
        self._write_distances(ids)
        return self.norm("embeddings.LayerNorm", x)

    def _write_distances(self, ids: str) -> None:
        """Write the rows of the tables for the distances from the largest to the smallest, and the other way round."""
        n, length = self.encoder.max_length, self.node("Shape", ids, start=1, end=2)
        self._length, self._start = length, self.node("Sub", length, self.integers(1))
        self._size = self.node("Mul", length, self.node("Add", length, self._start))  # of a view
        zero = self.integers(0)
        middle, end = self.node("Sub", self.integers(n), length), self.node("Add", self.integers(n), length)
        falling = self.constant("falling", self._rows_of(np.arange(n - 1, -n - 1, -1)))
        rising = self.constant("rising", self._rows_of(np.arange(1 - n, n + 1)))
        self._falling, self._rising = (self.node("Slice", rows, middle, end, zero) for rows in (falling, rising))
        # From the first token to each.
        end = self.node("Add", self.integers(n - 1), length)
        self._from_first = self.node("Slice", falling, self.integers(n - 1), end, zero)

    def _rows_of(self, distances: Whole) -> Whole:
        span = self.encoder.buckets or self.encoder.furthest
        rows = distance_buckets(distances, self.encoder.buckets, self.encoder.furthest) + span
        return np.clip(rows, 0, 2 * span - 1)

    def attend(self, name: str, q: str, k: str, v: str, *, first_only: bool) -> str:
        """Return what the heads of a layer make of its queries, keys and values."""
        n_terms = 1 + self.encoder.to_position + self.encoder.from_position
        scale = 1 / np.sqrt(self.hidden_size / self.encoder.n_heads * n_terms)
        terms = []
        if self.encoder.to_position:
            rows = self._from_first if first_only else self._falling
            table = self._heads_of_rows(self._distances(name, "key", scale, rows))
            scores = self.node("MatMul", self._heads(q), table)
            terms.append(scores if first_only else self._shifted(scores))
        if self.encoder.from_position and first_only:  # a single query: each key meets one distance
            products = self.node("Mul", k, self._distances(name, "query", scale, self._from_first))
            parts = self.node("Reshape", products, self.integers(0, 0, self.encoder.n_heads, -1))
            scores = self.node("ReduceSum", parts, self.integers(3), keepdims=0)
            terms.append(self.node("Unsqueeze", self.node("Transpose", scores, perm=[0, 2, 1]), self.integers(2)))
        elif self.encoder.from_position:
            table = self._heads_of_rows(self._distances(name, "query", scale, self._rising))
            scores = self._shifted(self.node("MatMul", self._heads(k), table))
            terms.append(self.node("Transpose", scores, perm=[0, 1, 3, 2]))
        return self.attention(q, k, v, self.node("Sum", *terms), scale=float(scale))

    def _distances(self, name: str, part: str, scale: float, rows: str) -> str:
        """Return the keys or queries of distances, times the scale: shape (distances, hidden)."""
        kind = part if self.encoder.shares_projections else f"position_{part}"
        matrix, bias = (self.tensors[f"{name}.attention.self.{kind}.{each}"] for each in ("weight", "bias"))
        table = (product(self._relative(), matrix.T) + bias) * np.float32(scale)
        return self.rows(f"{name}.distances.{part}", f"{name}.distances.{part}", table, rows)

    def _relative(self) -> Floats:
        """Return the vectors of distances, as all layers read them."""
        span = self.encoder.buckets or self.encoder.furthest
        vectors = self.tensors["encoder.rel_embeddings.weight"][: 2 * span]
        if not self.encoder.norms_distances:
            return vectors
        centred = vectors - vectors.mean(axis=1, keepdims=True)
        deviations = np.sqrt((centred**2).mean(axis=1, keepdims=True) + np.float32(self.encoder.norm_eps))
        gain, bias = (self.tensors[f"encoder.LayerNorm.{part}"] for part in ("weight", "bias"))
        return np.asarray(centred / deviations * gain + bias, dtype=np.float32)

    def _heads(self, x: str) -> str:
        """Return vectors cut into heads: shape (batch, heads, sequence, size)."""
        parts = self.node("Reshape", x, self.integers(0, 0, self.encoder.n_heads, -1))
        return self.node("Transpose", parts, perm=[0, 2, 1, 3])

    def _heads_of_rows(self, rows: str) -> str:
        """Return the vectors of distances cut into heads: shape (heads, size, distances)."""
        parts = self.node("Reshape", rows, self.integers(0, self.encoder.n_heads, -1))
        return self.node("Transpose", parts, perm=[1, 2, 0])

    def _shifted(self, scores: str) -> str:
        """Return the scores of pairs of tokens, from those of tokens and distances.

        Row i of the result is columns length - 1 - i and on of row i: shape (batch, heads, length, length), of
        (batch, heads, length, 2 length).
        """
        flat = self.node("Reshape", scores, self.integers(0, 0, -1))
        end = self.node("Add", self._start, self._size)
        flat = self.node("Slice", flat, self._start, end, self.integers(2))
        shape = self.node("Concat", self.integers(0, 0), self._length, self.integers(-1), axis=0)
        return self.node("Slice", self.node("Reshape", flat, shape), self.integers(0), self._length, self.integers(3))


def distance_buckets(distances: Whole, buckets: int, furthest: int) -> Whole:
    """Return a number for each distance: itself up to half of the buckets, and then fewer and fewer to a number.

    In float32, as transformers computes it: in float64 some distances would fall into the next bucket.

    Args:
        distances: positive or negative.
        buckets: how many numbers there are to each side; 0 for the distances themselves.
        furthest: the distance that gets the last one.
    """
    if not buckets:
        return distances
    half, size = buckets // 2, np.abs(distances)
    size = np.where(size < half, half - 1, size).astype(np.float32)
    steps = np.log(size / np.float32(half)) / np.log(np.float32((furthest - 1) / half)) * np.float32(half - 1)
    far = np.ceil(steps) + half
    return np.where(size <= half, distances, far * np.sign(distances)).astype(np.int64)
