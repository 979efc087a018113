"""Sentences that say two things are split, and those that only look so are not."""

import re
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
        ("Adults pay $9, and children under four swim free.", ["Adults pay $9.", "Children under four swim free."]),
        ("Cats eat fish; the dogs eat meat.", ["Cats eat fish.", "The dogs eat meat."]),
        ("Towels cost 3 euros, while robes cost 5 euros.", ["Towels cost 3 euros.", "Robes cost 5 euros."]),
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
        "It has shops, bars, and restaurants open until ten.",
        "The shop sells books, games, and records.",
        "Towels, robes, and slippers cost 3 euros.",
        "Visitors who pay online get a discount, and members pay nothing.",
        "If guests pay late, they lose the room, and members keep it.",
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
        "There is a pool and it is heated.",
        "In Oslo there was a fire and it destroyed the house.",
        "They built a bridge and it is long.",
        "You have a plan, and it is free.",
        "The rooms are small, but it is quiet.",
        "Tom and Ann built a house and it was big.",
        "The text does not mention the fee, but it is low.",
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


@pytest.mark.parametrize(
    "told",
    [
        "Ada won a prize /and [Ada] lost it.",
        "Ada won and lost.",
        "Ada surely did not and Bob left the town.",
        "Ada won a prize and the bus, an old one, was late.",
        "Ada won a prize, and the man who came was late.",
        "Ada left the town since and Bob left it.",
        "She won a prize and it was red.",
        "Ada won a prize /and it [Ada] was red.",
        "Ada won a prize and they were red.",
        "Ada won a prize, /and he [Ada] was a man.",
        "Ada won a prize /and [Ada] then left the town.",
        "Ada won a prize /and [Ada] quickly left the town.",
        "Ada quickly won a prize and left the town.",
        "The family won a prize /and [The family] left the town.",
        "Ada won a prize; /Bob lost one.",
        "Ada won a prize; /it [Ada] lost.",
        "Ada won a prize , /but Bob lost one.",
        "Ada won a prize /yet [Ada] lost one.",
        "Ada won a prize while lost one.",
        "Ada won a prize and do write it.",
        "Ada can read and have fun today.",
        "Ada was born in Rome and given a prize.",
        "Ada was born in Rome /and [Ada] visited a friend.",
        "Ada was born in Rome and visited all friends.",
        "Ada was born in Rome /and [Ada] visited Paris often.",
        "Ada was born in Rome /and [Ada] visited 5 towns.",
        "Ada was born in Rome and visited often.",
        "Ada was never in Rome and visited a friend.",
        "Ada wasn't in Rome and visited a friend.",
        "It reads files /and [It] writes to disk.",
        "It reads files and writes fast.",
        "It reads files /and [It] writes a log.",
        "It reads files and writes, too.",
        "It reads files and runs of it.",
        "Ada was born and died in Warsaw.",
        "Ada was quickly given a prize and left it.",
        "Ada was not seen and left the town.",
        "Ada said that she won and lost it.",
        "Since 1990 Ada won a lot /and [Since 1990 Ada] lost it.",
        "Since then Ada won a lot and lost it.",
        "Not only Ada won a prize and lost it.",
        "Not Ada won a prize and lost it.",
        "If Ada won a prize and lost it.",
        "Ada and Bob won a prize /and [Ada and Bob] lost it.",
        "Ada, Bob, and Tim won a prize and lost it.",
        "The man I saw won a prize and lost it.",
        "In May, he won a prize /and [In May, he] lost it.",
        "Few men won a prize and lost it.",
        "Ada won a prize /and the old red big new fine bus was late.",
        "Ada won a prize /and the old red big new fine tall bus was late.",
        "Ada won a prize, /and the bus left the town.",
        "Ada won a prize and the bus visited the town.",
        "Ada won a prize, /and the bus visited the town.",
        "Ada won a prize, and the bus visited by us.",
        "Ada won a prize, /and the bus was red and died.",
        "Ada won a prize and Lucas produced was a hit.",
        "Ada won a prize, and Lucas produced it was a hit.",
        "Ada won it and so Bob lost it.",
        "Ada won it and so lost.",
        "Ada won it /and he [Ada] also was old.",
        "Ada won it /and he [Ada] quickly was old.",
        "Ada won it and bus was old.",
        "Ada won it /and `x` was old.",
        "The film directed by him won a prize and lost one.",
        "The directed film won a prize and lost one.",
        "The film directed, won a prize and lost one.",
        "Is it red and was it blue?",
        'Ada won a prize and lost it?*"',
        "(Ada won a prize and lost it)",
        "Ada won (it and lost it) today.",
        'Ada won "it and lost it" today.',
        "Ada won a prize [1] /and [Ada] lost it [2].",
        "Ada won a prize /And [Ada] lost it.",
        "Won a prize and lost it.",
        "Ada won it or lost it and left it.",
        "Ada won a prize /and\n[Ada] lost it.",
        "Ada has *won* a prize and lost ~it~.",
        "Ada became rich /and [Ada] died in it /and [Ada] left it.",
        "Ada became rich; died in it; left it.",
        "It is nice and he left it.",
        "Ada ended, and he left it.",
        "She left it and he left it.",
        "Nobody left it and he left it.",
        "A man of the town won it /and he [A man of the town] left it.",
        "In May, the team won a prize /and [In May, the team] lost it.",
        "She saw it and it was red.",
        "The man may win it and leave it.",
        "In May it was a prize /and it [In May it] was red.",
        "The b c d e f g h j k l m n o won it /and [The b c d e f g h j k l m n o] lost one.",
        "The b c d e f g h j k l m n o p won it and lost one.",
        "Ada won a prize and the old red big new fine tall wet bus was late.",
    ],
)
def test_where_the_parts_begin(told: str) -> None:
    """A part begins at a slash; behind its conjunction, in brackets, stands the subject that it shares."""
    sentence = re.sub(r"/|\[[A-Z][^\]]*\] ", "", told)
    found, at = "", 0
    for part in conjuncts(sentence):
        subject = sentence[part.subject_start : part.subject_end].strip()
        found += sentence[at : part.start] + "/" * bool(part.start) + sentence[part.start : part.words]
        found += (f"[{subject}] " if subject else "") + sentence[part.words : part.end]
        at = part.end
    assert found == told


def test_knows_finite_verbs() -> None:
    """A small lexicon tells statements from labels."""
    assert has_finite_verb("Paris has nine million people")
    assert has_finite_verb("She discovered radium")
    assert not has_finite_verb("Key facts about Paris")
    assert not has_finite_verb("The red bed") and not has_finite_verb("is he")
    assert has_finite_verb("x " * 999 + "is") and not has_finite_verb("x " * 1000 + "is")  # of so long a text
    assert not has_finite_verb("")


def test_what_has_joints_without_number_is_left_whole() -> None:
    """A row of signs is not a sentence, and is not looked through at each of them."""
    text = "; _" * 500
    assert [(part.start, part.end) for part in conjuncts(text)] == [(0, len(text))]
