"""The cascade: from cheap to strong, each stage over what the last one kept."""

from secondpass.composition.cascade.reranker import CascadeReranker

__all__ = ["CascadeReranker"]
