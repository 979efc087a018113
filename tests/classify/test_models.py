"""Classification by real models: the embedded reranker in place of an NLI model, and our own NLI model."""

import math

import numpy as np
import pytest

from secondpass.classify import ZeroShotClassifier
from secondpass.classify.member import RerankerMember
from secondpass.composition.calibrated import CalibratedReranker
from secondpass.errors import CompositionError, ConfigError, ModelFormatError
from secondpass.models.sources.catalog import catalog
from secondpass.models.sources.resolve import package_folder
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.testing import FakeReranker

_LABELS = ["delivery of parcels", "invoices and payments", "the weather", "computer programming"]
_TEXTS = {
    "My parcel was to be delivered on Monday, and it is still not here.": "delivery of parcels",
    "You have charged my card twice, please pay the second invoice back.": "invoices and payments",
    "It will rain in the north, with strong winds and snow on the hills.": "the weather",
    "The function raises a TypeError when I pass a list in place of a dict.": "computer programming",
}
_OURS = package_folder(catalog()["secondpass-nli-minilm"])


class TestRerankers:
    def test_the_embedded_reranker_stands_in(self, cross_encoder: CrossEncoderReranker) -> None:
        """Four texts that have no word of the template's get their labels from a model of relevance."""
        results = ZeroShotClassifier(cross_encoder, labels=_LABELS).classify_many(list(_TEXTS))
        assert [result.label for result in results] == list(_TEXTS.values())
        assert all(sum(result.scores.values()) == pytest.approx(1) for result in results)

    def test_logits_share_a_softmax(self, cross_encoder: CrossEncoderReranker) -> None:
        """The hypothesis is the query, the text the document; probabilities are the softmax of the logits."""
        text = next(iter(_TEXTS))
        result = ZeroShotClassifier(cross_encoder, labels=_LABELS).classify(text)
        logits = [float(cross_encoder.score(f"This text is about {label}.", [text])[0]) for label in _LABELS]
        expected = np.exp(logits) / np.exp(logits).sum()
        assert [result.scores[label] for label in _LABELS] == pytest.approx(expected.tolist(), rel=1e-9)

    def test_several_at_once_go_through_the_logistic_function(self, cross_encoder: CrossEncoderReranker) -> None:
        """A reranker's logit is taken for the log odds of its label."""
        text = next(iter(_TEXTS))
        result = ZeroShotClassifier(cross_encoder, labels=_LABELS, multi_label=True).classify(text)
        logit = float(cross_encoder.score(f"This text is about {_LABELS[0]}.", [text])[0])
        assert result.scores[_LABELS[0]] == pytest.approx(1 / (1 + math.exp(-logit)), rel=1e-9)

    def test_probabilities_count_by_their_log_odds(self, cross_encoder: CrossEncoderReranker) -> None:
        """The same model classifies alike, whether it gives logits or probabilities."""
        sigmoid = CrossEncoderReranker(cross_encoder.pair_model, activation="sigmoid")
        for multi_label in (False, True):
            logits = ZeroShotClassifier(cross_encoder, labels=_LABELS, multi_label=multi_label)
            probabilities = ZeroShotClassifier(sigmoid, labels=_LABELS, multi_label=multi_label)
            for one, other in zip(*(each.classify_many(list(_TEXTS)) for each in (logits, probabilities)), strict=True):
                assert one.scores == pytest.approx(dict(other.scores), abs=1e-9)

    def test_scores_that_can_not_be_compared_are_refused(self) -> None:
        """Ordinal scores, and those that depend on other documents, mean nothing between two labels."""
        with pytest.raises(CompositionError, match="are ordinal: they only mean something within one request"):
            ZeroShotClassifier(FakeReranker(scale="ordinal"), labels=["a", "b"])
        with pytest.raises(CompositionError, match="depend on the other documents"):
            ZeroShotClassifier(FakeReranker(pointwise=False), labels=["a", "b"], multi_label=True)

    def test_a_long_text_goes_in_as_windows(self, cross_encoder: CrossEncoderReranker) -> None:
        """A text of 900 words is answered without a warning of truncation, and its window is told."""
        text = " ".join(f"Paragraph {n} is about nothing at all." for n in range(120)) + " " + next(iter(_TEXTS))
        result = ZeroShotClassifier(cross_encoder, labels=_LABELS).classify(text)
        start, end = result.windows[_LABELS[0]]
        assert result.label == _LABELS[0] and end == len(text) and end - start < 3_000

    def test_a_hypothesis_that_does_not_fit_is_refused(self) -> None:
        """It would be cut, and the label judged by its first half."""
        reranker = CrossEncoderReranker(max_length=64)
        classifier = ZeroShotClassifier(reranker, hypotheses={"a": "word " * 80, "b": "It is b."})
        with (
            pytest.warns(match="the query was cut"),
            pytest.raises(ConfigError, match=r"the hypothesis 'word .*…? is too long"),
        ):
            classifier.classify("A text.")

    def test_a_name_with_a_kind_is_a_reranker(self, cross_encoder: CrossEncoderReranker) -> None:
        """A reranker can be named as `secondpass.load` takes it, and written down."""
        classifier = ZeroShotClassifier("cross-encoder:ms-marco-MiniLM-L12-v2", labels=_LABELS)
        assert classifier.model.fingerprint == cross_encoder.fingerprint  # type: ignore[union-attr]
        restored = ZeroShotClassifier.from_config(classifier.to_config())
        assert restored.fingerprint == classifier.fingerprint
        assert restored.classify("Snow.").scores == classifier.classify("Snow.").scores

    def test_a_written_nli_model_is_built_again(self) -> None:
        """An NLI model in a classifier's configuration has a type of its own, which is not a reranker's."""
        classifier = ZeroShotClassifier("secondpass-nli-minilm", labels=_LABELS)
        config = ZeroShotClassifier(classifier.model, labels=_LABELS).to_config()
        assert config["model"]["type"] == "nli"
        restored = ZeroShotClassifier.from_config(config)
        assert restored.classify("Snow.").scores == classifier.classify("Snow.").scores

    def test_a_rerankers_bare_name_says_what_to_use(self) -> None:
        """A bare name is an NLI model's; a reranker's is refused with the class for it."""
        with pytest.raises(ModelFormatError, match="'rerank', not 'nli'; use it with CrossEncoderReranker"):
            ZeroShotClassifier("ms-marco-MiniLM-L12-v2", labels=_LABELS)

    def test_calibrated_rerankers_fit_in(self, cross_encoder: CrossEncoderReranker) -> None:
        """A wrapper's model is found, so that windows are cut by its tokens."""
        member = RerankerMember(CalibratedReranker(cross_encoder))
        assert member.tokenization == cross_encoder.tokenization


@pytest.mark.skipif(_OURS is None, reason="our own NLI model is not trained yet")
class TestOurModel:
    @pytest.mark.parametrize(
        ("text", "label"),
        [
            ("The harbour bridge was opened in 1932, after eight years of work.", "1932"),
            ("They opened the harbour bridge in 1987.", "1987"),
        ],
    )
    def test_it_is_the_default(self, text: str, label: str) -> None:
        """Without a hub and without a name, it tells which of two sentences a text says."""
        hypotheses = {year: f"The harbour bridge was opened in {year}." for year in ("1932", "1987")}
        result = ZeroShotClassifier(hypotheses=hypotheses).classify(text)
        assert result.label == label and result.probability > 0.6 and result.trace.counts["pairs"] == 2

    def test_calibration_and_windows_run_on_it(self) -> None:
        """The whole path runs on the real tokenizer: content-free texts, windows, several labels."""
        text = "Nothing is said here. " * 150 + next(iter(_TEXTS))
        result = ZeroShotClassifier(labels=_LABELS, multi_label=True, calibrate=True).classify(text)
        start, end = result.windows[_LABELS[0]]
        assert 0 <= start < end <= len(text) and set(result.scores) == set(_LABELS)
