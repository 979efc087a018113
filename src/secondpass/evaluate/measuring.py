"""Ask systems the queries of a dataset, each by itself, and keep what they said and how long it took."""

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.figures import Latency
from secondpass.evaluate.prices import used
from secondpass.evaluate.systems import Answer, Question, System
from secondpass.types import Document

__all__ = ["Measured", "Runs", "candidates", "first_of", "latency", "measured", "texts_by_id", "timed"]

_WARM_UP = 4  # candidates that each reranker ranks before anything is timed


@dataclass
class Measured:
    """What one system said and took, at one depth.

    Attributes:
        ids: query id to document ids, best first.
        rest: query id to the candidates that were not ranked, in their order.
        seconds: of each query, with those of the first stage.
        own_seconds: of all queries, without those.
        pairs: how many documents were ranked.
        cached: how many scores came from a cache.
        usage: calls of servers and their tokens, see `secondpass.evaluate.prices.used`.
    """

    ids: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rest: dict[str, tuple[str, ...]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    own_seconds: float = 0.0
    pairs: int = 0
    cached: int = 0
    usage: Counter[str] = field(default_factory=Counter)

    def whole(self) -> dict[str, tuple[str, ...]]:
        """Return the rankings with the other candidates behind them, as they come."""
        return {query: ids + self.rest.get(query, ()) for query, ids in self.ids.items()}


Runs = dict[tuple[str, int], Measured]
"""What was measured, by a system's name and the depth."""


def measured(
    systems: Sequence[System], dataset: Dataset, k: int | None, depth: int, depths: Sequence[int], progress: bool
) -> tuple[Runs, System | None, list[Question]]:
    """Ask every query of every system in turn.

    Args:
        systems: what is asked.
        dataset: its judged queries are.
        k: how many documents are wanted; None for all.
        depth: of everything.
        depths: further ones of the rerankers.
        progress: show a bar.

    Returns:
        What they said and took; the system whose candidates are ranked, None for the dataset's; and the questions,
        with the candidates.
    """
    from tqdm import tqdm

    first_stage = None if dataset.candidates is not None else next(each for each in systems if each.searches)
    texts = texts_by_id(dataset)
    deepest = max(depth, *depths) if depths else depth
    tasks = [(system, depth) for system in systems]
    tasks += [(system, at) for system in systems if system.kind == "reranker" for at in depths if at != depth]
    runs: Runs = defaultdict(Measured)
    questions = []
    for at, query in enumerate(tqdm(dataset.judged, unit="query", delay=1, leave=False, disable=not progress)):
        question = Question(query, dataset.queries[query], (), (), deepest, k)
        if at == 0 and first_stage is not None:
            first_stage.answer(question)
        first, first_s = candidates(first_stage, dataset, question)
        question = replace(question, documents=[texts[name] for name in first.ids], scores=first.scores)
        questions.append(question)
        if at == 0:
            _warm_up([system for system in systems if system is not first_stage], question, depth)
        # Each begins in turn, so that no system always comes after the same other one.
        for system, ranked in tasks[at % len(tasks) :] + tasks[: at % len(tasks)]:
            of = runs[system.name, ranked]
            if system is first_stage:
                of.ids[query] = first.ids[: k or depth]
                of.seconds.append(first_s)
                of.usage += used(first.trace)
                continue
            answer, own_s = timed(system, first_of(question, ranked))
            of.ids[query] = answer.ids[: k or ranked]
            of.own_seconds += own_s
            of.seconds.append(own_s + first_s if system.kind == "reranker" else own_s)
            of.usage += used(answer.trace)
            if system.kind == "reranker":
                of.usage += used(first.trace)
                of.pairs += min(ranked, len(question.documents))
                of.cached += answer.trace.total("cache_hits") if answer.trace else 0
                of.rest[query] = tuple(name for name in first.ids if name not in set(answer.ids))
    return dict(runs), first_stage, questions


def candidates(first_stage: System | None, dataset: Dataset, question: Question) -> tuple[Answer, float]:
    """Return what is to be reranked: the first stage's answer and its seconds, or what came with the dataset."""
    if first_stage is not None and first_stage.kind != "candidates":
        return timed(first_stage, question)
    run = list((dataset.candidates or {}).get(question.id, {}).items())[: question.depth]
    return Answer(tuple(name for name, _ in run), tuple(score for _, score in run)), 0.0


def first_of(question: Question, n: int) -> Question:
    """Return a question with its first candidates only."""
    return replace(question, documents=question.documents[:n], scores=question.scores[:n], depth=n)


def timed(system: System, question: Question) -> tuple[Answer, float]:
    """Return an answer, and the seconds that it took."""
    start = time.perf_counter()
    answer = system.answer(question)
    return answer, time.perf_counter() - start


def latency(seconds: Sequence[float]) -> Latency:
    """Return the quantiles of the times of queries."""
    p50, p95, p99 = np.quantile(seconds, [0.5, 0.95, 0.99])
    return Latency(float(p50), float(p95), float(p99))


def texts_by_id(dataset: Dataset) -> dict[str, Document]:
    """Return a dataset's documents by their ids."""
    return {str(document["id"]): document for document in dataset.documents if not isinstance(document, str)}


def _warm_up(systems: Sequence[System], question: Question, depth: int) -> None:
    for system in systems:
        system.answer(first_of(question, _WARM_UP if system.kind == "reranker" else depth))
