"""What a reranking server is asked and how it answers: the shapes of ``/rerank``, and the HTTP beneath them."""

from secondpass.remote.shapes import SHAPES, Shape

__all__ = ["SHAPES", "Shape"]
