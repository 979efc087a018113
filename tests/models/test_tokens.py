"""Pairs of token ids are those that the tokenizer itself would make."""

import json
import pickle
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import models, pre_tokenizers, processors

from secondpass.errors import ModelFormatError
from secondpass.models.sources.files import ModelFiles
from secondpass.models.tokens import EncoderTokenizer, KeptTokens, Tokens
from tests.forks import exit_status_of_child, needs_fork
from tests.models.random_checkpoint import bpe_tokenizer, unigram_tokenizer

_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60)


@pytest.fixture(scope="module")
def path(embedded: ModelFiles) -> str:
    """Return the path of the embedded model's tokenizer."""
    return str(embedded.folder / "tokenizer.json")


@pytest.fixture(scope="module")
def ours(path: str) -> EncoderTokenizer:
    """Return our tokenizer, for sequences of at most 24 tokens."""
    return EncoderTokenizer(tokenizers.Tokenizer.from_file(path), 24)


@pytest.fixture(scope="module")
def theirs(path: str) -> tokenizers.Tokenizer:
    """Return the library's own, truncating the longer text first as Hugging Face does."""
    tokenizer = tokenizers.Tokenizer.from_file(path)
    tokenizer.no_padding()
    tokenizer.enable_truncation(24, strategy="longest_first")
    return tokenizer


@given(st.data())
def test_a_pair_is_what_the_tokenizer_makes_of_it(
    ours: EncoderTokenizer, theirs: tokenizers.Tokenizer, data: st.DataObject
) -> None:
    """Ids, types and length are those of the tokenizer's own encoding of the pair, also where it is cut."""
    first, second = data.draw(_TEXT), data.draw(_TEXT)
    tokens = tuple(ours.tokenize([first, second]))
    batch = ours.pair_batch([(tokens[0], tokens[1])])
    expected = theirs.encode(first, second)
    assert batch.input_ids[0].tolist() == expected.ids
    assert batch.token_type_ids[0].tolist() == expected.type_ids
    assert batch.input_ids.shape == (1, ours.pair_length(tokens[0], tokens[1]))
    assert batch.input_ids.shape[1] == len(expected.ids) <= 24


@given(st.data())
def test_a_text_is_what_the_tokenizer_makes_of_it(
    ours: EncoderTokenizer, theirs: tokenizers.Tokenizer, data: st.DataObject
) -> None:
    """A single text gets the tokenizer's own special tokens, and is cut at its end."""
    text = data.draw(_TEXT)
    (tokens,) = ours.tokenize([text])
    assert ours.single_batch([tokens]).input_ids[0].tolist() == theirs.encode(text).ids
    assert ours.single_length(tokens) == len(theirs.encode(text).ids)


def test_the_longer_text_is_cut_first(ours: EncoderTokenizer) -> None:
    """A short query stays whole; two long texts share the room; lengths count what was cut off too."""
    short, long, longer = ours.tokenize(["copy a file", "word " * 100, "word " * 200])
    assert (short.length, long.length, longer.length) == (3, 100, 200)
    assert ours.pair_lengths(short, long) == (3, 18)
    assert ours.pair_lengths(long, short) == (18, 3)
    assert ours.pair_lengths(long, longer) == (10, 11)
    assert ours.pair_lengths(longer, long) == (11, 10)
    assert ours.pair_lengths(short, short) == (3, 3)


def test_a_batch_is_padded_on_the_right_and_masked(ours: EncoderTokenizer) -> None:
    """Shorter rows are filled with the padding token, type 0, and mask 0."""
    a, b, c = ours.tokenize(["a", "b", "c c c"])
    batch = ours.pair_batch([(a, b), (a, c)])
    assert batch.input_ids.dtype == np.int64 and batch.input_ids.shape == (2, 7)
    assert batch.attention_mask.tolist() == [[1, 1, 1, 1, 1, 0, 0], [1] * 7]
    assert batch.input_ids[0, 5:].tolist() == [0, 0]
    assert batch.token_type_ids.tolist() == [[0, 0, 0, 1, 1, 0, 0], [0, 0, 0, 1, 1, 1, 1]]


def test_a_width_can_be_rounded_up(ours: EncoderTokenizer) -> None:
    """To a multiple, padded like the rest, but never beyond what the model takes."""
    a, long = ours.tokenize(["a", "word " * 17])
    batch = ours.pair_batch([(a, a)], multiple=8)
    assert batch.input_ids.shape == (1, 8) and batch.attention_mask.tolist() == [[1] * 5 + [0] * 3]
    assert batch.input_ids[0, :5].tolist() == ours.pair_batch([(a, a)]).input_ids[0].tolist()
    assert ours.pair_batch([(a, long)], multiple=8).input_ids.shape == (1, 24)
    assert ours.pair_batch([(a, long)], multiple=10).input_ids.shape == (1, 24)


class TestKeptTokens:
    def test_known_texts_are_not_tokenized_again(self, path: str) -> None:
        """Only what is new, or was dropped for being asked for longest ago, reaches the tokenizer."""
        tokenizer, kept = _Asked(tokenizers.Tokenizer.from_file(path), 24), KeptTokens(3)
        expected = [tokens.ids.tolist() for tokens in tokenizer.tokenize(["a b", "c", "a b"])]
        tokenizer.asked.clear()
        for texts, asked in (
            (["a b", "c", "a b"], ["a b", "c"]),
            (["c", "d", "a b"], ["d"]),
            (["e"], ["e"]),  # c, asked for longest ago, goes
            (["d", "c"], ["c"]),
        ):
            kept.tokenize(tokenizer, texts)
            assert tokenizer.asked.pop() == asked
        assert [tokens.ids.tolist() for tokens in kept.tokenize(tokenizer, ["a b", "c", "a b"])] == expected

    def test_a_call_larger_than_what_is_kept(self, path: str) -> None:
        """All its texts come back, and the last ones stay."""
        tokenizer, kept = _Asked(tokenizers.Tokenizer.from_file(path), 24), KeptTokens(2)
        assert [tokens.length for tokens in kept.tokenize(tokenizer, ["a", "b b", "c c c"])] == [1, 2, 3]
        kept.tokenize(tokenizer, ["a", "c c c"])
        assert tokenizer.asked[-1] == ["a"]

    def test_it_is_pickled_empty(self, path: str) -> None:
        """Its size survives, its texts don't."""
        tokenizer, kept = _Asked(tokenizers.Tokenizer.from_file(path), 24), KeptTokens(5)
        kept.tokenize(tokenizer, ["something to be found"])
        data = pickle.dumps(kept)
        assert b"something" not in data
        restored = pickle.loads(data)
        restored.tokenize(tokenizer, ["something to be found"])
        assert restored.size == 5 and tokenizer.asked[-1] == ["something to be found"]

    @needs_fork
    def test_a_child_that_is_forked_in_the_midst_of_a_call(self, path: str) -> None:
        """A thread of the parent's holds the lock for ever, as far as the child can see."""
        tokenizer, kept = EncoderTokenizer(tokenizers.Tokenizer.from_file(path), 24), KeptTokens(5)
        kept.tokenize(tokenizer, ["a"])
        with kept._lock:
            assert exit_status_of_child(lambda: kept.tokenize(tokenizer, ["a", "b"])) == 0


class _Asked(EncoderTokenizer):
    """A tokenizer that notes what it is asked for."""

    def __init__(self, tokenizer: tokenizers.Tokenizer, max_length: int) -> None:
        super().__init__(tokenizer, max_length)
        self.asked: list[list[str]] = []

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        self.asked.append(list(texts))
        return super().tokenize(texts)


def _word_level(processor: processors.PostProcessor | None) -> tokenizers.Tokenizer:
    vocabulary = {"a": 0, "b": 1, "<s>": 2, "</s>": 3, "<pad>": 4, "[UNK]": 5}
    tokenizer = tokenizers.Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    if processor is not None:
        tokenizer.post_processor = processor
    return tokenizer


def test_other_patterns_of_special_tokens_are_read() -> None:
    """RoBERTa's two separators in the middle are kept, and its padding token is found."""
    tokenizer = _word_level(processors.RobertaProcessing(("</s>", 3), ("<s>", 2), add_prefix_space=False))
    ours = EncoderTokenizer(tokenizer, 16)
    a, b = ours.tokenize(["a", "b b"])
    batch = ours.pair_batch([(a, b), (a, a)])
    assert batch.input_ids.tolist() == [[2, 0, 3, 3, 1, 1, 3], [2, 0, 3, 3, 0, 3, 4]]


def test_padding_is_what_the_settings_beside_it_say(tmp_path: Path) -> None:
    """Models of other vocabularies call it what they like; where it is not named it is the usual one."""
    _word_level(None).save(str(tmp_path / "tokenizer.json"))
    for named, padding in ((None, 4), ("</s>", 3), ({"content": "</s>", "special": True}, 3), ("unknown", 4), (7, 4)):
        (tmp_path / "tokenizer_config.json").write_text(json.dumps({"pad_token": named}))
        ours = EncoderTokenizer.from_file(tmp_path / "tokenizer.json", 16)
        assert ours.single_batch(ours.tokenize(["a b", "a"])).input_ids.tolist() == [[0, 1], [0, padding]]


def test_a_tokenizer_without_special_tokens_works() -> None:
    """Where nothing stands between the texts, nothing is put there."""
    ours = EncoderTokenizer(_word_level(None), 16)
    a, b = ours.tokenize(["a", "b"])
    assert ours.pair_batch([(a, b)]).input_ids.tolist() == [[0, 1]]


def test_a_pattern_that_swaps_the_texts_is_refused() -> None:
    """Documents before queries would be put together wrongly, so it is an error."""
    swapped = processors.TemplateProcessing(single="$A", pair="$B:1 </s> $A:0", special_tokens=[("</s>", 3)])
    with pytest.raises(ModelFormatError, match="swaps the texts"):
        EncoderTokenizer(_word_level(swapped), 16)


@pytest.mark.parametrize("made", [bpe_tokenizer, unigram_tokenizer])
@given(data=st.data())
def test_byte_pairs_and_pieces_are_put_together_as_the_tokenizer_does(
    made: Callable[[], tokenizers.Tokenizer], data: st.DataObject
) -> None:
    """Tokenizers as those of ModernBERT and DeBERTa-v3: ids and types of a pair, also where it is cut."""
    ours, theirs = _both(made)
    first, second = data.draw(_TEXT), data.draw(_TEXT)
    tokens = tuple(ours.tokenize([first, second]))
    batch, expected = ours.pair_batch([(tokens[0], tokens[1])]), theirs.encode(first, second)
    assert batch.input_ids[0].tolist() == expected.ids
    assert batch.token_type_ids[0].tolist() == expected.type_ids


@cache
def _both(make: Callable[[], tokenizers.Tokenizer]) -> tuple[EncoderTokenizer, tokenizers.Tokenizer]:
    theirs = make()
    ours = EncoderTokenizer(tokenizers.Tokenizer.from_str(theirs.to_str()), 24)
    theirs.enable_truncation(24, strategy="longest_first")
    return ours, theirs
