"""A claim in the words of its evidence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.verify.facts.check import read_facts
from secondpass.verify.facts.wording import in_words_of

TEXTS = st.text(st.sampled_from("0123456789.,:$% km the not every one a May-"), max_size=60)


def worded(claim: str, evidence: str) -> str:
    """Return a claim in the words of a text."""
    return in_words_of(read_facts(claim), read_facts(evidence))


@pytest.mark.parametrize(
    ("claim", "evidence", "expected"),
    [
        ("The trial lasted two weeks.", "The trial lasted 14 days.", "The trial lasted 14 days."),
        ("The trial lasted a fortnight.", "The trial lasted 14 days.", "The trial lasted 14 days."),
        ("The total is $1200.", "The total is $1,200.00, due in May.", "The total is $1,200.00."),
        ("It pays 24 cents a share.", "It pays $0.24 a share.", "It pays $0.24 a share."),
        ("The fine was \u00a320 million.", "The fine was 20 million pounds.", "The fine was 20 million pounds."),
        ("Half of them came.", "50% of them came.", "50% of them came."),
        ("The board meets once a year.", "The board meets annually.", "The board meets annually."),
        ("It is due on 2026-10-01.", "It is due on 1 October 2026.", "It is due on 1 October 2026."),
        ("It was built in the 1960s.", "It was built in 1961.", "It was built in 1961."),
        ("It has more than 8,000 rows.", "It has 8,234 rows.", "It has 8,234 rows."),
        ("The seat is $36 a year.", "The seat is $3 a month.", "The seat is $3 a month."),
        ("The lamps are checked daily.", "The lamps are checked every night.", "The lamps are checked every night."),
        ("About 1.28 million live there.", "1,283,466 live there, not 1,225,853.", "1,283,466 live there."),
        ("It is due by 30 June.", "It is due no later than 30 June.", "It is due no later than 30 June."),
        ("It is filed no later than Monday.", "It must be filed by Monday.", "It is filed by Monday."),
        ("It starts on or after 5 May.", "It starts by 5 May.", "It starts on or after 5 May."),
        ("Chapter IX is about trade.", "Chapter 9 is about trade.", "Chapter 9 is about trade."),
        (
            "Reports are due every quarter.",
            "Reports are due every three months.",
            "Reports are due every three months.",
        ),
    ],
)
def test_equal_quantities_are_written_as_there(claim: str, evidence: str, expected: str) -> None:
    """Numbers and dates that say the same, or more precisely, take the form that the evidence has."""
    assert worded(claim, evidence) == expected


@pytest.mark.parametrize(
    ("claim", "evidence", "expected"),
    [
        ("Rents rose by 3 points.", "Rents rose from 4% to 7%.", "Rents rose from 4% to 7%."),
        ("Rents rose by 300 basis points.", "Rents rose from 4% to 7%.", "Rents rose from 4% to 7%."),
        ("Rents rose by 75%.", "Rents rose from 4% to 7%.", "Rents rose from 4% to 7%."),
        ("Rents rose by 3%.", "Rents rose from 4% to 7%.", "Rents rose by 3%."),
        ("Rents rose by 75 points.", "Rents rose from 4% to 7%.", "Rents rose by 75 points."),
        ("Staff grew 12.", "Staff grew from 30 to 42 people.", "Staff grew from 30 to 42."),
        ("A cut of 2 hours came.", "It was cut to 6 hours from 8 hours.", "A cut to 6 hours from 8 hours came."),
        (
            "The fee fell by 5 euros.",
            "The fee is 20 euros, down from 25 euros.",
            "The fee fell to 20 euros, down from 25 euros.",
        ),
        ("The fee fell to 20 euros.", "The fee fell from 25 to 20 euros.", "The fee fell from 25 to 20 euros."),
        ("The fee fell from 20 euros.", "The fee fell from 25 to 20 euros.", "The fee fell from 20 euros."),
        ("Rents rose from 4% to 7%.", "Rents rose to 7%, up from 4%.", "Rents rose from 4% to 7%."),
        ("The fee fell by 5 euros.", "It fell by 5 euros, from 25 to 20 euros.", "The fee fell by 5 euros."),
        ("The fee is 5 euros.", "The fee fell from 25 to 20 euros.", "The fee is 5 euros."),
        ("The fee did not fall by 5 euros.", "The fee fell from 25 to 20 euros.", "The fee did not fall by 5 euros."),
    ],
)
def test_changes_are_told_as_there(claim: str, evidence: str, expected: str) -> None:
    """By how much something changed, or from or to what, becomes from what to what; points are not per cent."""
    assert worded(claim, evidence) == expected


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("The trial lasted two weeks.", "The trial lasted 13 days."),
        ("The trial lasted two weeks.", "The trial lasted two weeks, or 14 days."),
        ("Coverage is above 75%.", "She wrote 85.19% of the commits, and coverage is 71.6%."),
        ("More than 100 requests fail.", "At 100 requests all is well."),
        ("It does not cost more than $5.", "It costs $4.50."),
        ("The tower is tall.", "The tower is 300 m tall."),
        ("The path is 5 km long.", ""),
        ("The lamps are checked every night.", "The lamps are checked daily."),
        ("The lamps are checked every morning.", "The lamps are checked every night."),
    ],
)
def test_other_quantities_stay(claim: str, evidence: str) -> None:
    """What differs, what stands there as well, another number's place and denials change nothing."""
    assert worded(claim, evidence) == claim


@pytest.mark.parametrize(
    ("claim", "evidence", "expected"),
    [
        ("It joined the EU in 1995.", "It joined the European Union in 1995.", "It joined the European Union in 1995."),
        ("He works for the International Labour Organization.", "He works for the ILO.", "He works for the ILO."),
        ("Install version 3.11.2 now.", "Install v3.11.2 now.", "Install v3.11.2 now."),
        ("Install v3.11.2 now.", "Use version 3.11.2.", "Install version 3.11.2 now."),
        ("Quote ABX-00-1234-77.", "Quote ABX 00 1234 77, please.", "Quote ABX 00 1234 77."),
        ("Pay to AB12345678 today.", "The account is AB12 3456 78.", "Pay to AB12 3456 78 today."),
        ("It was not the EU.", "It was the European Union.", "It was not the European Union."),
    ],
)
def test_names_and_codes_are_written_as_there(claim: str, evidence: str, expected: str) -> None:
    """Initials and names in full, versions and grouped codes take the form that the evidence has."""
    assert worded(claim, evidence) == expected


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("AI wrote it.", "Anna Ivanova wrote it."),
        ("The EU fined them.", "The EU, the European Union, fined them."),
        ("Install version 3.11.2.", "Install v3.11.20."),
        ("Quote ABX-00-1234-77.", "Quote ABX 00 1234 78."),
        ("Take part 12-34X.", "Take part 1-234X."),
        ("Take part 31.12-rc1.", "Take part 3.112-rc1."),
        ("Take part AB-12.", "Take part AB-12-7."),
        ("The ILO met.", "The Institute for Labour met."),
    ],
)
def test_other_names_and_codes_stay(claim: str, evidence: str) -> None:
    """Initials of a person, other versions and codes, and what stands there as well are left alone."""
    assert worded(claim, evidence) == claim


@pytest.mark.parametrize(
    ("claim", "evidence", "expected"),
    [
        ("The pump is cleaned.", "The blue pump is cleaned.", "The blue pump is cleaned."),
        ("The pump is cleaned.", "It rained. A small blue pump is cleaned.", "The small blue pump is cleaned."),
        ("She drew the tower.", "She drew the wooden tower.", "She drew the wooden tower."),
        ("The glass is cleaned.", "The cut glass is cleaned.", "The cut glass is cleaned."),
        ("The water is untested.", "The water has not been tested.", "The water is not tested."),
        ("It is unsafe and inaccurate.", "It is not accurate.", "It is unsafe and not accurate."),
    ],
)
def test_nouns_and_denials_are_written_as_there(claim: str, evidence: str, expected: str) -> None:
    """A noun takes the words that stand before it there, and what is untested is not tested."""
    assert worded(claim, evidence) == expected


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("The pump is cleaned.", "The blue pump is cleaned, and the red pump is cleaned."),
        ("The pump is cleaned.", "The former pump is cleaned."),
        ("The pump is cleaned.", "The blue pump was sold."),
        ("The pumps are cleaned.", "The blue pumps are cleaned."),
        ("The pump is cleaned.", "The very big blue pump is cleaned."),
        ("The pump is cleaned.", "Blue pump is cleaned."),
        ("Pump is cleaned.", "The blue pump is cleaned."),
        ("The water is untested.", "The water has been tested."),
        ("The water is not untested.", "The water has not been tested."),
        ("The water is untested.", "The water is untested, and the soil is not tested."),
    ],
)
def test_other_nouns_and_denials_stay(claim: str, evidence: str) -> None:
    """One of two of a kind, several, and what is said otherwise of the noun are left alone."""
    assert worded(claim, evidence) == claim


@given(TEXTS, TEXTS)
def test_any_texts_can_be_worded(claim: str, evidence: str) -> None:
    """Whatever the texts, there is a claim, and by itself it stays as it is."""
    assert isinstance(worded(claim, evidence), str)
    assert worded(claim, claim) == read_facts(claim).text


def test_the_number_of_a_king_is_read_as_the_evidence_writes_it() -> None:
    """In Roman numerals or in words."""
    assert worded("Louis the Fourteenth became king.", "Louis XIV became king in 1643.") == "Louis XIV became king."
    assert (
        worded("Louis the Fifteenth became king.", "Louis XIV became king in 1643.")
        == "Louis the Fifteenth became king."
    )
