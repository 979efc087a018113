"""What the base class guarantees for every reranker."""

import asyncio
import json
import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import secondpass as sp
from secondpass.base import Reranker
from secondpass.classify.classifier import ZeroShotClassifier
from secondpass.composition.fallback import FallbackReranker
from secondpass.composition.passage import PassageReranker
from secondpass.composition.routed import RoutedReranker
from secondpass.errors import CompositionError, ConfigError, InputError, ScoringError
from secondpass.models.nli import NliModel
from secondpass.testing import FakeReranker
from secondpass.types import Request, Scale, Scores


class Scripted(Reranker):
    """Returns the scores that it was given, for as many documents as there are of them."""

    registry_name: ClassVar[str] = "scripted"

    def __init__(self, values: list[float], scale: Scale = Scale.LOGIT) -> None:
        self.values, self.scale = values, scale

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        return [Scores(np.array(self.values)) for _ in requests]


@given(st.lists(st.sampled_from([-1.0, 0.0, 0.0, 1.5, 1e300])))
def test_ranking_sorts_stably(values: list[float]) -> None:
    """The order is by falling score, and by position among equals; every index stands in it once."""
    ranking = Scripted(values).rerank("q", ["text"] * len(values))
    expected = sorted(range(len(values)), key=lambda at: (-values[at], at))
    assert [document.index for document in ranking] == expected
    assert all(type(document.score) is float for document in ranking)


@pytest.mark.parametrize(
    ("values", "scale", "message"),
    [
        ([0.0], Scale.LOGIT, r"shape \(1,\) for 2 documents"),
        ([0.0, float("nan")], Scale.LOGIT, r"nan as the score of documents\[1\]"),
        ([float("inf"), 0.0], Scale.LOGIT, r"inf as the score of documents\[0\]"),
        ([0.5, 1.5], Scale.PROBABILITY, "claims probabilities but returned 0.5 to 1.5"),
    ],
)
def test_broken_scores_are_refused(values: list[float], scale: Scale, message: str) -> None:
    """A reranker that returns too few, non-finite or out-of-range scores is named, and nothing is ranked."""
    with pytest.raises(ScoringError, match=message):
        Scripted(values, scale).rerank("q", ["a", "b"])


def test_too_few_results_are_refused() -> None:
    """A reranker must answer every request."""

    class Silent(Scripted):
        def _score(self, requests: Sequence[Request]) -> list[Scores]:
            return []

    with pytest.raises(ScoringError, match="0 results for 1 request"):
        Silent([]).rerank("q", ["a"])


class Returns(Reranker):
    """Returns whatever it is told to."""

    registry_name: ClassVar[str] = "returns"

    def __init__(self, make: Any) -> None:
        self.make = make

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        returned: list[Scores] = self.make(requests)
        return returned


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda requests: [np.array([1.0, 2.0]) for _ in requests], "returned a ndarray for a request: put the values"),
        (lambda requests: [[1.0, 2.0] for _ in requests], "returned a list for a request: put the values into Scores"),
        (lambda _: np.array([1.0, 2.0]), "returned a ndarray, not a list of Scores, one for each request"),
        (lambda requests: (Scores(np.zeros(2)) for _ in requests), "returned a generator, not a list of Scores"),
        (lambda _: None, "returned a NoneType, not a list of Scores"),
        (lambda _: [Scores(["high", "low"])], "values of Scores must be numbers, one for each document: could not"),  # type: ignore[arg-type]
        (lambda _: [Scores(np.zeros(2), {"why": "ab"})], "explained 'why' by a str, not a list"),
        (lambda _: [Scores(np.zeros(2), {"why": None})], "explained 'why' by a NoneType, not a list"),  # type: ignore[dict-item]
    ],
)
def test_what_is_no_list_of_scores_is_refused(make: Any, message: str) -> None:
    """A reranker of one's own that returns the values themselves, or a generator, is told what to return."""
    for documents in (["a", "b"], ["a", "", "b"]):
        with pytest.raises(ScoringError, match=message):
            Returns(make).rerank("q", documents)


def test_arrays_of_explanations_come_back_as_plain_data() -> None:
    """JSON holds no number of numpy's."""
    returns = Returns(lambda _: [Scores(np.array([0.0, 1.0]), {"votes": np.array([3, 4])})])  # type: ignore[dict-item]
    ranking = returns.rerank("q", ["a", "b"])
    assert json.loads(json.dumps(ranking.to_dict()))["documents"][0]["explanation"] == {"votes": 4}


@pytest.mark.parametrize("requests", [Request("q", ["a"]), "q", None])
def test_requests_are_a_list(requests: Any) -> None:
    """A single one is told apart from a list of them."""
    with pytest.raises(InputError, match="requests must be a list of Requests or"):
        FakeReranker().rerank_many(requests)


def test_explanations_must_cover_every_document() -> None:
    """A column of explanations that is too short can't be told apart from a wrong one."""

    class Mute(Scripted):
        def _score(self, requests: Sequence[Request]) -> list[Scores]:
            return [Scores(np.zeros(2), {"passage": ["only one"]})]

    with pytest.raises(ScoringError, match="explained 'passage' for 1 of 2"):
        Mute([]).rerank("q", ["a", "b"])


def test_explanations_follow_their_documents() -> None:
    """After sorting, each document has its own explanation."""

    class Explaining(Scripted):
        def _score(self, requests: Sequence[Request]) -> list[Scores]:
            return [Scores(np.array([0.0, 1.0]), {"passage": ["of a", "of b"]})]

    ranking = Explaining([]).rerank("q", ["a", "b"])
    assert [(d.text, d.explanation["passage"]) for d in ranking] == [("b", "of b"), ("a", "of a")]


def test_the_trace_names_and_times_the_reranker() -> None:
    """Name and wall-clock time are filled in by the base class."""
    trace = FakeReranker().rerank("q", ["a", "b"]).trace
    assert trace.name == "FakeReranker" and trace.latency_s > 0
    assert trace.counts == {"pairs": 2, "pairs_scored": 2}


def test_k_of_a_request_goes_before_k_of_the_call() -> None:
    """Each request may say how many it wants; the others get what the call says."""
    requests = [Request("q", ["a", "b", "c"], 1), Request("q", ["a", "b", "c"])]
    assert [len(ranking) for ranking in FakeReranker().rerank_many(requests, k=2)] == [1, 2]


@pytest.mark.parametrize("request_like", [("q",), "q", ("q", ["a"], 1), None])
def test_a_request_is_a_request_or_a_pair(request_like: object) -> None:
    """Anything else is refused, with its position."""
    with pytest.raises(InputError, match=r"requests\[1\] must be"):
        FakeReranker().rerank_many([("q", ["a"]), request_like])  # type: ignore[list-item]


class TestTraits:
    def test_a_wrong_scale_names_both_sides(self) -> None:
        """The error says what the outer one needs and what the inner one gives."""
        outer, inner = Scripted([]), FakeReranker(scale="ordinal")
        with pytest.raises(CompositionError, match=r"Scripted needs logit or probability.*FakeReranker gives ordinal"):
            outer.require_traits(inner, Scale.LOGIT, Scale.PROBABILITY)

    def test_scores_that_depend_on_the_others_are_refused_where_it_matters(self) -> None:
        """What must be pointwise is checked."""
        with pytest.raises(CompositionError, match="Scripted needs scores that don't depend"):
            Scripted([]).require_traits(FakeReranker(pointwise=False), pointwise=True)

    def test_what_fits_passes(self) -> None:
        """No scale named means any scale."""
        Scripted([]).require_traits(FakeReranker(), Scale.PROBABILITY, pointwise=True)
        Scripted([]).require_traits(FakeReranker(scale="ordinal"))

    def test_only_a_reranker_can_be_wrapped(self) -> None:
        """A name or a function in its place is a composition error."""
        with pytest.raises(CompositionError, match="wraps a Reranker, not a str"):
            Scripted([]).require_traits("cross-encoder")  # type: ignore[arg-type]

    def test_a_threshold_needs_numbers(self) -> None:
        """Ordinal scores take none, and it must be finite."""
        FakeReranker().require_threshold(0.5)
        FakeReranker(scale="ordinal").require_threshold(None)
        with pytest.raises(CompositionError, match="ordinal"):
            FakeReranker(scale="ordinal").require_threshold(0.5)
        for bad in (float("nan"), "0.5", True):
            with pytest.raises(ConfigError, match="a finite number"):
                FakeReranker().require_threshold(bad)  # type: ignore[arg-type]


class TestConfig:
    def test_settings_come_back(self) -> None:
        """`to_config` is the registered name with every setting; enums are written as what they are."""
        config = FakeReranker(scale="logit", pointwise=False).to_config()
        assert config == {"type": "fake", "scale": "logit", "pointwise": False}
        assert type(config["scale"]) is str
        assert sp.from_config(config).to_config() == config

    def test_nested_rerankers_are_data_too(self) -> None:
        """A reranker among the settings, or in a list, is written as its own configuration."""

        class Wrapping(Scripted):
            def __init__(self, wrapped: Reranker, members: list[Reranker], weights: dict[str, float]) -> None:
                self.wrapped, self.members, self.weights = wrapped, members, weights

        fake = FakeReranker()
        config = Wrapping(fake, [fake], {"a": np.float64(1.0)}).to_config()
        assert config["wrapped"] == fake.to_config() and config["members"] == [fake.to_config()]
        assert type(config["weights"]["a"]) is float

    def test_a_class_builds_itself_with_all_that_it_holds(self) -> None:
        """From what it wrote, with or without ``type``: rerankers within and in lists are built, too."""
        passage = PassageReranker(FakeReranker(scale="logit"), max_tokens=9)
        chain = FallbackReranker([passage, FakeReranker()])
        for reranker in (passage, chain):
            config = reranker.to_config()
            settings = {name: value for name, value in config.items() if name != "type"}
            for data in (config, settings):
                assert type(reranker).from_config(data).to_config() == config
        with pytest.raises(ConfigError, match=r"PassageReranker has the type 'passage' .* not 'fallback'"):
            PassageReranker.from_config(chain.to_config())

    def test_the_fingerprint_follows_the_settings(self) -> None:
        """Equal settings give equal fingerprints, other settings another one."""
        assert FakeReranker().fingerprint == FakeReranker().fingerprint
        assert FakeReranker().fingerprint != FakeReranker(scale="logit").fingerprint

    def test_what_is_no_data_is_refused(self) -> None:
        """A function among the settings has no place in a configuration."""
        with pytest.raises(ConfigError, match=r"Scripted.values is of the type function"):
            Scripted(lambda: None).to_config()  # type: ignore[arg-type]

    def test_a_reranker_without_a_name_has_no_configuration(self) -> None:
        """The message says what to set."""

        class Nameless(Scripted):
            registry_name = ""

        with pytest.raises(ConfigError, match="Nameless sets no registry_name"):
            Nameless([]).to_config()

    @pytest.mark.parametrize("kind", [FakeReranker, RoutedReranker, NliModel, ZeroShotClassifier])
    @pytest.mark.parametrize(
        ("config", "message"),
        [
            (None, "is a mapping, not NoneType"),
            (["a"], "is a mapping, not list"),
            ({1: 2, "x": 3}, "are names of settings"),
        ],
    )
    def test_a_configuration_is_a_mapping_from_names(self, kind: Any, config: Any, message: str) -> None:
        """Whatever is built from one refuses anything else by its own name."""
        with pytest.raises(ConfigError, match=f"{kind.__name__}: .*{message}"):
            kind.from_config(config)


class Sees(FakeReranker):
    """Fails if it is shown a blank document, as strict servers do."""

    log_odds = True

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        assert all(text.strip(_BLANK_LETTERS) for request in requests for text in request.texts)
        scored = super()._score(requests)
        pairs = zip(requests, scored, strict=True)
        return [Scores(each.values, {"length": [len(text) for text in r.texts]}) for r, each in pairs]


_BLANK_LETTERS = " \t\n\r\x00\x1f\u200b\u200d\u2060\ufeff\u00ad\u3000\u3164\u2800"  # with no width, or only space
_BLANK_LETTERS += ".,;:!?-\u2013\u2014_\u2026()[]\"'\u0301"
_BLANKS = st.text(st.sampled_from(_BLANK_LETTERS), max_size=5)
_TEXTS = st.text(st.sampled_from("aé日7½$🙂+ ."), min_size=1, max_size=5).filter(lambda text: text.strip(" ."))


def _wrappings(scale: str) -> dict[str, Reranker]:
    inner = Sees(scale=scale)
    wrapped: dict[str, Reranker] = {
        "alone": inner,
        "passage": PassageReranker(inner, max_tokens=2, overlap=0),
        "cached": sp.CachedReranker(inner),
        "coalescing": sp.CoalescingReranker(inner, max_wait_ms=0),
        "blended": sp.BlendedReranker(inner, missing_initial="skip"),
        "ensemble": sp.EnsembleReranker([inner, inner], method="rrf"),
        "cascade": sp.CascadeReranker([inner, inner], keep=[2]),
        "fallback": FallbackReranker([inner, inner]),
    }
    if scale != "ordinal":
        calibrator = {"type": "platt", "slope": 1.5, "intercept": -0.5}
        wrapped["calibrated"] = sp.CalibratedReranker(inner, calibrator=calibrator)
        wrapped["prior"] = sp.PriorReranker(inner, weight=50.0)
    return wrapped


@pytest.mark.parametrize("scale", ["logit", "probability", "ordinal"])
@settings(max_examples=25, deadline=None)
@given(documents=st.lists(st.one_of(_BLANKS, _TEXTS), max_size=6), k=st.sampled_from([None, 2]))
def test_blank_documents_come_last_and_are_not_scored(scale: str, documents: list[str], k: int | None) -> None:
    """In every composition, however it is called: below all others, which get the scores that they get without them."""
    others = [text for text in documents if text.strip(_BLANK_LETTERS)]
    for name, reranker in _wrappings(scale).items():
        alone = [(d.text, d.score) for d in reranker.rerank("7 a", others)]
        waited = asyncio.run(reranker.arerank_many([("7 a", documents), ("7 a", others)]))
        for ranking in (reranker.rerank("7 a", documents), waited[0]):
            assert [(d.text, d.score) for d in ranking][: len(others)] == alone, name
            blanks = ranking[len(others) :]
            assert [d.index for d in blanks] == [at for at, text in enumerate(documents) if text not in others]
            for document in blanks:
                assert document.explanation == {"blank": True}
                assert all(document.score < score or (document.score, score) == (0.0, 0.0) for _, score in alone)
                if ranking.scale is Scale.PROBABILITY:
                    assert document.score == 0.0
                elif ranking.scale is Scale.LOGIT:
                    assert math.isfinite(document.score) and document.score <= -12.0
            assert ranking.trace.total("blank") >= len(blanks)  # windows of others may be blank
        assert [d.index for d in reranker.rerank("7 a", documents, k=k)] == [d.index for d in ranking[:k]]


@pytest.mark.parametrize("lowest", [-1.7976931348623157e308, -1e300, 0.0, 1e17])
def test_a_blank_documents_score_is_finite_and_lowest(lowest: float) -> None:
    """Also where a difference of 1 is lost, and where there is no lower number: it comes last even so."""
    ranking = Scripted([lowest]).rerank("q", ["", "text"])
    assert [document.index for document in ranking] == [1, 0]
    assert math.isfinite(ranking[1].score) and ranking[1].score <= ranking[0].score == lowest
    assert ranking[1].score < lowest or lowest == -1.7976931348623157e308


def test_a_blank_document_is_below_a_probability_of_zero() -> None:
    """The score is the same, and the place is not."""
    ranking = Scripted([0.0, 0.5], Scale.PROBABILITY).rerank("q", ["?!", "zero", " ", "half"])
    assert [(document.index, document.score) for document in ranking] == [(3, 0.5), (1, 0.0), (0, 0.0), (2, 0.0)]
