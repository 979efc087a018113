"""What int8 costs: quality and order of each precision of one model, against float32.

    python benchmarks/precision.py                        # the questions about the standard library
    python benchmarks/precision.py FOLDER --depth 100     # any BEIR folder

The bi-encoder's first candidates are scored by the default reranker in every precision. Printed are nDCG@10, the mean
rank correlation (Spearman's) with float32 over a query's candidates, and of float32's ten best: how many are among the
other's ten best, how many of their 45 pairs stand in the same order, and for how many queries all ten stand in it. The
seconds are of one run, one system after the other.

Needs: pip install "secondpass[embedded,faiss,openvino]" scipy
"""

import argparse
import itertools
import time
from collections.abc import Callable

import numpy as np
from scipy.stats import spearmanr

import secondpass as sp
from secondpass.evaluate.beir import read_beir
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.metrics import ndcg
from secondpass.evaluate.stdlib_docs import stdlib_corpus, stdlib_qrels, stdlib_queries
from secondpass.retrieve import DenseRetriever

_FIRST = 20  # of int8's best, scored again

SYSTEMS: dict[str, Callable[[], sp.Reranker]] = {
    "float32": lambda: sp.CrossEncoderReranker(long_documents="truncate", precision="float32"),
    "int8 (the default)": lambda: sp.CrossEncoderReranker(long_documents="truncate"),
    "int8, as exported": lambda: sp.CrossEncoderReranker(long_documents="truncate", precision="exported"),
    "OpenVINO, int8": lambda: sp.CrossEncoderReranker(long_documents="truncate", backend="openvino", precision="int8"),
    "OpenVINO, bfloat16": lambda: sp.CrossEncoderReranker(
        long_documents="truncate", backend="openvino", precision="bfloat16"
    ),
    f"int8, and its best {_FIRST} in float32": lambda: sp.CascadeReranker(
        [
            sp.CrossEncoderReranker(long_documents="truncate"),
            sp.CrossEncoderReranker(long_documents="truncate", precision="float32"),
        ],
        keep=[_FIRST],
    ),
}


def agreement(expected: np.ndarray, found: np.ndarray) -> tuple[float, float, float, bool]:
    """Return the rank correlation, the shares of the ten best and of their pairs in order, and whether all are."""
    best, other = np.argsort(-expected, kind="stable")[:10], np.argsort(-found, kind="stable")[:10]
    in_order = [found[first] >= found[second] for first, second in itertools.combinations(best, 2)]
    shared = len(set(best.tolist()) & set(other.tolist())) / len(best)
    return (
        float(spearmanr(expected, found).statistic),
        shared,
        float(np.mean(in_order)),
        best.tolist() == other.tolist(),
    )


def main() -> None:
    """Read the arguments, score, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", help="a BEIR folder; the standard library's questions without one")
    parser.add_argument("--depth", type=int, default=50, help="candidates of each query")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS)[1:])
    arguments = parser.parse_args()
    if arguments.folder:
        collection = read_beir(arguments.folder)
    else:
        collection = Dataset(stdlib_corpus(), stdlib_queries(), stdlib_qrels())
    dense = DenseRetriever().index(collection.documents, progress=True)
    candidates = dense.search(list(collection.queries.values()), arguments.depth)
    ids = [[hit.id for hit in ranking] for ranking in candidates]
    requests = [(ranking.query, [hit.text for hit in ranking]) for ranking in candidates]
    scores: dict[str, list[np.ndarray]] = {}
    print(f"{len(collection.queries)} queries, depth {arguments.depth}\n")
    print("| system | nDCG@10 | rank correlation | ten best shared | pairs in order | all ten in order | seconds |")
    print("| --- | --: | --: | --: | --: | --: | --: |")
    for name in ("float32", *arguments.systems):
        reranker = SYSTEMS[name]()
        begun = time.perf_counter()
        scores[name] = [scored.values for scored in reranker.score_many([sp.Request(*one) for one in requests])]
        seconds = time.perf_counter() - begun
        run = {
            query: [own[at] for at in np.argsort(-values, kind="stable")]
            for query, own, values in zip(collection.queries, ids, scores[name], strict=True)
        }
        found = [agreement(*pair) for pair in zip(scores["float32"], scores[name], strict=True)]
        correlation, shared, in_order, exact = np.array(found, dtype=float).T
        print(
            f"| {name} | {ndcg(collection.qrels, run):.4f} | {correlation.mean():.4f} | {shared.mean():.3f} "
            f"| {in_order.mean():.3f} | {int(exact.sum())} | {seconds:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
