"""How many of a claim's words, and of its pairs of words, the evidence has: signals that need no model."""

from itertools import pairwise

from secondpass.verify.words import Token, tokenize

__all__ = ["content_words", "overlap", "pair_overlap"]

_WINDOW = 5  # content words


def content_words(text: str) -> tuple[str, ...]:
    """Return the stems of a text's content words and its numbers, in order, repeats included.

    Function words are left out, unless there is nothing else. Where a script puts no space between words, each
    pair of neighbouring characters stands for a word.
    """
    tokens = tokenize(text)
    return tuple(_units([token for token in tokens if token.is_content] or tokens))


def _units(tokens: list[Token]) -> list[str]:
    units: list[str] = []
    for token in tokens:
        if token.kind == "unspaced" and len(token.text) > 1:
            units += map("".join, pairwise(token.text))
        elif token.stem:
            units.append(token.stem)
    return units


def overlap(claim: str, evidence: str) -> float:
    """Return the share of the claim's distinct content words that the evidence has, in [0, 1]; 0 if it has no words."""
    words = set(content_words(claim))
    return len(words.intersection(content_words(evidence))) / len(words) if words else 0.0


def pair_overlap(claim: str, evidence: str) -> float:
    """Return the share of the claim's neighbouring content words that stand near in the evidence too, in [0, 1].

    A pair counts if the evidence has its words in the same order, at most five content words apart: what is said of
    whom is seen, which single words don't tell ("A beat B", "B beat A"). For a claim of a single word it is `overlap`.
    """
    words = content_words(claim)
    pairs = set(pairwise(words))
    if not pairs:
        return overlap(claim, evidence)
    wanted = set(words)
    found = content_words(evidence)
    near = {
        (first, second)
        for at, first in enumerate(found)
        if first in wanted
        for second in found[at + 1 : at + 1 + _WINDOW]
        if second in wanted
    }
    return len(pairs & near) / len(pairs)
