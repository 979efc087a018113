"""The ensemble: contract in every method, values by hand, failing members, fitted weights."""

import contextvars
import json
import logging
import threading
import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import secondpass as sp
from secondpass.base import Reranker
from secondpass.calibration import PlattCalibrator
from secondpass.composition.ensemble import EnsembleReranker
from secondpass.composition.fusion import convex_weights, weighted_sum
from secondpass.errors import (
    CompositionError,
    ConfigError,
    InputError,
    MissingExtraError,
    RegistryError,
    ScoringError,
    SecondPassWarning,
)
from secondpass.testing import FakeReranker, RerankerContract
from secondpass.types import Request, Scale, Scores, Trace

_DOCUMENTS = ["zero", "one", "two", "three"]
_PLATT = PlattCalibrator(slope=1.0, intercept=0.0)
_METHODS = ("mean", "zscore", "minmax", "rrf", "convex")


class Given(Reranker):
    """Scores the documents by the numbers that it was given for their texts."""

    registry_name: ClassVar[str] = "given"

    def __init__(self, numbers: Sequence[float], scale: Scale = Scale.LOGIT, **columns: Sequence[Any]) -> None:
        self.numbers, self.scale, self.columns = dict(zip(_DOCUMENTS, numbers, strict=False)), scale, columns
        self.asked: list[Request] = []

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        self.asked += requests
        trace = Trace(counts={"pairs": 1})
        return [Scores(np.array([self.numbers[t] for t in r.texts]), self.columns, trace) for r in requests]


class Broken(Reranker):
    """Raises what it was given."""

    registry_name: ClassVar[str] = "broken"

    def __init__(self, error: BaseException, scale: Scale = Scale.LOGIT) -> None:
        self.error, self.scale = error, scale

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        raise self.error


class TestContractOfMeans(RerankerContract):
    tolerance = 0.0

    def make(self) -> EnsembleReranker:
        return EnsembleReranker([FakeReranker(), FakeReranker()], method="mean", weights=[0.3, 0.7], on_error="skip")


class TestContractOfZScores(RerankerContract):
    tolerance = 0.0

    def make(self) -> EnsembleReranker:
        members = [FakeReranker(scale="logit"), FakeReranker(scale="ordinal", pointwise=False)]
        return EnsembleReranker(members, method="zscore", parallel=False)


class TestContractOfRankFusion(RerankerContract):
    tolerance = 0.0

    def make(self) -> EnsembleReranker:
        inner = EnsembleReranker([FakeReranker(), FakeReranker(scale="logit")], method="minmax")
        return EnsembleReranker([FakeReranker(scale="logit"), inner], method="rrf", rrf_k=10)


class TestContractOfConvexFusion(RerankerContract):
    tolerance = 0.0

    def make(self) -> EnsembleReranker:
        return EnsembleReranker([FakeReranker()], method="convex", weights=[0.8, 0.2], missing_initial="skip")


class TestValues:
    def test_a_mean_of_certainties_is_certain(self) -> None:
        """Weights that sum to a bit more than 1, in floating point, make no probability of more than 1."""
        weights = [2, 0.1, 2, 5, 7, 7, 1]
        assert weighted_sum([np.ones(1)] * len(weights), convex_weights(weights)) > 1
        members = [Given([1, 0, 1, 1], Scale.PROBABILITY) for _ in weights]
        assert EnsembleReranker(members, method="mean", weights=weights).score("q", _DOCUMENTS).tolist() == [1, 0, 1, 1]

    def test_a_mean_keeps_the_scale(self) -> None:
        """Weights count in proportion, and the spread is the deviation between members."""
        ensemble = EnsembleReranker([Given([0, 1, 2, 3]), Given([4, 1, 0, 5])], method="mean", weights=[3, 1])
        ranking = ensemble.rerank("q", _DOCUMENTS)
        assert ensemble.scale is ranking.scale is Scale.LOGIT and ensemble.pointwise
        assert ensemble.score("q", _DOCUMENTS).tolist() == [1.0, 1.0, 1.5, 3.5]
        explained = {document.index: document.explanation for document in ranking}
        assert [explained[at]["spread"] for at in range(4)] == [2.0, 0.0, 1.0, 1.0]
        assert explained[3]["member_scores"] == [3.0, 5.0]

    def test_probabilities_stay_probabilities(self) -> None:
        """Rounding of the weights puts nothing above 1, which would be refused."""
        members = [Given([1, 1, 1, 0], Scale.PROBABILITY) for _ in range(7)]
        weights = [0.1, 0.2, 0.7, 0.3, 0.9, 0.11, 0.13]
        scores = EnsembleReranker(members, method="mean", weights=weights).score("q", _DOCUMENTS)
        np.testing.assert_allclose(scores, [1, 1, 1, 0], rtol=1e-12)
        assert scores.max() <= 1

    def test_zscores_are_those_of_scipy(self) -> None:
        """The mean of standardised scores; members of any scale; ordinal."""
        one, other = [0.0, 10.0, 5.0, 1.0], [0.9, 0.2, 0.4, 0.3]
        ensemble = EnsembleReranker([Given(one), Given(other, Scale.PROBABILITY)], method="zscore")
        rows = np.array([stats.zscore(one), stats.zscore(other)])
        np.testing.assert_allclose(ensemble.score("q", _DOCUMENTS), rows.mean(axis=0), rtol=1e-12)
        ranking = ensemble.rerank("q", _DOCUMENTS)
        for document in ranking:
            assert document.explanation["spread"] == pytest.approx(rows.std(axis=0)[document.index])
        assert ranking.scale is Scale.ORDINAL and not ensemble.pointwise

    def test_reciprocal_rank_fusion_by_hand(self) -> None:
        """Half of 1/(60 + rank) each; equal scores share a rank; the spread is in places."""
        ensemble = EnsembleReranker([Given([4, 3, 2, 1]), Given([1, 7, 7, 9], Scale.ORDINAL)], method="rrf")
        expected = [(1 / 61 + 1 / 64) / 2, (1 / 62 + 1 / 62.5) / 2, (1 / 63 + 1 / 62.5) / 2, (1 / 64 + 1 / 61) / 2]
        np.testing.assert_allclose(ensemble.score("q", _DOCUMENTS), expected, rtol=1e-12)
        spread = {d.index: d.explanation["spread"] for d in ensemble.rerank("q", _DOCUMENTS)}
        assert [spread[at] for at in range(4)] == [1.5, 0.25, 0.25, 1.5]

    def test_convex_fusion_takes_the_first_stage_in(self) -> None:
        """Each source from 0 to 1, the initial scores with the last weight; they don't count in the spread."""
        ensemble = EnsembleReranker([Given([0, 1, 2, 4])], method="convex", weights=[0.75, 0.25])
        ranking = ensemble.rerank("q", _DOCUMENTS, initial_scores=[30, 10, 20, 10])
        assert {d.index: d.score for d in ranking} == {0: 0.25, 1: 0.1875, 2: 0.5, 3: 0.75}
        assert {d.explanation["spread"] for d in ranking} == {0.0}

    def test_a_member_of_weight_zero_is_not_run(self) -> None:
        """It costs nothing and has no score."""
        idle = Given([9, 9, 9, 9])
        (first, *_) = EnsembleReranker([idle, Given([1, 2, 3, 4])], weights=[0, 2]).rerank("q", _DOCUMENTS)
        assert first.explanation["member_scores"] == [None, 4.0] and idle.asked == []

    def test_with_all_weight_on_the_first_stage_members_still_explain(self) -> None:
        """The order is the first stage's, and the spread is there."""
        ensemble = EnsembleReranker(
            [Given([0, 1, 2, 4]), Given([1, 0, 2, 4])], method="convex", weights=[0, 0, 1], missing_initial="skip"
        )
        ranking = ensemble.rerank("q", _DOCUMENTS, initial_scores=[4, 3, 2, 1])
        assert [d.index for d in ranking] == [0, 1, 2, 3] and ranking[0].explanation["spread"] > 0
        assert [d.index for d in ensemble.rerank("q", _DOCUMENTS)][:2] == [3, 2]

    def test_members_are_asked_for_all_documents(self) -> None:
        """`k` is the ensemble's: the best of a member need not be among the best of all."""
        member = Given([0, 1, 2, 3])
        ranking = EnsembleReranker([member]).rerank("q", _DOCUMENTS, k=1, initial_scores=[1, 2, 3, 4])
        assert len(ranking) == 1
        assert member.asked[0].k is None and member.asked[0].initial_scores == (1, 2, 3, 4)

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(st.lists(st.floats(-1e300, 1e300), min_size=4, max_size=4), min_size=1, max_size=4),
        st.sampled_from(_METHODS),
        st.data(),
    )
    def test_threads_change_nothing(self, numbers: list[list[float]], method: Any, data: st.DataObject) -> None:
        """Whatever the scores and the method: finite, and to the last bit the same in threads and without."""
        n_sources = len(numbers) + (method == "convex")
        weights = data.draw(st.lists(st.floats(0.0, 10), min_size=n_sources, max_size=n_sources).filter(any))
        results = []
        for parallel in (True, False):
            members = [Given(row) for row in numbers]
            ensemble = EnsembleReranker(members, method=method, weights=weights, parallel=parallel)
            ranking = ensemble.rerank("q", _DOCUMENTS, initial_scores=[3, 1, 2, 1])
            results.append([(d.index, d.score, d.explanation) for d in ranking])
        assert results[0] == results[1] and sorted(index for index, *_ in results[0]) == [0, 1, 2, 3]


class TestExplanations:
    def test_nothing_that_members_explain_is_lost(self) -> None:
        """A name of one member stays; of those that share one, the later get their position."""
        members = [
            Given([0, 1, 2, 3], passage=list("abcd")),
            Given([0, 1, 2, 3], passage=list("efgh"), spread=[9] * 4, truncated=[True] * 4),
        ]
        best = EnsembleReranker(members).rerank("q", _DOCUMENTS)[0]
        assert best.explanation == {
            "spread": 0.0,
            "member_scores": [3.0, 3.0],
            "passage": "d",
            "passage_1": "h",
            "spread_1": 9,
            "truncated": True,
        }

    def test_members_are_stages_of_the_trace(self) -> None:
        """In their order, whoever was first; what they counted is not counted again."""
        trace = EnsembleReranker([Given([0, 1, 2, 3]), FakeReranker(scale="logit")]).rerank("q", _DOCUMENTS).trace
        assert [stage.name for stage in trace.stages] == ["Given", "FakeReranker"]
        assert trace.counts == {} and trace.total("pairs") == 5

    def test_members_run_at_once_with_the_callers_context(self) -> None:
        """Two that wait for each other get through, and see the caller's context variables."""
        barrier, variable = threading.Barrier(2, timeout=30), contextvars.ContextVar("variable", default="unset")
        seen = []

        class Waiting(Given):
            def _score(self, requests: Sequence[Request]) -> list[Scores]:
                barrier.wait()
                seen.append(variable.get())
                return super()._score(requests)

        token = variable.set("set")
        EnsembleReranker([Waiting([0, 1, 2, 3]), Waiting([0, 1, 2, 3])]).rerank("q", _DOCUMENTS)
        variable.reset(token)
        assert seen == ["set", "set"]


class TestFailures:
    @pytest.mark.parametrize("parallel", [True, False])
    def test_an_error_is_raised_and_names_the_member(self, parallel: bool) -> None:
        """By default a failing member fails the ensemble, with its own error; the first in order goes before."""
        members = [Given([0, 1, 2, 3]), Broken(ConnectionError("gone")), Broken(ValueError("later"))]
        with pytest.raises(ConnectionError, match="gone") as caught:
            EnsembleReranker(members, parallel=parallel).rerank("q", _DOCUMENTS)
        assert caught.value.__notes__ == ["(raised by member 1, Broken)"]

    @pytest.mark.parametrize("parallel", [True, False])
    def test_it_goes_on_without_a_member(self, parallel: bool, caplog: pytest.LogCaptureFixture) -> None:
        """If set so: the others' weights make up the whole; the trace counts and notes it, and it is logged."""
        members = [Given([0, 1, 2, 3]), Broken(ConnectionError("gone")), Given([4, 4, 4, 4])]
        weights = [1, 5, 3]
        ensemble = EnsembleReranker(members, method="mean", weights=weights, on_error="skip", parallel=parallel)
        with caplog.at_level(logging.WARNING, logger="secondpass"):
            ranking = ensemble.rerank("q", _DOCUMENTS)
        assert {d.index: d.score for d in ranking} == {0: 3.0, 1: 3.25, 2: 3.5, 3: 3.75}
        assert ranking[0].explanation["member_scores"] == [3.0, None, 4.0]
        assert ranking[0].explanation["spread"] == 0.5
        assert ranking.trace.counts == {"members_failed": 1}
        assert ranking.trace.notes == ("member 1 (Broken) failed and was left out: ConnectionError('gone')",)
        (record,) = caplog.records
        assert "member 1 (Broken)" in record.getMessage() and "gone" in record.getMessage()

    def test_scores_are_pointwise_only_if_no_member_can_be_left_out(self) -> None:
        """A mean without the member that failed must not be cached beside one with it."""
        members = [FakeReranker(), FakeReranker()]
        assert EnsembleReranker(members, method="mean").pointwise
        assert EnsembleReranker(members[:1], method="mean", on_error="skip").pointwise
        assert not EnsembleReranker(members, method="mean", on_error="skip").pointwise

    def test_scores_that_break_the_contract_are_a_failure_too(self) -> None:
        """A member that gives NaN is left out like one that raises."""
        members = [Given([0, 1, 2, 3]), Given([0, 1, 2, float("nan")])]
        ranking = EnsembleReranker(members, method="mean", on_error="skip").rerank("q", _DOCUMENTS)
        assert ranking[0].score == 3 and "nan as the score" in ranking.trace.notes[0]

    def test_if_all_fail_so_does_the_ensemble(self) -> None:
        """The error names each, and the first is its cause."""
        ensemble = EnsembleReranker([Broken(OSError("disk")), Broken(OSError("net"))], on_error="skip")
        with pytest.raises(ScoringError, match=r"member 0.*disk.*member 1.*net") as caught:
            ensemble.rerank("q", _DOCUMENTS)
        assert isinstance(caught.value.__cause__, OSError)

    @pytest.mark.parametrize(
        "error", [InputError("no"), ConfigError("no"), MissingExtraError("no"), SecondPassWarning("no")]
    )
    def test_what_the_caller_can_set_right_is_raised(self, error: Exception) -> None:
        """Bad input is no failure of a member, nor a warning that the caller made an error."""
        with pytest.raises(type(error)):
            EnsembleReranker([Given([0, 1, 2, 3]), Broken(error)], on_error="skip").rerank("q", _DOCUMENTS)

    def test_convex_needs_initial_scores(self) -> None:
        """Without them it says what to pass, before any member is run; or goes on without, and says that."""
        member = Given([0, 1, 2, 3])
        with pytest.raises(InputError, match="pass initial_scores"):
            EnsembleReranker([member], method="convex").rerank("q", _DOCUMENTS)
        assert member.asked == []
        skipping = EnsembleReranker([member], method="convex", missing_initial="skip")
        trace = skipping.rerank("q", _DOCUMENTS).trace
        assert trace.counts == {"fallbacks": 1} and "no initial_scores" in trace.notes[0]


class TestSettings:
    @pytest.mark.parametrize(
        ("scales", "names"),
        [
            (("logit", "probability"), "gives logits, .* probabilities. There are three ways out: make probabilities"),
            (("ordinal", "ordinal"), "ordinal scores"),
            (("logit", "ordinal"), "gives logits, .* ordinal scores, which only say an order"),
        ],
    )
    def test_a_mean_needs_one_scale(self, scales: tuple[str, ...], names: str) -> None:
        """Logits with probabilities, or what only gives an order, can't be averaged; both sides are named."""
        with pytest.raises(CompositionError, match=names):
            EnsembleReranker([FakeReranker(scale=scale) for scale in scales], method="mean")
        for method in _METHODS[1:]:
            assert EnsembleReranker([FakeReranker(scale=s) for s in scales], method=method).scale is Scale.ORDINAL  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"members": []}, "at least one"),
            ({"members": FakeReranker()}, "at least one"),
            ({"method": "median"}, "method must be 'mean', 'zscore', 'minmax', 'rrf' or 'convex', not 'median'"),
            ({"on_error": "ignore"}, "on_error must be"),
            ({"missing_initial": "zero"}, "missing_initial must be"),
            ({"rrf_k": -1}, "rrf_k must be"),
            ({"rrf_k": float("nan")}, "rrf_k must be"),
            ({"weights": [1]}, "a weight for each of 2 members, not 1 weight"),
            ({"weights": [1, 1], "method": "convex"}, "each of 2 members and the initial scores, not 2 weights"),
            ({"weights": [0, 0]}, "not all 0"),
            ({"weights": [1, -1]}, "at least 0"),
            ({"weights": 0.5}, "weights must be a list of numbers, not 0.5"),
            ({"weights": "12"}, "weights must be a list of numbers, not '12'"),
            ({"weights": {0: 1, 1: 2}}, "weights must be a list of numbers"),
            ({"weights": [10**400, 1]}, "weights must be numbers"),
        ],
    )
    def test_settings_out_of_range_are_refused(self, settings: dict[str, Any], message: str) -> None:
        """When it is built, not when it is used."""
        with pytest.raises(ConfigError, match=message):
            EnsembleReranker(**{"members": [FakeReranker(), FakeReranker()], **settings})

    def test_logits_and_similarities_are_not_averaged(self) -> None:
        """A cross-encoder's 4.3 and a MaxSim of 27.2 have no mean, in windows or not, unless both are calibrated."""
        members = [sp.CrossEncoderReranker(), sp.ColbertReranker()]
        with pytest.raises(
            CompositionError, match=r"scores of its own kind .ColbertReranker.*\(method='rrf', the default\)"
        ):
            EnsembleReranker([members[0], sp.PassageReranker(members[1])], method="mean")
        assert EnsembleReranker([members[1], sp.PassageReranker(members[1])], method="mean").scale is Scale.LOGIT
        calibrated = [sp.CalibratedReranker(member, calibrator=_PLATT) for member in members]
        assert EnsembleReranker(calibrated, method="mean").scale is Scale.PROBABILITY
        scores = EnsembleReranker(members).score("how do I copy a file?", ["Copy a file by shutil.copy.", "Bread."])
        assert scores.tolist() == [1 / 61, 1 / 62]

    def test_members_by_name_and_by_configuration(self) -> None:
        """They are loaded, and stand in the configuration with their settings."""
        by_name = EnsembleReranker(["fake", {"type": "fake", "scale": "logit"}])
        assert [member.scale for member in by_name.members] == [Scale.PROBABILITY, Scale.LOGIT]
        config = {"type": "ensemble", "members": ["fake", {"type": "fake", "scale": "logit"}]}
        assert sp.from_config(config).to_config() == by_name.to_config()
        assert by_name.to_config()["members"][0] == {"type": "fake", "scale": "probability", "pointwise": True}
        with pytest.raises(RegistryError, match="did you mean 'fake'"):
            EnsembleReranker(["fake", "fak"])
        with pytest.raises(ConfigError, match="members must be a list of at least one reranker, not 'fake, fake'"):
            EnsembleReranker("fake, fake")


class TestFit:
    def test_the_right_member_is_found(self) -> None:
        """Against one that turns the order around, the good member gets the weight."""
        good, bad = Given([0, 1, 2, 3]), Given([9, 6, 3, 0])
        ensemble = EnsembleReranker([bad, good], method="mean")
        assert [d.index for d in ensemble.rerank("q", _DOCUMENTS)] == [0, 1, 2, 3]
        assert ensemble.fit([Request("q", _DOCUMENTS, 1)], [[0, 0, 1, 2]]) is ensemble
        assert [d.index for d in ensemble.rerank("q", _DOCUMENTS)] == [3, 2, 1, 0]
        assert ensemble.fitted_ndcg_ == 1.0 and ensemble.weights is not None

    def test_pairs_are_requests_too(self) -> None:
        """As for `rerank_many`; what is neither is named."""
        fitted = EnsembleReranker([Given([0, 1, 2, 3]), Given([3, 2, 1, 0])], method="minmax")
        fitted.fit([("q", _DOCUMENTS)], [[0, 0, 1, 2]])
        assert [d.index for d in fitted.rerank("q", _DOCUMENTS)] == [3, 2, 1, 0]
        with pytest.raises(InputError, match=r"requests\[0\] must be a Request or a"):
            fitted.fit(["q"], [[1]])  # type: ignore[list-item]

    def test_what_was_fitted_is_in_the_configuration(self) -> None:
        """Weights go through JSON, and count in the fingerprint."""
        ensemble = EnsembleReranker([FakeReranker(), FakeReranker()], method="zscore")
        before = ensemble.fingerprint
        ensemble.fit([Request("one", _DOCUMENTS), Request("two", [])], [[0, 1, 0, 0], []])
        restored = sp.from_config(json.loads(json.dumps(ensemble.to_config())))
        assert restored.weights == ensemble.weights and restored.fingerprint == ensemble.fingerprint  # type: ignore[attr-defined]
        assert ensemble.weights is None or ensemble.fingerprint != before

    @settings(max_examples=25, deadline=None)
    @given(st.integers(0, 2**32 - 1), st.sampled_from(_METHODS))
    def test_on_what_it_was_fitted_on_no_source_is_better(self, seed: int, method: Any) -> None:
        """As nDCG of the rankings that come out says: no member, no equal mixture, not the retriever for convex."""
        random = np.random.default_rng(seed)
        members = [Given(random.normal(size=4)) for _ in range(3)]
        grades = random.permutation([0, 0, 1, 2]).tolist()
        request = Request("q", _DOCUMENTS, initial_scores=random.normal(size=4).tolist())

        def ndcg(reranker: Reranker) -> float:
            order = [d.index for d in reranker.rerank_many([request])[0]]
            return float(sum(grades[at] / np.log2(rank + 2) for rank, at in enumerate(order)))

        ensemble = EnsembleReranker(members, method=method).fit([request], [grades])
        rivals: list[Reranker] = [*members, EnsembleReranker(members, method=method)]
        if method == "convex":
            rivals.append(EnsembleReranker(members, method="convex", weights=[0, 0, 0, 1]))
        assert ndcg(ensemble) >= max(map(ndcg, rivals)) - 1e-12

    def test_useless_members_are_reported(self, caplog: pytest.LogCaptureFixture) -> None:
        """If the first stage alone is best, that is logged, and the result can be used and written down."""
        ensemble = EnsembleReranker([Given([3, 2, 1, 0])], method="convex")
        request = Request("q", _DOCUMENTS, initial_scores=[0, 1, 2, 3])
        with caplog.at_level(logging.WARNING, logger="secondpass"):
            ensemble.fit([request], [[0, 0, 1, 2]])
        assert ensemble.rerank_many([request])[0].texts == ["three", "two", "one", "zero"]
        assert ensemble.weights == [0.0, 1.0] and "add nothing" in caplog.text

    def test_fitting_needs_what_scoring_needs(self) -> None:
        """Initial scores for convex, members that answer, and a depth that is one."""
        request = Request("q", _DOCUMENTS)
        with pytest.raises(InputError, match="pass initial_scores"):
            EnsembleReranker([FakeReranker()], method="convex", missing_initial="skip").fit([request], [[1, 0, 0, 0]])
        with pytest.raises(ConnectionError):
            EnsembleReranker([Broken(ConnectionError())], on_error="skip").fit([request], [[1, 0, 0, 0]])
        with pytest.raises(InputError, match="k must be"):
            EnsembleReranker([FakeReranker()]).fit([request], [[1, 0, 0, 0]], k=0)

    def test_no_warning_escapes(self) -> None:
        """Constant scores of every member are an ordinary case."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for method in _METHODS:
                ensemble = EnsembleReranker([Given([1, 1, 1, 1])] * 2, method=method)  # type: ignore[arg-type]
                ranking = ensemble.rerank("q", _DOCUMENTS, initial_scores=[1, 1, 1, 1])
                assert [d.index for d in ranking] == [0, 1, 2, 3]
