"""Content words, and what the evidence has of them and of their pairs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.verify.words import (
    addressed,
    content_words,
    first_person,
    holds,
    overlap,
    pair_overlap,
    subject_words,
    tokenize,
)

TEXTS = st.text(st.characters(), max_size=200)


class TestContentWords:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("The cities' mayors were running.", ("city", "mayor", "run")),
            ("She planned, plans and is planning it", ("plan", "plan", "plan")),
            ("He carried boxes; it carries a box", ("carry", "box", "carry", "box")),
            ("1,035,496 people use Python 3.11", ("1035496", "peopl", "use", "python", "3.11")),
            ("The U.S. dog\u2019s bed", ("us", "dog", "bed")),
            ("Fruit, e.g. plums, i.e. E.G. etc.", ("fruit", "plum")),
            ("It is what it is", ("it", "is", "what", "it", "is")),
            ("東京タワー", ("東京", "京タ", "タワ", "ワー")),
            ("東 X", ("東", "x")),
            ("हिन्दी भाषा", ("हिन्दी", "भाषा")),
            ("!?", ()),
        ],
    )
    def test_words_are_stems_in_order(self, text: str, words: tuple[str, ...]) -> None:
        """Endings, function words and signs go, numbers stay whole, characters pair up without spaces."""
        assert content_words(text) == words


class TestOverlap:
    def test_is_the_share_of_distinct_words(self) -> None:
        """Two of the claim's three words are in the evidence, however often."""
        assert overlap("Paris, Paris, sunny Paris in spring", "Spring in Paris is rainy") == pytest.approx(2 / 3)

    def test_nothing_is_shared_by_nothing(self) -> None:
        """A claim without words has no support, and an empty text gives none."""
        assert overlap("...", "...") == 0.0
        assert overlap("Paris", "") == 0.0
        assert pair_overlap("", "Paris") == 0.0

    def test_scripts_without_spaces_share_characters(self) -> None:
        """Two of the four pairs of characters are shared."""
        assert overlap("東京は美しい", "東京は大きい") == pytest.approx(2 / 5)


class TestPairOverlap:
    def test_swapped_roles_lower_it(self) -> None:
        """Who beat whom is seen in the order of the words, which `overlap` is blind to."""
        assert overlap("Milan beat Turin", "Turin beat Milan") == 1.0
        assert pair_overlap("Milan beat Turin", "Turin beat Milan") == 0.0
        assert pair_overlap("Milan beat Turin", "On Sunday Milan easily beat old Turin") == 1.0

    def test_a_pair_stands_within_five_words(self) -> None:
        """The fifth content word behind the first still makes a pair, the sixth does not."""
        near = "alpha one two three four beta"
        assert pair_overlap("alpha beta", near) == 1.0
        assert pair_overlap("alpha beta", near.replace("beta", "five beta")) == 0.0

    def test_one_word_has_no_pair(self) -> None:
        """A claim of one word counts as that word."""
        assert pair_overlap("Paris", "the Paris of the north") == 1.0


class TestAnyText:
    @given(TEXTS, TEXTS)
    def test_shares_are_shares(self, claim: str, evidence: str) -> None:
        """Both are within [0, 1] for whatever text, and 1 for a text and itself if it has words."""
        for measure in (overlap, pair_overlap):
            assert 0.0 <= measure(claim, evidence) <= 1.0
            assert measure(claim, claim) == (1.0 if content_words(claim) else 0.0)


@pytest.mark.parametrize(
    ("claim", "subject", "fixed"),
    [
        ("The maximum daily dose of Adexol is 400 mg.", "maximum daily dos of adexol", "adexol"),
        ("Version 3.1 requires Java 17.", "version 3.1", "3.1"),
        ("The Basic plan costs 9 euros a month.", "basic plan cost", "basic"),
        ("Returns are possible within 30 days.", "return", ""),
        ("The pump P-7 delivers 107 litres per minute.", "pump p 7", "p 7"),
        ("With ZIP, levels from 0 through 12 are accepted.", "zip level 0 12", "zip"),
        ("In 2019 the old tower was closed.", "2019 old tower", ""),
        ("Model A100 is red.", "model 100", "100"),
        ("dedent() is slow with long texts.", "dedent", "dedent"),
        ("It is 330 metres tall.", "", ""),
        ("", "", ""),
    ],
)
def test_the_subject_of_a_claim(claim: str, subject: str, fixed: str) -> None:
    """What stands before the verb, or in the first half; numbers and names in it can't be replaced."""
    words, names = subject_words(claim)
    assert words == set(subject.split()) - {"of"} and names == set(fixed.split())


@pytest.mark.parametrize(
    ("text", "claim", "expected"),
    [
        ("It says that the tower is 330 metres tall, and old.", "The tower is 330 metres tall.", True),
        ("The tower, which is red, is 330 metres tall.", "The tower is 330 metres tall.", False),
        ("330 metres tall is the tower.", "The tower is 330 metres tall.", False),
        ("The towering is done by hand today.", "The tower", False),
        ("The tower is tall.", "is tall", False),
        ("When it rains, the match is moved. We stay.", "The match is moved when it rains.", True),
        ("We were told that the pool is shut in winter.", "In winter the pool is shut.", True),
        ("The match is moved when it rains.", "It rains when the match is moved.", False),
        ("The road is shut in winter. The path is open.", "In winter the path is open.", False),
        ("The road is shut. It is wide.", "The road is shut. It is wide.", True),
        ("Tea is cheap and milk is dear.", "Milk is dear and tea is cheap.", False),
        (f"If it rains, {'very ' * 50}good.", f"{'very ' * 50}good if it rains.", False),
        ("", "", False),
    ],
)
def test_words_in_their_order(text: str, claim: str, expected: bool) -> None:
    """A sentence holds a claim whose words stand in it side by side, or with the clause that begins it at the end."""
    assert holds(text, claim) is expected


@pytest.mark.parametrize(
    "text",
    [
        "I like the harbour.",
        "Yeah I think so",
        "But then I left",
        "It is my boat.",
        "Me too.",
        "A friend of mine left.",
        "He gave it to me.",
        "I'm here",
    ],
)
def test_who_speaks_of_themselves(text: str) -> None:
    """Pronouns of the first person tell it, wherever they stand."""
    assert first_person(text)


@pytest.mark.parametrize(
    "text",
    [
        "World War I began in 1914.",
        "Elizabeth I was queen.",
        "A type I error",
        "Phase I of it",
        "Mesa",
        "Miami",
        "The coal mine closed.",
        "The film My Fair Lady won.",
        "A Me 262 is on show.",
        "Count I/O errors.",
        "i.e. it",
        "",
    ],
)
def test_who_does_not(text: str) -> None:
    """A Roman one behind a name or a kind of thing is none, nor are other words with these letters."""
    assert not first_person(text)
    assert addressed(text) == text


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("Am I late?", "Are you late?"),
        ("So, was I charged for my order?", "So, were you charged for your order?"),
        ("I\u2019m ill; do I get paid?", "You're ill; do you get paid?"),
        (
            "If I am ill and I was away, what does it cost me?",
            "If you are ill and you were away, what does it cost you?",
        ),
        ("My card is lost. Can I order one myself?", "Your card is lost. Can you order one yourself?"),
        ("What did Elizabeth I do, and what do I?", "What did Elizabeth I do, and what do you?"),
    ],
)
def test_who_asks_is_addressed(question: str, told: str) -> None:
    """With the verb that "you" takes."""
    assert addressed(question) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("It is. He left", "^It is. |^He left"),
        ("It is.He left", "^It is.He left"),
        ("It is.\n\nhe left", "^It is. |^he left"),
        ("It is\n\nhe left", "^It is |^he left"),
        ("It is\nhe left", "^It is he left"),
        ('It is." He left', '^It is." |^He left'),
        ('It is.") He left', '^It is.") |^He left'),
        ('It is.")\u2019 He left', '^It is.")\u2019 |^He left'),
        ('It is.")\u2019] He left', '^It is.")\u2019] He left'),
        ('" He', '" ^He'),
        ("Mr. Jones", "^Mr. Jones"),
        ("a J. Jones", "^a J. Jones"),
        ("J. Jones", "^J. Jones"),
        ("plan B. He", "^plan B. He"),
        ("plan . He", "^plan . |^He"),
        ("It is! he left", "^It is! he left"),
        ("It is? He left", "^It is? |^He left"),
        ("in the U.S. The army", "^in the U.S. |^The army"),
        ("in the U.S. Army", "^in the U.S. Army"),
        ("\u4e2d\u6587\u3002\u4e2d\u6587", "^\u4e2d\u6587\u3002|^\u4e2d\u6587"),
        ("It costs 5. Then", "^It costs 5. |^Then"),
        ("No. 5 is", "^No. 5 is"),
        ("etc. He", "^etc. He"),
        ("It is at St. Ives", "^It is at St. Ives"),
        ("x . Y", "^x . |^Y"),
        ("Dr . Jones", "^Dr . |^Jones"),
        ("5. Then it", "^5. |^Then it"),
        ("Yes. 5 more", "^Yes. |^5 more"),
        (". He", ". |^He"),
        ("It ended ) He", "^It ended ) He"),
    ],
)
def test_where_sentences_begin(text: str, told: str) -> None:
    """A bar stands where the tokens tell of a new sentence, a roof before the first word of each, a blank between."""
    parts: list[str] = []
    tokens = tokenize(text)
    for before, token in zip([None, *tokens], tokens, strict=False):
        parts += ["" if token.glued else " ", "|" if before and token.sentence != before.sentence else ""]
        parts += ["^" if token.first else "", token.text]
    assert "".join(parts).strip() == told
    assert [text[token.start : token.end] for token in tokens] == [token.text for token in tokens]


def test_tokens_are_the_callers_own() -> None:
    """Those of a text that was read before are the same, and what a caller does with its list changes no other."""
    text = "Tom\u2019s U.S. dog barks."
    first = tokenize(text)
    expected = list(first)
    first.clear()
    assert tokenize(text) == expected
    assert [token.lower for token in expected] == ["tom's", "u.s.", "dog", "barks", "."]


def test_long_texts_are_read_like_short_ones() -> None:
    """Texts that are too long to be kept have the same tokens and content words, sentence by sentence."""
    sentence, n = "The towers were rebuilt in 1,250 days. ", 200
    tokens, words = tokenize(sentence * n), content_words(sentence * n)
    assert len(sentence * n) > 4000 and words == content_words(sentence) * n == ("tower", "rebuilt", "1250", "day") * n
    assert [token.stem for token in tokens] == [token.stem for token in tokenize(sentence)] * n
    assert tokens[-1].sentence == n - 1 and tokens[-1].end == len(sentence * n) - 1


def test_degrees_end_a_sentence() -> None:
    """The C behind a degree sign is not an initial, as one before a name is."""
    assert [token.sentence for token in tokenize("It is 20 \u00b0C. Mix it.") if token.text == "Mix"] == [1]
    assert [token.sentence for token in tokenize("It is by C. Mix.") if token.text == "Mix"] == [0]
