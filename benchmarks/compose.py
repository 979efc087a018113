"""nDCG@10 and time of composed rerankers, over the candidates of a bi-encoder.

    python benchmarks/compose.py                 # the questions about the standard library
    python benchmarks/compose.py FOLDER          # any BEIR folder: corpus.jsonl, queries.jsonl, qrels

What is fitted (weights) is fitted on every other query; all systems are measured on the rest. Time is the wall
clock of all measured queries together, the systems one after the other: a first look, no benchmark of speed.

Needs: pip install "secondpass[embedded,faiss]"
"""

import argparse
import time
import warnings
from collections.abc import Iterable

import secondpass as sp
from secondpass.evaluate.beir import read_beir
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.metrics import ndcg
from secondpass.evaluate.stdlib_docs import stdlib_corpus, stdlib_qrels, stdlib_queries
from secondpass.retrieve import DenseRetriever

Candidates = dict[str, sp.Request]


def candidates(collection: Dataset, depth: int) -> Candidates:
    """Return a request for each query: the bi-encoder's first ``depth`` documents with their scores."""
    retriever = DenseRetriever(max_length=256).index(collection.documents, progress=True)
    found = retriever.search(list(collection.queries.values()), depth)
    return {
        query: sp.Request(ranking.query, [d.document for d in ranking], initial_scores=[d.score for d in ranking])
        for query, ranking in zip(collection.queries, found, strict=True)
    }


def run_of(requests: Candidates, rankings: Iterable[sp.Ranking]) -> dict[str, list[str]]:
    """Return the ids of each query's documents, best first."""
    return {query: [document.id for document in ranking] for query, ranking in zip(requests, rankings, strict=True)}


def systems(
    fit: Candidates, grades: list[dict[str, int]], budgets_ms: list[float]
) -> Iterable[tuple[str, sp.Reranker]]:
    """Yield each system with its name; what has to be fitted is fitted here, before its time is taken."""
    cross_encoder = sp.CrossEncoderReranker(long_documents="truncate")
    short = sp.CrossEncoderReranker(max_length=48, long_documents="truncate")
    colbert = sp.ColbertReranker()
    yield "cross-encoder", cross_encoder
    yield "cross-encoder, 48 tokens", short
    yield "ColBERT", colbert
    yield "ensemble, RRF of both", sp.EnsembleReranker([cross_encoder, colbert], method="rrf")
    ensemble = sp.EnsembleReranker([cross_encoder, colbert], method="convex")
    yield "ensemble, convex, fitted", ensemble.fit(list(fit.values()), grades)
    yield "blended, fitted", sp.BlendedReranker(cross_encoder).fit(list(fit.values()), grades)
    yield "cascade, 48 tokens > 20 in full", sp.CascadeReranker([short, cross_encoder], keep=[20])
    for budget_ms in budgets_ms:
        cascade = sp.CascadeReranker([short, cross_encoder], keep=[20], budget_ms=budget_ms)
        cascade.rerank_many(list(fit.values())[:5])  # so that it has learnt how fast this machine is
        yield f"cascade, {budget_ms:g} ms a query", cascade
    cached = sp.CachedReranker(cross_encoder)
    yield "cached, cold", cached
    yield "cached, warm", cached


def main() -> None:
    """Read the arguments, fit, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", help="a BEIR folder; the standard library's questions without one")
    parser.add_argument("--depth", type=int, default=50, help="candidates that are reranked")
    parser.add_argument("--budgets-ms", type=float, nargs="+", default=[100, 250, 500])
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", sp.TruncationWarning)
    collection = (
        read_beir(arguments.folder) if arguments.folder else Dataset(stdlib_corpus(), stdlib_queries(), stdlib_qrels())
    )
    requests = candidates(collection, arguments.depth)
    fit = {query: requests[query] for at, query in enumerate(requests) if at % 2}
    test = {query: requests[query] for at, query in enumerate(requests) if not at % 2}
    qrels = {query: collection.qrels[query] for query in test}
    print(f"{len(collection.documents)} documents, {len(fit)} queries to fit and {len(test)} to measure")
    print(f"{'system':<34} {'nDCG@10':>8} {'ms a query':>11}")
    first = {query: [document["id"] for document in request.documents] for query, request in test.items()}  # type: ignore[index]
    print(f"{'bi-encoder alone':<34} {ndcg(qrels, first):>8.4f} {'':>11}")
    for name, system in systems(fit, [collection.qrels[query] for query in fit], arguments.budgets_ms):
        start = time.perf_counter()
        # One query at a time, as a service gets them.
        rankings = [system.rerank_many([request])[0] for request in test.values()]
        latency_ms = 1000 * (time.perf_counter() - start) / len(test)
        print(f"{name:<34} {ndcg(qrels, run_of(test, rankings)):>8.4f} {latency_ms:>11.1f}", flush=True)


if __name__ == "__main__":
    main()
