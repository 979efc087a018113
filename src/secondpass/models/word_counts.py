"""How many tokens plain text has, by its words: a BERT's tokenizer reads each word by itself, so each is read once."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

import tokenizers
from tokenizers import models, normalizers, pre_tokenizers

__all__ = ["WordCounts"]

# Signs of which each is a token of its own, whatever stands beside it. "[" is left to the tokenizer, as what begins
# with it may be a special token; so are all letters and signs that it changes or takes for something else.
_SIGNS = "!-/:-@\\\\-`{-~\u2013\u2014\u2018\u2019\u201c\u201d\u2026"
_PLAIN = re.compile(f"[ \n\t\rA-Za-z0-9{_SIGNS}]*")
_PIECE = re.compile(f"[A-Za-z0-9]+|[{_SIGNS}]")
_MOST = 1 << 17  # words that are kept


class WordCounts:
    """Counts tokens as a tokenizer does; texts that are not plain English it leaves to it.

    Safe to share between threads.

    Args:
        encode: the tokenizer's encoding of a text, without special tokens.
        lowers: whether capitals make no difference to it.
    """

    def __init__(self, encode: Callable[[str], tokenizers.Encoding], *, lowers: bool) -> None:
        self._encode, self._lowers = encode, lowers
        self._known: dict[str, int] = {}

    @classmethod
    def of(cls, tokenizer: tokenizers.Tokenizer, encode: Callable[[str], tokenizers.Encoding]) -> "WordCounts | None":
        """Return them for a tokenizer; None for one that does not read each word by itself."""
        reads_words = (
            isinstance(tokenizer.model, models.WordPiece)
            and isinstance(tokenizer.pre_tokenizer, pre_tokenizers.BertPreTokenizer)
            and isinstance(tokenizer.normalizer, normalizers.BertNormalizer)
        )
        special = tokenizer.get_added_tokens_decoder().values()
        if not reads_words or not all(each.content.startswith("[") for each in special):
            return None
        return cls(encode, lowers=bool(tokenizer.normalizer.lowercase))

    def lengths(self, texts: Sequence[str]) -> list[int | None]:
        """Return how many tokens each text has; None for those that the tokenizer has to read."""
        read = [text.lower() for text in texts] if self._lowers else texts
        pieces = [_PIECE.findall(text) if _PLAIN.fullmatch(text) else None for text in read]
        known = self._with(set(chain.from_iterable(filter(None, pieces))))
        return [None if found is None else sum(map(known.__getitem__, found)) for found in pieces]

    def _with(self, words: Iterable[str]) -> dict[str, int]:
        """Return the numbers of tokens of words, these among them."""
        known = self._known
        if missing := [word for word in words if word not in known]:
            if len(known) + len(missing) > _MOST:
                # Another thread may still count by the old ones.
                self._known = known = {}
                missing = list(words)
            counts = Counter(self._encode(" ".join(missing)).word_ids)
            known.update((word, counts[at]) for at, word in enumerate(missing))
        return known
