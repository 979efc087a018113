"""Vague numbers: a couple of, several, hundreds. They may agree with another number, but never contradict one."""

import math

from secondpass.verify.facts.quantities.numerals import SCALES, Figures
from secondpass.verify.words import word_set

__all__ = ["FIRST_WORDS", "is_share", "vague_at"]

_MANY = {"several": 2.0, "many": 2.0, "numerous": 2.0, "multiple": 2.0, "countless": 2.0, "few": 0.0}
_PLURALS = {f"{word}s": size for word, size in SCALES.items()} | {"tens": 10.0}
FIRST_WORDS = frozenset({"a", "another", *_MANY, *_PLURALS})
"""What a vague number begins with."""

# Words after "half" that make it a share. "The second half", "the top half" and "half past" are not shares.
_OWNERS = word_set("of the all its his her their our my your")
_ABOUT_HALF = word_set("nearly almost roughly approximately least exactly only about around over")


def vague_at(tokens: Figures, at: int) -> tuple[float, float, int] | None:
    """Return the vague number that begins at a token, such as "several" or "a few hundred".

    Returns:
        The least and the most that it may be, and the index of the token after it; or None. "A couple" is read as
        two, though it may mean a few, and only before "of", a unit or a scale, as it may also be two people.
    """
    word = _word(tokens, at)
    if word in {"a", "another"} and _word(tokens, at + 1) in {"couple", "few"}:
        if word + _word(tokens, at + 1) != "acouple":
            return _scaled(tokens, 2.0, math.inf, at + 2)
        end = at + 2 + (_word(tokens, at + 2) == "of")
        if end > at + 2 or _word(tokens, end) in SCALES or tokens.unit(end):
            return _scaled(tokens, 2.0, 2.0, end)
        return None
    if word in _MANY:
        return _scaled(tokens, _MANY[word], math.inf, at + 1)
    if word in _PLURALS and not (at and tokens[at - 1].kind == "number"):
        least, end = 2 * _PLURALS[word], at + 1
        while _word(tokens, end) == "of" and _word(tokens, end + 1) in _PLURALS:
            least, end = least * _PLURALS[_word(tokens, end + 1)], end + 2
        return (least, math.inf, end) if word != "tens" or _word(tokens, end) == "of" else None
    return None


def is_share(tokens: Figures, at: int) -> bool:
    """Return whether the word "half" is a share of something: "half of them", "almost half the team", "by half"."""
    if _word(tokens, at) != "half":
        return False
    before = tokens[at - 1] if at and not tokens[at].first else None
    if before is not None and before.lower == "by":
        after = tokens[at + 1] if at + 1 < len(tokens) else None
        return after is None or not (after.is_content or after.text == "-" or after.lower in {"a", "an", "past"})
    if _word(tokens, at + 1) not in _OWNERS:
        return False
    return before is None or not before.is_content or before.lower in _ABOUT_HALF


def _word(tokens: Figures, at: int) -> str:
    return tokens[at].lower if at < len(tokens) else ""


def _scaled(tokens: Figures, least: float, most: float, end: int) -> tuple[float, float, int]:
    factor = SCALES.get(_word(tokens, end))
    return (least * factor, most * factor, end + 1) if factor else (least, most, end)
