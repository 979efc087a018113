"""Where evidence is looked for: windows of the passages, and the best ones for each claim."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, islice
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from secondpass.base import Reranker
from secondpass.errors import InputError
from secondpass.language import is_foreign
from secondpass.logistic import FloatArray
from secondpass.types import Document, Request, document_text, well_formed
from secondpass.verify.claims.markup import plain
from secondpass.verify.claims.sentences import SentenceScanner
from secondpass.verify.rows import Rows
from secondpass.verify.sources import Data, data_in, mended
from secondpass.verify.words import STOP_WORDS, content_words, stem, word_numbers
from secondpass.windows import Span, Tokenization, cut

__all__ = ["Passages", "Window", "WindowIndex", "joined", "narrowed", "select"]

_K1, _B = 1.2, 0.75  # of BM25, as they are in Lucene
_NUMBERS = {
    word: str(n)
    for word, n in word_numbers("two|three|four|five|six|seven|eight|nine|ten|eleven|twelve", start=2).items()
}
_FORMS = _NUMBERS | {figure: stem(word) for word, figure in _NUMBERS.items()}
_TIME = re.compile(r"\b([01]?\d|2[0-3])(?:[:.]([0-5]\d)\b)?(?:\s?([ap])\.?m\b)?", re.IGNORECASE)
_OTHER_LETTERS = re.compile("[^\x00-\xbb\xbf-\u024f\u2010-\u2027]")
_TERM = re.compile(r"\d+(?:[.,]\d+)*|(?:[A-Z]\.){2,8}|(?i:e\.g\.|i\.e\.)|[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_CENTS = re.compile(r"\.00?$")  # "$16,682.00" is looked for as 16,682
_LINE_BREAK = re.compile(r"\n\s*+")
_SAME = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b`\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
    }
)
_LOWER_CASE = re.compile(r"(?<!\w)[a-z]{3,}(?!\w)")
_FEW_KNOWN, _MOST_KNOWN = 2, 2 / 3
_EDGES = " .!,;:\u2026\u3002'\""
_MIN_SENTENCE_WORDS = 4
_LEEWAY = 8  # of a window, the part that stays free where its tokens are not counted again
_PREFILTER = 8  # times as many windows as are wanted go to a reranker

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a passage that is read as one premise: ``text`` is ``passages[passage][start:end]``.

    Attributes:
        rendered: what is read in its place where that is not what stands there: mended, or a row with the names of
            its columns; else empty.
        is_row: whether it is a row of a table, or an entry of data.
    """

    passage: int
    start: int
    end: int
    text: str
    rendered: str = ""
    is_row: bool = False

    @property
    def read(self) -> str:
        """What models read of it."""
        return self.rendered or self.text


class RowsFor(NamedTuple):
    """Rows of tables, for a claim.

    Attributes:
        own: those that it names.
        others: windows that are of other rows of the same tables.
        strays: of the rows that it names, see `secondpass.verify.rows.Named`.
    """

    own: Sequence[Window]
    others: Set[Window]
    strays: Mapping[Window, tuple[str, str]]


class WindowIndex:
    """Windows, found by the words that they share with a claim (BM25, Robertson and Zaragoza 2009).

    Args:
        windows: in the order of the passages.
        english_only: whether windows in other languages are never found. They are told apart as they are met, as few
            of a long text's windows ever are.
    """

    def __init__(self, windows: Sequence[Window], *, english_only: bool = False) -> None:
        self.windows = tuple(windows)
        self._english_only = english_only
        self._passages = np.array([window.passage for window in self.windows], dtype=np.intp)
        counts = [Counter(_terms(window.read)) for window in self.windows]
        lengths = np.array([count.total() for count in counts], dtype=np.float64)
        self._norms = _K1 * (1 - _B + _B * lengths / max(float(lengths.mean()), 1.0)) if len(counts) else lengths
        self._places: dict[str, list[tuple[int, int]]] = {}
        for at, count in enumerate(counts):
            for term, times in count.items():
                self._places.setdefault(term, []).append((at, times))
        self._weighted: dict[str, tuple[Indices, FloatArray]] = {}
        self._foreign: dict[int, bool] = {}  # whether a window is, of those that were met
        self._numbers = {window: at for at, window in enumerate(self.windows) if window.is_row}
        self._rows = Rows({at: (row.passage, row.start, row.read) for row, at in self._numbers.items()})

    @property
    def is_readable(self) -> bool:
        """Whether there is a window in a language that is read."""
        return any(map(self._reads, range(len(self.windows))))

    def _reads(self, at: int) -> bool:
        if not self._english_only:
            return True
        if at not in self._foreign:
            self._foreign[at] = is_foreign(self.windows[at].read)
        return not self._foreign[at]

    def scores(self, claim: str) -> FloatArray:
        """Return how well each window matches the words of a claim, shape (n_windows,), from 0 on."""
        scores = np.zeros(len(self.windows))
        terms = _terms(claim)
        lost = any(term[0].isdigit() or term in _FORMS.values() for term in terms if term not in self._places)
        for term in dict.fromkeys([*terms, *(_other_forms(claim) if lost else ())]):
            if term in self._places:
                windows, weights = self._of_term(term)
                scores[windows] += weights
        return scores

    def best(self, claim: str, n: int) -> list[Window]:
        """Return the ``n`` windows that match the words of a claim best, best first; fewer if there are no more."""
        return list(islice(self._readable(np.argsort(-self.scores(claim), kind="stable")), n))

    def rows_for(self, claim: str, windows: Sequence[Window], n: int) -> RowsFor:
        """Return the ``n`` first rows that a claim names, and those of some windows that are of others.

        Args:
            claim: what is claimed.
            windows: any of this index.
            n: how many rows.
        """
        named = self._rows.named(claim)
        rows = [self.windows[at] for at in sorted(named.own)[:n]]
        others = {window for window in windows if self._rows.is_another(self._numbers.get(window, -1), named)}
        return RowsFor(rows, others, {self.windows[at]: stray for at, stray in named.strays.items()})

    def of_passage(self, passage: int, scores: FloatArray) -> Window | None:
        """Return the window of a passage that scores highest; None if the passage has no window."""
        own = np.flatnonzero(self._passages == passage)
        return next(self._readable(own[np.argsort(-scores[own], kind="stable")]), None)

    def _readable(self, order: Indices) -> Iterator[Window]:
        return (self.windows[at] for at in order.tolist() if self._reads(at))

    def speaks_like(self, claim: str) -> bool:
        """Return whether the windows have at least two of a claim's lower-case words, and most of them.

        So it is in their language, though a detector may take a short claim for one in another. Names and numbers,
        which all languages share, tell nothing.
        """
        words = {stem(word) for word in _LOWER_CASE.findall(claim) if word not in STOP_WORDS}
        known = sum(any(self._reads(at) for at, _ in self._places.get(word, ())) for word in words)
        return known >= _FEW_KNOWN and known >= _MOST_KNOWN * len(words)

    def _of_term(self, term: str) -> tuple[Indices, FloatArray]:
        # Few of the terms of long passages are ever asked for. Two threads at once find the same.
        if term not in self._weighted:
            windows, times = np.array(self._places[term]).T
            n_all, n_with = len(self.windows), len(windows)
            rarity = np.log1p((n_all - n_with + 0.5) / (n_with + 0.5))
            self._weighted[term] = windows, rarity * times / (times + self._norms[windows])
        return self._weighted[term]


@dataclass(slots=True)
class Passages:
    """The passages that an answer is verified against, cut into windows when they are needed.

    Args:
        documents: texts, or mappings with ``text`` and optionally ``id``.
        tokenization: how the model counts tokens.
        window_tokens: tokens in a window at most.
        overlap: tokens that neighbouring windows share at least.
        english_only: leave out windows in other languages.

    Attributes:
        texts: the passages' texts; a lone surrogate is replaced by U+FFFD, so that offsets stay right.
        ids: the ``id`` of each that is a mapping, else None.

    Raises:
        InputError: they are not a list of documents.
    """

    documents: Sequence[Document]
    tokenization: Tokenization = field(repr=False)
    window_tokens: int = 96
    overlap: int = 32
    english_only: bool = True
    texts: tuple[str, ...] = field(init=False)
    ids: tuple[Any, ...] = field(init=False)
    _indexes: dict[int, WindowIndex] = field(init=False, repr=False, default_factory=dict)
    _sentences: dict[int, list[Span]] = field(init=False, repr=False, default_factory=dict)
    _data: dict[int, Data] = field(init=False, repr=False, default_factory=dict)
    _by_text: dict[str, Window] | None = field(init=False, repr=False, default=None)
    _lock: Any = field(init=False, repr=False, default_factory=Lock)

    def __post_init__(self) -> None:
        documents = checked_passages(self.documents)
        self.documents = documents
        self.texts = tuple(well_formed(document_text(document, at)) for at, document in enumerate(documents))
        self.ids = tuple(None if isinstance(document, str) else document.get("id") for document in documents)

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def blank(self) -> bool:
        """Whether there is nothing to read in any of them."""
        return not any(text.strip() for text in self.texts)

    def index(self, room: int) -> WindowIndex:
        """Return the windows, each of at most ``room`` tokens and never more than ``window_tokens``.

        Smaller rooms are rounded down to a power of two, so that long claims of many lengths share windows.
        """
        size = self.window_tokens if room >= self.window_tokens else 1 << (max(room, 1).bit_length() - 1)
        with self._lock:
            if size not in self._indexes:
                self._indexes[size] = WindowIndex(self._windows(size), english_only=self.english_only)
            return self._indexes[size]

    def sentence(self, text: str) -> Window | None:
        """Return the sentence of a passage that is the same as a text, the first if there are several.

        Case, blanks, emphasis, the style of quotation marks and dashes, and the full stop make no difference.
        Nothing is the same as a text of fewer than four words, or as a question.
        """
        same = normalised(text)
        if len(same.split()) < _MIN_SENTENCE_WORDS:
            return None
        with self._lock:
            if self._by_text is None:
                self._by_text = {}
                for at, passage in enumerate(self.texts):
                    for start, end in self._sentences_of(at):
                        window = Window(at, start, end, passage[start:end])
                        self._by_text.setdefault(normalised(mended(window.text)), window)
            return self._by_text.get(same)

    def speak_of_themselves(self, text: str) -> bool:
        """Return whether a sentence has the first content word of a text, and all others but one."""
        first, *others = content_words(text) or [""]
        with self._lock:
            for at, passage in enumerate(self.texts):
                for start, end in self._sentences_of(at):
                    words = set(content_words(passage[start:end]))
                    if first in words and len(others) > 1 and sum(word not in words for word in others) <= 1:
                        return True
        return False

    def _sentences_of(self, passage: int) -> list[Span]:
        if passage not in self._sentences:
            text, data = self.texts[passage], self._data_of(passage)
            self._sentences[passage] = [span for span in sentence_spans(text) if not data.holds(*span)]
        return self._sentences[passage]

    def _data_of(self, passage: int) -> Data:
        if passage not in self._data:
            self._data[passage] = data_in(self.texts[passage])
        return self._data[passage]

    def _windows(self, size: int) -> list[Window]:
        overlap = min(self.overlap * size // self.window_tokens, size // 2)
        windows = []
        for at, text in enumerate(self.texts):
            for start, end in self._spans(at, size, overlap):
                inner = text[start:end].strip()
                if inner:
                    begin = start + text[start:end].index(inner)
                    read = mended(self._data_of(at).spelt_out(inner, begin))
                    windows.append(Window(at, begin, begin + len(inner), inner, read if read != inner else ""))
            # A row is a window of its own: what stands in the next one is said of something else.
            records = self._data_of(at).records
            windows += [Window(at, start, end, text[start:end], said, True) for start, end, said in records]
        return windows

    def _spans(self, passage: int, size: int, overlap: int) -> list[Span]:
        """Return as many whole sentences at a time as have at most ``size`` tokens, with no data between them.

        A sentence with more tokens is cut. Neighbours share the last sentences of the first one that have at most
        ``overlap`` tokens, if there is room for the next sentence beside them.
        """
        text, tokenization = self.texts[passage], self.tokenization
        sentences = self._sentences_of(passage)
        lengths = tokenization.lengths([text[slice(*span)] for span in sentences])
        ends = accumulate(lengths)
        # A sentence without a token (of control characters) says nothing.
        known = [(s, end - n, end) for s, n, end in zip(sentences, lengths, ends, strict=True) if n]
        blocks = [self._data_of(passage).before(span[0]) for span, *_ in known]
        spans: list[Span] = []
        counts: list[int] = []
        first = end = 0
        while end < len(known):
            end = max(end, first + 1)
            while end < len(known) and blocks[end] == blocks[first] and known[end][2] - known[first][1] <= size:
                end += 1
            spans.append((known[first][0][0], known[end - 1][0][1]))
            counts.append(known[end - 1][2] - known[first][1])
            first = end
            while end < len(known) and blocks[first - 1] == blocks[end] and _fits(known, first - 1, end, size, overlap):
                first -= 1
        # Together, sentences may have a token or two more than they have alone: near the limit they are read again.
        near = [at for at, count in enumerate(counts) if count > size - size // _LEEWAY]
        alone = tokenization.lengths([text[slice(*spans[at])] for at in near]) if near else []
        for at, count in zip(near, alone, strict=True):
            counts[at] = count
        return [
            span for whole, count in zip(spans, counts, strict=True) for span in self._cut(text, whole, count, size)
        ]

    def _cut(self, text: str, span: Span, length: int, size: int) -> list[Span]:
        """Return a span, in pieces if it is a single sentence with too many tokens."""
        if length <= size:
            return [span]
        start, end = span
        return [(start + a, start + b) for a, b in cut(text[start:end], size, size // 3, "token", self.tokenization)]


def _fits(known: Sequence[tuple[Span, int, int]], first: int, end: int, size: int, overlap: int) -> bool:
    """Return whether a window may begin with a sentence that the window before, up to ``end``, has as well."""
    begin = known[first][1]
    return known[end - 1][2] - begin <= overlap and known[end][2] - begin <= size


def sentence_spans(text: str) -> list[Span]:
    """Return where the sentences of a passage stand, in linear time.

    A line break ends a sentence, unless the next line goes on in lower case.
    """
    spans: list[Span] = []
    begin = 0
    for gap in (*_LINE_BREAK.finditer(text), None):
        end = len(text) if gap is None else gap.start()
        if gap is not None and gap[0].count("\n") == 1 and text[gap.end() : gap.end() + 1].islower():
            continue
        scanner = SentenceScanner(begin)
        spans += scanner.feed(text[begin:end]) + scanner.finish()
        begin = len(text) if gap is None else gap.end()
    return spans


def normalised(text: str) -> str:
    """Return a sentence without what makes no difference to what it says; a question stays one."""
    text = unicodedata.normalize("NFKC", plain(text)).casefold().replace("\u00ad", "")
    return " ".join(text.translate(_SAME).split()).strip(_EDGES)


def select(
    claims: Sequence[str], index: WindowIndex, n: int, retriever: Reranker | None = None
) -> list[tuple[Window, ...]]:
    """Return for each claim the ``n`` windows that match it best, best first.

    Args:
        claims: what is looked for.
        index: the windows.
        n: how many for each claim.
        retriever: orders the eight times as many that share the most words with the claim; None for the order
            by these words itself. So what is read of long passages is bounded.
    """
    wanted = n if retriever is None else _PREFILTER * n
    chosen = [index.best(claim, wanted) for claim in claims]
    if retriever is not None:
        requests = [Request(claim, [w.read for w in windows]) for claim, windows in zip(claims, chosen, strict=True)]
        scored = retriever.score_many(requests)
        chosen = [
            [windows[int(at)] for at in np.argsort(-scores.values, kind="stable")]
            for windows, scores in zip(chosen, scored, strict=True)
        ]
    return [tuple(windows[:n]) for windows in chosen]


def joined(first: Window, second: Window, claim: str) -> str:
    """Return a window as one premise with those sentences of another one that have further words of a claim.

    The sentence before each of them stands there too, as it says who "she" is. What else the other window says would
    only distract the model. All of it keeps the order of the passages, and what both windows have stands there once.

    Returns:
        The premise; empty if the other window has no word of the claim that the first one has not.
    """
    wanted = frozenset(content_words(claim)).difference(content_words(first.read))
    known = frozenset(_sentences(first.read))
    before, after = (_adding(part, wanted, known) for part in _around(first, second))
    return "\n".join(part for part in (before, first.read, after) if part) if before or after else ""


def narrowed(window: Window, claim: str) -> Window | None:
    """Return the fewest sentences in a row of a window that have all its words of a claim; None if that is all of it.

    A row of data is not narrowed: its first values say whose it is.
    """
    if window.rendered:
        return None
    spans, words = sentence_spans(window.text), frozenset(content_words(claim))
    have = [words.intersection(content_words(window.text[start:end])) for start, end in spans]
    wanted = Counter(dict.fromkeys(frozenset().union(*have), 1))
    missing, first, best = len(wanted), 0, (len(window.text), 0, len(window.text))
    for at, own in enumerate(have):
        for word in own:
            missing -= wanted[word] == 1
            wanted[word] -= 1
        while not missing and first <= at:
            start, end = spans[first][0], spans[at][1]
            best = min(best, (end - start, start, end))
            for word in have[first]:
                wanted[word] += 1
                missing += wanted[word] == 1
            first += 1
    _, start, end = best
    if not wanted or not window.text[:start].strip() + window.text[end:].strip():
        return None
    begin = window.start + start
    return Window(window.passage, begin, window.start + end, window.text[start:end])


def _around(first: Window, second: Window) -> tuple[str, str]:
    """Return what a window has before and after another one."""
    if second.is_row:  # no part of it can be told by its place
        is_before = (second.passage, second.start) < (first.passage, first.start)
        return (second.read, "") if is_before else ("", second.read)
    if first.passage != second.passage:
        return (second.read, "") if second.passage < first.passage else ("", second.read)
    before = second.text[: max(0, first.start - second.start)]
    return mended(before), mended(second.text[max(0, first.end - second.start) :])


def _adding(text: str, wanted: Set[str], known: Set[str]) -> str:
    """Return the sentences that have wanted words and are not known, each with the one before it."""
    sentences = _sentences(text)
    new = [sentence not in known for sentence in sentences]
    adds = [is_new and not wanted.isdisjoint(content_words(each)) for is_new, each in zip(new, sentences, strict=True)]
    kept = [is_new and any(adds[at : at + 2]) for at, is_new in enumerate(new)]
    return "\n".join(sentence for sentence, is_kept in zip(sentences, kept, strict=True) if is_kept)


@lru_cache(maxsize=256)
def _sentences(text: str) -> tuple[str, ...]:
    return tuple(text[start:end] for start, end in sentence_spans(text))


def checked_passages(passages: object) -> tuple[Document, ...]:
    """Return passages as a tuple.

    Raises:
        InputError: they are not a list.
    """
    if isinstance(passages, list | tuple):
        return tuple(passages)
    if isinstance(passages, str | bytes | dict) or not hasattr(passages, "__iter__"):
        raise InputError(
            f"passages must be a list of texts (or of mappings with 'text'), not {type(passages).__name__}"
        )
    return tuple(passages)


def _terms(text: str) -> list[str]:
    """Return what `content_words` does, faster where the text is in Latin letters: it is made of whole passages."""
    if _OTHER_LETTERS.search(text):
        return list(content_words(text))
    words = _TERM.findall(text)
    return [term for word in words if (term := _content_term(word))] or [_term(word) for word in words]


def _other_forms(claim: str) -> list[str]:
    """Return terms for the small numbers and the times of a claim as passages may write them: "three" for 3."""
    words = [word.lower() for word in _TERM.findall(claim)]
    forms = [other for word in words if (other := _FORMS.get(word))]
    for hour, minutes, half in _TIME.findall(claim):
        if not (minutes or half):
            continue
        of_day = int(hour) % 12 + 12 * (half.lower() == "p") if half else int(hour)
        forms += [str(of_day)] if half else [str(of_day % 12 or 12), "pm" if of_day >= 12 else "am"]
        forms += [minutes] if minutes.strip("0") else []
    return forms


def _term(word: str) -> str:
    return _CENTS.sub("", word.replace(",", "")) if word[0].isdigit() else stem(word)


@lru_cache(maxsize=16384)
def _content_term(word: str) -> str:
    """Return the stem of a word, or the digits of a number; empty for a word that says nothing by itself."""
    return "" if word.lower() in STOP_WORDS else _term(word)
