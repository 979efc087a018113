"""First-stage retrieval by words: BM25, from the bm25s library."""

import re
import unicodedata
import warnings
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from secondpass.errors import InputError, MissingExtraError
from secondpass.retrieve.base import Hits, Retriever
from secondpass.validation import NOT_NEGATIVE, SHARE, check

__all__ = ["BM25Retriever"]

# Kana and Han, Thai and Lao, Burmese, Khmer: written without spaces between words.
_UNSPACED = re.compile(
    "[\u3005\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+"
)


class BM25Retriever(Retriever):
    """Finds the documents that share rare words with the query (Robertson and Zaragoza 2009).

    Lucene's variant. Words are runs of two or more letters (with their marks), digits and underscores, in lower case,
    without English stop words and without stemming. Where words are written without spaces between them (Chinese,
    Japanese, Thai, Lao, Khmer, Burmese), each two neighbouring characters count as one.

    Args:
        k1: how soon further occurrences of a word stop counting, at least 0.
        b: how much long documents are discounted, in [0, 1].

    Raises:
        ConfigError: a setting is out of range.
        MissingExtraError: bm25s is not installed.
    """

    registry_name: ClassVar[str] = "bm25"

    def __init__(self, *, k1: float = 1.5, b: float = 0.75) -> None:
        super().__init__()
        self.k1, self.b = k1, b
        check(self, k1=NOT_NEGATIVE, b=SHARE)
        self._bm25 = _bm25s().BM25(method="lucene", k1=self.k1, b=self.b)

    @property
    def settings(self) -> dict[str, Any]:
        """The two parameters."""
        return {"k1": self.k1, "b": self.b}

    def _index(self, texts: Sequence[str], progress: bool) -> None:
        bm25 = _bm25s().BM25(method="lucene", k1=self.k1, b=self.b)
        tokens = _tokenized(texts, show_progress=progress)
        if not any(tokens.ids):
            raise InputError("no document has a word that BM25 counts: two or more letters, and not a stop word")
        bm25.index(tokens, show_progress=progress)
        self._bm25 = bm25

    def _search(self, queries: Sequence[str], k: int) -> list[Hits]:
        words = _tokenized(queries, return_ids=False, show_progress=False)
        return [self._hits(query, k) for query in words]

    def _hits(self, words: list[str], k: int) -> Hits:
        """Return only documents that hold a word of the query: bm25s would fill up with zeros."""
        known = [word for word in words if word in self._bm25.vocab_dict]
        if not known:
            return np.empty(0, dtype=np.intp), np.empty(0)
        scores = self._bm25.get_scores(known).astype(np.float64)
        best = np.argsort(-scores, kind="stable")[:k]
        best = best[scores[best] > 0]
        return best.astype(np.intp), scores[best]

    def _save(self, folder: Path) -> None:
        self._bm25.save(str(folder), show_progress=False)

    def _load(self, folder: Path) -> None:
        self._bm25 = _bm25s().BM25.load(str(folder))
        n_indexed = self._bm25.scores["num_docs"]
        if n_indexed != len(self):
            raise ValueError(f"an index of {n_indexed} documents for {len(self)}")


def _tokenized(texts: Sequence[str], **settings: bool) -> Any:
    spaced = [_spaced(text) for text in texts]
    return _bm25s().tokenize(spaced, stopwords="en", token_pattern=_word_pattern(), **settings)


def _spaced(text: str) -> str:
    """Return a text with spaces between each two characters of scripts that have none between words."""
    return text if text.isascii() else _UNSPACED.sub(_bigrams, text)


def _bigrams(run: re.Match[str]) -> str:
    characters = run[0]
    # A single character stands twice, as a word has two characters or more.
    pairs = [a + b for a, b in pairwise(characters)] or [2 * characters]
    return f" {' '.join(pairs)} "


@lru_cache(maxsize=1)
def _word_pattern() -> str:
    # `re` has no class for marks, without which words of Hindi or Thai would fall apart at their vowels.
    marks = "".join(chr(code) for code in range(0x300, 0xFFFF) if unicodedata.category(chr(code))[0] == "M")
    return rf"(?u)[\w{re.escape(marks)}]{{2,}}"


def _bm25s() -> Any:
    # Not kept in an attribute: a retriever that holds a module can't be pickled.
    try:
        with warnings.catch_warnings():
            # bm25s imports tqdm for notebooks, which complains where ipywidgets is missing; no bar of it is used.
            warnings.filterwarnings("ignore", message="IProgress not found")
            import bm25s
    except ImportError as exc:
        raise MissingExtraError.of("bm25", "BM25Retriever") from exc
    return bm25s
