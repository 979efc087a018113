"""Whether it can be told that passages answer a question: `SufficiencyCheck` beside the best scores of both stages.

    python benchmarks/sufficiency.py                     # the questions about the standard library
    python benchmarks/sufficiency.py FOLDER [FOLDER...]  # any BEIR folders as well: corpus.jsonl, queries.jsonl, qrels

Of each judged query the hybrid retriever's first candidates are one example that can be answered, if one of them is
relevant, and those that are left when all relevant documents are taken out of the collection are one that can't.
``--grade`` says from which grade on a document is relevant: 2 for TREC's passages, where 1 is on the topic only.
What is left may hold an answer that nobody judged, so no figure here can reach 1.

Side by side: the best BM25 score, the best cosine of the bi-encoder, the best score of the reranker, and the
probability of `SufficiencyCheck`, with its expected calibration error (half of the examples have an answer). With more
than one set, "fitted" is a logistic regression on the best and the mean reranker score and the best cosine, fitted on
the other sets. AUC with a 95 % interval by bootstrap over the examples; the last table is the mean over the sets.

Needs: pip install "secondpass[embedded,faiss,bm25]"
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import secondpass as sp
from secondpass.calibration import probability_quality
from secondpass.evaluate.beir import read_beir
from secondpass.evaluate.classification import Resampling, roc_auc
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.statistics import Estimate
from secondpass.evaluate.stdlib_docs import stdlib_dataset
from secondpass.logistic import FloatArray, maximum_likelihood
from secondpass.retrieve import BM25Retriever, DenseRetriever, HybridRetriever

SYSTEMS = ("best BM25 score", "best cosine", "best reranker score", "sufficiency")
RESAMPLING = Resampling()


@dataclass(frozen=True, slots=True)
class Examples:
    """What was said of n lists of passages.

    Attributes:
        answerable: shape (n,).
        queries: shape (n,), which of them belong together.
        said: by system, shape (n,).
        features: shape (n, 4), for the regression: the reranker's best and mean score, the best cosine, and 1.
    """

    answerable: np.ndarray
    queries: np.ndarray
    said: Mapping[str, FloatArray]
    features: FloatArray


def lists(collection: Dataset, found: Mapping[str, sp.Ranking], grade: int, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield each query with its candidates, and once more without those that are relevant."""
    for query, ranking in found.items():
        relevant = {document for document, of in collection.qrels[query].items() if of >= grade}
        first = list(ranking.top(depth))
        left = [hit for hit in ranking if hit.id not in relevant][:depth]
        if len(left) == depth and any(hit.id in relevant for hit in first):
            yield from ((query, first), (query, left))


def measure(collection: Dataset, check: sp.SufficiencyCheck, grade: int, depth: int) -> Examples:
    """Say of each list by each system whether it answers."""
    words, vectors = BM25Retriever(), DenseRetriever()
    hybrid = HybridRetriever([words, vectors]).index(collection.documents, progress=True)
    asked = {query: collection.queries[query] for query in collection.judged}
    n_candidates = depth + max(len(judged) for judged in collection.qrels.values())

    def search(retriever: Any) -> dict[str, sp.Ranking]:
        return dict(zip(asked, retriever.search(list(asked.values()), n_candidates), strict=True))

    scores = [
        {query: {hit.id: hit.score for hit in ranking} for query, ranking in search(each).items()}
        for each in (words, vectors)
    ]
    examples = list(lists(collection, search(hybrid), grade, depth))
    said: dict[str, list[float]] = {name: [] for name in SYSTEMS}
    features = []
    for query, hits in examples:
        result = check.check(asked[query], [hit.document for hit in hits])
        logits = [document.score for document in result.ranking]
        by_words, by_vectors = (max(of[query].get(hit.id, 0.0) for hit in hits) for of in scores)
        for name, value in zip(SYSTEMS, (by_words, by_vectors, max(logits), result.probability), strict=True):
            said[name].append(value)
        features.append([max(logits), float(np.mean(logits)), by_vectors, 1.0])
    number = {query: at for at, query in enumerate(dict.fromkeys(query for query, _ in examples))}
    return Examples(
        np.arange(len(examples)) % 2 == 0,
        np.array([number[query] for query, _ in examples]),
        {name: np.array(values) for name, values in said.items()},
        np.array(features),
    )


def fitted(name: str, sets: Mapping[str, Examples]) -> FloatArray:
    """Return what a regression, which was fitted on the other sets, says of a set."""
    others = [examples for other, examples in sets.items() if other != name]
    answerable = np.concatenate([each.answerable for each in others])
    weights = maximum_likelihood(np.concatenate([each.features for each in others]), np.where(answerable, 0.99, 0.01))
    return np.asarray(sets[name].features @ weights)


def report(rows: Mapping[str, Sequence[Estimate]]) -> None:
    """Print the AUC of each system: of one set with its interval, of several the mean."""
    for system, estimates in rows.items():
        mean = np.mean([[each.value, each.low, each.high] for each in estimates], axis=0)
        between = f" ({mean[1]:.3f} to {mean[2]:.3f})" if len(estimates) == 1 else ""
        print(f"  {system:<20} AUC {mean[0]:.3f}{between}")


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", help="BEIR folders")
    parser.add_argument("--reranker", default="cross-encoder", help='such as "cross-encoder:MODEL"')
    parser.add_argument("--depth", type=int, default=10, help="passages in a list")
    parser.add_argument("--grade", type=int, default=1, help="the lowest grade of a relevant document, in the folders")
    parser.add_argument("--queries", type=int, help="at most so many of each set")
    arguments = parser.parse_args()
    check = sp.SufficiencyCheck(arguments.reranker, verifier=None)
    collections = {"standard library": (stdlib_dataset(), 1)}
    for folder in arguments.folders:
        collections[Path(folder).name] = read_beir(folder, missing="drop"), arguments.grade
    sets: dict[str, Examples] = {}
    for name, (whole, grade) in collections.items():
        collection = whole.sample(arguments.queries or len(whole.judged))
        sets[name] = measure(collection, check, grade, arguments.depth)
    every: dict[str, list[Estimate]] = {}
    for name, examples in sets.items():
        said = examples.said | ({"fitted": fitted(name, sets)} if len(sets) > 1 else {})
        rows = {system: [roc_auc(examples.answerable, of, RESAMPLING)] for system, of in said.items()}
        quality = probability_quality(examples.said["sufficiency"], examples.answerable, examples.queries)
        print(f"{name}: {len(examples.answerable)} lists of {arguments.depth}, half of them without an answer")
        report(rows)
        print(f"  ECE of sufficiency   {quality.ece:.3f}", flush=True)
        for system, estimates in rows.items():
            every.setdefault(system, []).extend(estimates)
    print(f"mean over {len(sets)} sets")
    report(every)


if __name__ == "__main__":
    main()
