"""The calibrations that come with secondpass: what they are bound to, who hands them on, what is made of them."""

import json
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

import secondpass as sp
from secondpass.calibration import PlattCalibrator
from secondpass.calibration.ready import ReadyCalibration, _parameters, ready_calibration
from secondpass.composition.passage import PassageReranker
from secondpass.composition.prior import rank_prior
from secondpass.errors import CompositionError, ConfigError, SecondPassWarning
from secondpass.logistic import sigmoid
from secondpass.models.sources.catalog import catalog
from secondpass.models.sources.resolve import package_folder
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.testing import FakeReranker
from secondpass.types import Request, Scale, Scores, Trace

NAME = "ms-marco-MiniLM-L12-v2"
QUERY = "how do I copy a file?"
DOCUMENTS = ["Knead the dough and let it rest.", "shutil.copy copies a file", "os.remove deletes a file", " "]


def _ready() -> ReadyCalibration:
    ready = ready_calibration(NAME, catalog()[NAME].sha256)
    assert ready is not None
    return ready


class Calibrated(FakeReranker):
    """Has the default model's calibration, and log-odds as a cross-encoder gives them."""

    log_odds = True

    def __init__(self, *, scale: str = "logit", pointwise: bool = True) -> None:
        super().__init__(scale=scale, pointwise=pointwise)
        self._ready = _ready()

    @property
    def calibration(self) -> ReadyCalibration:
        return self._ready


class Told(Calibrated):
    """Gives the logits that it was told, one request after the other."""

    def __init__(self, logits: Sequence[Sequence[float]]) -> None:
        super().__init__()
        self.logits: Iterator[Sequence[float]] = iter(logits)

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        return [Scores(np.array(next(self.logits))) for _ in requests]


class Unread(Calibrated):
    """Does not read the language of anything."""

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        return [Scores(np.zeros(len(each)), trace=Trace(counts={"unread": len(each)})) for each in requests]


class TestTheDefaultModel:
    @pytest.mark.parametrize("prior", [False, True])
    def test_probabilities_without_labels(self, cross_encoder: CrossEncoderReranker, prior: bool) -> None:
        """Every document has one, in the order of the scores and in the explanation; a blank one has 0."""
        reranker = sp.PriorReranker(cross_encoder) if prior else cross_encoder
        ranking = reranker.rerank(QUERY, DOCUMENTS)
        probabilities = [document.probability for document in ranking]
        assert ranking[0].index == 1
        assert probabilities == sorted(probabilities, reverse=True)
        assert probabilities[0] > 0.5 > probabilities[1] and probabilities[-1] == 0.0
        assert ranking[0].explanation["probability"] == probabilities[0] and ranking[-1].explanation == {"blank": True}
        assert all(type(probability) is float for probability in probabilities)
        assert [document.index for document in ranking.above(probability=0.5)] == [1]

    def test_whether_anything_answers(self, cross_encoder: CrossEncoderReranker) -> None:
        """A probability of the ranking, the same however few documents are kept, by the logits without the prior."""
        alone, prior = cross_encoder, sp.PriorReranker(cross_encoder)
        found = alone.rerank(QUERY, DOCUMENTS)
        assert found.answerable is not None and found.answerable > 0.6
        assert alone.rerank(QUERY, DOCUMENTS, k=1).answerable == found.top(1).answerable == found.answerable
        assert found.above(probability=1).answerable == prior.rerank(QUERY, DOCUMENTS).answerable == found.answerable
        nothing = prior.rerank("who won the world cup in 1990?", DOCUMENTS).answerable
        assert nothing is not None and nothing < 0.3

    def test_sigmoids_give_the_same(self, cross_encoder: CrossEncoderReranker) -> None:
        """Probabilities that are none yet are calibrated by their log-odds."""
        twin = CrossEncoderReranker(cross_encoder.pair_model, activation="sigmoid", smoke_test=False)
        expected = cross_encoder.rerank(QUERY, DOCUMENTS)
        for found in (twin.rerank(QUERY, DOCUMENTS), sp.PriorReranker(twin, weight=2.0).rerank(QUERY, DOCUMENTS)):
            assert found.answerable == pytest.approx(expected.answerable, abs=1e-6)
        of_each = [document.probability for document in twin.rerank(QUERY, DOCUMENTS)]
        assert of_each == pytest.approx([document.probability for document in expected], abs=1e-6)

    def test_a_folder_has_none(self, cross_encoder: CrossEncoderReranker) -> None:
        """It may hold a fine-tuned model, whatever it is called."""
        assert cross_encoder.calibration is not None
        folder = package_folder(catalog()[NAME])
        assert folder is not None and CrossEncoderReranker(folder, smoke_test=False).calibration is None

    def test_a_language_that_it_does_not_read(self, cross_encoder: CrossEncoderReranker) -> None:
        """The order stands, nothing is known of any document, and no probability leaves one out."""
        reranker = CrossEncoderReranker(cross_encoder.pair_model, smoke_test=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", sp.LanguageWarning)
            ranking = reranker.rerank("كيف أنسخ ملفا؟", ["هذا الأمر ينسخ ملفا", "الطقس جميل اليوم"])
        assert [document.probability for document in ranking] == [None, None] and ranking.answerable is None
        assert len(ranking.above(probability=0.99)) == 2


def test_it_is_of_the_weights_in_the_catalogue() -> None:
    """Each is bound to the checksum that the catalogue promises, and there is none for others."""
    assert NAME in _parameters()
    assert all(catalog()[name].sha256 == found["sha256"] for name, found in _parameters().items())
    assert ready_calibration(NAME, "0" * 64) is None and ready_calibration("bge-reranker-base", "") is None


def test_maps_are_rising_and_reach_both_sides() -> None:
    """What fits is likely relevant, what does not is not, and one of both is more likely with a better best logit."""
    ready = _ready()
    assert ready.documents and ready.with_prior and ready.answerable
    for calibrator in (ready.documents, ready.with_prior, ready.answerable):
        low, middle, high = calibrator.apply([-11.0, 0.0, 9.0])
        assert low < 0.1 and low < middle < high and high > 0.6


def _wrappings(inner: FakeReranker) -> dict[str, sp.Reranker]:
    return {
        "cached": sp.CachedReranker(inner),
        "coalescing": sp.CoalescingReranker(inner),
        "passage": PassageReranker(inner),
        "routed": sp.RoutedReranker({"9": inner, "inf": inner}, "length"),
        "translating": sp.TranslatingReranker(inner, list),
    }


def test_wrappers_hand_it_on() -> None:
    """Those that leave scores as they are give the same probabilities."""
    inner = Calibrated()
    expected = inner.rerank(QUERY, DOCUMENTS)
    for name, reranker in _wrappings(inner).items():
        for _ in range(2):  # the second time from the cache
            ranking = reranker.rerank(QUERY, DOCUMENTS)
            assert [d.probability for d in ranking] == [d.probability for d in expected], name
            assert ranking.answerable == expected.answerable


def test_wrappers_that_change_scores_do_not() -> None:
    """Another weight of the prior, means of windows, means of members, other routes."""
    inner = Calibrated()
    others: list[sp.Reranker] = [
        sp.PriorReranker(inner, weight=3.0),
        sp.PriorReranker(FakeReranker()),
        PassageReranker(inner, pool="mean"),
        sp.EnsembleReranker([inner, inner], method="mean"),
        sp.RoutedReranker({"9": inner, "inf": FakeReranker(scale="logit")}, "length"),
    ]
    for reranker in others:
        ranking = reranker.rerank(QUERY, DOCUMENTS)
        assert ranking.answerable is None and ranking[0].probability is None
        assert "probability" not in ranking[0].explanation and "answerable" not in ranking.to_dict()


class TestAsAReranker:
    @pytest.mark.parametrize("scale", ["logit", "probability"])
    @pytest.mark.parametrize("prior", [False, True])
    def test_scores_are_the_probabilities(self, scale: str, prior: bool) -> None:
        """`CalibratedReranker` with the ready calibration scores by what the rankings explain without it."""
        inner: sp.Reranker = Calibrated(scale=scale)
        inner = sp.PriorReranker(inner) if prior else inner
        expected, reranker = inner.rerank(QUERY, DOCUMENTS), sp.CalibratedReranker(inner, calibrator="ready")
        ranking = reranker.rerank(QUERY, DOCUMENTS)
        assert ranking.scale is Scale.PROBABILITY and ranking.answerable == expected.answerable
        assert [d.score for d in ranking] == [d.probability for d in ranking] == [d.probability for d in expected]

    def test_configuration(self) -> None:
        """It is asked for by its name, and written so; there is no file to save."""
        named = {"type": "calibrated", "wrapped": {"type": "cross-encoder"}, "calibrator": "ready"}
        reranker = sp.from_config(named)
        assert isinstance(reranker, sp.CalibratedReranker) and reranker.to_config()["calibrator"] == "ready"
        with pytest.raises(ConfigError, match="nothing to save"):
            reranker.save("calibration.json")
        restored = sp.from_config(json.loads(json.dumps(reranker.to_config())))
        assert restored.fingerprint == reranker.fingerprint
        assert restored.score(QUERY, DOCUMENTS).tolist() == reranker.score(QUERY, DOCUMENTS).tolist()

    def test_base_rate(self) -> None:
        """The share of relevant documents can be corrected for, as the calibration knows that of its sets."""
        usual = sp.CalibratedReranker(Calibrated(), calibrator="ready").score(QUERY, DOCUMENTS[:3])
        rarer = sp.CalibratedReranker(Calibrated(), calibrator="ready", base_rate=0.001).score(QUERY, DOCUMENTS[:3])
        assert (rarer < usual).all()

    @pytest.mark.parametrize("inner", [FakeReranker(), sp.PriorReranker(Calibrated(), weight=1.0)])
    def test_there_is_none(self, inner: sp.Reranker) -> None:
        """The error says what to do."""
        with pytest.raises(CompositionError, match=r"no ready calibration: .*fit\(examples\)"):
            sp.CalibratedReranker(inner, calibrator="ready")

    def test_of_ones_own(self) -> None:
        """A fitted calibration gives documents' probabilities too, and what answers where the wrapped one knows it."""
        own = PlattCalibrator(slope=1.0, intercept=-1.0)
        ranking = sp.CalibratedReranker(Calibrated(), calibrator=own).rerank(QUERY, DOCUMENTS)
        assert [d.probability for d in ranking] == [d.score for d in ranking]
        assert ranking.answerable == Calibrated().rerank(QUERY, DOCUMENTS).answerable
        twice = sp.CalibratedReranker(sp.CalibratedReranker(Calibrated(), calibrator=own), calibrator=own)
        assert twice.rerank(QUERY, DOCUMENTS).answerable is None
        plain = sp.CalibratedReranker(FakeReranker(scale="logit"), calibrator=own).rerank(QUERY, DOCUMENTS)
        assert plain.answerable is None and plain[0].probability == plain[0].score


class TestAbove:
    def test_both_limits_hold(self) -> None:
        """A score and a probability, and what reaches neither is left out."""
        ranking = Told([[3.0, -2.0, -9.0]]).rerank("q", ["a", "b", "c"])
        limit = ranking[1].probability
        assert [d.index for d in ranking.above(probability=limit)] == [0, 1]
        assert [d.index for d in ranking.above(0.0, probability=limit)] == [0]
        assert ranking.above() == ranking.above(probability=0) == ranking

    def test_without_probabilities(self) -> None:
        """The error says how to get some; an empty ranking has nothing to leave out."""
        with pytest.raises(ConfigError, match=r"no calibrated probabilities: .*fit\(examples\)"):
            FakeReranker().rerank("q", ["a"]).above(probability=0.5)
        assert len(FakeReranker().rerank("q", []).above(probability=0.5)) == 0

    @pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan"), "0.5"])
    def test_not_a_probability(self, probability: object) -> None:
        """It is refused, as a logit would be."""
        with pytest.raises(ConfigError, match="probability must be"):
            Calibrated().rerank("q", ["a"]).above(probability=probability)  # type: ignore[arg-type]

    def test_unread(self) -> None:
        """Where the model does not read the language, all are kept, also after a prior or a calibration."""
        for reranker in (Unread(), sp.PriorReranker(Unread()), sp.CalibratedReranker(Unread(), calibrator="ready")):
            ranking = reranker.rerank("q", ["a", "b"])
            assert ranking.answerable is None and len(ranking.above(probability=0.9)) == 2


@pytest.mark.parametrize("documents", [[], [" ", "?"]])
def test_nothing_to_read_answers_nothing(documents: list[str]) -> None:
    """No documents, or blank ones alone."""
    for reranker in (Calibrated(), sp.PriorReranker(Calibrated())):
        assert reranker.rerank(QUERY, documents).answerable == 0.0


def test_it_is_plain_data() -> None:
    """`to_dict` has both probabilities, ready for JSON."""
    plain = json.loads(json.dumps(Calibrated().rerank(QUERY, DOCUMENTS[:2]).to_dict()))
    assert 0 < plain["answerable"] < 1
    assert all(0 < document["explanation"]["probability"] < 1 for document in plain["documents"])


class TestUnlikeWhatItWasFittedOn:
    def _requests(self, logits: Sequence[float], n: int = 60) -> list[SecondPassWarning]:
        reranker = sp.PriorReranker(Told([logits] * n))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(n):
                reranker.rerank("q", [f"document {at}" for at in range(len(logits))])
        return [each.message for each in caught if isinstance(each.message, SecondPassWarning)]

    def test_flat_logits(self) -> None:
        """Where the model gives all documents the same, as in a script that it does not read: told once."""
        (told,) = self._requests((7.0 + 0.3 * sigmoid(np.arange(-10.0, 10.0))).tolist())
        assert "a standard deviation within a query of 0.1" in str(told) and "a mean of 7.1" in str(told)
        assert "CalibratedReranker(...).fit(examples)" in str(told)

    def test_usual_logits(self) -> None:
        """Some that fit and many that do not are what it was fitted on."""
        assert self._requests([6.0, 1.0, -3.0, -6.0, *[-9.0] * 10]) == []

    def test_few(self) -> None:
        """Of few documents, or few queries, nothing can be said."""
        assert self._requests([7.0] * 9) == [] and self._requests([7.0] * 20, n=19) == []


@pytest.mark.parametrize("n", [2, 7, 50, 80])
def test_a_document_is_no_likelier_among_few(n: int) -> None:
    """The prior has mean 0 among any number; the probability of the first is that among 50."""
    ranking = sp.PriorReranker(Told([[2.0, *[-9.0] * (n - 1)]])).rerank("q", [f"document {at}" for at in range(n)])
    expected = sp.PriorReranker(Told([[2.0] + [-9.0] * 49])).rerank("q", [f"document {at}" for at in range(50)])
    assert ranking[0].probability == pytest.approx(expected[0].probability, abs=1e-4)


def test_without_an_order_there_is_no_prior() -> None:
    """A single document, or equal scores of the first stage: as the logits are alone."""
    alone = Told([[2.0, -3.0]]).rerank("q", ["a", "b"])
    equal = sp.PriorReranker(Told([[2.0, -3.0]])).rerank("q", ["a", "b"], initial_scores=[1.0, 1.0])
    single = sp.PriorReranker(Told([[2.0]])).rerank("q", ["a"])
    assert [d.probability for d in equal] == [d.probability for d in alone]
    assert single[0].probability == alone[0].probability


def test_probabilities_of_the_maps() -> None:
    """The parameters are applied as they stand in the file, to the score and to the best of the model's own logits."""
    found, logits = _parameters()[NAME], [1.0, -3.0]
    ranking = sp.PriorReranker(Told([logits])).rerank("q", ["a", "b"])
    curve = found["with_prior"]
    expected = sigmoid(curve["slope"] * (np.array(logits) + 2 * rank_prior(50)[:2]) + curve["intercept"])
    assert [d.probability for d in ranking] == pytest.approx(expected.tolist(), abs=1e-5)
    curve = found["answerable"]
    assert ranking.answerable == pytest.approx(float(sigmoid(curve["slope"] * 1.0 + curve["intercept"])), abs=2e-6)
