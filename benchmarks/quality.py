"""nDCG@10 and MRR@10 of the first stages, of the hybrid one's candidates reranked, and of the default.

    python benchmarks/quality.py                     # the questions about the standard library
    python benchmarks/quality.py FOLDER [FOLDER...]  # any BEIR folders: corpus.jsonl, queries.jsonl, qrels

"reranked" is the reranker alone, "default" with the retriever's prior, as `RetrieveRerank` has it. Beside each system
stands by how much the default is better, with a 95 % interval by bootstrap over queries, and below whether the
default is worse than the best first stage. The last line is the mean over the sets.

Needs: pip install "secondpass[embedded,faiss,bm25,eval]"
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

import secondpass as sp
from secondpass.evaluate.beir import read_beir
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.metrics import per_query
from secondpass.evaluate.stdlib_docs import stdlib_dataset
from secondpass.retrieve import BM25Retriever, DenseRetriever, HybridRetriever, RetrieveRerank

FIRST_STAGES = ("BM25", "bi-encoder", "hybrid")
Values = npt.NDArray[np.float64]


def measure(
    collection: Dataset, reranker: sp.Reranker, depth: int, max_length: int | None
) -> dict[str, tuple[Values, Values, float]]:
    """Return nDCG@10 and MRR@10 of each query, and the seconds for all queries, by system."""
    words, vectors = BM25Retriever(), DenseRetriever(max_length=max_length)
    hybrid = HybridRetriever([words, vectors]).index(collection.documents, progress=True)
    systems = {
        "BM25": words,
        "bi-encoder": vectors,
        "hybrid": hybrid,
        "reranked": RetrieveRerank(hybrid, reranker, depth=depth, prior=False),
        "default": RetrieveRerank(hybrid, reranker, depth=depth),
    }
    results = {}
    for name, system in systems.items():
        start = time.perf_counter()
        rankings: Sequence[sp.Ranking] = system.search(list(collection.queries.values()), 10)
        latency_s = time.perf_counter() - start
        run = {query: [hit.id for hit in ranking] for query, ranking in zip(collection.queries, rankings, strict=True)}
        ndcg, mrr = (per_query(collection.qrels, run, of) for of in ("nDCG@10", "RR@10"))
        results[name] = np.array([*ndcg.values()]), np.array([*mrr.values()]), latency_s
    return results


def interval(differences: Mapping[str, Values], n_samples: int = 10_000) -> tuple[float, float, float]:
    """Return the mean over sets of the mean over queries, and its 95 % interval: queries resampled within their set."""
    random = np.random.default_rng(0)
    means = [
        values[random.integers(0, len(values), (n_samples, len(values)))].mean(1) for values in differences.values()
    ]
    low, high = np.percentile(np.mean(means, axis=0), [2.5, 97.5])
    return float(np.mean([values.mean() for values in differences.values()])), float(low), float(high)


def shown(differences: Mapping[str, Values]) -> str:
    """Return a difference with its interval and what follows from that."""
    mean, low, high = interval(differences)
    verdict = "better" if low > 0 else "worse" if high < 0 else "no difference that one could tell from chance"
    return f"{mean:+.3f} ({low:+.3f} to {high:+.3f}): {verdict}"


def report(results: Mapping[str, tuple[Values, Values, float]]) -> str:
    """Print the table of a set, and return its best first stage."""
    default = results["default"][0]
    print(f"{'system':<12} {'nDCG@10':>8} {'MRR@10':>8} {'seconds':>8}  the default against it")
    for name, (ndcg, mrr, latency_s) in results.items():
        against = "" if name == "default" else shown({name: default - ndcg})
        print(f"{name:<12} {ndcg.mean():>8.3f} {mrr.mean():>8.3f} {latency_s:>8.1f}  {against}".rstrip())
    return max(FIRST_STAGES, key=lambda name: float(results[name][0].mean()))


def main() -> None:
    """Read the arguments, measure, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", help="BEIR folders; the standard library's questions without one")
    parser.add_argument("--reranker", default="cross-encoder", help='such as "cross-encoder:MODEL"')
    parser.add_argument("--depth", type=int, default=50, help="candidates that are reranked")
    parser.add_argument("--max-length", type=int, help="tokens of a document that the bi-encoder sees")
    parser.add_argument("--queries", type=int, help="at most so many of each set")
    arguments = parser.parse_args()
    sets = {Path(folder).name: read_beir(folder) for folder in arguments.folders}
    if not sets:
        sets = {"standard library": stdlib_dataset()}
    loaded = sp.load(arguments.reranker)
    # "reranked" and "default" are of the same scores, so the second of them costs nothing.
    reranker = sp.CachedReranker(loaded, cache={"type": "memory", "max_bytes": 1 << 30}) if loaded.pointwise else loaded
    gains: dict[str, dict[str, Values]] = {name: {} for name in (*FIRST_STAGES, "best first stage", "reranked")}
    for name, whole in sets.items():
        collection = whole.sample(arguments.queries or len(whole.judged))
        print(f"{name}: {len(collection.documents)} documents, {len(collection.queries)} queries", end="")
        print(f", depth {arguments.depth}")
        results = measure(collection, reranker, arguments.depth, arguments.max_length)
        best = report(results)
        print(f"best first stage: {best}\n", flush=True)
        for system in gains:
            ndcg = results[best if system == "best first stage" else system][0]
            gains[system][name] = results["default"][0] - ndcg
    print(f"mean over {len(sets)} sets: nDCG@10 of the default against")
    for system, of_sets in gains.items():
        print(f"{system:<18} {shown(of_sets)}")


if __name__ == "__main__":
    main()
