"""secondpass in Haystack: a ranker component for pipelines."""

from haystack_integrations.components.rankers.secondpass.ranker import SecondPassRanker

__all__ = ["SecondPassRanker"]
