"""Evaluation of rankings and verifiers: data to measure on, metrics, and comparisons that say what follows from them.

```python
import secondpass as sp
from secondpass.evaluate import compare, read_beir
from secondpass.retrieve import BM25Retriever

print(compare({"BM25": BM25Retriever(), "L12": sp.CrossEncoderReranker()}, read_beir("scifact")))
```
"""

from typing import TYPE_CHECKING

from secondpass.lazy import lazy

if TYPE_CHECKING:
    from secondpass.evaluate.beir import read_beir
    from secondpass.evaluate.choice import Choice, Option, Plan
    from secondpass.evaluate.choosing import choose
    from secondpass.evaluate.claims import LabelledClaim, read_claims
    from secondpass.evaluate.comparison import compare
    from secondpass.evaluate.dataset import Dataset
    from secondpass.evaluate.failure_cases import Failure, Failures, failures
    from secondpass.evaluate.figures import Change, DepthCurve, DepthPoint, GroupResult, Latency, Move, SystemResult
    from secondpass.evaluate.groups import query_groups
    from secondpass.evaluate.label_curve import learning_curve
    from secondpass.evaluate.label_report import LearningCurve, LearningPoint
    from secondpass.evaluate.metrics import measure, mrr, ndcg, per_query
    from secondpass.evaluate.prices import Price
    from secondpass.evaluate.reading import ScoredRun, read_qrels, read_run
    from secondpass.evaluate.results import Comparison
    from secondpass.evaluate.scores import ScoreFigures, evaluate_scores
    from secondpass.evaluate.statistics import Difference, Estimate
    from secondpass.evaluate.stdlib_docs import stdlib_corpus, stdlib_dataset, stdlib_qrels, stdlib_queries
    from secondpass.evaluate.tuned import Fold, Tried, Tuned
    from secondpass.evaluate.tuning import tune
    from secondpass.evaluate.verifier_report import VerifierFigures, VerifierReport, WorstCase
    from secondpass.evaluate.verifiers import evaluate_verifier

# Imported when they are first asked for: every command reads this package for the demo's corpus.
_LAZY = {
    "Change": "secondpass.evaluate.figures",
    "Choice": "secondpass.evaluate.choice",
    "Comparison": "secondpass.evaluate.results",
    "Dataset": "secondpass.evaluate.dataset",
    "DepthCurve": "secondpass.evaluate.figures",
    "DepthPoint": "secondpass.evaluate.figures",
    "Difference": "secondpass.evaluate.statistics",
    "Estimate": "secondpass.evaluate.statistics",
    "Failure": "secondpass.evaluate.failure_cases",
    "Failures": "secondpass.evaluate.failure_cases",
    "Fold": "secondpass.evaluate.tuned",
    "GroupResult": "secondpass.evaluate.figures",
    "LabelledClaim": "secondpass.evaluate.claims",
    "Latency": "secondpass.evaluate.figures",
    "LearningCurve": "secondpass.evaluate.label_report",
    "LearningPoint": "secondpass.evaluate.label_report",
    "Move": "secondpass.evaluate.figures",
    "Option": "secondpass.evaluate.choice",
    "Plan": "secondpass.evaluate.choice",
    "Price": "secondpass.evaluate.prices",
    "ScoreFigures": "secondpass.evaluate.scores",
    "ScoredRun": "secondpass.evaluate.reading",
    "SystemResult": "secondpass.evaluate.figures",
    "Tried": "secondpass.evaluate.tuned",
    "Tuned": "secondpass.evaluate.tuned",
    "VerifierFigures": "secondpass.evaluate.verifier_report",
    "VerifierReport": "secondpass.evaluate.verifier_report",
    "WorstCase": "secondpass.evaluate.verifier_report",
    "choose": "secondpass.evaluate.choosing",
    "compare": "secondpass.evaluate.comparison",
    "evaluate_scores": "secondpass.evaluate.scores",
    "evaluate_verifier": "secondpass.evaluate.verifiers",
    "failures": "secondpass.evaluate.failure_cases",
    "learning_curve": "secondpass.evaluate.label_curve",
    "measure": "secondpass.evaluate.metrics",
    "mrr": "secondpass.evaluate.metrics",
    "ndcg": "secondpass.evaluate.metrics",
    "per_query": "secondpass.evaluate.metrics",
    "query_groups": "secondpass.evaluate.groups",
    "read_beir": "secondpass.evaluate.beir",
    "read_claims": "secondpass.evaluate.claims",
    "read_qrels": "secondpass.evaluate.reading",
    "read_run": "secondpass.evaluate.reading",
    "stdlib_corpus": "secondpass.evaluate.stdlib_docs",
    "stdlib_dataset": "secondpass.evaluate.stdlib_docs",
    "stdlib_qrels": "secondpass.evaluate.stdlib_docs",
    "stdlib_queries": "secondpass.evaluate.stdlib_docs",
    "tune": "secondpass.evaluate.tuning",
}

__all__ = [
    "Change",
    "Choice",
    "Comparison",
    "Dataset",
    "DepthCurve",
    "DepthPoint",
    "Difference",
    "Estimate",
    "Failure",
    "Failures",
    "Fold",
    "GroupResult",
    "LabelledClaim",
    "Latency",
    "LearningCurve",
    "LearningPoint",
    "Move",
    "Option",
    "Plan",
    "Price",
    "ScoreFigures",
    "ScoredRun",
    "SystemResult",
    "Tried",
    "Tuned",
    "VerifierFigures",
    "VerifierReport",
    "WorstCase",
    "choose",
    "compare",
    "evaluate_scores",
    "evaluate_verifier",
    "failures",
    "learning_curve",
    "measure",
    "mrr",
    "ndcg",
    "per_query",
    "query_groups",
    "read_beir",
    "read_claims",
    "read_qrels",
    "read_run",
    "stdlib_corpus",
    "stdlib_dataset",
    "stdlib_qrels",
    "stdlib_queries",
    "tune",
]

__getattr__, __dir__ = lazy(__name__, _LAZY)
