"""Training examples, from files and by rules."""

import random
from pathlib import Path

import pytest

from secondpass.errors import InputError
from training import nli
from training.examples import (
    Example,
    grouped,
    made_by_rules,
    read_pairs,
    split,
    with_shuffled_premises,
    without_premises,
    written_examples,
)
from training.twins import changes

SENTENCES = [f"The bridge number {n} was opened in {1900 + n} after long works on its arches." for n in range(40)]


def example(premise: str, hypothesis: str = "h", group: str = "") -> Example:
    """Return an example with the fields that matter here."""
    return Example(premise, hypothesis, "entailment", "given", "file", group or premise)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("\ufeffPremise\tHypothesis\tLabel\nA b.\tC d.\tneutral\n", ["neutral"]),
        ("premise\thypothesis\tlabel\nA b.\tC d.\t1\nA b.\tE.\t0\n", ["contradiction", "entailment"]),
        ("sentence\tnegated\nIt is.\tIt is not.\n", ["contradiction"]),
        ("knowledge\tresponse\tbegin_label\nIt is.\tIt is\tNot fully attributable\n", ["neutral"]),
    ],
)
def test_read_pairs(tmp_path: Path, text: str, labels: list[str]) -> None:
    """The columns of each known kind of file are found by their names."""
    path = tmp_path / "pairs_3.tsv"
    path.write_text(text, encoding="utf-8")
    found = read_pairs(path)
    assert [one.label for one in found] == labels
    assert {one.source for one in found} == {"pairs"}


def test_read_pairs_of_unknown_columns(tmp_path: Path) -> None:
    """A file with other columns is refused with what is wanted."""
    (tmp_path / "x.tsv").write_text("a\tb\n1\t2\n", encoding="utf-8")
    with pytest.raises(InputError, match="wanted are"):
        read_pairs(tmp_path / "x.tsv")


def test_split_by_group() -> None:
    """A group is on one side only, always the same one, and about the asked share is held out."""
    examples = [example(f"p{n}", group=f"g{n // 2}") for n in range(2000)]
    train, held_out = split(examples, 0.1)
    assert not {one.group for one in train} & {one.group for one in held_out}
    assert 130 < len(held_out) < 270
    assert split(examples, 0.1) == (train, held_out)


def test_made_by_rules() -> None:
    """Twins share a premise that holds the sentence they were made of; refuted ones differ from it."""
    rng = random.Random(0)
    contexts = [[SENTENCES[at - 1], SENTENCES[at - 2]] for at in range(len(SENTENCES))]
    found = list(made_by_rules(SENTENCES, changes(None, []), "bridges", rng, contexts=contexts))
    assert {one.label for one in found} == {"entailment", "neutral", "contradiction"}
    assert {"same", "number", "evidence removed"} <= {one.kind for one in found}
    for twins in grouped(one for one in found if one.label != "neutral"):
        sentence = twins[0].group.partition(":")[2]
        assert sentence in twins[0].premise
        assert all(one.hypothesis != sentence for one in twins if one.label == "contradiction")
    for one in found:
        if one.kind == "evidence removed":
            assert one.group.partition(":")[2] not in one.premise


def test_rewrites_are_used() -> None:
    """Where people wrote a refuted form, it is taken for about half of the sentences."""
    rewrites = [f"no {sentence}" for sentence in SENTENCES]
    found = list(made_by_rules(SENTENCES, changes(None, []), "s", random.Random(0), refuted=rewrites))
    assert 8 < sum(one.kind == "rewritten" for one in found) < 32


def test_written_examples() -> None:
    """Each premise has one claim of each label, none stands twice, and none is among the pairs to measure on."""
    written = written_examples()
    groups = grouped(written)
    assert len(groups) > 1_500
    assert all([one.label for one in group] == ["entailment", "neutral", "contradiction"] for group in groups)
    assert len({(one.premise, one.hypothesis) for one in written}) == len(written)
    assert all(text == " ".join(text.split()) != "" for one in written for text in (one.premise, one.hypothesis))
    measured = read_pairs(Path(nli.__file__).parent / "data" / "news_and_captions.tsv")
    assert len(measured) == 150
    assert not {one.premise for one in measured} & {one.premise for one in written}


def test_premises_taken_away_or_exchanged() -> None:
    """The baselines see the same claims with no premise, or with another's."""
    examples = [example(f"p{n}", f"h{n}") for n in range(30)]
    assert {one.premise for one in without_premises(examples)} == {""}
    shuffled = with_shuffled_premises(examples, random.Random(0))
    assert [one.hypothesis for one in shuffled] == [one.hypothesis for one in examples]
    assert sorted(one.premise for one in shuffled) == sorted(one.premise for one in examples)
    assert [one.premise for one in shuffled] != [one.premise for one in examples]
