"""Entries of data as they are read: names, and values in words."""

import pytest

from secondpass.verify.entries import said


@pytest.mark.parametrize(
    ("sign", "word"),
    [("\u2713", "yes"), ("\u2714\ufe0f", "yes"), ("\u2611", "yes"), ("\u2717", "no"), ("\u2716\ufe0f", "no")],
)
def test_signs_are_words(sign: str, word: str) -> None:
    """A tick is read as yes and a cross as no, in colour or not."""
    assert said(["room", "balcony"], ["Suite", sign]) == [f"room: Suite; balcony: {word}."]


def test_figures_have_the_currency_of_their_entry() -> None:
    """One that stands in a field of its own goes to what is money, and to nothing else."""
    (text,) = said(["total", "currency", "items"], ["208", "EUR", "3"])
    assert "\u20ac208" in text and "items: 3" in text
