"""Overlapping windows over long texts, cut between sentences or tokens."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from secondpass.base import Reranker, inner_rerankers

if TYPE_CHECKING:
    from secondpass.models.tokens import EncoderTokenizer, KeptTokens

__all__ = [
    "SENTENCE_END",
    "ApproximateTokenization",
    "Borders",
    "ModelTokenization",
    "Span",
    "Tokenization",
    "cut",
    "find_tokenization",
]

Borders = Literal["sentence", "token"]
Span = tuple[int, int]
"""Where a window begins and ends in its text, in characters."""

_APPROXIMATE_ROOM = 384
_TRIES = 4
_PIECE = re.compile(r"[a-zA-Z0-9]{1,6}|[^\sa-zA-Z0-9]")
SENTENCE_END = re.compile("[.!?\u2026][\"'\u2019\u201d)\\]]*\\s+|[\u3002\uff01\uff1f]|\n\\s*")
"""What ends a sentence: a full stop with its closing quotes and a space, one of CJK, a line break."""


@runtime_checkable
class Tokenization(Protocol):
    """What a reranker says about its model's tokens, in an attribute ``tokenization``, if it can.

    `ModelTokenization` is one, for a tokenizer and a limit. A reranker without the attribute works as well:
    its tokens are then estimated, on the safe side, by `ApproximateTokenization`.
    """

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text has, without special ones."""
        ...

    def offsets(self, text: str) -> npt.NDArray[np.int64]:
        """Return where the tokens of a text begin and end, in characters: shape (n_tokens, 2)."""
        ...

    def document_room(self, query_length: int) -> int:
        """Return how many tokens a document may have beside a query of so many, at least 1."""
        ...


class ApproximateTokenization:
    """Counts a token for each six letters or digits of a word and for each other character.

    That is more than a model's own tokenizer makes of most texts, so windows tend to be too short rather than too long.
    """

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Return about how many tokens each text has."""
        return [sum(1 for _ in _PIECE.finditer(text)) for text in texts]

    def offsets(self, text: str) -> npt.NDArray[np.int64]:
        """Return where the counted pieces begin and end, in characters."""
        return np.array([piece.span() for piece in _PIECE.finditer(text)], dtype=np.int64).reshape(-1, 2)

    def document_room(self, query_length: int) -> int:
        """Return what most models take: 512 tokens, with a quarter of them for the query and special tokens."""
        return _APPROXIMATE_ROOM


@dataclass(frozen=True, slots=True)
class ModelTokenization:
    """A model's tokenizer with the room that the model has: the `Tokenization` of most rerankers.

    Args:
        tokenizer: counts tokens.
        room: tokens for the texts, special ones and prompt not included.
        with_query: whether the query takes its part of the room; three quarters of it at most.
        kept: where the tokens of texts are kept that are scored next.
    """

    tokenizer: "EncoderTokenizer"
    room: int
    with_query: bool = True
    kept: "KeptTokens | None" = None

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text has, without special ones."""
        if self.kept is None:
            return self.tokenizer.lengths(texts)
        return [tokens.length for tokens in self.kept.tokenize(self.tokenizer, texts)]

    def offsets(self, text: str) -> npt.NDArray[np.int64]:
        """Return where the tokens of a text begin and end, in characters: shape (n_tokens, 2)."""
        return self.tokenizer.offsets(text)

    def document_room(self, query_length: int) -> int:
        """Return how many tokens a document may have beside a query of so many."""
        return max(self.room - query_length, self.room // 4, 1) if self.with_query else self.room


def find_tokenization(reranker: Reranker) -> Tokenization | None:
    """Return the tokenization of a reranker, or of those that it wraps the one with the least room.

    Only `Reranker`s that stand in the attributes of one another, or in lists there, are looked at.
    """
    own = getattr(reranker, "tokenization", None)
    if isinstance(own, Tokenization):
        return own
    found = [find_tokenization(inner) for inner in inner_rerankers(reranker)]
    return min((one for one in found if one is not None), key=lambda one: one.document_room(0), default=None)


def cut(text: str, size: int, overlap: int, borders: Borders, tokenization: Tokenization) -> list[Span]:
    """Cut a text that is too long into windows that each have at most ``size`` tokens.

    The windows together hold every character. Each but the last ends where a sentence begins, if one does
    in its second half and ``borders`` is ``sentence``, else where a word begins, else at a token.

    Args:
        text: what to cut.
        size: tokens in a window at most.
        overlap: tokens that two neighbours share at least, at most half of ``size``.
        borders: where to cut; ``token`` shares exactly ``overlap`` tokens, as far as words allow.
        tokenization: counts the tokens.

    Returns:
        The windows in order, at least one.
    """
    offsets = tokenization.offsets(text)
    aim, windows = size, [(0, len(text))]
    for _ in range(_TRIES):
        windows = _windows(text, offsets, aim, min(overlap, aim // 2), borders)
        # A piece of a text can have more tokens than it has within the whole, where a word was cut.
        excess = max(tokenization.lengths([text[begin:end] for begin, end in windows])) - size
        if excess <= 0:
            break
        aim = max(aim - excess, aim // 2, 1)
    return windows


def _windows(text: str, offsets: npt.NDArray[np.int64], size: int, overlap: int, borders: Borders) -> list[Span]:
    # Some normalizers swap characters; what follows needs an order.
    starts = np.maximum.accumulate(np.clip(offsets[:, 0], 0, len(text)))
    ends = np.maximum.accumulate(np.clip(offsets[:, 1], 0, len(text)))
    # Where a window may begin: not within a character that is several tokens, and rather not within a word.
    characters = np.flatnonzero(np.diff(starts, prepend=-1) > 0)
    words = np.flatnonzero(starts > np.concatenate([[-1], ends[:-1]]))
    sentences = _sentences(text, starts) if borders == "sentence" else np.empty(0, dtype=np.intp)
    windows: list[Span] = []
    begin = done = 0
    while len(starts) - begin > size:
        # Beyond the last window's end, so that each one brings something new.
        end = _latest(max(begin + size // 2, done), begin + size, sentences, words, characters)
        if end is None:  # a single character with more tokens than a window has
            later = characters[characters > begin + size]
            if not len(later):
                break
            end = int(later[0])
        windows.append((0 if begin == 0 else int(starts[begin]), int(starts[end])))
        done, back = end, end - overlap
        # Not farther back than a quarter of a window, since what two windows share is scored twice.
        following = _latest(max(begin, back - size // 4), back, sentences, words) or _latest(begin, back, characters)
        begin = following if overlap and following is not None else end
    windows.append((0 if begin == 0 else int(starts[begin]), len(text)))
    return windows


def _latest(above: int, upto: int, *kinds: npt.NDArray[np.intp]) -> int | None:
    """Return the largest border in (above, upto] of the first kind that has one there."""
    for borders in kinds:
        at = int(np.searchsorted(borders, upto, side="right")) - 1
        if at >= 0 and borders[at] > above:
            return int(borders[at])
    return None


def _sentences(text: str, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Return the tokens with which sentences begin."""
    positions = [match.end() for match in SENTENCE_END.finditer(text)]
    tokens = np.unique(np.searchsorted(starts, positions, side="left"))
    return tokens[tokens < len(starts)]
