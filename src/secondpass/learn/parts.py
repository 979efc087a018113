"""A dataset in three parts: queries to train on, to choose by, and to measure on, each with its candidates."""

from dataclasses import dataclass, replace
from typing import Any

from secondpass.calibration.examples import examples_from_qrels
from secondpass.config import construct
from secondpass.errors import ConfigError, InputError
from secondpass.evaluate.dataset import Dataset
from secondpass.learn.data.example import TrainingExample
from secondpass.learn.data.judged import from_dataset
from secondpass.learn.data.splits import split
from secondpass.retrieve.base import Retriever, retrievers
from secondpass.types import Document, document_text
from secondpass.validation import shown

__all__ = ["Parts", "judged_candidates", "judged_lists", "opened_retriever", "parts_of", "with_candidates"]


@dataclass(frozen=True, slots=True)
class Parts:
    """A dataset in three parts, each with its queries and their candidates."""

    train: Dataset
    dev: Dataset
    test: Dataset
    examples: tuple[TrainingExample, ...]


def opened_retriever(retriever: Retriever | str) -> Retriever:
    """Return a retriever by its name.

    Raises:
        ConfigError: it is something else.
        RegistryError: there is none of that name.
    """
    if isinstance(retriever, Retriever):
        return retriever
    if not isinstance(retriever, str):
        raise ConfigError(f"retriever must be a Retriever or its name, not {shown(retriever)}")
    made: Retriever = construct(retrievers.get(retriever))
    return made


def with_candidates(dataset: Dataset, retriever: Retriever, depth: int, progress: bool) -> Dataset:
    """Return the dataset with what a retriever finds for its judged queries, unless it has candidates."""
    if dataset.candidates is not None:
        return dataset
    if not len(retriever):
        retriever.index(dataset.documents, progress=progress)
    queries = dataset.judged
    found = retriever.search([dataset.queries[query] for query in queries], depth)
    run = {
        query: {str(hit.id): float(hit.score) for hit in ranking} for query, ranking in zip(queries, found, strict=True)
    }
    return replace(dataset, candidates=run)


def parts_of(dataset: Dataset, dev: float, test: float, seed: int) -> Parts:
    """Share the judged queries among three parts, so that near-duplicates stay together.

    Raises:
        InputError: there are too few queries for a part.
        ConfigError: a share is out of range.
    """
    examples = from_dataset(dataset)
    names = {id(example): query for example, query in zip(examples, dataset.judged, strict=True)}
    shares = split(examples, dev=dev, test=test, seed=seed)
    parts = {}
    for name in ("train", "dev", "test"):
        kept = {names[id(example)] for example in getattr(shares, name)}
        if not kept:
            raise InputError(f"{len(examples)} judged queries leave none for {name}: judge more, or change the shares")
        run = dataset.candidates or {}
        parts[name] = replace(
            dataset,
            queries={query: text for query, text in dataset.queries.items() if query in kept},
            qrels={query: grades for query, grades in dataset.qrels.items() if query in kept},
            candidates={query: ranking for query, ranking in run.items() if query in kept},
        )
    return Parts(**parts, examples=shares.train)


def judged_lists(dataset: Dataset) -> list[TrainingExample]:
    """Return for each query its candidates with their grades, as a reranker will be given them, if one is relevant."""
    texts = _texts(dataset)
    found = []
    for query in dataset.judged:
        names = list((dataset.candidates or {}).get(query, {}))
        grades = [float(max(0, dataset.qrels[query].get(name, 0))) for name in names]
        if any(grades):
            found.append(TrainingExample(dataset.queries[query], tuple(texts[name] for name in names), tuple(grades)))
    return found


def _texts(dataset: Dataset) -> dict[str, str]:
    return {
        str(each["id"]): document_text(each, at)
        for at, each in enumerate(dataset.documents)
        if not isinstance(each, str)
    }


def judged_candidates(part: Dataset) -> list[tuple[str, Document, Any]]:
    """Return query, document and grade of each candidate: what a calibration is fitted to."""
    documents = {str(each["id"]): each for each in part.documents if not isinstance(each, str)}
    run = {query: list(ranking) for query, ranking in (part.candidates or {}).items()}
    return examples_from_qrels(part.qrels, run, queries=part.queries, documents=documents)
