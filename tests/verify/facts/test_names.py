"""Names, and whether a text has them."""

import pytest

from secondpass.verify.facts.check import read_facts
from secondpass.verify.facts.kinds import NAMES
from secondpass.verify.facts.names import Presence


def _names(text: str) -> list[tuple[str, ...]]:
    return [name.parts for name in NAMES.of(read_facts(text))]


class TestNames:
    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("We met John Smith's wife in New York.", [("john", "smith"), ("new", "york")]),
            ("It is the University of Jena.", [("university", "jena")]),
            ("He saw J. R. Smith there.", [("j", "r", "smith")]),
            ("He asked Dr. Jones.", [("jones",)]),
            ("In the U.S. and at NASA", [("us",), ("nasa",)]),
            ("Farmers grow corn. The dog, however, sleeps.", []),
            ("We love Rome. Rome is old.", [("rome",), ("rome",)]),
            ("On Monday in May I said OK.", []),
            ("THIS IS A LOUD HEADING", []),
            ("Three Words In Capitals", []),
            ("COVID-19 came via https://Example.org", []),
            ("北京很大", []),
        ],
    )
    def test_are_capitals_that_mean_something(self, text: str, names: list[tuple[str, ...]]) -> None:
        """First words of sentences, days, headings and identifiers are none."""
        assert _names(text) == names

    def test_other_languages_have_none(self) -> None:
        """German nouns are in capitals and are no names."""
        assert _names("Das ist der Hund und die Katze von nebenan") == []


class TestPresence:
    @pytest.mark.parametrize(
        ("name", "evidence", "presence"),
        [
            ("with John Smith", "Later Smith went home.", Presence.FOUND),
            ("with J. Smith", "It was John Smith.", Presence.FOUND),
            ("with John Smith", "It was J. Smith.", Presence.FOUND),
            ("with Jane Smith", "It was John Smith.", Presence.OTHER),
            ("with Jane Smith", "It was Peter Jones.", Presence.ABSENT),
            ("in the U.S.", "in the United States", Presence.FOUND),
            ("in the United Kingdom", "in the UK", Presence.FOUND),
            ("by the WHO", "by the World Health Organization", Presence.FOUND),
            ("by the World Health Organization", "by the WHO", Presence.FOUND),
            ("in Canada", "a Canadian singer", Presence.FOUND),
            ("in Austria", "an Australian singer", Presence.ABSENT),
            ("in France", "a French singer", Presence.FOUND),
            ("on the Internet", "on the internet", Presence.FOUND),
        ],
    )
    def test_of_a_name(self, name: str, evidence: str, presence: Presence) -> None:
        """Parts, initials, acronyms and peoples stand for a name; another first name is another person."""
        (found,) = NAMES.of(read_facts(name))
        assert NAMES.of(read_facts(evidence)).presence(found) is presence
