"""nDCG@10 and MRR@10 of BM25, the bi-encoder, and the bi-encoder's candidates reranked.

    python benchmarks/quality.py                 # the questions about the standard library
    python benchmarks/quality.py FOLDER          # any BEIR folder: corpus.jsonl, queries.jsonl, qrels

Needs: pip install "secondpass[embedded,faiss,bm25]"
"""

import argparse
import time
from collections.abc import Sequence

import secondpass as sp
from secondpass.evaluate.beir import Collection, read_beir
from secondpass.evaluate.metrics import mrr, ndcg
from secondpass.evaluate.stdlib_docs import stdlib_corpus, stdlib_qrels, stdlib_queries
from secondpass.retrieve import BM25Retriever, DenseRetriever, RetrieveRerank


def measure(
    collection: Collection, reranker: sp.Reranker, depth: int, max_length: int | None
) -> list[tuple[str, float, float, float]]:
    """Return (system, nDCG@10, MRR@10, seconds for all queries) of each system."""
    dense = DenseRetriever(max_length=max_length).index(collection.documents, progress=True)
    systems = {
        "BM25": BM25Retriever().index(collection.documents),
        "bi-encoder": dense,
        f"bi-encoder, {depth} reranked": RetrieveRerank(dense, reranker, depth=depth),
    }
    rows = []
    for name, system in systems.items():
        start = time.perf_counter()
        rankings: Sequence[sp.Ranking] = system.search(list(collection.queries.values()), 10)
        latency_s = time.perf_counter() - start
        run = {query: [hit.id for hit in ranking] for query, ranking in zip(collection.queries, rankings, strict=True)}
        rows.append((name, ndcg(collection.qrels, run), mrr(collection.qrels, run), latency_s))
    return rows


def main() -> None:
    """Read the arguments, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", help="a BEIR folder; the standard library's questions without one")
    parser.add_argument("--reranker", default="cross-encoder", help='such as "cross-encoder:MODEL"')
    parser.add_argument("--depth", type=int, default=100, help="candidates that are reranked")
    parser.add_argument("--max-length", type=int, help="tokens of a document that the bi-encoder sees")
    arguments = parser.parse_args()
    if arguments.folder:
        collection = read_beir(arguments.folder)
    else:
        collection = Collection(stdlib_corpus(), stdlib_queries(), stdlib_qrels())
    print(f"{len(collection.documents)} documents, {len(collection.queries)} queries, depth {arguments.depth}")
    print(f"{'system':<28} {'nDCG@10':>8} {'MRR@10':>8} {'seconds':>8}")
    for name, gain, reciprocal, latency_s in measure(
        collection, sp.load(arguments.reranker), arguments.depth, arguments.max_length
    ):
        print(f"{name:<28} {gain:>8.4f} {reciprocal:>8.4f} {latency_s:>8.1f}")


if __name__ == "__main__":
    main()
