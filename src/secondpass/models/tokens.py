"""Tokenization: from texts to token ids, and from these to the arrays that an encoder takes.

A tokenizer's own padding and truncation are switched off once, when it is loaded, and never touched
again (its state is shared between threads). Each text is tokenized once, however many pairs it stands
in; pairs are then put together by the pattern of special tokens that the tokenizer itself uses.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import tokenizers
from tokenizers import normalizers

from secondpass.cancellation import check_cancelled
from secondpass.errors import ModelFormatError, ModelIntegrityError, ScoringError, SecondPassError
from secondpass.forking import before_any_fork, reset_after_fork
from secondpass.models.batching import portions
from secondpass.models.sources.config import read_json
from secondpass.models.word_counts import WordCounts

__all__ = ["Batch", "EncoderTokenizer", "KeptTokens", "Tokens", "foreign_vocabulary", "is_panic"]

Ids = npt.NDArray[np.int32]

# Characters tokenized at once: an Encoding takes some 40 times as many bytes, of which 1 in 30 are kept.
_CHUNK = 500_000


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one text, without special ones.

    Attributes:
        ids: at most the model's maximum length of them.
        length: how many the whole text has.
    """

    ids: Ids
    length: int


@dataclass(frozen=True, slots=True)
class Batch:
    """The input of an encoder: three arrays of shape (n_sequences, longest), int64, padded on the right."""

    input_ids: npt.NDArray[np.int64]
    attention_mask: npt.NDArray[np.int64]
    token_type_ids: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.input_ids)


@dataclass(frozen=True, slots=True)
class _Template:
    """The special tokens around the texts: one run before, between and after them, with their types."""

    specials: tuple[tuple[int, ...], ...]
    special_types: tuple[tuple[int, ...], ...]
    text_types: tuple[int, ...]

    @property
    def n_specials(self) -> int:
        return sum(map(len, self.specials))


class EncoderTokenizer:
    """A fast tokenizer that is safe to share between threads.

    Args:
        tokenizer: of the tokenizers library; changed (no padding, no truncation), so pass one of your own.
        max_length: the most tokens that the model takes, special ones included.
        pad_id: of the token that the model takes for padding; by default that of ``[PAD]`` or ``<pad>``, else 0, which
            does for a model that goes by the mask alone.

    Raises:
        ModelFormatError: it has no pattern for pairs that can be read off it.
    """

    def __init__(self, tokenizer: tokenizers.Tokenizer, max_length: int, *, pad_id: int | None = None) -> None:
        with _errors_as(ModelFormatError, "the tokenizer can't be used"):
            tokenizer.no_padding()
            tokenizer.no_truncation()
            self._single = _template(tokenizer.encode("a"), n_texts=1)
            self._pair = _template(tokenizer.encode("a", "a"), n_texts=2)
        self._tokenizer = tokenizer
        self._word_counts = WordCounts.of(tokenizer, self._encoded)
        named = (tokenizer.token_to_id(name) for name in ("[PAD]", "<pad>"))
        self._pad_id = next((each for each in (pad_id, *named) if each is not None), 0)
        self.max_length = max_length

    @classmethod
    def from_file(cls, path: Path, max_length: int) -> Self:
        """Read a tokenizer.json, and what stands about it in the files beside it.

        Raises:
            ModelIntegrityError: one can't be read.
            ModelFormatError: it has no pattern for pairs that can be read off it.
        """
        with _errors_as(ModelIntegrityError, f"{path} can't be read"):
            tokenizer = tokenizers.Tokenizer.from_file(str(path))
        settings = read_json(path.with_name("tokenizer_config.json"))
        _follow_settings(tokenizer, settings, path.parent)
        named = settings.get("pad_token")
        named = named.get("content") if isinstance(named, dict) else named  # with how it is found in texts
        pad_id = tokenizer.token_to_id(named) if isinstance(named, str) else None
        return cls(tokenizer, max_length, pad_id=pad_id)

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Tokenize texts, without special tokens.

        Raises:
            ScoringError: the tokenizer fails.
        """
        return [
            Tokens(np.array(encoding.ids[: self.max_length], dtype=np.int32), len(encoding))
            for encoding in self._encodings(texts)
        ]

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text has, without special ones."""
        known = self._word_counts.lengths(texts) if self._word_counts else [None] * len(texts)
        read = self._encodings([text for text, n in zip(texts, known, strict=True) if n is None])
        return [len(next(read)) if n is None else n for n in known]

    def _encodings(self, texts: Sequence[str]) -> Iterator[tokenizers.Encoding]:
        """Yield what the tokenizer makes of each text, without where its tokens stand."""
        for part in portions([len(text) for text in texts], _CHUNK):
            check_cancelled()
            with _errors_as(ScoringError, "the tokenizer failed"), before_any_fork():
                chunk = self._tokenizer.encode_batch_fast(list(texts[part]), add_special_tokens=False)
            yield from chunk

    def offsets(self, text: str) -> npt.NDArray[np.int64]:
        """Return where in a text its tokens begin and end, in characters: shape (n_tokens, 2)."""
        encoding = self._encoded(text)
        return np.fromiter(chain.from_iterable(encoding.offsets), np.int64, 2 * len(encoding)).reshape(-1, 2)

    def _encoded(self, text: str) -> tokenizers.Encoding:
        with _errors_as(ScoringError, "the tokenizer failed"), before_any_fork():
            return self._tokenizer.encode(text, add_special_tokens=False)

    def check_rows(self, n_rows: int, name: str) -> None:
        """Refuse a model that has fewer word vectors than this vocabulary has tokens, added ones not counted.

        Args:
            n_rows: of its table of word vectors.
            name: the model's.

        Raises:
            ModelFormatError: some texts have tokens that it has no vector for.
        """
        n_tokens = self._tokenizer.get_vocab_size(with_added_tokens=False)
        if n_tokens > n_rows:
            raise foreign_vocabulary(
                name, f"it has {n_rows:,} word vectors for the {n_tokens:,} tokens of its tokenizer"
            )

    def last_token(self) -> Batch:
        """Return a sequence with the last token of the vocabulary, added ones not counted."""
        last = self._tokenizer.get_vocab_size(with_added_tokens=False) - 1
        return self.single_batch([Tokens(np.array([last], dtype=np.int32), 1)])

    @property
    def pair_room(self) -> int:
        """How many tokens of two texts fit together, without the special ones."""
        return self.max_length - self._pair.n_specials

    def token_id(self, token: str) -> int:
        """Return the id of a token, such as ``[MASK]``.

        Raises:
            ModelFormatError: the vocabulary does not have it.
        """
        found = self._tokenizer.token_to_id(token)
        if found is None:
            raise ModelFormatError(f"the tokenizer has no token {token!r}")
        return int(found)

    @property
    def single_room(self) -> int:
        """Return how many tokens a single text may have, beside special ones."""
        return self.max_length - self._single.n_specials

    def single_length(self, text: Tokens) -> int:
        """Return the length of the sequence that `single_batch` makes of a text."""
        return min(text.length + self._single.n_specials, self.max_length)

    def single_batch(self, texts: Sequence[Tokens]) -> Batch:
        """Put each text between its special tokens; what does not fit is cut at the end."""
        return self._batch([self._sequence(self._single, text.ids[: self.single_room]) for text in texts])

    def pair_lengths(self, first: Tokens, second: Tokens) -> tuple[int, int]:
        """Return how many tokens of each text `pair_batch` keeps.

        The longer text is cut first, until both are equally long: Hugging Face's ``longest_first``. As a
        query is the shorter one, this cuts the document.
        """
        room = self.pair_room
        if first.length + second.length <= room:
            return first.length, second.length
        if first.length <= room // 2:
            return first.length, room - first.length
        if second.length <= room // 2:
            return room - second.length, second.length
        shorter, longer = room // 2, room - room // 2
        return (shorter, longer) if first.length <= second.length else (longer, shorter)

    def pair_length(self, first: Tokens, second: Tokens) -> int:
        """Return the length of the sequence that `pair_batch` makes of two texts."""
        return sum(self.pair_lengths(first, second)) + self._pair.n_specials

    def pair_parts(self, first: Tokens, second: Tokens) -> tuple[slice, slice]:
        """Return where the texts stand in the sequence of `pair_batch`; that of a text without tokens is not empty."""
        n_first, n_second = self.pair_lengths(first, second)
        before, between, _ = map(len, self._pair.specials)
        start = before + n_first + between
        return slice(before, before + max(1, n_first)), slice(start, start + max(1, n_second))

    def pair_batch(self, pairs: Sequence[tuple[Tokens, Tokens]], multiple: int = 1) -> Batch:
        """Put each pair between its special tokens; what does not fit is cut at the texts' ends.

        Args:
            pairs: at least one.
            multiple: of how many tokens the arrays' width is, unless that is more than the model takes.
        """
        sequences = []
        for first, second in pairs:
            n_first, n_second = self.pair_lengths(first, second)
            sequences.append(self._sequence(self._pair, first.ids[:n_first], second.ids[:n_second]))
        return self._batch(sequences, multiple)

    def _sequence(self, template: _Template, *texts: Ids) -> tuple[Ids, Ids]:
        ids: list[Ids] = [np.array(template.specials[0], dtype=np.int32)]
        types = [np.array(template.special_types[0], dtype=np.int32)]
        for at, text in enumerate(texts, start=1):
            ids += [text, np.array(template.specials[at], dtype=np.int32)]
            types += [np.full(len(text), template.text_types[at - 1], dtype=np.int32)]
            types += [np.array(template.special_types[at], dtype=np.int32)]
        return np.concatenate(ids), np.concatenate(types)

    def _batch(self, sequences: Sequence[tuple[Ids, Ids]], multiple: int = 1) -> Batch:
        longest = max(len(ids) for ids, _ in sequences)
        shape = (len(sequences), max(longest, min(-(-longest // multiple) * multiple, self.max_length)))
        input_ids = np.full(shape, self._pad_id, dtype=np.int64)
        attention_mask = np.zeros(shape, dtype=np.int64)
        token_type_ids = np.zeros(shape, dtype=np.int64)
        for row, (ids, types) in enumerate(sequences):
            input_ids[row, : len(ids)] = ids
            attention_mask[row, : len(ids)] = 1
            token_type_ids[row, : len(ids)] = types
        return Batch(input_ids, attention_mask, token_type_ids)


class KeptTokens:
    """A cache of the tokens of the texts that were asked for last.

    Safe to share between threads; pickled empty. It serves one tokenizer.

    Args:
        size: how many texts it keeps; each takes its own memory and 4 bytes for each token that the model can take.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._tokens: OrderedDict[str, Tokens] = OrderedDict()
        self._reset()
        reset_after_fork(self, KeptTokens._reset)

    def _reset(self) -> None:
        self._lock = Lock()

    def tokenize(self, tokenizer: EncoderTokenizer, texts: Sequence[str]) -> list[Tokens]:
        """Return what the tokenizer's `tokenize` does, which is asked only for texts that are not kept."""
        with self._lock:
            found = {text: self._tokens[text] for text in texts if text in self._tokens}
        missing = list(dict.fromkeys(text for text in texts if text not in found))
        if missing:
            found.update(zip(missing, tokenizer.tokenize(missing), strict=True))
        with self._lock:
            for text in texts:
                self._tokens[text] = found[text]
                self._tokens.move_to_end(text)
            while len(self._tokens) > self.size:
                self._tokens.popitem(last=False)
        return [found[text] for text in texts]

    def __getstate__(self) -> dict[str, Any]:
        return {"size": self.size}

    def __setstate__(self, state: dict[str, Any]) -> None:
        KeptTokens.__init__(self, **state)


def _follow_settings(tokenizer: tokenizers.Tokenizer, settings: Mapping[str, Any], folder: Path) -> None:
    """Let the settings beside a tokenizer have the last word, as they have where the model was trained.

    Transformers lets a BERT's have it, and sentence-transformers its own.
    """
    normalizer = tokenizer.normalizer
    generic = settings.get("tokenizer_class") in ("PreTrainedTokenizerFast", "TokenizersBackend")
    if isinstance(normalizer, normalizers.BertNormalizer) and not generic:
        for name, attribute in (("do_lower_case", "lowercase"), ("tokenize_chinese_chars", "handle_chinese_chars")):
            if isinstance(value := settings.get(name), bool):
                setattr(normalizer, attribute, value)
        tokenizer.normalizer = normalizer
    if any(read_json(path).get("do_lower_case") is True for path in folder.glob("sentence_*_config.json")):
        own = [] if normalizer is None else [normalizer]
        tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *own])


def foreign_vocabulary(name: str, said: str) -> ModelFormatError:
    """Return the error for a model whose tokenizer makes tokens that it has no vectors for."""
    return ModelFormatError(f"{name}: {said}; tokenizer.json and the weights are not those of one model")


def is_panic(exc: BaseException) -> bool:
    """Whether an error is a panic of Rust code: not an Exception, and of a class that can't be imported."""
    return type(exc).__name__ == "PanicException"


@contextmanager
def _errors_as(kind: type[SecondPassError], said: str) -> Iterator[None]:
    """Turn what the tokenizers library raises into an error of ours: plain Exceptions, and panics of its Rust code."""
    try:
        yield
    except SecondPassError:
        raise
    except BaseException as exc:
        if not (isinstance(exc, Exception) or is_panic(exc)):
            raise
        raise kind(f"{said}: {(str(exc).splitlines() or [type(exc).__name__])[0]}") from exc


def _template(encoding: tokenizers.Encoding, n_texts: int) -> _Template:
    """Read the pattern of special tokens off an encoding of ``n_texts`` texts."""
    specials: list[list[int]] = [[] for _ in range(n_texts + 1)]
    special_types: list[list[int]] = [[] for _ in range(n_texts + 1)]
    text_types = [0] * n_texts
    seen = -1
    for token, type_id, sequence in zip(encoding.ids, encoding.type_ids, encoding.sequence_ids, strict=True):
        if sequence is None:
            specials[seen + 1].append(token)
            special_types[seen + 1].append(type_id)
        elif sequence in (seen, seen + 1):
            text_types[sequence] = type_id
            seen = sequence
        else:
            raise ModelFormatError("the tokenizer swaps the texts of a pair, which secondpass does not support")
    if seen != n_texts - 1:
        raise ModelFormatError(
            "the tokenizer makes no token of the letter 'a', so its pattern of special tokens can't be read"
        )
    return _Template(tuple(map(tuple, specials)), tuple(map(tuple, special_types)), tuple(text_types))
