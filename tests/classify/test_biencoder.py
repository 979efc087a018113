"""Classification by a bi-encoder: what is compared, what is kept, and how far its probabilities can be trusted."""

import json
import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import secondpass as sp
from secondpass.classify import ZeroShotClassifier, biencoder
from secondpass.classify.biencoder import BiEncoder, BiEncoderMember
from secondpass.classify.hypotheses import Wording
from secondpass.errors import ConfigError, ModelFormatError
from secondpass.models.backends.load import load_embedding_model
from secondpass.models.batching import Rows
from secondpass.models.embedding import EmbeddingModel
from secondpass.testing import FakeReranker

_SETS = json.loads((Path(__file__).parents[2] / "benchmarks" / "classify_sets.json").read_text(encoding="utf-8"))


class Counting(EmbeddingModel):
    """A vector for each text, from its words, and a list of what was encoded."""

    fingerprint = "counting"
    max_length = 512

    def __init__(self) -> None:
        super().__init__("counting")
        self.encoded: list[list[str]] = []

    def _encode(self, texts: Sequence[str], progress: bool) -> Rows:
        self.encoded.append(list(texts))
        vectors = np.full((len(texts), 64), 0.05, dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().replace(".", "").split():
                vectors[row, sum(map(ord, word)) % 64] += 1.0
        return vectors


class Interrupted(BiEncoderMember):
    """One whose call for the text "mine" is interrupted, where it keeps the vectors, by another thread's call."""

    @property
    def _last(self) -> dict[str, Rows]:
        return self._held

    @_last.setter
    def _last(self, vectors: dict[str, Rows]) -> None:
        self._held = vectors
        if "mine" in vectors:
            self._vectors_of_texts(["theirs"])


@pytest.fixture(scope="module")
def bge() -> BiEncoder:
    """Return the embedded bi-encoder."""
    return BiEncoder()


class TestOneRun:
    def test_labels_are_encoded_once_and_each_text_once(self) -> None:
        """Two calls encode the labels in both wordings once; a text costs one pass, whatever the number of labels."""
        model = Counting()
        labels = [f"label{n}" for n in range(77)]
        classifier = ZeroShotClassifier(model, labels=labels)
        del model.encoded[:]
        classifier.classify_many(["label3 here", "and label5", "label3 here"])
        classifier.classify("label9 there")
        wordings = [one for label in labels for one in (label, f"This text is about {label}.")]
        assert model.encoded == [["label3 here", "and label5"], wordings, ["label9 there"]]

    def test_the_background_is_encoded_once_for_some_templates(self) -> None:
        """Classifiers that share a bi-encoder and its templates differ in what costs nothing; pickles lack it."""
        model = Counting()
        shared = BiEncoder(model)
        first = ZeroShotClassifier(shared, labels=["a", "b"])
        n_texts = [len(texts) for texts in model.encoded]
        assert n_texts == [len(biencoder.TEXTS), 2 * len(biencoder.ANCHORS)]
        second = ZeroShotClassifier(shared, labels=["a", "b"], multi_label=True, thresholds=0.3)
        assert [len(texts) for texts in model.encoded] == n_texts
        third = ZeroShotClassifier(shared, labels=["a", "b"], template="Of {}.")
        assert [len(texts) for texts in model.encoded] == [*n_texts, len(biencoder.ANCHORS)]
        for classifier, settings in ((first, {}), (second, {"multi_label": True}), (third, {"template": "Of {}."})):
            alone = ZeroShotClassifier(Counting(), labels=["a", "b"], **settings)  # type: ignore[arg-type]
            assert classifier.classify("a here").scores == alone.classify("a here").scores
        assert not pickle.loads(pickle.dumps(shared))._backgrounds and shared._backgrounds
        for number in range(20):
            shared.background((f"{number} {{}}",))
        assert len(shared._backgrounds) == 16

    def test_no_thread_takes_the_vectors_of_another_one(self) -> None:
        """Those of the last texts are kept for the next call, and another thread may put its own there at any time."""
        wording = Wording(("{}",), {}, {})
        alone, interrupted = (kind(BiEncoder(Counting()), wording) for kind in (BiEncoderMember, Interrupted))
        np.testing.assert_array_equal(interrupted._vectors_of_texts(["mine"]), alone._vectors_of_texts(["mine"]))

    def test_a_tree_encodes_a_text_once(self) -> None:
        """Each level asks for the same text again, and its vector is still there."""
        model = Counting()
        classifier = ZeroShotClassifier(model, labels={"animals": ["cat", "dog"], "plants": ["oak", "fern"]})
        del model.encoded[:]
        result = classifier.classify("animals such as a dog")
        assert result.path == ("animals", "dog") and sum(batch.count(result.text) for batch in model.encoded) == 1

    def test_cosines_without_half_of_the_common(self) -> None:
        """The scores are the softmax of what is computed here step by step: cosines, less half of a label's mean."""
        model = Counting()
        classifier = ZeroShotClassifier(model, labels=["cat", "dog"], template="{}")
        found = classifier.classify("the dog barks at the cat and the dog").scores
        half = [0.5 * model.encode_documents(list(each)).mean(axis=0) for each in (biencoder.TEXTS, biencoder.ANCHORS)]

        def centred(texts: Sequence[str], common: Rows) -> Rows:
            rest = model.encode_documents(list(texts)) - common
            return np.asarray(rest / np.linalg.norm(rest, axis=1, keepdims=True))

        text, labels = centred(["the dog barks at the cat and the dog"], half[0]), centred(["cat", "dog"], half[1])
        background = centred(biencoder.TEXTS, half[0])
        spread = (background @ centred(biencoder.ANCHORS, half[1]).T).std()
        cosines = (text @ labels.T)[0] - 0.5 * (background @ labels.T).mean(axis=0)
        grown = np.exp(cosines / spread * biencoder._SHARPNESS)
        assert [found["cat"], found["dog"]] == pytest.approx((grown / grown.sum()).tolist(), rel=1e-4)

    def test_other_texts_change_nothing(self, bge: BiEncoder) -> None:
        """A text has the same probabilities alone and among others."""
        texts = ["Where is my parcel?", "I was charged twice.", "It snows."]
        for multi_label in (False, True):
            classifier = ZeroShotClassifier(bge, labels=["delivery", "payment"], multi_label=multi_label)
            together = classifier.classify_many(texts)
            for text, result in zip(texts, together, strict=True):
                assert classifier.classify(text).scores == pytest.approx(dict(result.scores), abs=1e-6)

    def test_a_long_text_goes_in_as_windows(self, bge: BiEncoder) -> None:
        """The window that speaks most for a label is told, though it stands at the end of 3,000 words."""
        text = "The meadow is green and the sky is blue. " * 300 + "Please refund the invoice that I paid twice."
        result = ZeroShotClassifier(bge, labels=["payments and invoices", "landscape"]).classify(text)
        start, end = result.windows["payments and invoices"]
        assert end == len(text) and end - start < 4_000

    def test_a_label_that_is_too_long_is_refused(self) -> None:
        """It would be cut, and the label judged by its first half."""
        model = load_embedding_model("bge-small-en-v1.5", max_length=64)
        with pytest.raises(ConfigError, match="is too long for the model"):
            ZeroShotClassifier(model, hypotheses={"a": "word " * 80, "b": "It is b."}).classify("A text.")


class TestWords:
    def test_the_name_stays_before_a_description(self) -> None:
        """A vector of both is nearer to texts than that of either; NLI models read the description alone."""
        model = Counting()
        descriptions = {"SHP": "parcels on their way"}
        classifier = ZeroShotClassifier(model, labels=["SHP", "billing"], descriptions=descriptions)
        classifier.classify("?")
        assert model.encoded[-1][:2] == ["SHP: parcels on their way", "This text is about SHP: parcels on their way."]
        mixed = ZeroShotClassifier([model, FakeReranker()], labels=["SHP", "billing"], descriptions=descriptions)
        assert mixed._wording.of("SHP") == ("This text is about parcels on their way.",)

    def test_a_given_template_is_the_only_one(self) -> None:
        """The bare label is beside the default template only."""
        classifier = ZeroShotClassifier(Counting(), labels=["a", "b"], template="It is {}.")
        assert classifier._wording.of("a") == ("It is a.",)

    @pytest.mark.parametrize("template", ["This is about {{}}.", ["{}", "a {{}}"], "{{}} and {}"])
    def test_a_braced_slot_is_refused(self, template: str) -> None:
        """The label would stand in braces, or nowhere."""
        with pytest.raises(ConfigError, match=r"not a format string, so write \{\} for \{\{\}\}"):
            ZeroShotClassifier(Counting(), labels=["a", "b"], template=template)


class TestNames:
    def test_it_is_the_default(self, bge: BiEncoder) -> None:
        """Without a model's name the embedded bi-encoder classifies, in two comparisons for each label."""
        classifier = ZeroShotClassifier(labels=["delivery", "billing", "returns"])
        result = classifier.classify("Where is my parcel?")
        assert result.label == "delivery" and result.trace.counts["pairs"] == 6
        assert isinstance(classifier.model, BiEncoder) and classifier.model.fingerprint == bge.fingerprint

    def test_to_config_and_back(self, bge: BiEncoder) -> None:
        """The model is written with its kind, and the classifier built again gives the same."""
        classifier = ZeroShotClassifier(bge, labels=["a question", "an order"], multi_label=True)
        config = json.loads(json.dumps(classifier.to_config()))
        assert config["model"] == {"type": "bi-encoder", "model": "bge-small-en-v1.5"} and config["template"] is None
        restored = ZeroShotClassifier.from_config(config)
        assert restored.fingerprint == classifier.fingerprint
        assert restored.classify("Two beers, please.").scores == classifier.classify("Two beers, please.").scores

    def test_it_can_be_pickled(self, bge: BiEncoder) -> None:
        """A classifier comes back, without what it kept."""
        classifier = ZeroShotClassifier(bge, labels=["snow", "sport"])
        before = classifier.classify("It snows.").scores
        assert pickle.loads(pickle.dumps(classifier)).classify("It snows.").scores == before

    def test_wrong_models_and_settings(self) -> None:
        """A reranker's name, an unknown setting, and settings of a model that is loaded are refused by name."""
        with pytest.raises(ModelFormatError, match="'rerank', not 'embed'"):
            ZeroShotClassifier("bi-encoder:ms-marco-MiniLM-L12-v2", labels=["a", "b"])
        with pytest.raises(ConfigError, match="no setting 'devise'"):
            ZeroShotClassifier({"type": "bi-encoder", "devise": "cpu"}, labels=["a", "b"])
        with pytest.raises(ConfigError, match="loaded already, so device can't be set"):
            BiEncoder(Counting(), device="cpu")


class TestProbabilities:
    def test_one_label_of_several(self, bge: BiEncoder) -> None:
        """On topics and sentiment most labels are right, and the probabilities promise about as much."""
        for name, least in (("news", 0.85), ("reviews", 0.8)):
            pairs = [(text, label) for label, texts in _SETS[name]["texts"].items() for text in texts]
            classifier = ZeroShotClassifier(bge, labels=list(_SETS[name]["texts"]))
            results = classifier.classify_many([text for text, _ in pairs])
            share = np.mean([result.label == label for result, (_, label) in zip(results, pairs, strict=True)])
            promised = np.mean([result.probability for result in results])
            assert share >= least and abs(promised - share) < 0.25
            assert all(sum(result.scores.values()) == pytest.approx(1) for result in results)

    def test_several_or_none(self, bge: BiEncoder) -> None:
        """Of messages to a shop nearly all without a label get none, and most of the others one that is right."""
        texts, true = zip(*_SETS["shop"]["texts"], strict=True)
        results = ZeroShotClassifier(bge, labels=_SETS["shop"]["labels"], multi_label=True).classify_many(texts)
        empty = [result.abstained for result, each in zip(results, true, strict=True) if not each]
        some = [not result.abstained for result, each in zip(results, true, strict=True) if each]
        hits = sum(len({*result.labels} & {*each}) for result, each in zip(results, true, strict=True))
        assert np.mean(empty) >= 0.9 and np.mean(some) >= 0.7
        assert hits >= 0.85 * sum(len(result.labels) for result in results)

    def test_two_matters_in_one_message(self, bge: BiEncoder) -> None:
        """Each clause is read by itself, too, and the best counts."""
        labels = ["heating", "parking", "noise"]
        text = "The radiator is cold, and a van stands on my parking space."
        classifier = ZeroShotClassifier(bge, labels=labels, multi_label=True)
        result, joined = classifier.classify(text), classifier.classify(text.replace(", and", " while"))
        assert {*result.labels} == {"heating", "parking"} and joined.labels == ("parking",)
        clauses = [classifier.classify(each).scores for each in text.split(", and ")]
        best = {label: max(scores[label] for scores in (*clauses, joined.scores)) for label in labels}
        assert result.scores == pytest.approx(best, abs=0.1)  # of all three, and not of their mean
        assert (
            result.trace.total("pairs") == 3 * joined.trace.total("pairs") == 18
        )  # three texts, labels in two wordings

    @pytest.mark.parametrize(
        ("text", "clauses"),
        [
            ("The bus was late today. And when is it due?", ["The bus was late today.", "And when is it due?"]),
            ("The soup is cold, but the waiter was kind", ["The soup is cold", "the waiter was kind"]),
            ("Nuts and bolts", []),
            ("Hello! Where is my parcel?", []),
            ("\u591a\u5c11 a b\u3002c d e", ["\u591a\u5c11 a b\u3002", "c d e"]),
            ("One clause is here. " * 9, []),
            ("and " * 50_000, []),
            ("x" + " " * 200_000 + "x", []),
        ],
    )
    def test_clauses(self, text: str, clauses: list[str]) -> None:
        """A greeting is none, a pair of words isn't taken apart, and a long text is read as a whole."""
        assert [*BiEncoderMember(BiEncoder(Counting()), Wording(("{}",), {}, {})).clauses(text)] == clauses

    def test_one_label_alone_is_told_from_none(self, bge: BiEncoder) -> None:
        """With a single label, "none of these" is what it stands against."""
        classifier = ZeroShotClassifier(bge, labels=["delivery of a parcel"], multi_label=True)
        near, far = classifier.classify_many(["When will my parcel be delivered?", "The choir sang two psalms."])
        assert near.probability > 0.6 and far.probability < 0.1 and far.abstained

    def test_it_can_stand_beside_an_nli_model(self, bge: BiEncoder) -> None:
        """Of both together the probabilities are averaged, and the spread told."""
        result = ZeroShotClassifier([bge, "secondpass-nli-minilm"], labels=["football", "cooking"]).classify(
            "The striker scored twice."
        )
        assert result.label == "football" and set(result.spread) == {"football", "cooking"}


def test_the_classifier_is_public() -> None:
    """What the documentation names can be imported from where it says."""
    assert sp.ZeroShotClassifier is ZeroShotClassifier and sp.classify.BiEncoder is BiEncoder
