"""Words that a claim leaves out before a noun: the filter, where the evidence has "the blue filter"."""

from collections.abc import Iterator, Sequence

from secondpass.verify.facts.text import Facts
from secondpass.verify.words import Token, word_set

__all__ = ["modified"]

_MOST = 2  # words that stand before a noun
_MOST_PLACES = 64  # of a claim
_DETERMINERS = word_set("the this that his her its their our your my")
# With these before it, a thing is another one, or none of its kind.
_OTHERS = word_set(
    "first second third fourth fifth last next former previous other another only same own whole no not never almost "
    "future proposed planned alleged supposed possible potential would-be so-called fake false acting deputy vice more "
    "less most least better best worse worst half part"
)


def modified(claim: Facts, evidence: Facts) -> Iterator[tuple[int, int, str]]:
    """Yield where a claim has a noun without the words that the evidence has before it, and that noun with them.

    So it is with "the filter is cleaned" where the evidence has "the blue filter is cleaned": between "the" and the
    noun are one or two more words there, and it is the same word that follows, or that stands before. The noun is
    singular, as what is said of "the outer doors" need not be so of the doors; and it is of one kind only: not
    "the blue filter is cleaned" and "the red filter is cleaned".

    Returns:
        The first of the claim's tokens, the one after the last, and the words in their place.
    """
    ours, theirs = claim.read.tokens, evidence.read.tokens
    places: dict[str, list[int]] = {}
    for at, token in enumerate(theirs):
        if token.kind == "word":
            places.setdefault(token.lower, []).append(at)
    nouns = [at for at in range(1, len(ours)) if _is_bare(ours, at)]
    for at in nouns[:_MOST_PLACES]:
        kinds = {
            evidence.read.words(first, other)
            for other in places.get(ours[at].lower, ())
            if (first := _modifiers(theirs, other)) < other
            and (_same(ours, at + 1, theirs, other + 1) or _same(ours, at - 2, theirs, first - 2))
        }
        if len(kinds) == 1:
            yield at, at + 1, f"{kinds.pop()} {ours[at].text}"


def _is_bare(tokens: Sequence[Token], at: int) -> bool:
    """Return whether a word comes right after "the" and may be a noun that is singular."""
    word = tokens[at]
    if word.kind != "word" or not word.is_content or not word.text.islower() or word.glued:
        return False
    return tokens[at - 1].lower in _DETERMINERS and (not word.lower.endswith("s") or word.lower.endswith(("ss", "us")))


def _modifiers(tokens: Sequence[Token], noun: int) -> int:
    """Return where the words begin that stand between an article and a noun; the noun's own place for none."""
    for n_words in range(1, _MOST + 1):
        at = noun - n_words
        if at < 1 or tokens[at].kind != "word" or not tokens[at].is_content or tokens[at].lower in _OTHERS:
            return noun
        before = tokens[at - 1]
        if before.lower in _DETERMINERS or before.lower in {"a", "an"}:
            return at
    return noun


def _same(ours: Sequence[Token], at: int, theirs: Sequence[Token], other: int) -> bool:
    """Return whether two places have the same word."""
    if not (0 <= at < len(ours) and 0 <= other < len(theirs)):
        return False
    return ours[at].kind == "word" and ours[at].lower == theirs[other].lower
