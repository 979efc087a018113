"""ModernBERT: norms in front, rotary positions, gated feed-forward layers, and most layers see near tokens only."""

import numpy as np

from secondpass.models.graph.parts import ATTENTION_FACTOR, EncoderWriter, Precision, Ranges
from secondpass.models.graph.weights import EncoderWeights
from secondpass.models.graph.writer import MICROSOFT
from secondpass.models.sources.encoders import ModernBertConfig

__all__ = ["ModernBertWriter"]

# Queries that share a block of keys in a local layer. In blocks of 128 each query reads 256 keys where the reach is 64
# to both sides; so a sequence up to that length is one block.
_BLOCK = 128
_HIDDEN = -1e30  # a score that no softmax sees


class ModernBertWriter(EncoderWriter):
    """Writes ModernBERT.

    In a local layer the queries of a block attend to the keys of the block and of as many tokens to both sides as it
    reaches; so time and memory grow as the length does, and not as its square.
    """

    encoder: ModernBertConfig

    def __init__(self, weights: EncoderWeights, precision: Precision, ranges: Ranges) -> None:
        super().__init__(weights, precision, ranges)
        self._rotations: dict[bool, tuple[str, str]] = {}  # cosines and sines, of local layers and of others

    def embeddings(self) -> str:
        """Return the vectors of words, normalised; and write what depends on the length only."""
        ids = self.input("input_ids")
        self._batch, self._length = (self.node("Shape", ids, start=at, end=at + 1) for at in (0, 1))
        self._places = self._range(self._length)
        floats = self.node("Unsqueeze", self.node("Cast", self._places, to=1), self.integers(1))  # 1: float32
        size = self.hidden_size // self.encoder.n_heads
        for local in sorted(set(self.encoder.local)):
            theta = self.encoder.local_theta if local else self.encoder.global_theta
            # In float32 and in this order, as PyTorch computes it.
            powers = np.float32(theta) ** (np.arange(0, size, 2, dtype=np.float32) / np.float32(size))
            frequencies = self.constant(f"frequencies_{theta}", (np.float32(1) / powers)[None].astype(np.float32))
            angles = self.node("Mul", floats, frequencies)
            self._rotations[local] = self.node("Cos", angles), self.node("Sin", angles)
        if any(self.encoder.local):
            self._write_blocks()
        return self.norm("embeddings.LayerNorm", self.words(ids))

    def layer(self, at: int, x: str, *, first_only: bool) -> str:
        """Return what a layer makes of its input."""
        name, local = f"encoder.layer.{at}", self.encoder.local[at]
        query, key, value = (f"{name}.attention.self.{part}" for part in ("query", "key", "value"))
        # The first layer reads what the embeddings' own norm gives.
        y = self.norm(f"{name}.attention.LayerNorm", x) if at else x
        if first_only:  # the head reads no other token, so only the keys and values that it sees are needed
            (q,) = self.linears([query], self.first_token(y))  # at position 0 nothing is rotated
            if local:
                seen = self.integers(self.encoder.reach + 1)
                y = self.node("Slice", y, self.integers(0), seen, self.integers(1))
            k, v = self.linears([key, value], y, ATTENTION_FACTOR)
            x, y = self.first_token(x), self.attention(q, self._rotated(k, local), v)
        else:
            q, k, v = self.linears([query, key, value], y, ATTENTION_FACTOR)
            q, k = self._rotated(q, local), self._rotated(k, local)
            y = self._in_blocks(q, k, v) if local else self.attention(q, k, v)
        (y,) = self.linears([f"{name}.attention.output.dense"], y)
        x = self.node("Sum", y, x)
        return self.node("Sum", *self.feed_forward(name, self.norm(f"{name}.intermediate.LayerNorm", x)), x)

    def last(self, x: str) -> str:
        """Return the last layer's vectors, normalised."""
        return self.norm("encoder.LayerNorm", x)

    def _rotated(self, x: str, local: bool) -> str:
        """Return queries or keys, turned by their positions."""
        return self.node("RotaryEmbedding", x, self.integers(0), *self._rotations[local], domain=MICROSOFT)

    def _write_blocks(self) -> None:
        """Write which queries and keys a block has, and which of these see each other."""
        reach, one = self.encoder.reach, self.integers(1)
        short = self.node("LessOrEqual", self._length, self.integers(_BLOCK + 2 * reach))
        self._block = self.node("Where", short, self._length, self.integers(_BLOCK))
        n_blocks = self.node("Div", self.node("Sub", self.node("Add", self._length, self._block), one), self._block)
        n_keys = self.node("Min", self._length, self.node("Add", self._block, self.integers(2 * reach)))
        firsts = self.node("Unsqueeze", self.node("Mul", self._range(n_blocks), self._block), one)
        # The last block is filled with the last query, whose results there are left out again.
        last = self.node("Sub", self._length, one)
        self._queries = self.node("Min", self.node("Add", firsts, self._range(self._block)), last)
        firsts = self.node("Max", self.node("Sub", firsts, self.integers(reach)), self.integers(0))
        firsts = self.node("Min", firsts, self.node("Sub", self._length, n_keys))
        self._keys = self.node("Add", firsts, self._range(n_keys))
        queries, keys = self.node("Unsqueeze", self._queries, self.integers(2)), self.node("Unsqueeze", self._keys, one)
        near = self.node("LessOrEqual", self.node("Abs", self.node("Sub", queries, keys)), self.integers(reach))
        bias = self.node("Unsqueeze", self.node("Where", near, self.number(0.0), self.number(_HIDDEN)), one)
        self._bias = self.node("Tile", bias, self.node("Concat", self._batch, self.integers(1, 1, 1), axis=0))

    def _in_blocks(self, q: str, k: str, v: str) -> str:
        q, k, v = self._cut(q, self._queries), self._cut(k, self._keys), self._cut(v, self._keys)
        y = self.attention(q, k, v, self._bias)
        y = self.node("Reshape", y, self.node("Concat", self._batch, self.integers(-1, self.hidden_size), axis=0))
        return self.node("Slice", y, self.integers(0), self._length, self.integers(1))

    def _cut(self, x: str, places: str) -> str:
        """Return the vectors of each block: shape (batch * blocks, tokens of a block, hidden)."""
        size = self.node("Shape", places, start=1, end=2)
        shape = self.node("Concat", self.integers(-1), size, self.integers(self.hidden_size), axis=0)
        return self.node("Reshape", self.node("Gather", x, places, axis=1), shape)

    def _range(self, n: str) -> str:
        """Return 0, 1, ... below a number that has shape (1,)."""
        zero, one = (self.constant(f"whole_{value}", np.array(value, np.int64)) for value in (0, 1))
        return self.node("Range", zero, self.node("Squeeze", n), one)
