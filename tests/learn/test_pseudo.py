"""A teacher's scores for queries that nobody judged, and the second opinion of a bi-encoder."""

from collections.abc import Sequence

import numpy as np
import pytest

from secondpass.base import Reranker
from secondpass.errors import ConfigError, InputError
from secondpass.learn.data.example import TrainingExample
from secondpass.learn.pseudo import SecondOpinion, pseudo_labelled, unlabelled_queries, with_targets
from secondpass.models.batching import Rows
from secondpass.models.embedding import EmbeddingModel
from secondpass.types import Request, Scale, Scores


class Letters(EmbeddingModel):
    """Knows how many of the letters a and b a text has; a query is about a."""

    max_length = 8

    def _encode(self, texts: Sequence[str], progress: bool) -> Rows:
        return np.array([[text.count("a") + text.count("q"), text.count("b")] for text in texts], dtype=np.float32)


class Lengths(Reranker):
    """Likes long texts."""

    scale = Scale.LOGIT

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        return [Scores(np.array([float(len(text)) for text in request.texts])) for request in requests]


def _second() -> SecondOpinion:
    return SecondOpinion(Lengths(), Letters("letters"))


def test_the_second_opinion_counts_as_much() -> None:
    """Cosines are stretched to the spread of the logits; where they are all the same, they don't count."""
    documents = ("a", "aa", "b", "bbbb")
    fitted = _second().fit([("q", documents)])
    (scores,) = fitted(["q"], [documents])

    assert fitted.weight == pytest.approx(np.std([1, 2, 1, 4]) / np.std([1, 1, 0, 0]))
    assert 2 * scores - [1, 2, 1, 4] == pytest.approx(fitted.weight * np.array([1, 1, 0, 0]))
    assert _second().fit([("q", ("a", "aa"))]).weight == 0.0


def test_targets_keep_the_order_of_judgements() -> None:
    """The teacher's scores are dealt out: the best to the highest grade, among equals in its own order."""
    example = TrainingExample("q", ("x", "y", "z", "w"), (0, 2, 1, 0))
    (found,) = with_targets([example], lambda queries, documents: [np.array([5.0, 1.0, 3.0, 4.0])])

    assert found.scores == (3.0, 5.0, 4.0, 1.0) and found.labels == example.labels
    (plain,) = pseudo_labelled([("q", ["x", "y"])], lambda queries, documents: [np.array([2.0, 1.0])])
    assert plain.scores == (2.0, 1.0) and plain.labels == (0, 0)


def test_queries_that_are_kept_to_measure_are_not_learned() -> None:
    """Of a number, a list or a function, without those of the other parts, whatever their case."""
    documents = ["How do I copy a file? Copy it with shutil.", "How do I delete a file? Use the function remove."]

    assert set(unlabelled_queries(2, documents, ["how do i COPY a file"], 0)) <= {
        "Copy it with shutil", "How do I delete a file?", "Use the function remove",
    }  # fmt: skip
    assert unlabelled_queries(["a b", "c d", "a b"], documents, ["C D"], 0) == ["a b"]
    assert unlabelled_queries(lambda text: [text[:5]], documents, [], 0) == ["How d"]
    assert unlabelled_queries(0, documents, [], 0) == []
    with pytest.raises(ConfigError, match="synthetic"):
        unlabelled_queries(-1, documents, [], 0)
    with pytest.raises(InputError, match="queries must be a list"):
        unlabelled_queries("text", documents, [], 0)
