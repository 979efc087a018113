"""The cross-encoder on the embedded int8 model: contract, engine, thread safety, bad input."""

import subprocess
import sys
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import secondpass as sp
from secondpass.composition.passage import PassageReranker
from secondpass.errors import ConfigError, InputError, LanguageWarning, ModelFormatError, TruncationWarning
from secondpass.models.pair import PairModel, relevance_logits
from secondpass.models.sources.catalog import languages_of
from secondpass.models.tokens import Batch, EncoderTokenizer, Tokens
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.testing import RerankerContract

_QUERY = "how do I copy a file"
_DOCUMENTS = [
    "shutil.copy copies a file to another place.",
    "The weather will be sunny all week.",
    "os.rename gives a file another name.",
    "To copy a whole folder with all that is in it, use shutil.copytree, which also keeps the permissions.",
]


class TestContract(RerankerContract):
    tolerance = 0.0  # each pair goes through the model alone, so not a bit may differ

    def make(self) -> CrossEncoderReranker:
        return CrossEncoderReranker()


class TestContractOfProbabilities(RerankerContract):
    tolerance = 0.0

    def make(self) -> CrossEncoderReranker:
        return CrossEncoderReranker(activation="sigmoid", max_length=256)


class TestLanguages:
    """The embedded model reads English, as the catalogue says."""

    QUERY, DOCUMENTS = "كيف أنسخ ملفا", ["هذا الأمر ينسخ ملفا", "الطقس جميل اليوم", "حذف مجلد"]

    def test_the_order_stands_where_the_model_does_not_read(self, cross_encoder: CrossEncoderReranker) -> None:
        """With equal scores, one warning that says what to do, and a trace that does each time; others are scored."""
        reranker = CrossEncoderReranker(cross_encoder.pair_model)
        with pytest.warns(LanguageWarning, match=r"does not read .*'ar'.*mmarco-mMiniLMv2.*on_foreign='score'"):
            foreign, english = reranker.rerank_many([(self.QUERY, self.DOCUMENTS), (_QUERY, _DOCUMENTS)])
        assert [(document.index, document.score) for document in foreign] == [(0, 0.0), (1, 0.0), (2, 0.0)]
        assert foreign.trace.counts == {"unread": 3} and "their order stands" in foreign.trace.notes[0]
        assert [d.score for d in english] == [d.score for d in cross_encoder.rerank(_QUERY, _DOCUMENTS)]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            again = sp.PriorReranker(reranker).rerank(self.QUERY, self.DOCUMENTS)
        assert [document.index for document in again] == [0, 1, 2] and again.trace.total("unread") == 3

    def test_the_detector_is_imported_with_the_reranker(self) -> None:
        """Not in its first call, which may be interrupted: an import that is can leave its lock behind."""
        script = (
            "import sys, secondpass as sp\n"
            "reranker = sp.CrossEncoderReranker(on_foreign='score', smoke_test=False)\n"
            "without = 'py3langid.langid' in sys.modules\n"
            "sp.CrossEncoderReranker(reranker.pair_model, smoke_test=False)\n"
            "print(without, 'py3langid.langid' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["False", "True"]

    def test_probabilities_are_even(self, cross_encoder: CrossEncoderReranker) -> None:
        """No evidence is a probability of a half, also for English queries over foreign documents."""
        reranker = CrossEncoderReranker(cross_encoder.pair_model, activation="sigmoid")
        with pytest.warns(LanguageWarning):
            assert reranker.score(_QUERY, self.DOCUMENTS).tolist() == [0.5] * 3

    def test_it_can_score_or_raise(self, cross_encoder: CrossEncoderReranker) -> None:
        """Both are settings; what changes scores changes the fingerprint, and what does not leaves it."""
        scoring = CrossEncoderReranker(cross_encoder.pair_model, on_foreign="score")
        pairs = [(self.QUERY, document) for document in self.DOCUMENTS]
        assert scoring.score(self.QUERY, self.DOCUMENTS).tolist() == scoring.pair_model.logits(pairs)[:, 0].tolist()
        raising = CrossEncoderReranker(cross_encoder.pair_model, on_foreign="raise")
        with pytest.raises(InputError, match=r"does not read .*\('ar'\): take a model that does"):
            raising.score(self.QUERY, self.DOCUMENTS)
        assert raising.score(_QUERY, _DOCUMENTS).tolist() == cross_encoder.score(_QUERY, _DOCUMENTS).tolist()
        assert scoring.fingerprint != cross_encoder.fingerprint == raising.fingerprint
        with pytest.raises(ConfigError, match="on_foreign"):
            CrossEncoderReranker(cross_encoder.pair_model, on_foreign="skip")  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("model", "languages"),
        [
            ("ms-marco-MiniLM-L12-v2", {"en"}),
            ("cross-encoder/ms-marco-MiniLM-L12-v2", {"en"}),
            ("bge-reranker-base", {"en", "zh"}),
            ("bge-reranker-v2-m3", None),
            ("mmarco-mMiniLMv2-L12-H384-v1", None),
            ("some/other-model", None),
        ],
    )
    def test_the_catalogue_says_what_a_model_reads(self, model: str, languages: set[str] | None) -> None:
        """None where that is many languages, or not known: then nothing is asked."""
        assert languages_of(model) == languages


class TestScores:
    def test_the_answer_is_first(self, cross_encoder: CrossEncoderReranker) -> None:
        """The real model puts the real answer first and the weather last."""
        ranking = cross_encoder.rerank(_QUERY, _DOCUMENTS)
        assert ranking[0].index == 0 and ranking[-1].index == 1
        assert ranking[0].score > 3 > -8 > ranking[-1].score
        assert ranking.scale is sp.Scale.LOGIT

    def test_sigmoid_is_of_the_logits(self, cross_encoder: CrossEncoderReranker) -> None:
        """Probabilities are the logistic function of the logits, and don't overflow."""
        logits = cross_encoder.score(_QUERY, _DOCUMENTS)
        sigmoid = CrossEncoderReranker(cross_encoder.pair_model, activation="sigmoid")
        np.testing.assert_allclose(sigmoid.score(_QUERY, _DOCUMENTS), 1 / (1 + np.exp(-logits)), rtol=1e-12)
        assert sigmoid.scale is sp.Scale.PROBABILITY

    def test_company_does_not_change_a_score(self, cross_encoder: CrossEncoderReranker) -> None:
        """Alone, among its equals and among a hundred others, a document has the very same score, int8 or not."""
        alone = [cross_encoder.score(_QUERY, [document])[0] for document in _DOCUMENTS]
        others = [f"filler number {number} " * (number % 17 + 1) for number in range(100)]
        mixed = cross_encoder.rerank_many([(_QUERY, [*others, *_DOCUMENTS]), ("something else", others)])[0]
        scores = {document.index - 100: document.score for document in mixed if document.index >= 100}
        assert [scores[at] for at in range(len(_DOCUMENTS))] == alone

    def test_eight_threads_get_the_same(self, cross_encoder: CrossEncoderReranker) -> None:
        """Threads that share a reranker, with different requests at once, each get what they get alone."""
        requests = [(f"{_QUERY} {number}", _DOCUMENTS) for number in range(24)]
        expected = [cross_encoder.score(*request) for request in requests]
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda request: cross_encoder.score(*request), requests))
        np.testing.assert_array_equal(results, expected)

    def test_shared_batches_of_the_int8_model_stay_close(self, cross_encoder: CrossEncoderReranker) -> None:
        """With a token budget, neighbours of the same length move an int8 score, but not the order of clear cases."""
        words = ("copies", "removes", "opens", "closes", "reads", "names")
        documents = [f"This function {word} a file." for word in words]
        shared = CrossEncoderReranker(batch_tokens=2048)
        alone, together = cross_encoder.score(_QUERY, documents), shared.score(_QUERY, documents)
        assert 0 < np.abs(alone - together).max() < 0.5
        assert alone.argmax() == together.argmax() == 0


class TestEngine:
    def test_identical_pairs_are_scored_once(self, cross_encoder: CrossEncoderReranker) -> None:
        """The trace counts what was asked for and what reached the model, within and across requests."""
        first, second = cross_encoder.rerank_many([(_QUERY, ["a", "b", "a"]), (_QUERY, ["b", "c"])])
        assert first.trace.counts["pairs"] == 3 and first.trace.counts["pairs_scored"] == 2
        assert second.trace.counts["pairs"] == 2 and second.trace.counts["pairs_scored"] == 1
        scores = {d.text: d.score for d in first}
        assert {d.score for d in second if d.text == "b"} == {scores["b"]}

    def test_each_text_of_a_request_is_tokenized_once(
        self, cross_encoder: CrossEncoderReranker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The query once for all its documents, and a document once for all its queries."""
        asked = _note_tokenized(monkeypatch)
        cross_encoder.rerank_many([(_QUERY, ["a", "b", "a"]), (_QUERY, ["c"]), ("another", ["b"])])
        assert asked == [[_QUERY, "a", "b", "c", "another"]]

    def test_kept_tokens_are_not_made_again(
        self, cross_encoder: CrossEncoderReranker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A second query tokenizes itself alone, from eight threads too; scores are the same to the bit."""
        keeping = CrossEncoderReranker(cross_encoder.pair_model, keep_tokens=100)
        queries = [f"{_QUERY} {number}" for number in range(16)]
        expected = [cross_encoder.score(query, _DOCUMENTS) for query in queries]
        keeping.score(_QUERY, _DOCUMENTS)
        asked = _note_tokenized(monkeypatch)
        with ThreadPoolExecutor(8) as pool:
            scores = list(pool.map(lambda query: keeping.score(query, _DOCUMENTS), queries))
        np.testing.assert_array_equal(scores, expected)
        assert sorted(asked) == sorted([query] for query in queries)
        assert keeping.fingerprint == cross_encoder.fingerprint

    def test_tokens_are_counted_without_padding(self, cross_encoder: CrossEncoderReranker) -> None:
        """A pair is its two texts and three special tokens; nothing is filled up to 512."""
        trace = cross_encoder.rerank("copy file", ["one two three", "one"]).trace
        assert trace.counts["tokens"] == (2 + 3 + 3) + (2 + 1 + 3)

    def test_a_document_that_does_not_fit_is_counted_and_warned_about_once(self) -> None:
        """The trace says how many each time, the explanations which, and the warning comes the first time only."""
        reranker = CrossEncoderReranker(max_length=64, long_documents="truncate")
        documents = ["short", "long " * 200]
        with pytest.warns(TruncationWarning, match="1 of 2 documents were cut to fit into 64 tokens") as caught:
            ranking = reranker.rerank(_QUERY, documents)
        assert caught[0].filename == __file__  # it points to who called, not into the library
        assert ranking.trace.counts["truncated"] == 1
        assert {d.index: d.explanation["truncated"] for d in ranking} == {0: False, 1: True}
        assert "cut to fit into 64 tokens" in ranking.trace.notes[0]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert reranker.rerank(_QUERY, documents).trace.counts["truncated"] == 1

    def test_a_long_document_is_as_good_as_its_best_window(self, cross_encoder: CrossEncoderReranker) -> None:
        """By default: as a `PassageReranker` has it, to the bit; what fits is scored as it is, and not explained."""
        short, long = _DOCUMENTS[0], "Knead the dough. " * 200 + _DOCUMENTS[1]
        cutting = CrossEncoderReranker(cross_encoder.pair_model, long_documents="truncate")
        ranking = cross_encoder.rerank(_QUERY, [short, long, long])
        windows = PassageReranker(cutting).rerank(_QUERY, [short, long, long])
        assert [(d.index, d.score) for d in ranking] == [(d.index, d.score) for d in windows]
        explained = {d.index: d.explanation["passage"] for d in ranking}
        of_windows = {d.index: d.explanation["passage"] for d in windows}
        assert explained[0] is None and explained[1] == of_windows[1]
        assert long[explained[1]["start"] : explained[1]["end"]] == explained[1]["text"]
        assert ranking.trace.counts["documents_split"] == 2 and ranking.trace.counts["truncated"] == 0
        assert ranking.trace.counts["passages"] == ranking.trace.counts["pairs"] > 3 and ranking.trace.stages == ()
        assert "passage" not in cross_encoder.rerank(_QUERY, [short])[0].explanation

    def test_what_happens_to_long_documents_is_a_setting(self, cross_encoder: CrossEncoderReranker) -> None:
        """It stands in the configuration, and in the identity: scores of long documents differ."""
        cutting = sp.from_config({"type": "cross-encoder", "long_documents": "truncate"})
        assert cross_encoder.to_config()["long_documents"] == "windows"
        assert cutting.to_config()["long_documents"] == "truncate"
        assert cutting.fingerprint != cross_encoder.fingerprint
        with pytest.raises(ConfigError, match="long_documents must be 'windows' or 'truncate', not 'cut'"):
            CrossEncoderReranker(cross_encoder.pair_model, long_documents="cut")  # type: ignore[arg-type]

    def test_a_long_query_is_counted_apart(self) -> None:
        """Documents that fit are not called cut because the query was."""
        reranker = CrossEncoderReranker(max_length=32)
        with pytest.warns(TruncationWarning, match="the query was cut to fit into 32 tokens"):
            ranking = reranker.rerank("copy " * 60, ["a short document"])
        assert ranking.trace.counts["query_truncated"] == 1 and ranking.trace.counts["truncated"] == 0

    def test_a_large_request_is_answered(self, cross_encoder: CrossEncoderReranker) -> None:
        """Ten thousand documents, of which two are different, come back, with two pairs scored."""
        ranking = cross_encoder.rerank(_QUERY, [_DOCUMENTS[1], _DOCUMENTS[0]] * 5_000)
        assert len(ranking) == 10_000 and ranking.trace.counts["pairs_scored"] == 2
        assert [d.index for d in ranking[:3]] == [1, 3, 5]

    def test_a_megabyte_in_one_document_is_answered(self) -> None:
        """It is tokenized whole, so that the trace is right, and cut to the model's length if that is asked for."""
        with pytest.warns(TruncationWarning):
            ranking = CrossEncoderReranker(long_documents="truncate").rerank(_QUERY, ["copy a file " * 90_000])
        assert ranking.trace.counts["tokens"] == 512


def _note_tokenized(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return a list to which every call of a tokenizer adds its texts."""
    asked: list[list[str]] = []
    tokenize = EncoderTokenizer.tokenize

    def noted(self: EncoderTokenizer, texts: Sequence[str]) -> list[Tokens]:
        asked.append(list(texts))
        return tokenize(self, texts)

    monkeypatch.setattr(EncoderTokenizer, "tokenize", noted)
    return asked


class _Labelled(PairModel):
    """A model whose logits are given; real ones with such labels are not embedded."""

    fingerprint = "labelled"

    def __init__(self, tokenizer: object, labels: tuple[str, ...], logits: list[list[float]]) -> None:
        from secondpass.models.batching import BatchRunner

        super().__init__("labelled", labels, tokenizer, None, BatchRunner(1, lambda exc: False))  # type: ignore[arg-type]
        self._logits = iter(logits)

    def _forward(self, batch: Batch) -> np.ndarray:
        return np.array([next(self._logits)], dtype=np.float32)


class TestLabels:
    def test_two_labels_give_log_odds_by_name(self) -> None:
        """The relevant one is found by its name, wherever it stands."""
        logits = np.array([[1.0, 3.0], [2.0, -1.0]], dtype=np.float32)
        assert relevance_logits(logits, ("irrelevant", "relevant")).tolist() == [2.0, -3.0]
        assert relevance_logits(logits, ("Yes", "no")).tolist() == [-2.0, 3.0]
        assert relevance_logits(logits[:, :1], ("LABEL_0",)).tolist() == [1.0, 2.0]

    @pytest.mark.parametrize(
        "labels", [("LABEL_0", "LABEL_1"), ("entailment", "neutral", "contradiction"), ("yes", "true")]
    )
    def test_names_that_say_nothing_are_refused(self, labels: tuple[str, ...]) -> None:
        """No position is guessed: the message shows the labels and says what to correct."""
        with pytest.raises(ModelFormatError, match=f"labels are {', '.join(labels)}.*correct id2label"):
            relevance_logits(np.zeros((1, len(labels)), dtype=np.float32), labels)

    def test_a_model_with_swapped_labels_is_refused_when_loaded(self, cross_encoder: CrossEncoderReranker) -> None:
        """One that prefers baking to the capital of France is found out, unless the test is switched off."""
        tokenizer, labels = cross_encoder.pair_model.tokenizer, ("relevant", "irrelevant")
        # Longest first: the unrelated sentence has more tokens than the answer.
        swapped = [[9.0, -9.0], [-9.0, 9.0]]
        with pytest.raises(ModelFormatError, match="does not score the answer"):
            CrossEncoderReranker(_Labelled(tokenizer, labels, swapped))
        assert CrossEncoderReranker(_Labelled(tokenizer, labels, swapped), smoke_test=False)


class TestSettings:
    def test_the_fingerprint_follows_what_changes_a_score(self, cross_encoder: CrossEncoderReranker) -> None:
        """Weights, length, batching and activation count; a progress bar does not."""
        base = cross_encoder.fingerprint
        assert CrossEncoderReranker(progress=True).fingerprint == base
        for settings in ({"max_length": 128}, {"batch_tokens": 512}, {"activation": "sigmoid"}):
            assert CrossEncoderReranker(**settings).fingerprint != base  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("settings", "error", "message"),
        [
            ({"activation": "softmax"}, ConfigError, "'identity' or 'sigmoid', not 'softmax'"),
            ({"batch_tokens": 0}, ConfigError, "batch_tokens must be a whole number of at least 1, or None, not 0"),
            ({"keep_tokens": -1}, ConfigError, "keep_tokens must be a whole number of texts, at least 0, not -1"),
            ({"keep_tokens": 2.5}, ConfigError, "keep_tokens must be a whole number of texts, at least 0, not 2.5"),
            (
                {"dtype": "float16"},
                ConfigError,
                "backend='onnx' has no setting dtype; it has batch_tokens, device",
            ),
            ({"devise": "cpu"}, ConfigError, r"no setting 'devise' \(did you mean 'device'\?\)"),
            (
                {"activaton": "sigmoid"},
                ConfigError,
                r"no setting 'activaton' \(did you mean 'activation'\?\); .*: model, ",
            ),
            ({"max_length": "256"}, ConfigError, r"max_length must be .* not '256' \(a str; write the number without"),
            ({"local_files_only": 1}, ConfigError, "local_files_only must be True or False, not 1"),
            ({"device": "cuda"}, ConfigError, "ONNX Runtime has no device 'cuda' here"),
            ({"device": "toaster"}, ConfigError, "ONNX Runtime has no device 'toaster' here"),
            ({"device": 0}, ConfigError, "device must be a name, such as 'cpu' or 'cuda:0', or None, not 0"),
            ({"model": None}, ConfigError, "a model is a folder, owner/name or a known name, not NoneType"),
            ({"max_length": 4}, ModelFormatError, "max_length must be a whole number between 8 and 512"),
        ],
    )
    def test_settings_out_of_range_are_refused(self, settings: dict[str, object], error: type, message: str) -> None:
        """Each gets an error when the reranker is built, not when it is used."""
        with pytest.raises(error, match=message):
            CrossEncoderReranker(**settings)  # type: ignore[arg-type]

    def test_a_loaded_model_takes_no_loading_settings(self, cross_encoder: CrossEncoderReranker) -> None:
        """They would be ignored, so they are refused."""
        with pytest.raises(ConfigError, match="the model is loaded already, so"):
            CrossEncoderReranker(cross_encoder.pair_model, max_length=64)

    def test_a_model_object_has_no_configuration_but_a_fingerprint(self, cross_encoder: CrossEncoderReranker) -> None:
        """A model that was passed as an object can't be written down, and the message says so."""
        wrapped = CrossEncoderReranker(cross_encoder.pair_model)
        assert wrapped.fingerprint == cross_encoder.fingerprint
        with pytest.raises(ConfigError, match=r"model is of the type OnnxPairModel"):
            wrapped.to_config()

    def test_a_path_is_written_as_text(self, cross_encoder: CrossEncoderReranker) -> None:
        """A model in a folder survives its configuration."""
        folder: Path = cross_encoder.pair_model.files.folder  # type: ignore[attr-defined]
        reranker = CrossEncoderReranker(folder)
        assert reranker.to_config()["model"] == str(folder)
        assert reranker.fingerprint == cross_encoder.fingerprint
