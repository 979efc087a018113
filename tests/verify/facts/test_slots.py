"""Neighbours of facts, and how alike two places are."""

import pytest

from secondpass.verify.facts.slots import MIN_ALIKE, Slots, alikeness, best_placed
from secondpass.verify.facts.text import Text
from secondpass.verify.words import Token, tokenize


class Figure:
    """A figure of a text, as a fact of it."""

    def __init__(self, at: int) -> None:
        self.first, self.end = at, at + 1


def figures(tokens: list[Token]) -> list[Figure]:
    """Return the figures of a text."""
    return [Figure(at) for at, token in enumerate(tokens) if token.kind == "number"]


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        (
            "Alpha beta gamma delta epsilon 7 zeta eta theta iota kappa.",
            ("epsilon", "delta", "gamma", "beta"),
            ("zeta", "eta", "theta", "iota"),
        ),
        ("Alpha beta. Gamma 7 delta. Epsilon it.", ("gamma",), ("delta",)),
        ("It is 7 of them.", (), ()),
        ("7 boats", (), ("boat",)),
    ],
)
def test_the_words_around_a_fact(text: str, left: tuple[str, ...], right: tuple[str, ...]) -> None:
    """The four nearest content words on both sides, within its sentence."""
    tokens = tokenize(text)
    (fact,) = figures(tokens)
    assert Slots(tokens).around(fact.first, fact.end) == (left, right)


@pytest.mark.parametrize(
    ("claim", "evidence", "alike", "shared"),
    [
        ("boats cost 7 euros", "boats cost 9 euros", 1.0, 1.0),
        ("red boats 7 fast", "fast boats 9 red", (0.7 / 2 + 1 + 0.5) / 2.7, 1.0),
        ("red boats 7 fast", "red boats 9", 1.7 / 2.7, 2 / 3),
        ("alpha beta gamma delta epsilon 7", "epsilon delta gamma beta alpha 9", 1.6 / 2.6, 1.0),
        ("alpha beta gamma delta epsilon 7", "9 epsilon delta gamma beta alpha", 0.5, 1.0),
        ("7", "9", 1.0, 1.0),
        ("boats 7", "9", 0.0, 0.0),
        ("boats 7", "boats 9", 1.0, 1.0),
        ("boats 7", "boats 9 alpha beta gamma", 1 / 3.2, 1.0),  # one word tells little
        ("red boats 7", "red boats 9 alpha beta gamma", 1.0, 1.0),
        ("It rains. It has boats 7", "boats 9", 1.0, 0.5),
        ("boats 7 long here", "Boats float today. It 9 long", 1.0, 1.0),  # its subject is in the sentence before
    ],
)
def test_how_alike_two_places_are(claim: str, evidence: str, alike: float, shared: float) -> None:
    """Near words weigh more, those on the other side half as much; and the share of the sentence's other words."""
    ours, theirs = tokenize(claim), tokenize(evidence)
    (fact,), (other,) = figures(ours), figures(theirs)
    found = alikeness(Slots(ours), (fact.first, fact.end), Slots(theirs), (other.first, other.end))
    assert found == pytest.approx((alike, shared))


@pytest.mark.parametrize(
    ("text", "sentences", "leaning"),
    [
        ("Rain fell. Boats sank. It is red", ["rain fell", "boat sank", "boat sank red"], {2}),
        ("It is red. She", ["red"], set()),
        ("It is new. It is red boat", ["new", "new red boat"], {1}),
        ("Boats. It", ["boat"], set()),
    ],
)
def test_a_pronoun_takes_the_words_of_the_sentence_before(text: str, sentences: list[str], leaning: set[int]) -> None:
    """If it begins a sentence that says something, and there is one before it."""
    tokens = tokenize(text)
    slots = Slots(tokens)
    assert list(slots.sentences.values()) == [set(words.split()) for words in sentences]
    assert {token.sentence for at, token in enumerate(tokens) if slots.leans_back(at)} == leaning


@pytest.mark.parametrize(
    ("claim", "evidence", "best"),
    [
        ("boats cost 7 euros", "boats cost 8 euros. red boats cost 9 euros", "8"),
        ("red boats cost 7 euros", "Boats cost 8 euros. Red boats cost 9 euros", "9"),
        ("boats cost 7 euros", "cars weigh 8 tons", None),
        ("big red boats cost 7", "boats cost 8 cars", None),  # half of the words are too few
        ("red boats cost 7", "boats cost 8 cars", "8"),
    ],
)
def test_the_fact_in_the_same_place(claim: str, evidence: str, best: str | None) -> None:
    """The one whose neighbours are most alike, the first of several; none where too little is."""
    ours, theirs = tokenize(claim), tokenize(evidence)
    (fact,) = figures(ours)
    found = best_placed(Slots(ours), fact, Slots(theirs), figures(theirs))
    assert (found and theirs[found.first].text) == best


def test_only_what_may_be_meant_is_taken() -> None:
    """Of two that stand alike, the one that is left; and none above what is asked for."""
    tokens = tokenize("boats cost 8 euros. boats cost 9 euros.")
    first, second = figures(tokens)
    slots = Slots(tokens)
    assert best_placed(slots, first, slots, [first, second], may=lambda other: other is not first) is second
    assert best_placed(slots, first, slots, [first, second], min_alike=1.0) is first
    assert best_placed(slots, first, slots, [first, second], min_alike=1.01) is None
    assert MIN_ALIKE == 0.5


@pytest.mark.parametrize(
    ("text", "at", "chunk"),
    [("see a-b-c now", 3, "a-b-c"), ("a b", 0, "a"), ("a b", 1, "b"), ("-" * 80, 40, "-" * 65)],
)
def test_what_stands_together_with_a_token(text: str, at: int, chunk: str) -> None:
    """All without a blank, but no more than 32 tokens to either side."""
    assert Text(text).chunk(at) == chunk
