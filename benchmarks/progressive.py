"""Progressive scoring and smaller models against the whole model: quality, time and memory.

    python benchmarks/progressive.py                     # the questions about the standard library
    python benchmarks/progressive.py FOLDER [FOLDER...]  # any BEIR folders: corpus.jsonl, queries.jsonl, qrels
    python benchmarks/progressive.py --backend openvino --caution 0.75 1 1.5
    python benchmarks/progressive.py --model fast        # each as it is, and before the whole model in a cascade

The same candidates (``--first``), one query at a time, all systems in turn. "cost" is the processor time of a query
against that of the whole model, "wall" the time on the clock, both as ratios of medians over the queries; "pairs/s" is
by the clock. "in the end" is the share of documents that went through all layers, "the same" the share of the whole
model's first ten that are among the first ten. Differences in nDCG@10 are paired, with 95 % intervals by bootstrap over
queries; "prior" is the difference when both have the retriever's prior, as adapters and `RetrieveRerank` have it.
Memory is that of a process that has loaded one of them and ranked one query.

Needs: pip install "secondpass[embedded,faiss,bm25,eval]"
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

import secondpass as sp
from secondpass.composition.prior import rank_prior
from secondpass.evaluate import Dataset, Difference, per_query, read_beir, stdlib_dataset
from secondpass.evaluate.statistics import paired_difference
from secondpass.retrieve import BM25Retriever, DenseRetriever, HybridRetriever, Retriever

FIRST: Mapping[str, Callable[[], Retriever]] = {
    "bm25": BM25Retriever,
    "dense": DenseRetriever,
    "hybrid": lambda: HybridRetriever([BM25Retriever(), DenseRetriever()]),
}
WHOLE = "whole model"
_PRIOR = 2.0  # the weight of `PriorReranker`
_K = 10
_LOADED = """
import sys, secondpass as sp
reranker = sp.load(sys.argv[1], backend=sys.argv[2])
reranker.rerank("how do I copy a file", ["shutil.copy copies a file to another place."] * 2)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")))
"""


@dataclass
class Measured:
    """What one system did.

    Attributes:
        values: the scores of each query's candidates.
        cpu_s: processor time of each query.
        wall_s: time on the clock of each query.
        finished: of the documents of each query, the share that went through all layers.
    """

    values: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    cpu_s: list[float] = field(default_factory=list)
    wall_s: list[float] = field(default_factory=list)
    finished: list[float] = field(default_factory=list)


def measure(
    systems: Mapping[str, sp.Reranker], collection: Dataset, first: Retriever, depth: int
) -> tuple[dict[str, list[str]], dict[str, Measured]]:
    """Return the candidates of each query, and what each system did with them, query by query in turn."""
    queries = collection.queries
    found = first.index(collection.documents).search(list(queries.values()), depth)
    results = {name: Measured() for name in systems}
    ids: dict[str, list[str]] = {}
    for at, (query, ranking) in enumerate(zip(queries, found, strict=True)):
        if not len(ranking):
            continue
        ids[query] = [hit.id for hit in ranking]
        names = list(systems)
        for name in names[at % len(names) :] + names[: at % len(names)]:
            wall, cpu = time.perf_counter(), time.process_time()
            (scores,) = systems[name].score_many([sp.Request(queries[query], ranking.texts, _K)])
            measured = results[name]
            measured.cpu_s.append(time.process_time() - cpu)
            measured.wall_s.append(time.perf_counter() - wall)
            measured.values[query] = scores.values
            measured.finished.append(scores.trace.counts.get("finished", len(scores)) / len(scores))
    return ids, results


def best(ids: Sequence[str], values: npt.NDArray[np.float64], prior: bool = False) -> list[str]:
    """Return the first ten, with the retriever's prior or without."""
    values = values + _PRIOR * rank_prior(len(values)) if prior else values
    return [ids[at] for at in np.argsort(-values, kind="stable")[:_K]]


def difference(
    collection: Dataset, ids: Mapping[str, Sequence[str]], system: Measured, whole: Measured, *, prior: bool = False
) -> tuple[float, Difference]:
    """Return nDCG@10 of a system, and how far that lies above the whole model's."""
    quality = [
        per_query(collection.qrels, {query: best(ids[query], each.values[query], prior) for query in ids}, "nDCG@10")
        for each in (system, whole)
    ]
    ours, theirs = ([*each.values()] for each in quality)
    return float(np.mean(ours)), paired_difference(ours, theirs, confidence=0.95, n_samples=10_000, seed=0)


def report(collection: Dataset, ids: Mapping[str, Sequence[str]], results: Mapping[str, Measured]) -> None:
    """Print a line for each system."""
    whole = results[WHOLE]
    print("| system | nDCG@10 | difference | with the prior | the same | in the end | cost | wall | pairs/s |")
    print("| --- | --: | --- | --- | --: | --: | --: | --: | --: |")
    pairs = sum(map(len, ids.values()))
    for name, system in results.items():
        quality, plain = difference(collection, ids, system, whole)
        _, with_prior = difference(collection, ids, system, whole, prior=True)
        same = statistics.mean(
            len({*best(ids[query], system.values[query])} & {*best(ids[query], whole.values[query])})
            / min(_K, len(ids[query]))
            for query in ids
        )
        cpu, wall = (
            statistics.median(getattr(system, each)) / statistics.median(getattr(whole, each))
            for each in ("cpu_s", "wall_s")
        )
        differences = " | ".join(f"{d.value:+.4f} ({d.low:+.4f} to {d.high:+.4f})" for d in (plain, with_prior))
        speed = pairs / sum(system.wall_s)
        print(
            f"| {name} | {quality:.4f} | {differences} | {same:.3f} | {statistics.mean(system.finished):.2f} "
            f"| {cpu:.2f} | {wall:.2f} | {speed:.0f} |",
            flush=True,
        )


def memory_mb(reranker: str, backend: str) -> float:
    """Return what a process holds that has loaded a reranker; Linux only."""
    command = [sys.executable, "-c", _LOADED, reranker, backend]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) / 1024


def main() -> None:
    """Read the arguments, measure, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", help="BEIR folders; the standard library's questions without one")
    parser.add_argument("--first", choices=FIRST, default="bm25", help="the first stage")
    parser.add_argument("--depth", type=int, default=50, help="candidates of a query")
    parser.add_argument("--queries", type=int, help="at most so many of each set")
    parser.add_argument("--caution", type=float, nargs="*", default=[1.0])
    parser.add_argument("--model", nargs="*", default=[], help="smaller models, by name or folder")
    parser.add_argument("--backend", default="auto", help="auto or openvino")
    arguments = parser.parse_args()
    sets = {Path(folder).name: read_beir(folder) for folder in arguments.folders}
    if not sets:
        sets = {"standard library": stdlib_dataset()}
    systems: dict[str, sp.Reranker] = {WHOLE: sp.CrossEncoderReranker(backend=arguments.backend)}
    for caution in arguments.caution:
        systems[f"caution {caution:g}"] = sp.ProgressiveReranker(caution=caution, backend=arguments.backend)
    for name in arguments.model:
        small = sp.CrossEncoderReranker(name, backend=arguments.backend)
        systems[name] = small
        systems[f"{name} > 20 > whole"] = sp.CascadeReranker([small, systems[WHOLE]], keep=[20])
    for system in systems.values():  # what is done once is not counted
        system.rerank("how do I copy a file", ["shutil.copy copies a file to another place."] * 2)
    for name, of_set in sets.items():
        collection = of_set.sample(arguments.queries or len(of_set.judged))
        first = FIRST[arguments.first]()
        ids, results = measure(systems, collection, first, arguments.depth)
        print(f"{name}: {len(ids)} queries, {arguments.depth} candidates of {arguments.first}\n")
        report(collection, ids, results)
        print(flush=True)
    loaded = {"the whole model": "cross-encoder", "with exits": "progressive"}
    loaded |= {name: f"cross-encoder:{name}" for name in arguments.model}
    held = ", ".join(f"{title} {memory_mb(name, arguments.backend):.0f}" for title, name in loaded.items())
    print(f"memory in MB: {held}")


if __name__ == "__main__":
    main()
