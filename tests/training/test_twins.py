"""The rules that change one thing in a sentence."""

import random
from pathlib import Path

import pytest

from training.twins import changes, distractor_names
from training.wordnet import WordNet

RULES = {change.kind: change for change in changes(None, ["Anna Berg", "Oslo", "Erik Lund"])}


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


def test_words_of_wordnet(tmp_path: Path) -> None:
    """With WordNet's files nouns give way to more general ones, sisters or synonyms, and adjectives to opposites."""
    write_wordnet(tmp_path)
    words = WordNet(tmp_path)
    assert words.hypernym("guitar") == "instrument"
    assert words.sister("guitar", 0.0) == "piano"
    assert words.synonym("guitar", "noun") == "gitar"
    assert words.antonym("slow", "adj") == "fast"
    assert words.hypernym("unknown") is None
    kinds = {change.kind: change for change in changes(words, [])}
    rng = random.Random(0)
    assert kinds["hypernym"].apply("She plays a guitar.", rng) == "She plays an instrument."
    assert kinds["sister"].apply("She plays a guitar.", rng) == "She plays a piano."
    assert kinds["antonym"].apply("The train is slow.", rng) == "The train is fast."
    assert kinds["hypernym"].apply("She does not play a guitar.", rng) is None


def write_wordnet(folder: Path) -> None:
    """Write a database of WordNet's form with a few words of our own."""
    noun = (
        "00000001 03 n 01 instrument 0 002 ~ 00000002 n 0000 ~ 00000003 n 0000 | makes music\n"
        "00000002 03 n 02 guitar 0 gitar 0 001 @ 00000001 n 0000 | has strings\n"
        "00000003 03 n 01 piano 0 001 @ 00000001 n 0000 | has keys\n"
        "00000004 03 n 01 piano 0 000 | soft\n"
    )
    index = (
        "instrument n 1 1 ~ 1 1 00000001\nguitar n 1 1 @ 1 1 00000002\n"
        "gitar n 1 1 @ 1 0 00000002\npiano n 2 1 @ 2 1 00000003 00000004\n"
    )
    adjective = (
        "00000001 00 a 01 slow 0 001 ! 00000002 a 0101 | not fast\n00000002 00 a 01 fast 0 001 ! 00000001 a 0101 | -\n"
    )
    files = {
        "data.noun": noun,
        "index.noun": index,
        "data.adj": adjective,
        "index.adj": "slow a 1 1 ! 1 1 00000001\nfast a 1 1 ! 1 1 00000002\n",
    }
    for part in ("verb", "adv"):
        files |= {f"data.{part}": "", f"index.{part}": ""}
    for name, text in files.items():
        (folder / name).write_text(f"  1 a licence comes first\n{text}", encoding="ascii")
