"""What can be compared, and how each is asked: retrievers, rerankers, runs and functions."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from secondpass.base import Reranker
from secondpass.errors import CompositionError, ConfigError, InputError
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.reading import read_run
from secondpass.loading import load
from secondpass.retrieve.base import Retriever
from secondpass.retrieve.two_stage import RetrieveRerank
from secondpass.types import Document, Ranking, Trace
from secondpass.validation import shown

__all__ = ["Answer", "Question", "System", "as_system", "as_systems"]


@dataclass(frozen=True, slots=True)
class Question:
    """A query with what a system may need to answer it.

    Attributes:
        id: the query's.
        text: what is asked.
        documents: the candidates, best first; only rerankers look at them.
        scores: the first stage's scores of the candidates.
        depth: how many documents to return at most.
        k: how many documents are wanted; None for ``depth``.
    """

    id: str
    text: str
    documents: Sequence[Document]
    scores: Sequence[float]
    depth: int
    k: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """Document ids, best first, with the scores that made them candidates, and what happened."""

    ids: tuple[str, ...]
    scores: tuple[float, ...]
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class System:
    """A system under its name.

    Attributes:
        name: as it was passed.
        kind: ``candidates``, ``retriever``, ``two-stage``, ``reranker``, ``run`` or ``function``.
        answer: asks it.
        subject: the retriever or reranker itself; None if it is neither.
    """

    name: str
    kind: str
    answer: Callable[[Question], Answer]
    subject: "Reranker | Retriever | RetrieveRerank | None" = None

    @property
    def searches(self) -> bool:
        """Whether it finds documents by itself, and so can be a first stage."""
        return self.kind in ("retriever", "two-stage", "run", "function")

    @property
    def timed(self) -> bool:
        """Whether it does something that takes time."""
        return self.kind not in ("run", "candidates")


def as_systems(systems: Mapping[str, Any], dataset: Dataset, *, progress: bool) -> list[System]:
    """Return systems in their order, those that search with an index.

    Args:
        systems: name to a `Reranker`, its name or configuration, a `Retriever`, a `RetrieveRerank`, a run, a function
            from a query to document ids, or None for the dataset's candidates.
        dataset: what is indexed where nothing is.
        progress: show bars while documents are indexed.

    Raises:
        ConfigError: there are fewer than two, or one is something else.
        CompositionError: there are rerankers, or None, and no candidates for them.
        InputError: a run can't be read.
    """
    if not isinstance(systems, Mapping) or len(systems) < 2:
        raise ConfigError(
            f"compare needs at least two systems, such as {{'BM25': BM25Retriever(), 'L12': CrossEncoderReranker()}}, "
            f"not {shown(systems)}"
        )
    found = [as_system(str(name), system, dataset, progress=progress) for name, system in systems.items()]
    if dataset.candidates is None:
        if any(system.kind == "candidates" for system in found):
            raise CompositionError("None stands for the dataset's candidates, and the dataset has none")
        if not any(system.searches for system in found):
            raise CompositionError(
                f"{found[0].name!r} is a reranker, which ranks candidates, and nothing finds any: put a retriever "
                f"among the systems, or give the dataset candidates"
            )
    return found


def as_system(name: str, system: Any, dataset: Dataset, *, progress: bool = False) -> System:
    """Return one system; arguments and errors are those of `as_systems`."""
    if system is None:
        return System(name, "candidates", _candidates)
    if isinstance(system, Retriever | RetrieveRerank):
        kind = "two-stage" if isinstance(system, RetrieveRerank) else "retriever"
        return System(name, kind, _searching(name, system, dataset, progress), system)
    if isinstance(system, Reranker):
        return System(name, "reranker", _reranking(system), system)
    if isinstance(system, str) or (isinstance(system, Mapping) and "type" in system):
        return as_system(name, load(system), dataset, progress=progress)
    if isinstance(system, Mapping | os.PathLike) or hasattr(system, "columns"):
        return System(name, "run", _given(name, read_run(system), dataset))
    if callable(system):
        return System(name, "function", _called(name, system, dataset))
    raise ConfigError(
        f"{name!r} is {shown(system)}; a system is a Reranker or its name, a Retriever, a run, a function from a query "
        f"to document ids, or None for the dataset's candidates"
    )


def _candidates(question: Question) -> Answer:
    ids = tuple(str(document["id"]) for document in question.documents if not isinstance(document, str))
    return Answer(ids, tuple(question.scores))


def _reranking(reranker: Reranker) -> Callable[[Question], Answer]:
    def answer(question: Question) -> Answer:
        ranking = reranker.rerank(question.text, question.documents, k=question.k, initial_scores=list(question.scores))
        return _answer(ranking)

    return answer


def _searching(
    name: str, search: Retriever | RetrieveRerank, dataset: Dataset, progress: bool
) -> Callable[[Question], Answer]:
    retriever = search.retriever if isinstance(search, RetrieveRerank) else search
    if not len(retriever):
        retriever.index(dataset.documents, progress=progress)
    known = _known(dataset)

    def answer(question: Question) -> Answer:
        return _checked(name, _answer(search.search(question.text, question.depth)), known)

    return answer


def _given(name: str, run: Mapping[str, Mapping[str, float]], dataset: Dataset) -> Callable[[Question], Answer]:
    known = _known(dataset)

    def answer(question: Question) -> Answer:
        ranking = list(run.get(question.id, {}).items())[: question.depth]
        return _checked(name, Answer(tuple(each for each, _ in ranking), tuple(score for _, score in ranking)), known)

    return answer


def _called(name: str, function: Callable[[str], Any], dataset: Dataset) -> Callable[[Question], Answer]:
    known = _known(dataset)

    def answer(question: Question) -> Answer:
        found = function(question.text)
        if isinstance(found, str | bytes) or not isinstance(found, Sequence):
            raise InputError(f"{name!r} must return a list of document ids, best first, not {shown(found)}")
        ids = tuple(map(str, found))[: question.depth]
        return _checked(name, Answer(ids, tuple(-float(rank) for rank in range(1, len(ids) + 1))), known)

    return answer


def _answer(ranking: Ranking) -> Answer:
    return Answer(tuple(str(d.id) for d in ranking), tuple(d.score for d in ranking), ranking.trace)


def _known(dataset: Dataset) -> frozenset[str]:
    return frozenset(str(document["id"]) for document in dataset.documents if not isinstance(document, str))


def _checked(name: str, answer: Answer, known: frozenset[str]) -> Answer:
    strange = next((each for each in answer.ids if each not in known), None)
    if strange is not None:
        raise InputError(
            f"{name!r} returned document {strange!r}, which the dataset does not have: it must search the dataset's "
            f"documents, under their ids"
        )
    if len(set(answer.ids)) != len(answer.ids):
        raise InputError(f"{name!r} returned a document twice for one query")
    return answer
