"""Queries that nobody judged, with documents that a retriever finds and the scores that a teacher gives them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from secondpass.base import Reranker
from secondpass.learn.data.example import TrainingExample
from secondpass.learn.data.normalised import normalised
from secondpass.learn.data.pseudo import asked_queries
from secondpass.learn.data.scoring import as_reranker, log_odds_of
from secondpass.learn.data.synthetic import synthetic_queries
from secondpass.logistic import FloatArray
from secondpass.models.backends.load import load_embedding_model
from secondpass.models.embedding import EmbeddingModel
from secondpass.types import Document, Request
from secondpass.validation import Whole

__all__ = ["SecondOpinion", "Teacher", "pseudo_labelled", "teacher_of", "unlabelled_queries", "with_targets"]

_BI_ENCODER = "bge-small-en-v1.5"
_TO_WEIGH = 100

Asked = tuple[str, Sequence[str]]
"""A query with documents."""


Teacher = Callable[[Sequence[str], Sequence[Sequence[str]]], list[FloatArray]]
"""From queries, and a list of documents for each, to the documents' log-odds of relevance, up to a constant."""


def teacher_of(
    teacher: str | Mapping[str, Any] | Reranker | None, start: Reranker, requests: Sequence[Asked]
) -> Teacher:
    """Return what labels queries that nobody judged: a reranker, or the start with a second opinion.

    Args:
        teacher: the reranker, its name or its configuration; None for the second opinion.
        start: what is to be taught.
        requests: queries with documents, by some of which the second opinion is weighed.

    Raises:
        CompositionError: the teacher's scores are ordinal.
        ModelError: a model can't be found or read.
    """
    if teacher is None:
        return SecondOpinion(start, load_embedding_model(_BI_ENCODER)).fit(requests[:_TO_WEIGH])
    reranker = as_reranker(teacher, "a teacher")
    return lambda queries, documents: log_odds_of(reranker, queries, documents)


@dataclass(slots=True)
class SecondOpinion:
    """The mean of a reranker's logit and so many times a bi-encoder's cosine: two models that err in different places.

    A bi-encoder is a worse judge than a cross-encoder, but was trained on other data: together they are often better
    than each alone, most of all in a field that neither was made for. Both are weighed such that their scores of a
    query's documents spread alike, as in an ensemble of z-scores.

    Attributes:
        reranker: on logits or probabilities.
        encoder: the bi-encoder.
        weight: in log-odds for a cosine of 1; at least 0.
    """

    reranker: Reranker
    encoder: EmbeddingModel
    weight: float = 0.0
    _vectors: dict[str, FloatArray] = field(default_factory=dict)

    def fit(self, requests: Sequence[Asked]) -> "SecondOpinion":
        """Set the weight by queries with documents, without labels, and return itself."""
        queries, documents = [query for query, _ in requests], [texts for _, texts in requests]
        logits = np.mean([own.std() for own in log_odds_of(self.reranker, queries, documents)])
        cosines = np.mean([own.std() for own in self._cosines(queries, documents)])
        self.weight = float(logits / cosines) if cosines > 0 else 0.0
        return self

    def __call__(self, queries: Sequence[str], documents: Sequence[Sequence[str]]) -> list[FloatArray]:
        """Return the means of logit and stretched cosine, which spread no more than what the student begins with."""
        logits = log_odds_of(self.reranker, queries, documents)
        return [(own + self.weight * of) / 2 for own, of in zip(logits, self._cosines(queries, documents), strict=True)]

    def _cosines(self, queries: Sequence[str], documents: Sequence[Sequence[str]]) -> list[FloatArray]:
        fresh = [text for text in dict.fromkeys(text for of in documents for text in of) if text not in self._vectors]
        self._vectors.update(zip(fresh, self.encoder.encode_documents(fresh), strict=True))
        asked = self.encoder.encode_queries(list(queries))
        return [
            np.array([self._vectors[text] for text in of], dtype=np.float64) @ query
            for query, of in zip(asked, documents, strict=True)
        ]


def unlabelled_queries(
    source: int | Iterable[str] | Callable[[str], Iterable[str]],
    documents: Sequence[Document],
    held_out: Iterable[str],
    seed: int,
) -> list[str]:
    """Return the queries that a setting asks for, without those that are kept to choose and to measure by.

    Args:
        source: how many sentences of the documents; or queries; or a function from a document's text to queries.
        documents: the corpus.
        held_out: texts of queries that are not to be learned from.
        seed: of the drawing.

    Raises:
        InputError: there are none, or one can't be used.
        ConfigError: it is a number below 0.
    """
    if isinstance(source, int):
        n = Whole(at_least=0).checked(source, "synthetic")
        found = synthetic_queries(documents, n, seed=seed) if n else []
    else:
        found = asked_queries(source, Request("corpus", documents).texts)
    kept_apart = set(map(normalised, held_out))
    return [query for query in found if normalised(query) not in kept_apart]


def pseudo_labelled(requests: Sequence[Asked], teacher: Teacher) -> list[TrainingExample]:
    """Return queries with their documents and a teacher's scores; all labels are 0.

    Args:
        requests: queries with documents, as `unlabelled_requests` returns them.
        teacher: what scores them.
    """
    scored = teacher([query for query, _ in requests], [texts for _, texts in requests])
    return [
        TrainingExample(query, tuple(texts), (0.0,) * len(texts), scores=tuple(of.tolist()))
        for (query, texts), of in zip(requests, scored, strict=True)
    ]


def with_targets(examples: Iterable[TrainingExample], teacher: Teacher) -> list[TrainingExample]:
    """Return judged examples with the teacher's scores, dealt out in the order of the judgements.

    The documents of a higher grade get the higher ones of the scores, and among equals the teacher's order stands. So
    targets have the teacher's spread, and contradict no judgement.
    """
    found = list(examples)
    scored = teacher([each.query for each in found], [each.documents for each in found])
    targets = []
    for each, scores in zip(found, scored, strict=True):
        order = sorted(range(len(scores)), key=lambda at: (-each.labels[at], -scores[at]))
        dealt = np.empty(len(scores))
        dealt[order] = np.sort(scores)[::-1]
        targets.append(replace(each, scores=tuple(dealt.tolist())))
    return targets
