"""Which parts of a document carry its score: what the score loses when a part is left out."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from secondpass.base import Reranker
from secondpass.errors import CompositionError, ConfigError
from secondpass.types import Document, Request, Scale, document_text, printable
from secondpass.validation import Whole, must_be
from secondpass.verify.evidence import sentence_spans

__all__ = ["Explanation", "Part", "explain"]

_SENTENCES = 64  # parts of a document: a longer one has several sentences in a part
_WORDS = 48  # words of the sentences that carry the score
_WORD = re.compile(r"\w+(?:['\u2019.,-]\w+)*")


@dataclass(frozen=True, slots=True)
class Part:
    """A sentence or a word of a document.

    Attributes:
        start: where it begins in the document's text, in characters.
        end: where it ends.
        text: the part.
        weight: by how much the score falls without it, on the reranker's scale; negative if it rises.
    """

    start: int
    end: int
    text: str
    weight: float


@dataclass(frozen=True, slots=True, repr=False)
class Explanation:
    """What a score rests on.

    Attributes:
        query: what was asked.
        document: the document's text.
        score: of the whole document.
        scale: what the scores mean.
        sentences: all of the document, in order.
        words: of the sentences that carry the score most, in order.
        truncated: whether the model saw only the beginning of the document.
    """

    query: str
    document: str
    score: float
    scale: Scale
    sentences: tuple[Part, ...]
    words: tuple[Part, ...]
    truncated: bool = False

    def top(self, n: int = 3) -> tuple[Part, ...]:
        """Return the sentences that carry the score most, the strongest first."""
        return tuple(sorted(self.sentences, key=lambda part: -part.weight)[:n])

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return asdict(self) | {"scale": str(self.scale)}

    def to_html(self) -> str:
        """Return it as a page that needs nothing else; texts are escaped."""
        from secondpass.diagnose.page import score_page

        return score_page(self)

    def __repr__(self) -> str:
        lines = [f"{printable(self.query)!r}: {self.score:.4f} ({self.scale})"]
        lines += [f"{part.weight:>+9.4f}  {printable(' '.join(part.text.split()))}" for part in self.sentences]
        strongest = sorted(self.words, key=lambda part: -abs(part.weight))[:8]
        if strongest:
            words = ", ".join(f"{printable(part.text)} {part.weight:+.3f}" for part in strongest)
            lines.append(f"words: {words}")
        if self.truncated:
            lines.append("the model saw only the beginning: what is behind it has a weight of 0")
        return "\n".join(lines)


def explain(reranker: Reranker, query: str, document: Document, *, words: int = _WORDS) -> Explanation:
    """Leave out each sentence, and each word of those that matter most, and see what the score loses.

    A model reads a text as a whole: two sentences that say the same each lose next to nothing, and what is left
    without a word may be odd. So it is a hint, and not a proof. It takes at most some 110 pairs.

    Args:
        reranker: one whose scores can be compared between requests.
        query: what was asked.
        document: a text, or a mapping with ``text``.
        words: how many words to look at, at most; 0 for none.

    Raises:
        CompositionError: the scores are ordinal, so that there is no difference to be told.
        InputError: the query or the document can't be used.
        ConfigError: it is not a reranker, or ``words`` is below 0.
    """
    Whole(at_least=0).checked(words, "words")
    if not isinstance(reranker, Reranker):
        raise ConfigError(must_be("what is explained", "a Reranker", reranker))
    if reranker.scale is Scale.ORDINAL:
        raise CompositionError(
            f"the scores of {reranker!r} are ordinal, so nothing can be told from their differences: explain a "
            "reranker that it wraps"
        )
    text = document_text(document, 0)
    spans = list(_sentence_spans(text))
    whole, *without = _scores(reranker, query, document, text, [(0, 0), *spans])
    score = float(whole.values[0])
    sentences = tuple(
        Part(start, end, text[start:end], score - float(each.values[0]))
        for (start, end), each in zip(spans, without, strict=True)
    )
    chosen = sorted(sentences, key=lambda part: -abs(part.weight))
    every = ((part.start + at.start(), part.start + at.end()) for part in chosen for at in _WORD.finditer(part.text))
    word_spans = sorted(islice(every, words))
    each_word = _scores(reranker, query, document, text, word_spans) if word_spans else []
    return Explanation(
        query=query,
        document=text,
        score=score,
        scale=reranker.scale,
        sentences=sentences,
        words=tuple(
            Part(start, end, text[start:end], score - float(each.values[0]))
            for (start, end), each in zip(word_spans, each_word, strict=True)
        ),
        truncated=whole.trace.total("truncated") > 0,
    )


def _scores(
    reranker: Reranker, query: str, document: Document, text: str, left_out: Sequence[tuple[int, int]]
) -> list[Any]:
    texts = [text[:start] + text[end:] for start, end in left_out]
    variants = [kept if isinstance(document, str) else {**document, "text": kept} for kept in texts]
    # A blank one is scored by no model, and so low that a single sentence would carry more than there is.
    return reranker.score_many([Request(query, [each], initial_scores=[0.0]) for each in variants])


def _sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the parts of a text begin and end: its sentences, or some of them together if there are many."""
    spans = [(start, end) for start, end in sentence_spans(text) if text[start:end].strip()]
    together = max(1, -(-len(spans) // _SENTENCES))
    for at in range(0, len(spans), together):
        part = spans[at : at + together]
        yield part[0][0], part[-1][1]
