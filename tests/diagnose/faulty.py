"""Rerankers with faults that people build in."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from secondpass.base import Reranker
from secondpass.logistic import log_odds, sigmoid
from secondpass.models import EmbeddingModel, NliModel
from secondpass.testing import FakeReranker
from secondpass.types import Request, Scale, Scores


class DoubleSigmoid(Reranker):
    """Takes the sigmoid of what is a probability already."""

    registry_name: ClassVar[str] = "double-sigmoid"

    def __init__(self, wrapped: Reranker, *, scale: str = "probability") -> None:
        self.wrapped, self.scale = wrapped, Scale(scale)

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        return [scores.rescored(sigmoid(sigmoid(scores.values))) for scores in self.wrapped.score_many(requests)]


class Squashed(Reranker):
    """Calls probabilities logits."""

    registry_name: ClassVar[str] = "squashed"

    def __init__(self, wrapped: Reranker) -> None:
        self.wrapped = wrapped

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        return [scores.rescored(sigmoid(scores.values)) for scores in self.wrapped.score_many(requests)]


class Swapped(Reranker):
    """Gives the model the document as the query, and the query as the document."""

    registry_name: ClassVar[str] = "swapped"

    def __init__(self, wrapped: Reranker) -> None:
        self.wrapped, self.scale = wrapped, wrapped.scale

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        pairs = [Request(text, [request.query]) for request in requests for text in request.texts]
        values = np.concatenate([scores.values for scores in self.wrapped.score_many(pairs)])
        ends = np.cumsum([len(request) for request in requests])
        return [Scores(part) for part in np.split(values, ends[:-1])]


class EntailmentRanker(Reranker):
    """Ranks by whether a document entails the query."""

    registry_name: ClassVar[str] = "entailment"

    def __init__(self, model: NliModel) -> None:
        self.model = model

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        outputs = [self.model.run([(text, request.query) for text in request.texts]) for request in requests]
        return [Scores(log_odds(output.probabilities[:, 0])) for output in outputs]


class SimilarityRanker(Reranker):
    """Ranks by the cosine of two vectors, and calls it a probability."""

    registry_name: ClassVar[str] = "similarity"
    scale = Scale.PROBABILITY

    def __init__(self, model: EmbeddingModel) -> None:
        self.model = model

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        return [
            Scores((self.model.encode_documents(request.texts) @ self.model.encode_documents([request.query]).T)[:, 0])
            for request in requests
        ]


class Constant(Reranker):
    """Has not seen the texts."""

    registry_name: ClassVar[str] = "constant"

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        return [Scores(np.full(len(request), self.value)) for request in requests]


class Slow(FakeReranker):
    """Takes its time."""

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        time.sleep(0.03)
        return [replace(scores, trace=replace(scores.trace, name="Slow")) for scores in super()._score(requests)]
