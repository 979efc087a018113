"""Evaluation of rankings and verifiers: data to measure on, metrics, and comparisons that say what follows from them.

```python
import secondpass as sp
from secondpass.evaluate import compare, read_beir
from secondpass.retrieve import BM25Retriever

print(compare({"BM25": BM25Retriever(), "L12": sp.CrossEncoderReranker()}, read_beir("scifact")))
```
"""

from secondpass.evaluate.beir import read_beir
from secondpass.evaluate.claims import LabelledClaim, read_claims
from secondpass.evaluate.comparison import compare
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.figures import Change, DepthCurve, DepthPoint, Latency, Move, SystemResult
from secondpass.evaluate.metrics import measure, mrr, ndcg, per_query
from secondpass.evaluate.reading import ScoredRun, read_qrels, read_run
from secondpass.evaluate.results import Comparison
from secondpass.evaluate.statistics import Difference, Estimate
from secondpass.evaluate.stdlib_docs import stdlib_corpus, stdlib_dataset, stdlib_qrels, stdlib_queries
from secondpass.evaluate.verifier_report import VerifierFigures, VerifierReport, WorstCase
from secondpass.evaluate.verifiers import evaluate_verifier

__all__ = [
    "Change",
    "Comparison",
    "Dataset",
    "DepthCurve",
    "DepthPoint",
    "Difference",
    "Estimate",
    "LabelledClaim",
    "Latency",
    "Move",
    "ScoredRun",
    "SystemResult",
    "VerifierFigures",
    "VerifierReport",
    "WorstCase",
    "compare",
    "evaluate_verifier",
    "measure",
    "mrr",
    "ndcg",
    "per_query",
    "read_beir",
    "read_claims",
    "read_qrels",
    "read_run",
    "stdlib_corpus",
    "stdlib_dataset",
    "stdlib_qrels",
    "stdlib_queries",
]
