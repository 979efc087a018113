"""What the calibration tests share: real scores, computed once."""

import warnings

import pytest

import secondpass as sp
from secondpass.calibration import ScoredExamples, examples_from_qrels, score_examples
from secondpass.evaluate.stdlib_docs import stdlib_corpus, stdlib_qrels, stdlib_queries
from secondpass.retrieve import BM25Retriever


@pytest.fixture(scope="session")
def stdlib_scored() -> ScoredExamples:
    """Return the embedded cross-encoder's logits of the first ten by BM25 for each question."""
    queries, corpus = stdlib_queries(), stdlib_corpus()
    rankings = BM25Retriever().index(corpus).search(list(queries.values()), k=10)
    run = {query: [document.id for document in ranking] for query, ranking in zip(queries, rankings, strict=True)}
    documents = {document["id"]: document for document in corpus}
    examples = examples_from_qrels(stdlib_qrels(), run, queries=queries, documents=documents)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sp.TruncationWarning)
        return score_examples(sp.CrossEncoderReranker(max_length=96, long_documents="truncate"), examples)
