r"""Fits the ready calibration of the default reranker on test collections, and measures it on each one left out.

    python -m training.ready score FOLDER... --out scores    # BEIR folders, or "stdlib"; each is scored once
    python -m training.ready fit scores/*.json --out src/secondpass/calibration/ready.json

A document is relevant from ``--min-grade`` on; one that nobody judged is not. The candidates are the first ones of
BM25, of the bi-encoder and of both (``--stages``), since the prior is of any retriever. A query that nothing answers
is one whose relevant documents were taken out of the collection. In the fit each set counts alike, however many
queries it has.

Printed, for each set by maps that were fitted on the others: how far probabilities are off (the expected calibration
error, in ten bins of equally many examples), for all candidates and for the ten that are shown, with what comes about
by chance alone, and with what 50 labels of one's own give (the ten shown of five queries, measured on the other
queries). And how well "nothing here answers" is told by the best logit, and by the first stage's best score.

Needs: pip install "secondpass[embedded,faiss,bm25]"
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import secondpass as sp
from secondpass.calibration import PlattCalibrator
from secondpass.calibration.base import Calibrator
from secondpass.composition.prior import rank_prior
from secondpass.errors import InputError
from secondpass.evaluate.beir import read_beir
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.stdlib_docs import stdlib_corpus, stdlib_qrels, stdlib_queries
from secondpass.logistic import FloatArray
from secondpass.models.sources.catalog import catalog
from secondpass.retrieve import BM25Retriever, DenseRetriever, HybridRetriever
from secondpass.types import Request

__all__ = ["Candidates", "area_under_curve", "calibration_error", "fit", "main", "read", "report", "score"]

MODEL = "ms-marco-MiniLM-L12-v2"
STAGES = ("BM25", "bi-encoder", "hybrid")
_DEPTH, _SHOWN, _OWN = 50, 10, 5
_WEIGHT = 2.0  # of the prior
_FIRST = 20  # documents of which the spread of logits is watched
_REPEATS = 100

Relevant = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a first stage found for a query.

    Attributes:
        logits: of the cross-encoder, in the order in which the documents came, shape (n_documents,).
        relevant: whether each is, shape (n_documents,).
        best: the first stage's best score.
    """

    logits: FloatArray
    relevant: Relevant
    best: float

    def scores(self, prior: bool) -> FloatArray:
        """Return the logits, or what they are with the retriever's prior among 50 documents."""
        return self.logits + _WEIGHT * rank_prior(_DEPTH)[: len(self.logits)] if prior else self.logits


Pair = tuple[Candidates, Candidates]
"""The candidates of a query, and those of the collection without the relevant documents."""

Set = Mapping[str, Sequence[Pair]]
"""The queries of a set, by first stage."""


def score(
    collection: Dataset, reranker: sp.Reranker, *, stages: Sequence[str], n_queries: int, depth: int, min_grade: int
) -> list[dict[str, Any]]:
    """Return the candidates of each query by first stage, and the logits of all of them, as plain data."""
    relevant = {
        query: sorted(document for document, grade in grades.items() if grade >= min_grade)
        for query, grades in collection.qrels.items()
    }
    judged = [query for query in collection.queries if relevant[query]]
    chosen = [judged[at] for at in np.random.default_rng(0).permutation(len(judged))[:n_queries]]
    texts = [collection.queries[query] for query in chosen]
    found = {stage: _retriever(stage).index(collection.documents).search(texts, 4 * depth) for stage in stages}
    documents = {document["id"]: document for document in collection.documents if not isinstance(document, str)}
    rows = []
    for at, query in enumerate(chosen):
        lists: dict[str, dict[str, list[tuple[str, float]]]] = {}
        for stage, rankings in found.items():
            hits = [(str(hit.id), round(hit.score, 5)) for hit in rankings[at]]
            others = [hit for hit in hits if hit[0] not in relevant[query]]
            lists[stage] = {"with": hits[:depth], "without": others[:depth]}
        pool = sorted({name for each in lists.values() for hits in each.values() for name, _ in hits})
        request = Request(texts[at], [documents[name] for name in pool])
        logits = np.round(reranker.score_many([request])[0].values, 4).tolist()
        logit_of = dict(zip(pool, logits, strict=True))
        rows.append({"query": query, "relevant": relevant[query], "stages": lists, "logits": logit_of})
    return rows


def _retriever(stage: str) -> BM25Retriever | DenseRetriever | HybridRetriever:
    if stage == "BM25":
        return BM25Retriever()
    return DenseRetriever() if stage == "bi-encoder" else HybridRetriever()


def read(path: Path) -> Set:
    """Return what `score` found, from a file."""
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]

    def candidates(row: Mapping[str, Any], stage: str, which: str) -> Candidates:
        hits = row["stages"][stage][which]
        names = [name for name, _ in hits]
        return Candidates(
            np.array([row["logits"][name] for name in names]), np.isin(names, row["relevant"]), hits[0][1]
        )

    return {
        stage: [(candidates(row, stage, "with"), candidates(row, stage, "without")) for row in rows]
        for stage in rows[0]["stages"]
    }


def fit(sets: Mapping[str, Set]) -> dict[str, Any]:
    """Return the ready calibration, as it stands in ready.json."""
    chosen = list(sets.values())
    seen = np.array([watched(one) for one in chosen])
    low, high = seen.min(axis=0), seen.max(axis=0)
    n_documents = sum(len(pair[0].logits) for one in chosen for pair in _pairs(one))
    n_answers = sum(2 * len(_answered(_pairs(one))) for one in chosen)
    margin = (high - low) / 4
    (least, narrow), (most, wide) = np.round(low - margin, 1).tolist(), np.round(high + margin, 1).tolist()
    return {
        "sha256": catalog()[MODEL].sha256,
        "documents": _plain(fit_documents(chosen, prior=False), n_documents),
        "with_prior": _plain(fit_documents(chosen, prior=True), n_documents),
        "answerable": _plain(fit_answerable(chosen), n_answers),
        "ranges": {"spread": [max(least, 0.0), most], "mean": [narrow, wide]},
    }


def fit_documents(sets: Sequence[Set], *, prior: bool) -> Calibrator:
    """Fit the map from scores to probabilities of relevance, on the candidates of all first stages."""
    every = [pair[0] for pair in _alike([_pairs(one) for one in sets])]
    scores = np.concatenate([candidates.scores(prior) for candidates in every])
    return PlattCalibrator.fit(scores, np.concatenate([candidates.relevant for candidates in every]))


def fit_answerable(sets: Sequence[Set]) -> Calibrator:
    """Fit the map from the best logit to the probability that something answers, where half of the queries have one."""
    every = _alike([_answered(_pairs(one)) for one in sets])
    best = [candidates.logits.max() for pair in every for candidates in pair]
    return PlattCalibrator.fit(np.array(best), np.tile([True, False], len(every)))


def _pairs(one: Set) -> list[Pair]:
    return [pair for pairs in one.values() for pair in pairs]


def _alike(sets: Sequence[Sequence[Pair]]) -> list[Pair]:
    """Return the pairs of all sets, those of small ones again and again, so that each set counts alike."""
    most = max(len(pairs) for pairs in sets)
    return [pairs[at % len(pairs)] for pairs in sets for at in range(most)]


def _answered(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the queries for which something relevant was found."""
    return [pair for pair in pairs if pair[0].relevant.any()]


def _plain(calibrator: Calibrator, n_examples: int) -> dict[str, Any]:
    config = calibrator.to_config() | {"n_examples": n_examples}  # each once
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in config.items()}


def watched(one: Set) -> tuple[float, float]:
    """Return the mean over queries of the standard deviation of the first logits, and of their mean."""
    firsts = [pair[0].logits[:_FIRST] for pair in _pairs(one)]
    return float(np.mean([first.std() for first in firsts])), float(np.mean([first.mean() for first in firsts]))


def calibration_error(probabilities: FloatArray, relevant: Relevant) -> float:
    """Return the expected calibration error in ten bins of equally many examples."""
    edges = np.quantile(probabilities, np.linspace(0, 1, 11)[1:-1])
    sums = np.bincount(np.searchsorted(edges, probabilities), weights=relevant - probabilities)
    return float(np.abs(sums).sum() / len(relevant))


def by_chance(probabilities: FloatArray) -> float:
    """Return the error that so many examples have on average where nothing is wrong."""
    random = np.random.default_rng(0)
    drawn = (random.random(len(probabilities)) < probabilities for _ in range(_REPEATS))
    return float(np.mean([calibration_error(probabilities, relevant) for relevant in drawn]))


def area_under_curve(higher: Sequence[float], lower: Sequence[float]) -> float:
    """Return how often one of the first stands above one of the second; ties count half."""
    first, second = np.array(higher)[:, None], np.array(lower)[None]
    return float(((first > second) + 0.5 * (first == second)).mean())


def own_labels(shown: Sequence[tuple[FloatArray, Relevant]]) -> float:
    """Return the mean error by a fit on the ten shown of five queries, on the other queries."""
    random, errors = np.random.default_rng(0), []
    for _ in range(_REPEATS):
        order = random.permutation(len(shown))
        ours, others = (_joined([shown[at] for at in part]) for part in (order[:_OWN], order[_OWN:]))
        try:
            calibrator = PlattCalibrator.fit(*ours)
        except InputError:  # none of the fifty is relevant, or they don't score higher
            continue
        errors.append(calibration_error(calibrator.apply(others[0]), others[1]))
    return float(np.mean(errors)) if errors else float("nan")


def _joined(examples: Sequence[tuple[FloatArray, Relevant]]) -> tuple[FloatArray, Relevant]:
    return np.concatenate([scores for scores, _ in examples]), np.concatenate([relevant for _, relevant in examples])


def _of_documents(calibrator: Calibrator, pairs: Sequence[Pair], prior: bool) -> list[float]:
    every = [(pair[0].scores(prior), pair[0].relevant) for pair in pairs]
    orders = [np.argsort(-scores, kind="stable")[:_SHOWN] for scores, _ in every]
    shown = [(scores[order], relevant[order]) for (scores, relevant), order in zip(every, orders, strict=True)]
    values = []
    for examples in (every, shown):
        scores, relevant = _joined(examples)
        probabilities = calibrator.apply(scores)
        values += [calibration_error(probabilities, relevant), by_chance(probabilities)]
    return [*values, own_labels(shown), float(relevant.mean()), float(probabilities.mean())]


def report(sets: Mapping[str, Set]) -> None:
    """Print how good the maps are on each set that was left out."""
    columns = ("all", "chance", "shown", "chance", "50 own", "relevant", "said")
    for prior in (False, True):
        print("with the prior" if prior else "the cross-encoder alone")
        table = {}
        for name, one in sets.items():
            calibrator = fit_documents([other for at, other in sets.items() if at != name], prior=prior)
            table[name] = np.mean([_of_documents(calibrator, pairs, prior) for pairs in one.values()], axis=0).tolist()
        _print(columns, table)
    print("whether something answers: area under the curve by the best logit and the first stage's best score; error")
    table = {}
    for name, one in sets.items():
        calibrator = fit_answerable([other for at, other in sets.items() if at != name])
        for stage, pairs in one.items():
            answered = _answered(pairs)
            logits = [[float(each.logits.max()) for each in pair] for pair in answered]
            with_prior = [[float(each.scores(True).max()) for each in pair] for pair in answered]
            first = [[each.best for each in pair] for pair in answered]
            curves = [area_under_curve(*zip(*each, strict=True)) for each in (logits, with_prior, first)]
            said, true = calibrator.apply(np.ravel(logits)), np.tile([True, False], len(answered))
            table[f"{name} {stage}"] = [*curves, calibration_error(said, true), by_chance(said), len(answered)]
    _print(("logit", "+ prior", "first", "error", "chance", "queries"), table)


def _print(columns: Sequence[str], table: Mapping[str, Sequence[float]]) -> None:
    print(f"{'':<24}" + "".join(f"{column:>9}" for column in columns))
    for name, values in {**table, "mean": np.mean(list(table.values()), axis=0).tolist()}.items():
        print(f"{name:<24}" + "".join(f"{value:>9.3f}" for value in values))
    print()


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments, and score or fit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    scoring = steps.add_parser("score", help="score the candidates of each collection, and store the logits")
    scoring.add_argument("folders", nargs="+", help='BEIR folders, or "stdlib"')
    scoring.add_argument("--out", type=Path, required=True, help="a folder for the scores")
    scoring.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES)
    scoring.add_argument("--queries", type=int, default=30, help="of each collection")
    scoring.add_argument("--depth", type=int, default=50, help="candidates of each query")
    scoring.add_argument("--min-grade", type=int, default=1, help="the lowest grade that is relevant")
    fitting = steps.add_parser("fit", help="fit on all sets, and measure on each one left out")
    fitting.add_argument("scores", nargs="+", type=Path)
    fitting.add_argument("--out", type=Path, help="the file for the calibration")
    options = parser.parse_args(arguments)
    if options.step == "fit":
        sets = {path.stem: read(path) for path in options.scores}
        report(sets)
        if options.out:
            options.out.write_text(json.dumps({MODEL: fit(sets)}, indent=2) + "\n", encoding="utf-8")
        return
    reranker = sp.CrossEncoderReranker(MODEL, on_foreign="score")
    options.out.mkdir(parents=True, exist_ok=True)
    for folder in options.folders:
        stdlib = folder == "stdlib"
        collection = Dataset(stdlib_corpus(), stdlib_queries(), stdlib_qrels()) if stdlib else read_beir(folder)
        settings = {"stages": options.stages, "n_queries": options.queries, "depth": options.depth}
        rows = score(collection, reranker, min_grade=options.min_grade, **settings)
        name = Path(folder).name
        (options.out / f"{name}.json").write_text(json.dumps({"name": name, "rows": rows}), encoding="utf-8")


if __name__ == "__main__":
    main()
