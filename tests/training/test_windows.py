"""Long premises in windows."""

import random

from secondpass.verify.words import overlap
from secondpass.windows import ApproximateTokenization
from training.pairs import Label, Pair
from training.windows import LONGEST, in_windows, with_neighbours

OTHER = "The weather in the valley was mild that year, and the farmers brought in the hay early. "
FACT = "The mill at Corran was bought by Ada Lindqvist in 1893."
TOKENS = ApproximateTokenization()


def _parts(hypothesis: str, label: Label, premise: str = OTHER * 12 + FACT + " " + OTHER * 12) -> list[Pair]:
    pair = Pair(premise, hypothesis, label, "qa_condaqa", "g")
    return [part for seed in range(20) for part in in_windows(pair, TOKENS, random.Random(seed))]


def test_short_premise() -> None:
    """A short premise stays whole."""
    pair = Pair(FACT, "Ada Lindqvist bought a mill.", "entailment", "qa_condaqa", "g")

    assert list(in_windows(pair, TOKENS, random.Random(0))) == [pair]


def test_evidence() -> None:
    """A claim gets the window that holds its evidence, whatever the size of windows."""
    parts = _parts("Ada Lindqvist bought the mill at Corran in 1893.", "entailment")
    entailed = [part for part in parts if part.label == "entailment"]

    assert len(entailed) == 20
    assert all(FACT in part.premise for part in entailed)
    assert max(TOKENS.lengths([part.premise for part in entailed])) <= LONGEST


def test_absent() -> None:
    """Some claims come again with a window that has no evidence, as open."""
    parts = _parts("Ada Lindqvist bought the mill at Corran in 1893.", "entailment")
    absent = [part for part in parts if part.label == "neutral"]

    assert absent
    assert all(overlap(part.hypothesis, part.premise) < 0.4 for part in absent)


def test_no_window() -> None:
    """What is entailed by no window is dropped; what the whole contradicts is then only not entailed."""
    claim = "Penguins cannot fly across the southern ocean."

    assert _parts(claim, "entailment") == []
    assert {part.label for part in _parts(claim, "contradiction")} == {"not_entailment"}


def test_neighbours() -> None:
    """Neighbours stand before and after the premise, each text as a sentence."""
    pair = Pair("A cat sleeps", "An animal sleeps.", "entailment", "x", "g")

    found = [with_neighbours(pair, ["It rains.", "Snow fell", "A cat sleeps"], random.Random(n)) for n in range(20)]

    assert all("A cat sleeps." in part.premise for part in found)
    assert any(part.premise.startswith("A cat") for part in found) and any(
        part.premise.endswith("sleeps.") for part in found
    )
    assert {part.label for part in found} == {"entailment"}
