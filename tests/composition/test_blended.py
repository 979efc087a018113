"""Interpolation with the first stage: contract, values by hand, and what fitting promises."""

import json
import logging
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import secondpass as sp
from secondpass.base import Reranker
from secondpass.composition.blended import BlendedReranker
from secondpass.errors import CompositionError, ConfigError, InputError
from secondpass.evaluate import metrics
from secondpass.testing import FakeReranker, RerankerContract
from secondpass.types import Request, Scale, Scores, Trace

_DOCUMENTS = [{"text": "text", "id": f"d{at}"} for at in range(6)]


class Given(Reranker):
    """Gives each query the scores that it was given for it."""

    registry_name: ClassVar[str] = "given"

    def __init__(self, of_query: dict[str, list[float]]) -> None:
        self.of_query = of_query

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        assert all(request.k is None for request in requests)
        columns = {"passage": [0] * 6}
        return [Scores(np.array(self.of_query[r.query]), columns, Trace(counts={"pairs": 6})) for r in requests]


class TestContract(RerankerContract):
    tolerance = 0.0

    def make(self) -> BlendedReranker:
        return BlendedReranker(FakeReranker(), weight=0.7, missing_initial="skip")


class TestContractWithInitialScores(RerankerContract):
    tolerance = 0.0

    def make(self) -> BlendedReranker:
        class Retrieved(BlendedReranker):
            """As after a retriever that scores by length."""

            def score_many(self, requests: Sequence[Request]) -> list[Scores]:
                scored = [Request(r.query, r.documents, r.k, [float(len(t)) for t in r.texts]) for r in requests]
                return super().score_many(scored)

        return Retrieved(FakeReranker(scale="logit"), normalise="zscore", missing_initial="raise")

    test_it_survives_pickling = None  # type: ignore[assignment]  # a local class can't be pickled
    test_its_configuration_builds_it_again = None  # type: ignore[assignment]  # nor be registered


class TestValues:
    def test_minmax_by_hand(self) -> None:
        """Each from 0 to 1, then mixed; both scores are explained as they were, what is inside is kept."""
        blended = BlendedReranker(Given({"q": [0, 1, 2, 3, 4, 8]}), weight=0.75)
        ranking = blended.rerank("q", _DOCUMENTS, k=2, initial_scores=[20, 10, 15, 10, 10, 10])
        assert [(d.index, d.score) for d in ranking] == [(5, 0.75), (4, 0.375)]
        assert ranking[1].explanation == {"passage": 0, "reranker_score": 4.0, "initial_score": 10.0}
        assert ranking.scale is Scale.ORDINAL and ranking.trace.total("pairs") == 6

    def test_zscores_are_those_of_scipy(self) -> None:
        """Standardised and mixed."""
        scores, initial = [0.0, 1, 5, 3, 4, 8], [0.2, 0.3, 0.1, 0.9, 0.8, 0.0]
        values = (
            BlendedReranker(Given({"q": scores}), weight=0.3, normalise="zscore")
            .score_many([Request("q", _DOCUMENTS, initial_scores=initial)])[0]
            .values
        )
        np.testing.assert_allclose(values, 0.3 * stats.zscore(scores) + 0.7 * stats.zscore(initial), rtol=1e-9)

    @pytest.mark.parametrize("normalise", ["minmax", "zscore"])
    def test_the_ends_are_the_two_alone(self, normalise: Any) -> None:
        """Weight 1 orders as the reranker, 0 as the retriever."""
        scores, initial = [0, 5, 2, 3, 4, 1], [6, 1, 5, 2, 4, 3]
        for weight, alone in ((1, scores), (0, initial)):
            blended = BlendedReranker(Given({"q": scores}), weight=weight, normalise=normalise)
            order = [d.index for d in blended.rerank("q", _DOCUMENTS, initial_scores=initial)]
            assert order == sorted(range(6), key=lambda at: -alone[at])

    def test_without_initial_scores(self) -> None:
        """An error that says what to pass, or the reranker's order, which the trace says; each request by itself."""
        scores = [0, 5, 2, 3, 4, 1]
        with pytest.raises(InputError, match="pass initial_scores"):
            BlendedReranker(Given({"q": scores})).rerank("q", _DOCUMENTS)
        skipping = BlendedReranker(Given({"q": scores}), weight=0, missing_initial="skip")
        without, with_them = skipping.rerank_many(
            [("q", _DOCUMENTS), Request("q", _DOCUMENTS, initial_scores=[6, 5, 4, 3, 2, 1])]
        )
        assert [d.index for d in without] == [1, 4, 3, 2, 5, 0]
        assert without.trace.counts == {"fallbacks": 1} and "no initial_scores" in without.trace.notes[0]
        assert [d.index for d in with_them] == [0, 1, 2, 3, 4, 5] and with_them.trace.counts == {}


class TestFit:
    @settings(max_examples=40, deadline=None)
    @given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.sampled_from(["minmax", "zscore"]), st.integers(1, 6))
    def test_never_worse_than_either_alone(self, seed: int, n_queries: int, normalise: Any, k: int) -> None:
        """On what it was fitted on, by nDCG of what comes out against qrels with documents that were not retrieved."""
        random = np.random.default_rng(seed)
        queries = [f"q{at}" for at in range(n_queries)]
        wrapped = Given({query: random.normal(size=6).tolist() for query in queries})
        requests = [Request(q, _DOCUMENTS, 3, random.normal(size=6).tolist()) for q in queries]
        qrels = {q: {f"d{at}": int(random.integers(0, 4)) for at in random.permutation(9)[:5]} for q in queries}
        qrels["q0"]["d1"] = 2
        blended = BlendedReranker(wrapped, normalise=normalise).fit(requests, [qrels[q] for q in queries], k=k)

        def ndcg(scores: list[Sequence[float]]) -> float:
            orders = [np.argsort(-np.array(values), kind="stable") for values in scores]
            return metrics.ndcg(qrels, {q: [f"d{at}" for at in o] for q, o in zip(queries, orders, strict=True)}, k)

        retriever = ndcg([request.initial_scores or () for request in requests])
        reranker = ndcg([wrapped.of_query[query] for query in queries])
        result = ndcg([scores.values.tolist() for scores in blended.score_many(requests)])
        assert result >= max(retriever, reranker) - 1e-12
        assert blended.fitted_ndcg_ == pytest.approx({"retriever": retriever, "reranker": reranker, "blended": result})

    def test_the_mixture_is_found(self) -> None:
        """Where either alone puts a wrong document first, the blend is perfect, in the middle of what is."""
        wrapped = Given({"q": [10, 8, 0, 0, 0, 0]})
        request = Request("q", _DOCUMENTS, initial_scores=[0, 8, 10, 0, 0, 0])
        blended = BlendedReranker(wrapped, weight=0).fit([request], [[0, 1, 0, 0, 0, 0]])
        # d1 has 0.8 whatever the weight; d0 has the weight, and d2 what is left of it: 0.2 to 0.8 is perfect.
        assert blended.weight == pytest.approx(0.5, abs=0.011)
        assert blended.fitted_ndcg_ is not None
        assert blended.fitted_ndcg_["retriever"] == blended.fitted_ndcg_["reranker"] == pytest.approx(1 / np.log2(3))
        assert blended.fitted_ndcg_["blended"] == 1.0

    def test_what_was_fitted_is_in_the_configuration(self) -> None:
        """The weight goes through JSON."""
        blended = BlendedReranker(FakeReranker())
        documents = ["some words", "other words", "words"]
        blended.fit([Request("other words", documents, initial_scores=[3, 1, 2])], [[0, 1, 0]])
        restored = sp.from_config(json.loads(json.dumps(blended.to_config())))
        assert restored.weight == blended.weight != 0.5 and restored.fingerprint == blended.fingerprint  # type: ignore[attr-defined]

    def test_a_useless_reranker_is_reported(self, caplog: pytest.LogCaptureFixture) -> None:
        """If the retriever alone is best, the log says so."""
        request = Request("q", _DOCUMENTS, initial_scores=[6, 5, 4, 3, 2, 1])
        with caplog.at_level(logging.WARNING, logger="secondpass"):
            blended = BlendedReranker(Given({"q": [1, 2, 3, 4, 5, 6]})).fit([request], [[6, 5, 4, 3, 2, 1]])
        assert blended.weight < 0.5 and "adds nothing to the retriever" in caplog.text

    def test_fitting_needs_initial_scores(self) -> None:
        """Whatever is set for scoring; requests without documents need none."""
        blended = BlendedReranker(Given({"q": [1, 2, 3, 4, 5, 6]}), missing_initial="skip")
        with pytest.raises(InputError, match="pass initial_scores"):
            blended.fit([Request("q", _DOCUMENTS)], [[1, 0, 0, 0, 0, 0]])
        with pytest.raises(InputError, match="nothing to fit on"):
            blended.fit([Request("q", [])], [[]])
        assert blended.fitted_ndcg_ is None and blended.weight == 0.5


class TestSettings:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"weight": 1.1}, "weight must be"),
            ({"weight": -0.1}, "weight must be"),
            ({"weight": float("nan")}, "weight must be"),
            ({"weight": "0.5"}, "weight must be"),
            ({"weight": True}, "weight must be"),
            ({"normalise": "softmax"}, "normalise must be"),
            ({"missing_initial": "zero"}, "missing_initial must be"),
        ],
    )
    def test_settings_out_of_range_are_refused(self, settings: dict[str, Any], message: str) -> None:
        """When it is built, not when it is used."""
        with pytest.raises(ConfigError, match=message):
            BlendedReranker(FakeReranker(), **settings)

    def test_only_a_reranker_can_be_wrapped(self) -> None:
        """Or the name or the configuration of one."""
        with pytest.raises(CompositionError, match="wraps a Reranker, not a int"):
            BlendedReranker(3)  # type: ignore[arg-type]
