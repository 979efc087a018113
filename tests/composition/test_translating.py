"""Translating before reranking: contract, what is translated, faults of the function."""

import logging
from collections.abc import Sequence
from typing import Any

import pytest

from secondpass.composition.ensemble import EnsembleReranker
from secondpass.composition.routed import RoutedReranker
from secondpass.composition.translating import TranslatingReranker
from secondpass.errors import CompositionError, ConfigError, MissingExtraError, ScoringError
from secondpass.testing import FakeReranker, RerankerContract
from secondpass.types import Scale

_WORDS = {"datei": "file", "kopieren": "copy", "eine": "a", "löschen": "delete"}


def _translate(texts: Sequence[str]) -> list[str]:
    return [" ".join(_WORDS.get(word, word) for word in text.lower().split()) or "?" for text in texts]


class TestContract(RerankerContract):
    tolerance = 0.0

    def make(self) -> TranslatingReranker:
        return TranslatingReranker(FakeReranker(), _translate, what="both")

    def test_its_configuration_builds_it_again(self) -> None:
        """A function has no place in a configuration, and the error says so."""
        with pytest.raises(ConfigError, match=r"TranslatingReranker.translate is of the type function"):
            self.make().to_config()


class TestTranslation:
    def test_the_query_is_translated(self) -> None:
        """By default that alone; the documents and their order come back as if it had been asked in English."""
        documents = [{"text": "delete a file", "id": 1}, {"text": "copy a file", "id": 2}]
        translating = TranslatingReranker(FakeReranker(scale="logit"), _translate)
        ranking = translating.rerank("Eine Datei kopieren", documents, initial_scores=[2, 1])
        expected = FakeReranker(scale="logit").rerank("a file copy", documents)
        assert [(d.id, d.score) for d in ranking] == [(d.id, d.score) for d in expected]
        assert ranking[0].document is documents[1] and ranking.query == "Eine Datei kopieren"
        assert ranking.trace.notes == ("the query was translated to 'a file copy'",)
        assert translating.scale is Scale.LOGIT and translating.pointwise

    def test_documents_are_translated(self) -> None:
        """Their translations stand in the explanations; blank ones are left alone."""
        documents = ["Datei löschen", " ", {"text": "Datei kopieren", "metadata": {"page": 3}}]
        ranking = TranslatingReranker(FakeReranker(), _translate, what="documents").rerank("copy file", documents)
        assert ranking[0].document is documents[2] and ranking[0].score > 0.9
        explained = {d.index: d.explanation.get("translation") for d in ranking}
        assert explained == {0: "file delete", 1: None, 2: "file copy"}
        assert ranking.trace.notes == ()

    def test_each_text_is_translated_once_in_one_call(self) -> None:
        """Queries and documents that come several times, in several requests, are sent once."""
        calls: list[list[str]] = []

        def translate(texts: Sequence[str]) -> list[str]:
            calls.append(list(texts))
            return _translate(texts)

        translating = TranslatingReranker(FakeReranker(), translate, what="both")
        translating.rerank_many([("datei", ["eine", "eine"]), ("datei", ["löschen", "eine"]), ("kopieren", [""])])
        assert calls == [["datei", "eine", "löschen"]]  # what has only blank documents needs no translation
        TranslatingReranker(FakeReranker(), translate, what="documents").rerank("datei", ["", " "])
        assert len(calls) == 1

    def test_only_the_route_that_needs_it_translates(self) -> None:
        """With a router by language, English goes straight to the model."""
        english = FakeReranker()
        routed = RoutedReranker({"en": english, "de": TranslatingReranker(english, _translate)}, "language")
        german, plain = routed.rerank_many([("eine Datei kopieren", ["copy a file"]), ("copy a file", ["copy a file"])])
        assert german[0].score == plain[0].score > 0.99
        assert german.trace.stages[0].notes and not plain.trace.stages[0].notes

    def test_a_translator_stands_in_the_fingerprint_only(self) -> None:
        """An object with ``to_config`` by its settings, a function by its name; nothing could build either again."""

        class Translator:
            def __init__(self, target: str) -> None:
                self.target = target

            def __call__(self, texts: Sequence[str]) -> list[str]:
                return list(texts)

            def to_config(self) -> dict[str, str]:
                return {"kind": "translator", "target": self.target}

        to_english, to_german = (TranslatingReranker(FakeReranker(), Translator(to)) for to in ("en", "de"))
        with pytest.raises(ConfigError, match="translate is of the type Translator, which a config"):
            to_english.to_config()
        assert to_english.fingerprint != to_german.fingerprint
        function = TranslatingReranker(FakeReranker(), _translate)
        assert function.fingerprint == TranslatingReranker(FakeReranker(), _translate).fingerprint


class TestFaults:
    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (["one", "two"], "list of 1 text, one for each, not 2"),
            ("text", "not a str"),
            (None, "not a NoneType"),
            ([None], "returned None for a text of 5 characters"),
            ([" "], "returned ' ' for"),
        ],
    )
    def test_wrong_answers_are_refused(self, answer: Any, message: str) -> None:
        """Too many, none, or what is no text."""
        with pytest.raises(ScoringError, match=message):
            TranslatingReranker(FakeReranker(), lambda texts: answer).rerank("datei", ["x"])

    def test_an_error_is_the_cause(self) -> None:
        """What the function raised stands behind ours."""

        def failing(texts: Sequence[str]) -> list[str]:
            raise ConnectionError("gone")

        with pytest.raises(ScoringError, match="translating 1 text failed: ConnectionError") as caught:
            TranslatingReranker(FakeReranker(), failing).rerank("datei", ["x"])
        assert isinstance(caught.value.__cause__, ConnectionError)

    def test_it_goes_on_untranslated_if_set_so(self, caplog: pytest.LogCaptureFixture) -> None:
        """Scores are those of the texts as they are; the trace counts and notes it, and it is logged."""
        translating = TranslatingReranker(FakeReranker(), lambda texts: [], on_error="skip")
        with caplog.at_level(logging.WARNING, logger="secondpass"):
            ranking = translating.rerank("datei", ["datei", "file"])
        assert ranking[0].score == FakeReranker().score("datei", ["datei"])[0]
        assert ranking.trace.counts == {"fallbacks": 1} and "as they are: translate must" in ranking.trace.notes[0]
        assert "untranslated" in caplog.text

    def test_what_is_not_set_up_is_told(self) -> None:
        """What no request can mend is raised, and no text is scored untranslated for ever because of it."""

        def translate(texts: Sequence[str]) -> list[str]:
            raise MissingExtraError.of("openai", "the translator")

        with pytest.raises(MissingExtraError, match=r"pip install .secondpass\[openai\]"):
            TranslatingReranker(FakeReranker(), translate, on_error="skip").rerank("datei", ["x"])

    @pytest.mark.parametrize(
        ("settings", "message"),
        [({"translate": "de"}, "function"), ({"what": "title"}, "not 'title'"), ({"on_error": "log"}, "not 'log'")],
    )
    def test_settings_that_cannot_be_are_refused(self, settings: dict[str, Any], message: str) -> None:
        """When it is built, not when it is used."""
        with pytest.raises(ConfigError, match=message):
            TranslatingReranker(**{"wrapped": FakeReranker(), "translate": _translate, **settings})

    def test_compositions_are_checked(self) -> None:
        """It gives the scale of what it wraps, so that others can refuse it, and wraps rerankers only."""
        ordinal = TranslatingReranker(FakeReranker(scale="ordinal", pointwise=False), _translate)
        assert not ordinal.pointwise
        with pytest.raises(CompositionError, match="TranslatingReranker"):
            EnsembleReranker([ordinal], method="mean")
        with pytest.raises(CompositionError, match="wraps a Reranker, not a int"):
            TranslatingReranker(3, _translate)  # type: ignore[arg-type]
