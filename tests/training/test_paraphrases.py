"""Rules that say the same in other words."""

import random
from collections.abc import Callable

import pytest

from training.paraphrases import active, fronted, in_other_words, possessive, rounded, there_is

Rule = Callable[[str, random.Random], str | None]


@pytest.mark.parametrize(
    ("rule", "sentence", "changed"),
    [
        (in_other_words, "The film was completed.", "The movie was finished."),
        (in_other_words, "It rose by 5%.", "It rose by 5 per cent."),
        (fronted, "The bridge was opened in 1932.", "In 1932, the bridge was opened."),
        (active, "The bridge was designed by Anna Berg in 1931.", "Anna Berg designed the bridge in 1931."),
        (active, "The novel was written by Anna Berg.", "Anna Berg wrote the novel."),
        (possessive, "She is the mayor of Oslo now.", "She is Oslo's mayor now."),
        (there_is, "Two young men are running down a road.", "There are two young men."),
    ],
)
def test_the_same_in_other_words(rule: Rule, sentence: str, changed: str) -> None:
    """Each rule keeps the meaning, and the grammar."""
    assert rule(sentence, random.Random(0)) == changed


def test_rounded() -> None:
    """A large number is more than a rounder one below it."""
    found = {rounded("It has 1,250,000 inhabitants.", random.Random(seed)) for seed in range(20)}
    assert found == {
        f"It has {word} {number} million inhabitants." for word in ("more than", "over") for number in ("1", "1.2")
    }


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (in_other_words, "No such words."),
        (fronted, "In 1932, the bridge of 1931 was opened in 1933."),
        (active, "He left when he was signed by Anna Berg."),
        (there_is, "The men are running."),
        (rounded, "It has over 1,250,000 inhabitants."),
        (rounded, "It was built in 1932."),
    ],
)
def test_nothing_to_say_otherwise(rule: Rule, sentence: str) -> None:
    """Where a rule does not apply it returns None."""
    assert rule(sentence, random.Random(0)) is None
