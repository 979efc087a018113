"""Sentences that say two things are split, and those that only look so are not."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.verify.claims.conjuncts import conjuncts, has_finite_verb
from secondpass.verify.claims.split import split_claims


@pytest.mark.parametrize(
    ("sentence", "texts"),
    [
        ("Marie was born in Warsaw and won two prizes.", ["Marie was born in Warsaw.", "Marie won two prizes."]),
        (
            "Paris is the capital of France, but Lyon is its second city.",
            ["Paris is the capital of France.", "Lyon is its second city."],
        ),
        (
            "Paris is the capital of France and it has nine million people.",
            ["Paris is the capital of France.", "Paris has nine million people."],
        ),
        (
            "The function takes a path and returns a list of `names`.",
            ["The function takes a path.", "The function returns a list of names."],
        ),
        (
            "In 1903, Marie won the prize and became a professor.",
            ["In 1903, Marie won the prize.", "In 1903, Marie became a professor."],
        ),
        (
            "He won the prize in 1921 [1] and died in 1955 and was buried in Ulm [2].",
            ["He won the prize in 1921.", "He died in 1955.", "He was buried in Ulm."],
        ),
        ("Oslo is big; Bergen is small and has a port.", ["Oslo is big.", "Bergen is small.", "Bergen has a port."]),
        (
            "Berlin is the capital of Germany, while Munich is the capital of Bavaria.",
            ["Berlin is the capital of Germany.", "Munich is the capital of Bavaria."],
        ),
        (
            "**Ada** did not attend school and never *learned* to read.",
            ["Ada did not attend school.", "Ada never learned to read."],
        ),
        (
            "I think Rome is old and was the capital of an empire.",
            ["Rome is old.", "Rome was the capital of an empire."],
        ),
        ("Smith did not win a Grammy and died in 2000.", ["Smith did not win a Grammy.", "Smith died in 2000."]),
        ("Smith never won a Grammy, but Jones died in 2000.", ["Smith never won a Grammy.", "Jones died in 2000."]),
        (
            "Smith won a Grammy and never sang again and died in 2000.",
            ["Smith won a Grammy.", "Smith never sang again.", "Smith died in 2000."],
        ),
        ("The family moved to Ulm and bought a house.", ["The family moved to Ulm.", "The family bought a house."]),
        ("Italy won four cups and lost two finals.", ["Italy won four cups.", "Italy lost two finals."]),
    ],
)
def test_splits_what_says_two_things(sentence: str, texts: list[str]) -> None:
    """Clauses, and verbs of one subject, become claims of their own, the subject in front."""
    claims = split_claims(sentence)
    assert [claim.text for claim in claims] == texts
    assert {claim.sentence for claim in claims} == {0}
    assert claims[0].start == 0
    assert claims[-1].end == len(sentence)
    for one, other in pairwise(claims):
        assert sentence[one.end : other.start].strip() == ""


@pytest.mark.parametrize(
    "sentence",
    [
        "Barnes and Noble is a bookseller.",
        "He works in research and development.",
        "The match between Ajax and Barcelona was won by Ajax.",
        "Simon and Garfunkel were a duo and nothing more.",
        "Marie was born and died in Warsaw.",
        "He wrote and directed the film.",
        "Marie was born in Warsaw and raised in Paris.",
        "The man who was born in Ulm and studied in Zurich won a prize.",
        "He said the book about Romeo and Juliet was bad.",
        "If it rains and the wind is strong, it is closed.",
        "The company was founded in 1999 and sold in 2005.",
        "The film Spielberg directed and Lucas produced was a hit.",
        "The man I saw and Mary were there.",
        "It borders France, Spain and Portugal.",
        "It has 5 cats and 3 dogs.",
        "The function can read and write files.",
        'He called it "a mess and it was a mess".',
        "It runs (it was slow and it is fast) everywhere.",
        "Run `a is b and c is d` there.",
        "Is Paris big and is it old?",
        "She was called Ada and given two names.",
        "Not only is it big, but it is also old.",
        "He believes Paris is big and London is small.",
        "Oslo is big or Bergen is small.",
        "The prize was shared between Bohr and Heisenberg.",
        "The red and blue flag was adopted in 1990.",
        "It was big and they were small.",
        "She neither won the race nor was a runner and has no car.",
    ],
)
def test_leaves_whole_what_may_be_one_thing(sentence: str) -> None:
    """Lists, names, quotations, subordinate clauses, reported speech and shared endings stay together."""
    assert len(conjuncts(sentence)) == 1


@pytest.mark.parametrize(
    "adverb",
    [
        *("never", "almost", "no longer", "hardly", "rarely", "seldom", "barely", "nearly", "scarcely", "not"),
        *("often", "reportedly", "quickly"),
    ],
)
def test_an_adverb_of_the_first_verb_is_not_put_before_the_second(adverb: str) -> None:
    """Whether "never won and died" means that he never died is not guessed: the claim stays whole."""
    for sentence in (
        f"Smith {adverb} won a Grammy and died in 2000.",
        f"Smith {adverb} won a Grammy, but he died in 2000.",
    ):
        assert [claim.text for claim in split_claims(sentence)] == [sentence]


@pytest.mark.parametrize(
    "sentence",
    [
        "No player won the cup and lost the league.",
        "Not all members came to the party and drank the wine.",
        "She has never smoked a pipe and tasted the wine.",
        "She hasn't smoked a pipe and tasted the wine.",
    ],
)
def test_what_is_denied_of_two_verbs_is_not_told_of_one(sentence: str) -> None:
    """A negation that may hold for both verbs keeps them together."""
    assert [claim.text for claim in split_claims(sentence)] == [sentence]


_WORDS = [
    "Ada",
    "Rome",
    "is",
    "was",
    "won",
    "and",
    "but",
    ";",
    ",",
    "the",
    "a",
    "two",
    "big",
    "it",
    "1999",
    "`x`",
    '"q"',
    "(p)",
]


@given(st.lists(st.sampled_from([*_WORDS, "[1]", "not"]), min_size=1, max_size=25))
def test_the_parts_cover_the_sentence(words: list[str]) -> None:
    """The parts follow one another, with nothing but blanks between them, and their subjects come before them."""
    sentence = " ".join(words)
    parts = conjuncts(sentence)
    assert (parts[0].start, parts[-1].end) == (0, len(sentence))
    for one, other in pairwise(parts):
        assert one.start < one.end <= other.start <= other.words < other.end
        assert not sentence[one.end : other.start].strip()
        assert other.subject_start <= other.subject_end <= other.start


def test_knows_finite_verbs() -> None:
    """A small lexicon tells statements from labels."""
    assert has_finite_verb("Paris has nine million people")
    assert has_finite_verb("She discovered radium")
    assert not has_finite_verb("Key facts about Paris")
    assert not has_finite_verb("")


def test_what_has_joints_without_number_is_left_whole() -> None:
    """A row of signs is not a sentence, and is not looked through at each of them."""
    text = "; _" * 500
    assert [(part.start, part.end) for part in conjuncts(text)] == [(0, len(text))]
