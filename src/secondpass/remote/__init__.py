"""What each kind of reranking server is asked, and how it answers."""

from secondpass.remote.shapes import SHAPES, Shape

__all__ = ["SHAPES", "Shape"]
