"""Pairs that rules make."""

import random
import re

from secondpass.windows import ApproximateTokenization
from training.made import from_windows, question_of, recombined
from training.notation import from_notation
from training.siblings import from_siblings

TEXT = (
    "The mill at Corran was bought by Ada Lindqvist in 1893. In 1907 the council of Dunmore rented the building for "
    "$400 a year. The bridge is made of granite and stands beside the old school. Repairs were paid for by Henrik "
    "Olsen, who asked for $650 in return. The museum was opened in 1962 and has been closed on Mondays ever since."
)


def test_recombined() -> None:
    """A recombined claim says something else in the words of the window alone."""
    sentence = TEXT.split(". ")[0] + "."
    found = {recombined(sentence, TEXT, random.Random(seed)) for seed in range(30)} - {None}

    assert found
    words = set(re.findall(r"\w+", TEXT))
    for claim in found:
        assert claim is not None and claim != sentence
        assert set(re.findall(r"\w+", claim)) <= words


def test_recombined_numbers() -> None:
    """An amount of money is exchanged for another one, never for a year."""
    found = {recombined("The council rented it for $400.", TEXT, random.Random(seed)) for seed in range(30)} - {None}

    assert found == {"The council rented it for $650."}


def test_question() -> None:
    """Simple sentences have a question."""
    assert question_of("The bridge is made of granite.") == "Is the bridge made of granite?"
    assert question_of("The museum has been closed since May.") == "Has the museum been closed since May?"
    assert question_of("It rains.") is None


def test_windows() -> None:
    """Windows give claims of all kinds, each with the label of its kind."""
    texts = [
        TEXT.replace("Corran", name).replace("1893", str(year))
        for year, name in enumerate(["Ayr", "Oban", "Wick"] * 40, 1800)
    ]
    pairs = list(from_windows(texts, ApproximateTokenization(), random.Random(0), 200))
    by_kind: dict[str, set[str]] = {}
    for pair in pairs:
        by_kind.setdefault(pair.kind, set()).add(pair.label)

    assert {"verbatim", "recombined", "removed", "number"} <= set(by_kind)
    assert by_kind["verbatim"] == {"entailment"} and by_kind["recombined"] == {"not_entailment"}
    for pair in pairs:
        if pair.kind == "verbatim":
            assert pair.hypothesis in pair.premise
        if pair.kind in ("removed", "asked"):
            assert pair.label == "neutral" and pair.hypothesis not in pair.premise


def test_notation() -> None:
    """The same value in other notation is entailed, and another value is not."""
    pairs = list(from_notation(["It rained.", "A bell rang.", "Nobody came."], random.Random(0), 400))
    true, false = pairs[::2], pairs[1::2]

    assert {pair.label for pair in true} == {"entailment"} and {pair.label for pair in false} == {"contradiction"}
    assert {pair.kind for pair in true} == {"money", "span", "share", "count", "date", "clock", "often", "free"}
    assert all(
        one.premise == other.premise and one.hypothesis != other.hypothesis
        for one, other in zip(true, false, strict=True)
    )
    assert not [pair for pair in pairs if "{" in pair.premise + pair.hypothesis]


def test_siblings() -> None:
    """Claims are about the values of one of several siblings."""
    pairs = list(from_siblings([], random.Random(0), 300))
    kinds = {pair.kind: pair.label for pair in pairs}

    assert kinds == {
        "own value": "entailment",
        "sibling's value": "contradiction",
        "absent sibling": "neutral",
        "absent attribute": "neutral",
    }
    assert not [pair for pair in pairs if "{" in pair.premise + pair.hypothesis]
    for pair in pairs:
        if pair.kind == "sibling's value":
            own = next(p for p in pairs if p.premise == pair.premise and p.label == "entailment")
            assert own.hypothesis != pair.hypothesis
