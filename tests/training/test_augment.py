"""Training examples that are made of others."""

import random
from collections import Counter

import pytest

from secondpass.models.backends.load import load_embedding_model
from training.augment import in_other_words, in_windows, joined, nearest, neighbours, verbatim
from training.examples import Example, grouped

RIVERS = [
    f"The {name} is a river in the north of the country, and has {n} bridges. It rises in the hills."
    for n, name in enumerate(["Arno", "Elde", "Tista", "Umea", "Vire", "Yser"] * 10, start=2)
]


@pytest.fixture
def examples() -> list[Example]:
    """Return three claims, one of each label, about each of some premises."""
    claims = {
        "entailment": "It flows in the north.",
        "neutral": "It is deep.",
        "contradiction": "The river lies south.",
    }
    return [
        Example(premise, claim, label, "given", "file", premise)  # type: ignore[arg-type]
        for premise in RIVERS
        for label, claim in claims.items()
    ]


def test_verbatim(examples: list[Example]) -> None:
    """Each premise gives one claim, one of its sentences, which follows; each of its sentences is taken at times."""
    found = verbatim(examples, random.Random(0))
    assert [example.premise for example in found] == RIVERS
    assert {(example.label, example.kind, example.source) for example in found} == {("entailment", "same", "file")}
    assert all(example.hypothesis in example.premise.replace(". It", ".\nIt").split("\n") for example in found)
    assert 10 < sum(example.hypothesis == "It rises in the hills." for example in found) < 50


def test_in_windows(examples: list[Example]) -> None:
    """The own premise and one other, in either order, with all claims of a premise in the same window."""
    found = in_windows(examples, random.Random(0))
    assert [(one.hypothesis, one.label) for one in found] == [(one.hypothesis, one.label) for one in examples]
    for example, own in zip(found, examples, strict=True):
        parts = [river for river in RIVERS if river in example.premise]
        assert own.premise in parts
        assert sum(map(len, parts)) + len(parts) - 1 == len(example.premise)
    assert all(len(group) % 3 == 0 for group in grouped(found))
    assert 10 < sum(one.premise.startswith(own.premise) for one, own in zip(found, examples, strict=True)) / 3 < 50


def test_joined(examples: list[Example]) -> None:
    """Two sentences follow if both do, are contradicted if one is, and are open if one is; in either order."""
    found = joined(examples, 1.0, random.Random(0))
    assert Counter(example.label for example in found).keys() == {"entailment", "neutral", "contradiction"}
    assert {example.kind for example in found} == {"joined"}
    firsts = Counter[str]()
    for example in found:
        own = [example.premise.partition(". ")[0] + ".", "It rises in the hills.", "It flows in the north."]
        parts = example.hypothesis.replace(". ", ".\n").split("\n")
        assert len(parts) == 2
        true = [part in own for part in parts]
        assert any(true)
        assert all(true) == (example.label == "entailment") or example.label == "neutral"
        assert ("The river lies south." in parts) == (example.label == "contradiction")
        firsts[example.label] += true[0]
    assert 10 < firsts["contradiction"] < 50
    assert len(found) == pytest.approx(180, abs=3)
    assert 10 < len(grouped(joined(examples, 0.5, random.Random(0)))) < 50
    assert joined([example for example in examples if example.label != "entailment"], 1.0, random.Random(0)) == []


def test_neighbours() -> None:
    """One to three others for each sentence, never itself; among them often the one that shares its rare words."""
    sentences = [f"{word} {n}" for n, word in enumerate(["apple", "bread", "cider", "dates"] * 20)]
    found = neighbours(sentences, random.Random(0))
    assert Counter(len(others) for others in found).keys() == {1, 2, 3}
    assert all(sentence not in others for sentence, others in zip(sentences, found, strict=True))
    alike = sum(others[0].split()[0] == sentence.split()[0] for sentence, others in zip(sentences, found, strict=True))
    assert alike > 40  # half of them by chance would be 20 of 80


@pytest.mark.slow
def test_nearest(examples: list[Example]) -> None:
    """A sentence gets what is nearest in meaning, and does not say the same, as a premise that leaves it open."""
    facts = [
        "The old lighthouse on the island was built of white stone by local masons.",
        "A white tower on the small island has shown ships the way for two centuries.",
        "The company sold more bicycles in the spring than in any year before this.",
        "Sales of bikes grew quickly after the firm had opened three shops in the city.",
    ]
    true = [Example(fact, fact, "entailment", "same", "file", fact) for fact in facts]
    found = nearest([*true, examples[1]], load_embedding_model("bge-small-en-v1.5"), random.Random(0))
    assert {(one.label, one.kind) for one in found} == {("neutral", "nearest")}
    first = {one.hypothesis: one.premise for one in found}
    assert first[facts[0]].startswith(facts[1])
    assert first[facts[3]].startswith(facts[2])
    assert not any(one.hypothesis in one.premise for one in found)


@pytest.mark.usefixtures("apertium")
def test_in_other_words(examples: list[Example]) -> None:
    """About the asked share of premises changes, for all of their claims; claims and labels stay."""
    found = in_other_words(examples, 0.5)
    assert [(one.hypothesis, one.label) for one in found] == [(one.hypothesis, one.label) for one in examples]
    changed = {own.premise: one.premise for one, own in zip(found, examples, strict=True) if one != own}
    assert 10 < len(changed) < 50
    assert all(one.premise == changed.get(own.premise, own.premise) for one, own in zip(found, examples, strict=True))
    assert in_other_words(examples, 0.0) == examples
