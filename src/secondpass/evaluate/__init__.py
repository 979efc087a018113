"""Evaluation of rankings: data to measure on, and metrics."""

from secondpass.evaluate.beir import Collection, read_beir
from secondpass.evaluate.metrics import measure, mrr, ndcg, per_query
from secondpass.evaluate.stdlib_docs import stdlib_corpus, stdlib_qrels, stdlib_queries

__all__ = [
    "Collection",
    "measure",
    "mrr",
    "ndcg",
    "per_query",
    "read_beir",
    "stdlib_corpus",
    "stdlib_qrels",
    "stdlib_queries",
]
