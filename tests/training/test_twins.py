"""The rules that change one thing in a sentence."""

import random

import pytest

from training.twins import changes, distractor_names

RULES = {change.kind: change for change in changes(["Anna Berg", "Oslo", "Erik Lund"])}


def applied(kind: str, sentence: str, seed: int = 0) -> str | None:
    """Apply one rule."""
    return RULES[kind].apply(sentence, random.Random(seed))


@pytest.mark.parametrize(
    ("kind", "sentence", "changed"),
    [
        ("unit", "It is 12 km long.", {"It is 12 m long.", "It is 12 mm long."}),
        ("negation", "The bridge was closed.", {"The bridge was not closed.", "The bridge wasn't closed."}),
        ("affirmation", "The bridge was not closed.", {"The bridge was closed."}),
        ("opposite", "It opened before the war.", {"It opened after the war.", "It closed before the war."}),
        ("role", "Last year Smith defeated Jones.", {"Last year Jones defeated Smith."}),
        ("certainty", "It may rain.", {"It will rain."}),
        ("weakened", "It must rain.", {"It may rain."}),
        ("number written", "They had 3 children.", {"They had three children."}),
        ("everyday hypernym", "A dog barked.", {"An animal barked."}),
        ("part removed", "The bridge (opened in 1932) is red.", {"The bridge is red."}),
        ("shortened", "The old bridge was closed after the flood.", {"The old bridge was closed."}),
        ("name", "He lives in Bergen now.", {"He lives in Oslo now."}),
    ],
)
def test_change(kind: str, sentence: str, changed: set[str]) -> None:
    """Each rule changes what it is named for, and the grammar around it."""
    assert applied(kind, sentence) in changed


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("number", "No digit is in here."),
        ("month", "He came in May or so."),
        ("unit", "The days are long."),
        ("negation", "It is not open."),
        ("role", "It moved to Oslo."),
        ("everyday hypernym", "It is not a dog."),
        ("shortened", "It is not open on Sundays."),
    ],
)
def test_no_change(kind: str, sentence: str) -> None:
    """A rule that does not apply, or would change the label's meaning, returns None."""
    assert applied(kind, sentence) is None


@pytest.mark.parametrize("sentence", ["It was built in 1932.", "It cost 1,250,000 crowns.", "It is 3.5 times as long."])
def test_other_number_keeps_its_form(sentence: str) -> None:
    """Another number is another value in the same form: with its commas or its decimals."""
    for seed in range(20):
        changed = applied("number", sentence, seed)
        assert changed is not None
        assert changed != sentence
        assert ("," in changed, changed.count(".")) == ("," in sentence, sentence.count("."))


def test_distractor_names() -> None:
    """Names are found within sentences, but not months or words for a people."""
    assert distractor_names(["In May he met Erik Lund, a Norwegian from Oslo."]) == ("Erik Lund", "Oslo")
