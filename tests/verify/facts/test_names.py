"""Names, and whether a text has them."""

import pytest

from secondpass.verify.facts.check import check_facts, read_facts
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
            ("with Jones", "It was Jone.", Presence.FOUND),
            ("with Joes", "It was Joe.", Presence.ABSENT),
            ("in Syria", "a Syrian singer", Presence.FOUND),
            ("by the WHO", "by the World Bank", Presence.ABSENT),
            ("by ABCDEFGH", "by Aa Bb Cc Dd Ee Ff Gg Hh", Presence.FOUND),
            ("by ABCDEFGHI", "by Aa Bb Cc Dd Ee Ff Gg Hh Ii", Presence.ABSENT),
            ("by the European Union", "by the EU", Presence.FOUND),
            ("by the Bank of Xanadu", "by the BX", Presence.FOUND),
            ("by Xanadu", "by X", Presence.ABSENT),
            ("with John Smith", "It was John.", Presence.ABSENT),
            ("with John Smith", "It was John, who later was John Jones.", Presence.OTHER),
            ("of New York", "a york of new things", Presence.FOUND),
            ("in Great Britain", "in the UK", Presence.FOUND),
        ],
    )
    def test_of_a_name(self, name: str, evidence: str, presence: Presence) -> None:
        """Parts, initials, acronyms and peoples stand for a name; another first name is another person."""
        (found,) = NAMES.of(read_facts(name))
        assert NAMES.of(read_facts(evidence)).presence(found) is presence


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("of the University", [("University", "university", False)]),
        ("He saw J R Smith", [("J R Smith", "j r smith", False)]),
        ("He asked Dr. Jones", [("Jones", "jones", False)]),
        ("the dr Jones", [("Jones", "jones", False)]),
        ("Dr", []),
        ("In the U.S. and at NASA", [("U.S.", "us", True), ("NASA", "nasa", True)]),
        ("NASA is there.", [("NASA", "nasa", True)]),
        ("It is NASA's and the NGOs' job", [("NASA's", "nasa", True), ("NGOs", "ngos", True)]),
        ("Rome is old", []),
        ("Three Words Were In Capitals", [("Three Words", "words", False), ("Capitals", "capitals", False)]),
        ("Big Old Red Dog", []),
        ("big Old Red Dog", [("Old Red Dog", "old red dog", False)]),
        ("It was the IT of IBM", [("IT of IBM", "it ibm", False)]),
        ("He said OK to US", [("US", "us", True)]),
        ("He met Us", []),
        ("It was eBay's", [("eBay's", "ebay", False)]),
        ("the iPhone X", [("iPhone X", "iphone x", False)]),
        ("Saint Mary", [("Saint Mary", "mary", False)]),
        ("We saw The Hague", [("Hague", "hague", False)]),
        ("We saw Bank of The West", [("Bank", "bank", False), ("West", "west", False)]),
        ("We saw Bank of England", [("Bank of England", "bank england", False)]),
        ("We saw Bank of england", [("Bank", "bank", False)]),
        ("He met van Gogh", []),
        ("He met Van Gogh", [("Van Gogh", "van gogh", False)]),
        (
            "met Aa Bb Cc Dd Ee Ff Gg Hh Jj Kk Ll Mm Nn Oo",
            [
                ("Aa Bb Cc Dd Ee Ff Gg Hh Jj Kk Ll Mm", "aa bb cc dd ee ff gg hh jj kk ll mm", False),
                ("Nn Oo", "nn oo", False),
            ],
        ),
        ("Barcelona-based firms", []),
        ("He met Ann. Bob left", [("Ann", "ann", False)]),
        ("He met Ann and Bob & Tim", [("Ann", "ann", False), ("Bob & Tim", "bob tim", False)]),
        ("in Paris, France", [("Paris", "paris", False), ("France", "france", False)]),
        ("the King of Spain", [("King of Spain", "spain", False)]),
        ("St. John's", [("John's", "john", False)]),
        ("Some X-ray", [("X", "x", False)]),
        ("a X", [("X", "x", False)]),
        ("Anna's", []),
        ("met Anna-", [("Anna", "anna", False)]),
        ("met Anna -Maria", [("Anna", "anna", False), ("Maria", "maria", False)]),
        ("WORLD CUP", [("WORLD CUP", "cup", False)]),
        ("WORLD CUP final here", [("WORLD CUP", "cup", False)]),
        ("A WORLD CUP here", []),
        ("He got an A here", []),
        ("Barcelona-Based firms", []),
        ("Barcelona Based firms", [("Barcelona Based", "based", False)]),
    ],
)
def test_where_names_stand(text: str, expected: list[tuple[str, str, bool]]) -> None:
    """Their words in the text, their parts, and whether they are acronyms."""
    facts = read_facts(text)
    found = [
        (facts.read.words(name.first, name.end), " ".join(name.parts), name.is_acronym) for name in NAMES.of(facts)
    ]
    assert found == expected


@pytest.mark.parametrize(
    ("claim", "evidence", "found"),
    [
        ("In 1643 Louis the Fourteenth was king.", "In 1643 Louis XIV was king.", True),
        ("In 1643 Louis XIV was king.", "In 1643 Louis the Fourteenth was king.", True),
        ("In 1643 Louis the Fifteenth was king.", "In 1643 Louis XIV was king.", False),
    ],
)
def test_the_number_of_a_king_may_be_in_words(claim: str, evidence: str, found: bool) -> None:
    """It is the same name only with the same number."""
    checked = check_facts(claim, evidence)
    assert ([item for item in (*checked.mismatches, *checked.missing) if item.kind == "name"] == []) is found
