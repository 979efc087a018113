"""Which sentences and words carry a score: those that the model knows, and nothing of it runs in a page."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import secondpass as sp
from secondpass.diagnose import explain
from secondpass.testing import FakeReranker
from tests.browser import Browser

_HOSTILE = "<script>alert(1)</script> <img src=x onerror=alert(2)> \u202eevil\x1b[31m"


def test_the_sentence_with_the_answer_carries_the_score(cross_encoder: sp.CrossEncoderReranker) -> None:
    """And in it the words of the question; the others carry next to nothing."""
    text = "Knead the dough. shutil.copy2 copies a file and keeps its metadata. The museum sells coffee."
    found = explain(cross_encoder, "How do I copy a file with its metadata?", text)
    assert [part.text for part in found.sentences] == [
        *("Knead the dough.", "shutil.copy2 copies a file and keeps its metadata.", "The museum sells coffee."),
    ]
    first, second, third = (part.weight for part in found.sentences)
    assert second > 5 and abs(first) < 1 and abs(third) < 1 and found.top(1)[0] is found.sentences[1]
    assert max(found.words, key=lambda word: word.weight).text == "metadata"
    assert found.score == cross_encoder.score(found.query, [text])[0]
    without = cross_encoder.score(found.query, [text.replace(found.sentences[1].text, "")])[0]
    assert second == pytest.approx(found.score - without)
    assert json.loads(json.dumps(found.to_dict()))["scale"] == "logit"
    assert "+" in repr(found) and "words: metadata +" in repr(found)


@settings(max_examples=60)
@given(st.text(max_size=400), st.integers(0, 5))
def test_parts_are_where_they_say(text: str, words: int) -> None:
    """In order, apart, within the text, and no more words than were asked for."""
    found = explain(FakeReranker(), "copy a file", text, words=words)
    for parts in (found.sentences, found.words):
        assert all(part.text == text[part.start : part.end] for part in parts)
        assert all(first.end <= second.start for first, second in pairwise(parts))
    assert len(found.words) <= words


def test_a_long_document_costs_no_more_than_a_limit() -> None:
    """Its sentences are put together; what is metadata goes along."""

    class Counting(FakeReranker):
        asked = 0

        def _score(self, requests: object) -> list[sp.Scores]:
            self.asked += sum(len(request) for request in requests)  # type: ignore[attr-defined]
            assert all(request.documents[0]["metadata"] == 1 for request in requests)  # type: ignore[attr-defined]
            return super()._score(requests)  # type: ignore[arg-type]

    counting = Counting()
    text = "This is a sentence about copying. " * 1_000
    found = explain(counting, "copy a file", {"text": text, "metadata": 1})
    assert len(found.sentences) <= 64 and counting.asked <= 1 + 64 + 48
    assert found.sentences[0].start == 0 and found.sentences[-1].text.endswith("copying.")


def test_ordinal_scores_are_refused() -> None:
    """There is no difference to be told."""
    with pytest.raises(sp.CompositionError, match="are ordinal, so nothing can be told from their differences"):
        explain(FakeReranker(scale="ordinal"), "q", "text")


def test_a_name_is_no_reranker() -> None:
    """Which is said, as by the other functions here."""
    with pytest.raises(sp.ConfigError, match="what is explained must be a Reranker, not 'cross-encoder'"):
        explain("cross-encoder", "q", "text")  # type: ignore[arg-type]


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)])
def test_a_browser_shows_it(browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    """Everything can be read, nothing runs, nothing is asked for, and a phone need not scroll sideways."""
    text = f"To copy a file, call shutil.copy. {_HOSTILE} {'averyverylongword' * 20}. The weather is fine."
    page = tmp_path / "score.html"
    page.write_text(explain(FakeReranker(), f"copy a file {_HOSTILE}", text).to_html(), encoding="utf-8")
    browser.open(page, width=width, dark=dark)
    assert browser.requests == [page.as_uri()] and browser.errors == [] and browser.overflow <= 0
    assert "<script>alert(1)</script>" in browser.text and "The weather is fine." in browser.text
    assert len(browser.all("script, img")) == 0 and len(browser.all(".part")) >= 3
