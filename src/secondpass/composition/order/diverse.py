"""Documents that say something new, before those that repeat what stands above them."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import ClassVar, Unpack

import numpy as np
import numpy.typing as npt

from secondpass.base import Reranker
from secondpass.composition.fusion import Vector
from secondpass.composition.members import member_of, without_k
from secondpass.composition.order.relevance import best_first, relevance, reordered
from secondpass.config import digest
from secondpass.forking import product
from secondpass.loading import RerankerLike
from secondpass.models.backends.load import LoadSettings, check_loading, load_embedding_model
from secondpass.models.embedding import EmbeddingModel
from secondpass.types import Request, Scale, Scores
from secondpass.validation import SHARE, Whole, check

__all__ = ["DiverseReranker"]

Matrix = npt.NDArray[np.float64]

_COLUMNS = 4096  # words that are counted at once
_RUN = re.compile(r"[^\W_]+")
# Chinese, Japanese and Thai are written without spaces: two letters in a row stand for a word.
_UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


class DiverseReranker(Reranker):
    """Ranks by maximal marginal relevance (Carbonell and Goldstein 1998, SIGIR): relevant, and not said yet.

    One after the other, the document is taken whose ``(1 - weight) * relevance - weight * similarity`` is highest,
    where similarity is that to the nearest document above it. Relevance is the wrapped reranker's probability, or its
    score between the lowest (0) and the highest (1) of the request. The scores are ordinal.

    Similarity is the cosine of two texts' vectors, if there is a ``model``, and otherwise the share of words that they
    have in common, ``common / sqrt(first * second)``, which finds copies and near copies, at next to no cost.

    Explanations: ``reranker_score``, and ``similarity`` to the nearest document above; None below ``depth``.

    Args:
        wrapped: any reranker.
        weight: how much similarity counts, from 0 (not at all) to 1 (nothing else does).
        depth: how many of the best documents are put in a new order; those below stay as they are. Time and memory
            grow with its square.
        model: a bi-encoder's name, folder or repository, or an `EmbeddingModel`; None for words.
        loading: how the model is loaded, if it is named: see `LoadSettings`.

    Raises:
        ConfigError: a setting is out of range.
        ModelError: the model can't be found, read or used.
    """

    registry_name: ClassVar[str] = "diverse"
    scale = Scale.ORDINAL
    pointwise = False

    def __init__(
        self,
        wrapped: RerankerLike,
        *,
        weight: float = 0.3,
        depth: int = 50,
        model: str | EmbeddingModel | None = None,
        **loading: Unpack[LoadSettings],
    ) -> None:
        wrapped = member_of(self, wrapped)
        self.wrapped, self.weight, self.depth, self.model, self.loading = wrapped, weight, depth, model, loading
        check(self, weight=SHARE, depth=Whole(at_least=1, unit="documents"))
        check_loading(loading, LoadSettings, DiverseReranker, loaded=not isinstance(model, str))
        self._model = load_embedding_model(model, **loading) if isinstance(model, str) else model

    @property
    def fingerprint(self) -> str:
        """The identity of the wrapped reranker, of the model's weights, and of the settings."""
        model = None if self._model is None else self._model.fingerprint
        return digest([self.registry_name, self.wrapped.fingerprint, self.weight, self.depth, model])

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        scored = self.wrapped.score_many(without_k(requests))
        return [self._diverse(request, scores) for request, scores in zip(requests, scored, strict=True)]

    def _diverse(self, request: Request, scores: Scores) -> Scores:
        order = best_first(scores.values)
        top = order[: self.depth]
        texts = [request.texts[at] for at in top]
        picked, nearest = _marginal(
            relevance(scores.values, self.wrapped.scale)[top],
            _word_similarities(texts) if self._model is None else _vector_similarities(texts, self._model),
            self.weight,
        )
        column: list[float | None] = [None] * len(request)
        for at, similarity in zip(picked, nearest, strict=True):
            column[top[at]] = similarity
        return reordered(scores, np.concatenate([top[picked], order[self.depth :]]), similarity=column)

    def __repr__(self) -> str:
        return f"DiverseReranker({self.wrapped!r}, weight={self.weight}, model={self.model!r})"


def _marginal(relevances: Vector, similarities: Matrix, weight: float) -> tuple[list[int], list[float]]:
    """Return positions in their new order, and the similarity of each to the nearest one before it."""
    nearest, left = np.zeros(len(relevances)), np.ones(len(relevances), dtype=bool)
    picked: list[int] = []
    similarity: list[float] = []
    for _ in relevances:
        gains = np.where(left, (1 - weight) * relevances - weight * nearest, -np.inf)
        at = int(gains.argmax())  # of equal ones the first, which the reranker put higher
        picked.append(at)
        similarity.append(float(nearest[at]))
        left[at] = False
        nearest = np.maximum(nearest, similarities[at])
    return picked, similarity


def _vector_similarities(texts: Sequence[str], model: EmbeddingModel) -> Matrix:
    vectors = model.encode_documents(texts).astype(np.float64)
    return np.asarray(np.clip(product(vectors, vectors.T), 0.0, 1.0))


def _word_similarities(texts: Sequence[str]) -> Matrix:
    words = [set(_words(text)) for text in texts]
    sizes = np.array([len(each) for each in words], dtype=np.float64)
    # A word that only one text has is shared with no other, and most words of many long texts are like that.
    counts = Counter(word for each in words for word in each)
    columns = {word: at for at, word in enumerate(word for word, n in counts.items() if n > 1)}
    rows = [np.sort([columns[word] for word in each if word in columns]).astype(np.intp) for each in words]
    common = np.zeros((len(texts), len(texts)))
    for start in range(0, len(columns), _COLUMNS):  # so that memory does not grow with the vocabulary
        has = np.zeros((len(texts), min(_COLUMNS, len(columns) - start)), dtype=np.float32)  # exact for so few
        for at, row in enumerate(rows):
            first, last = np.searchsorted(row, (start, start + _COLUMNS))
            has[at, row[first:last] - start] = 1.0
        common += product(has, has.T)
    np.fill_diagonal(common, sizes)
    lengths = np.sqrt(np.maximum(sizes, 1.0))
    return np.asarray(common / np.outer(lengths, lengths))


def _words(text: str) -> Iterator[str]:
    for run in _RUN.findall(text.casefold()):
        if len(run) > 1 and _UNSPACED.search(run):
            yield from (run[at : at + 2] for at in range(len(run) - 1))
        else:
            yield run
