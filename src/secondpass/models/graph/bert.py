"""BERT and its kin: RoBERTa, XLM-RoBERTa, CamemBERT, ELECTRA."""

from secondpass.models.graph.parts import ATTENTION_FACTOR, EncoderWriter

__all__ = ["BertWriter"]


class BertWriter(EncoderWriter):
    """Writes encoders with a table of positions, and a norm behind each part of a layer."""

    def embeddings(self) -> str:
        """Return the sum of the vectors of words, positions and types, normalised."""
        ids = self.input("input_ids")
        x = self.words(ids)
        types = self.tensors["embeddings.token_type_embeddings.weight"]
        positions = self.tensors["embeddings.position_embeddings.weight"][self.encoder.first_position :]
        if len(types) == 1:
            positions = positions + types[0]
        length = self.node("Shape", ids, start=1, end=2)
        rows = self.node("Slice", self.constant("positions", positions), self.integers(0), length, self.integers(0))
        x = self.node("Add", x, rows)
        if len(types) > 1:
            x = self.node("Add", x, self.node("Gather", self.constant("types", types), self.input("token_type_ids")))
        x = self.norm("embeddings.LayerNorm", x)
        return self.linears(["embeddings_project"], x)[0] if "embeddings_project.weight" in self.tensors else x

    def layer(self, at: int, x: str, *, first_only: bool) -> str:
        """Return what a layer makes of its input."""
        name = f"encoder.layer.{at}"
        query, key, value = (f"{name}.attention.self.{part}" for part in ("query", "key", "value"))
        if first_only:  # the head reads no other token, so only its keys and values are needed
            k, v = self.linears([key, value], x, ATTENTION_FACTOR)
            x = self.first_token(x)
            (q,) = self.linears([query], x)
        else:
            q, k, v = self.linears([query, key, value], x, ATTENTION_FACTOR)
        y = self.attend(name, q, k, v, first_only=first_only)
        (y,) = self.linears([f"{name}.attention.output.dense"], y)
        x = self.norm(f"{name}.attention.output.LayerNorm", self.node("Sum", y, x))
        return self.norm(f"{name}.output.LayerNorm", self.node("Sum", *self.feed_forward(name, x), x))

    def attend(self, name: str, q: str, k: str, v: str, *, first_only: bool) -> str:
        """Return what the heads of a layer make of its queries, keys and values."""
        return self.attention(q, k, v)
