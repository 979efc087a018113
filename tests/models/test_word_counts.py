"""Tokens are counted as the tokenizer counts them, and it reads each word once."""

from collections.abc import Callable
from pathlib import Path

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, normalizers

from secondpass.models import word_counts
from secondpass.models.sources.files import ModelFiles
from secondpass.models.word_counts import WordCounts
from tests.models.random_checkpoint import bpe_tokenizer, unigram_tokenizer

_LETTERS = " \n\tabcdefgrstABZ0189.,;:!?()[]{}'\"-_/\\$%&*#@\u2013\u2019\u201c\u2026\u00e9\u0301\u4e2d\u200b\x07\u212a"
_WORDS = st.sampled_from(["the", "Rerankers", "[SEP]", "don't", "3.14", "x" * 120, "co-op", "naïve", "\u201cyes\u201d"])
_TEXT = st.lists(st.one_of(_WORDS, st.text(_LETTERS, max_size=12)), max_size=12).map(" ".join)


@pytest.fixture(scope="module")
def bert(embedded: ModelFiles) -> tokenizers.Tokenizer:
    """Return the embedded model's tokenizer, as we use it."""
    return _read(embedded.folder / "tokenizer.json")


def _read(path: Path) -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _counts(tokenizer: tokenizers.Tokenizer) -> WordCounts:
    found = WordCounts.of(tokenizer, lambda text: tokenizer.encode(text, add_special_tokens=False))
    assert found is not None
    return found


def _own(tokenizer: tokenizers.Tokenizer, text: str) -> int:
    return len(tokenizer.encode(text, add_special_tokens=False))


@given(st.lists(_TEXT, max_size=4))
def test_a_text_has_as_many_tokens_as_the_tokenizer_makes_of_it(bert: tokenizers.Tokenizer, texts: list[str]) -> None:
    """Whatever stands in it, special tokens, signs and long words among it, or it is left to the tokenizer."""
    found = _counts(bert).lengths(texts)
    assert len(found) == len(texts)
    assert all(n in (None, _own(bert, text)) for n, text in zip(found, texts, strict=True))


def test_plain_english_is_never_left_to_the_tokenizer(bert: tokenizers.Tokenizer) -> None:
    """Words, figures, the usual signs and typographic quotation marks are counted here."""
    texts = ["It costs $9.99 (was $12), e.g. \u201cPro\u201d \u2013 Ben\u2019s.\nSee https://x.org/a_b?c=1#d!", ""]
    assert _counts(bert).lengths(texts) == [_own(bert, texts[0]), 0]


def test_what_begins_with_a_bracket_is_left_to_the_tokenizer(bert: tokenizers.Tokenizer) -> None:
    """It may be a special token, which is one and not three."""
    assert _counts(bert).lengths(["a [SEP] b", "a ]SEP( b"]) == [None, 5]


def test_a_tokenizer_that_tells_capitals_apart_is_asked_for_both(
    bert: tokenizers.Tokenizer, embedded: ModelFiles
) -> None:
    """Without lower case, "Rerank" has other tokens than "rerank"."""
    cased = _read(embedded.folder / "tokenizer.json")
    cased.normalizer = normalizers.BertNormalizer(lowercase=False)
    texts = ["the house", "THE HOUSE"]
    assert _counts(cased).lengths(texts) == [_own(cased, text) for text in texts] == [2, 2]
    assert _counts(bert).lengths(["rerank", "RERANK"]) == [_own(bert, "rerank")] * 2


def test_a_word_is_read_once(bert: tokenizers.Tokenizer) -> None:
    """What was read before is not given to the tokenizer again."""
    read: list[str] = []

    def encode(text: str) -> tokenizers.Encoding:
        read.append(text)
        return bert.encode(text, add_special_tokens=False)

    counts = WordCounts.of(bert, encode)
    assert counts is not None
    assert counts.lengths(["a cat, a dog", "a cat"]) == [5, 2]
    assert counts.lengths(["dog, a bird"]) == [4]
    assert [sorted(text.split()) for text in read] == [[",", "a", "cat", "dog"], ["bird"]]


def test_not_more_words_are_kept_than_there_is_room_for(
    bert: tokenizers.Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it is full it begins anew, and the text at hand is counted all the same."""
    monkeypatch.setattr(word_counts, "_MOST", 4)
    counts = _counts(bert)
    for text in ("one two three", "four five", "one two three four five six seven"):
        assert counts.lengths([text]) == [_own(bert, text)]
    assert len(counts._known) == 7


@pytest.mark.parametrize("make", [bpe_tokenizer, unigram_tokenizer])
def test_other_tokenizers_count_for_themselves(make: Callable[[], tokenizers.Tokenizer]) -> None:
    """Those of BPE and Unigram read words together with what is beside them."""
    tokenizer = make()
    assert WordCounts.of(tokenizer, tokenizer.encode) is None


def test_a_tokenizer_with_a_token_of_ordinary_letters_counts_for_itself(embedded: ModelFiles) -> None:
    """It may stand anywhere in a text, across words too."""
    tokenizer = _read(embedded.folder / "tokenizer.json")
    tokenizer.add_tokens([AddedToken("New York")])
    assert WordCounts.of(tokenizer, tokenizer.encode) is None
