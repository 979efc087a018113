"""Queries that are made from the documents themselves, where nobody has asked yet."""

import re
from collections.abc import Iterable, Iterator

import numpy as np

from secondpass.errors import InputError
from secondpass.learn.data.normalised import normalised
from secondpass.types import Document, Request
from secondpass.validation import Whole
from secondpass.windows import SENTENCE_END

__all__ = ["synthetic_queries"]

_SHORTEST, _LONGEST = 12, 120  # characters of a query
_SENTENCES = 5  # of a document: what it is about stands at its beginning
_BEGINNING = 2_000  # characters of a document that are looked at
_MOSTLY = 0.9  # share of letters and spaces: less is code, a table, a list of names
_FIRST = 0.6  # how often it is the title or first sentence, which says what a document is about


def synthetic_queries(documents: Iterable[Document], n: int, *, seed: int = 0) -> list[str]:
    """Return queries that are sentences of the documents: first ones and titles mostly, then others.

    Users don't ask like that, but in the words and about the things that the corpus has, which is enough to learn a
    teacher's judgement of its documents from (`from_pseudo_labels`, `taught`, `learn`; the sentences are those of the
    inverse cloze task, Lee et al. 2019, arXiv:1906.00300). They are not labels: a document that a sentence is from need
    not be the best answer to it. Queries that a language model writes, or those of a query log, are nearer to
    what users ask.

    Args:
        documents: the corpus. A mapping's ``title`` counts as its first sentence.
        n: how many, at most: there are fewer if the documents have no more sentences that will do, which have 12 to
            120 characters, three words where words are written apart, and hardly anything but letters.
        seed: of the drawing.

    Raises:
        InputError: there are no documents, or none has such a sentence.
        ConfigError: ``n`` is below 1.
    """
    wanted = Whole(at_least=1).checked(n, "n")
    random = np.random.default_rng(Whole(at_least=0).checked(seed, "seed"))
    corpus = Request("corpus", documents)  # type: ignore[arg-type]  # any iterable will do, and is checked
    texts = [_text(document, text) for document, text in zip(corpus.documents, corpus.texts, strict=True)]
    found: dict[str, str] = {}
    for sentence in _in_turns([texts[at] for at in random.permutation(len(texts))], random):
        found.setdefault(normalised(sentence), sentence)
        if len(found) == wanted:
            break
    if not found:
        raise InputError(
            f"none of {len(texts)} documents has a sentence that could be a query: pass queries, or a function that "
            f"makes them"
        )
    return list(found.values())


def _text(document: Document, text: str) -> str:
    title = "" if isinstance(document, str) else document.get("title")
    return f"{title}\n{text}" if isinstance(title, str) and title else text


def _in_turns(texts: list[str], random: np.random.Generator) -> Iterator[str]:
    """Yield a sentence of each text, then another one of each, until none has one left."""
    turn: Iterable[list[str]] = (_drawn(list(_sentences(text)), random) for text in texts)
    while True:
        left = []
        for sentences in turn:
            if sentences:
                yield sentences.pop()
                left.append(sentences)
        if not left:
            return
        turn = left


def _drawn(sentences: list[str], random: np.random.Generator) -> list[str]:
    """Return sentences in a random order, the first one more often last, from where they are taken."""
    order = [int(at) for at in random.permutation(len(sentences))]
    if order and random.random() < _FIRST:
        order.remove(0)
        order.append(0)
    return [sentences[at] for at in order]


def _sentences(text: str) -> Iterator[str]:
    n, begin, beginning = 0, 0, text[:_BEGINNING]
    for end in [*(match.end() for match in SENTENCE_END.finditer(beginning)), len(beginning)]:
        sentence = _query(beginning[begin:end])
        begin = end
        if sentence:
            yield sentence
            n += 1
            if n == _SENTENCES:
                return


def _query(sentence: str) -> str:
    words = sentence.split()
    while words and sum(map(len, words)) + len(words) - 1 > _LONGEST:
        words.pop()
    text = re.sub(r"[.:;,\u3002]+$", "", " ".join(words))
    few = len(words) < 3 and text.isascii()  # other scripts may write no spaces
    mostly = sum(character.isalpha() or character == " " for character in text) >= _MOSTLY * len(text)
    return text if len(text) >= _SHORTEST and mostly and not few else ""
