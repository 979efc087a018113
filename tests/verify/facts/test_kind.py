"""A kind of fact of one's own, in one file: this one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pytest

from secondpass.errors import ConfigError
from secondpass.verify.facts.check import FEATURES, check_facts, read_facts
from secondpass.verify.facts.kind import FactKind, Kinds, finding
from secondpass.verify.facts.kinds import KINDS
from secondpass.verify.facts.text import Facts, Text
from secondpass.verify.types import Mismatch

COLOURS = {"red", "green", "blue"}


@dataclass(frozen=True)
class Colour:
    """A colour in a text."""

    first: int
    end: int
    name: str


class ColourKind(FactKind[Colour]):
    """Colours: a text that has others, and not the claim's, denies it."""

    name = "colour"
    is_hard = True

    def find(self, text: Text) -> Sequence[Colour]:
        """Return the colours of a text."""
        return [Colour(at, at + 1, token.lower) for at, token in enumerate(text.tokens) if token.lower in COLOURS]

    def takes(self, fact: Colour) -> Iterable[int]:
        """Return its one token."""
        return (fact.first,)

    def compare(self, claim: Facts, evidence: Facts) -> Iterator[Mismatch]:
        """Yield the colours that the evidence does not have, with its first one if it has any."""
        held = {colour.name: colour for colour in reversed(self.of(evidence))}
        for colour in self.of(claim):
            if colour.name not in held:
                yield finding(self.name, claim, colour, evidence, next(reversed(held.values()), None))


@pytest.fixture
def kinds() -> Kinds:
    """Return the kinds that come with the package, and colours."""
    return Kinds([*KINDS, ColourKind()])


class TestKinds:
    def test_a_registered_kind_is_compared(self, kinds: Kinds) -> None:
        """Its findings stand beside those of the others, with the words of both sides."""
        check = check_facts("Two cars in red paint stopped there.", "Three cars in blue paint stopped there.", kinds)
        assert check.mismatches == (Mismatch("number", "Two", "Three"), Mismatch("colour", "red", "blue"))
        assert check.n_facts == 2

    def test_features_and_hard_kinds_follow(self, kinds: Kinds) -> None:
        """What is counted, and what no model may overrule, is derived from the kinds."""
        assert kinds.features == (*FEATURES[:-1], "colour_mismatch", "colour_missing", "facts_found")
        assert kinds.hard == KINDS.hard | {"colour"}
        features = check_facts("The red car came.", "The car came.", kinds).features(kinds)
        assert tuple(features) == kinds.features
        assert (features["colour_mismatch"], features["colour_missing"], features["facts_found"]) == (0.0, 1.0, 0.0)

    def test_the_kinds_that_come_with_the_package_know_nothing_of_it(self, kinds: Kinds) -> None:
        """A set of kinds of one's own changes nothing for others."""
        assert check_facts("The red car came.", "The blue car came.").n_facts == 0
        assert "colour" not in read_facts("The red car came.").found

    def test_a_name_is_taken_once(self, kinds: Kinds) -> None:
        """Two kinds of one name would be counted as one."""
        with pytest.raises(ConfigError, match="'colour'"):
            kinds.register(ColourKind())

    def test_shipped_features(self) -> None:
        """The features that come with the package, in the order that fitted weights are stored in."""
        assert FEATURES == (
            "number_mismatch",
            "number_missing",
            "date_mismatch",
            "date_missing",
            "name_mismatch",
            "name_missing",
            "negation_mismatch",
            "facts_found",
        )
        assert KINDS.hard == {"number", "date", "unit"}
