"""Windows over texts: they hold everything, keep their limits, and end where sentences do."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondpass.base import Reranker
from secondpass.composition.passage import PassageReranker
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.testing import FakeReranker
from secondpass.windows import ApproximateTokenization, Borders, Tokenization, cut, find_tokenization

APPROXIMATE = ApproximateTokenization()
TEXTS = (
    st.text()
    | st.text("ab .\n\u3002\U0001f642e\u0301")
    | st.lists(st.sampled_from(["word", "a.", "b! ", "\n"])).map(" ".join)
)


class Letters:
    """A tokenization of which each letter is a token, and an emoji two, as with bytes."""

    def lengths(self, texts: list[str]) -> list[int]:
        return [len(self.offsets(text)) for text in texts]

    def offsets(self, text: str) -> np.ndarray:
        spans = [(at, at + 1) for at, letter in enumerate(text) for _ in range(2 if letter > "\uffff" else 1)]
        return np.array(spans, dtype=np.int64).reshape(-1, 2)

    def document_room(self, query_length: int) -> int:
        return 10


def check(text: str, size: int, overlap: int, borders: Borders, tokenization: Tokenization) -> None:
    """Assert what holds of all windows."""
    windows = cut(text, size, overlap, borders, tokenization)
    assert windows[0][0] == 0 and windows[-1][1] == len(text)
    for (start, end), (following, last) in pairwise(windows):
        assert start < following <= end < last or (start, end) == (following, last)
    parts = [text[windows[0][0] : windows[0][1]]]
    parts += [text[end:last] for (_, end), (_, last) in pairwise(windows)]
    assert "".join(parts) == text
    assert len(windows) <= 2 + 8 * len(tokenization.offsets(text)) // size


@settings(deadline=None)
@given(TEXTS, st.integers(1, 40), st.data(), st.sampled_from(["sentence", "token"]))
def test_windows_hold_the_whole_text(text: str, size: int, data: st.DataObject, borders: Borders) -> None:
    """Of any text: nothing is lost, every window brings something new, and they don't become too many."""
    overlap = data.draw(st.integers(0, size // 2))
    check(text, size, overlap, borders, APPROXIMATE)
    check(text, max(size, 2), min(overlap, size // 2), borders, Letters())


@settings(deadline=None)
@given(TEXTS, st.integers(1, 40), st.sampled_from(["sentence", "token"]))
def test_windows_keep_their_size(text: str, size: int, borders: Borders) -> None:
    """No window has more tokens than asked for, however the text is written."""
    windows = cut(text, size, size // 4, borders, APPROXIMATE)
    assert max(APPROXIMATE.lengths([text[start:end] for start, end in windows])) <= size


@settings(deadline=None, max_examples=50)
@given(TEXTS, st.integers(4, 40), st.sampled_from(["sentence", "token"]))
def test_windows_of_the_real_tokenizer(
    cross_encoder: CrossEncoderReranker, text: str, size: int, borders: Borders
) -> None:
    """The embedded model's tokens keep the limit too, although a cut word has other tokens than a whole one."""
    tokenization = cross_encoder.tokenization
    windows = cut(text, size, size // 4, borders, tokenization)
    assert max(tokenization.lengths([text[start:end] for start, end in windows])) <= size
    check(text, size, size // 4, borders, tokenization)


@given(st.integers(2, 40), st.data())
def test_the_overlap_is_as_asked(size: int, data: st.DataObject) -> None:
    """Between words of one token each, neighbours share exactly as many as asked for."""
    overlap = data.draw(st.integers(0, size // 2))
    text = "word " * 200
    windows = cut(text, size, overlap, "token", APPROXIMATE)
    assert {end - following for (_, end), (following, _) in pairwise(windows)} <= {5 * overlap}
    assert {end - start for start, end in windows[:-1]} == ({5 * size} if size < 200 else set())


def test_sentences_stay_whole() -> None:
    """A window ends with a sentence; the next begins with one, if that is not far more than the overlap."""
    text = "One two three four. Five six seven. Eight nine ten eleven? Twelve thirteen. "
    windows = cut(text, 10, 3, "sentence", APPROXIMATE)
    assert [text[start:end] for start, end in windows] == [
        "One two three four. Five six seven. ",
        "Five six seven. Eight nine ten eleven? ",
        "ten eleven? Twelve thirteen. ",
    ]


def test_without_a_sentence_that_ends_words_stay_whole() -> None:
    """One sentence that is longer than a window is cut between words, and a longer word within."""
    windows = cut("aaaa bbbb cccc dddd", 2, 0, "sentence", APPROXIMATE)
    assert windows == [(0, 10), (10, 19)]
    assert cut("a" * 30, 2, 0, "sentence", APPROXIMATE) == [(0, 12), (12, 24), (24, 30)]


def test_a_character_of_several_tokens_is_not_cut() -> None:
    """Where one character is more tokens than a window may have, it gets a window all the same."""
    text = "\U0001f642" * 3
    assert cut(text, 1, 0, "token", Letters()) == [(0, 1), (1, 2), (2, 3)]


@pytest.mark.parametrize("text", ["a. " * 3_000, "." * 9_000, "\n" * 9_000 + "a " * 3_000, "word." + "'" * 9_000])
def test_hostile_texts_are_cut(text: str) -> None:
    """Nothing but borders, or none at all, gives a bounded number of windows."""
    check(text, 50, 25, "sentence", APPROXIMATE)


class TestFind:
    def test_its_own_goes_first(self, cross_encoder: CrossEncoderReranker) -> None:
        """A cross-encoder tells its tokens; its room shrinks with the query, but not below a quarter."""
        tokenization = find_tokenization(cross_encoder)
        assert tokenization is not None and tokenization.lengths(["copy a file", ""]) == [3, 0]
        assert [tokenization.document_room(length) for length in (0, 9, 509, 9_000)] == [509, 500, 127, 127]
        assert tokenization.offsets("Copy  it").tolist() == [[0, 4], [6, 8]]

    def test_wrapped_ones_are_found_and_the_least_room_counts(self, cross_encoder: CrossEncoderReranker) -> None:
        """Through any attribute, list or mapping; of several the one that takes least."""

        class Holder(FakeReranker):
            def __init__(self, **held: object) -> None:
                super().__init__()
                self.__dict__.update(held)

        short = CrossEncoderReranker(max_length=64)
        nested: list[Reranker] = [
            Holder(members=[cross_encoder, FakeReranker(), short]),
            Holder(routes={"en": cross_encoder, "de": Holder(wrapped=short)}),
            PassageReranker(short),
        ]
        for reranker in nested:
            found = find_tokenization(reranker)
            assert found is not None and found.document_room(0) == 61

    def test_nobody_knows(self) -> None:
        """A reranker without a model has none."""
        assert find_tokenization(FakeReranker()) is None
