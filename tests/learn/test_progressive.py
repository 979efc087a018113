"""Exits fitted without labels: what they learn, what they need, and what can't be fitted."""

import numpy as np
import pytest

from secondpass.errors import ConfigError, InputError, ModelFormatError
from secondpass.evaluate.stdlib_docs import stdlib_corpus
from secondpass.learn.progressive import Unlabelled, _fitted, fit_exits, unlabelled_requests
from secondpass.models.exits import Exits
from secondpass.rerankers.progressive import ProgressiveReranker
from secondpass.types import Request

MODEL = "ms-marco-MiniLM-L12-v2"


@pytest.fixture(scope="module")
def documents() -> list[str]:
    """Return some short documents."""
    return [document["text"] for document in stdlib_corpus() if 40 < len(document["text"]) < 120][:120]


@pytest.fixture(scope="module")
def requests(documents: list[str]) -> list[Unlabelled]:
    """Return a query for every fourth document, made of its last words, with candidates."""
    queries = [" ".join(text.split()[-4:]) for text in documents[::4]]
    return unlabelled_requests(queries, documents, depth=6)


@pytest.fixture(scope="module")
def fitted(requests: list[Unlabelled]) -> Exits:
    """Return exits behind two layers, fitted on them."""
    return fit_exits(MODEL, requests, layers=(3, 8))


def test_candidates_are_near_and_far(documents: list[str], requests: list[Unlabelled]) -> None:
    """As many as asked for, none twice, the document that the query is from among them; the same with the same seed."""
    assert len(requests) == 30
    assert all(len(texts) == len(set(texts)) == 6 for _, texts in requests)
    assert sum(documents[4 * at] in texts for at, (_, texts) in enumerate(requests)) > 25
    queries = [query for query, _ in requests]
    assert unlabelled_requests(queries, documents, depth=6) == requests
    assert unlabelled_requests(queries, documents, depth=6, seed=1) != requests


def test_later_layers_know_more(fitted: Exits) -> None:
    """Margins are errors for queries that were left out, and fall from layer to layer; the model is named."""
    first, second = fitted.exits
    assert fitted.layers == (3, 8) and fitted.hidden_size == 384 and fitted.model == MODEL
    assert 0 < second.margin < first.margin < 6
    assert len(set(first.weights.tolist())) > 1000


def test_a_reranker_takes_them(fitted: Exits, requests: list[Unlabelled]) -> None:
    """They are of the model as it is here, and what they estimate has to do with what the model says."""
    reranker = ProgressiveReranker(exits=fitted, k=1, caution=0)
    query, documents = requests[0]
    (found,) = reranker.score_many([Request(query, documents)])
    assert found.trace.counts["finished"] == 1 and found.trace.counts["left_after_3"] == 5


def test_estimates_and_margins_are_those_of_a_plain_regression() -> None:
    """Of differences within each query, with margins by what the other queries say."""
    random = np.random.default_rng(0)
    weights = random.normal(size=12)
    rows = [random.normal(size=(8, 12)).astype(np.float32) + query for query in range(40)]
    logits = [each.astype(np.float64) @ weights + 100 * query for query, each in enumerate(rows)]
    exit_ = _fitted(4, rows, logits, np.arange(40) % 5, 1e-6)
    np.testing.assert_allclose(exit_.weights, weights, atol=2e-3)
    assert exit_.margin < 0.01
    all_rows, all_logits = np.concatenate(rows), np.concatenate(logits)
    assert abs(float((exit_.estimate(all_rows) - all_logits).mean())) < 1e-3
    noisy = [each + random.normal(size=8) for each in logits]
    assert 0.9 < _fitted(4, rows, noisy, np.arange(40) % 5, 1e-6).margin < 1.1


def test_too_little_is_refused(requests: list[Unlabelled], documents: list[str]) -> None:
    """Few queries, candidates that are all the same, one kind, and kinds of another number."""
    with pytest.raises(InputError, match=r"3 queries with two candidates or more are too few"):
        fit_exits(MODEL, requests[:3])
    with pytest.raises(InputError, match=r"0 queries with two candidates"):
        fit_exits(MODEL, [(query, [texts[0], texts[0]]) for query, texts in requests])
    with pytest.raises(InputError, match="of one kind"):
        fit_exits(MODEL, requests, kinds=["a"] * len(requests))
    with pytest.raises(InputError, match="kinds has 2 for 30 requests: pass one for each"):
        fit_exits(MODEL, requests, kinds=["a", "b"])
    with pytest.raises(InputError, match="3 documents: candidates of a query are 20"):
        unlabelled_requests(["a"], documents[:3])
    with pytest.raises(ConfigError, match="strength"):
        fit_exits(MODEL, requests, strength=0)


def test_models_that_can_not_stop_are_refused(requests: list[Unlabelled]) -> None:
    """An exported file, and layers that there are not."""
    with pytest.raises(ModelFormatError, match="does not run as a fused graph"):
        fit_exits(MODEL, requests, precision="exported")
    with pytest.raises(ConfigError, match="12 layers can't be cut behind 12"):
        fit_exits(MODEL, requests, layers=(12,))
