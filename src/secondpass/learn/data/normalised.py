"""Texts without what makes no difference: case, width, spaces, and punctuation around words."""

import unicodedata

__all__ = ["normalised"]

# Not all punctuation: C, C# and C++ are three languages.
_AROUND_WORDS = ".,;:!?\"'`()[]{}<>…«»„“”‘’¿¡-–—。、，？！：；"  # noqa: RUF001


def normalised(text: str) -> str:
    """Return a text by which two that a person would call the same are equal.

    Compatibility forms are one (NFKC), case is folded, runs of spaces are one space, and words have no punctuation
    around them.
    """
    words = (word.strip(_AROUND_WORDS) for word in unicodedata.normalize("NFKC", text).casefold().split())
    return " ".join(word for word in words if word)
