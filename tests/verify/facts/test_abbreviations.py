"""Words that one side writes short."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.verify.facts.abbreviations import spelt_as_in


@pytest.mark.parametrize(
    ("claim", "evidence", "spelt"),
    [
        ("It is shut on Sundays.", "Sat: 9-12\nSun: closed", "It is shut on Sun."),
        ("It met on Thu. at noon.", "It met on Thursday at noon.", "It met on Thursday at noon."),
        ("It is in Bldg. 7.", "It is in building 7.", "It is in building 7."),
        ("It is in building 7.", "See bldg. 7", "It is in bldg. 7."),
        ("The dept. of health paid.", "The department of health paid.", "The department of health paid."),
        ("It ends in Sept.", "It ends in September.", "It ends in September."),
        ("The max. load is 5 kg.", "The maximum load is 5 kg.", "The maximum load is 5 kg."),
    ],
)
def test_words_are_spelt_as_there(claim: str, evidence: str, spelt: str) -> None:
    """A word takes the form that the evidence has, and a full stop goes with it unless it ends the claim."""
    assert spelt_as_in(claim, evidence) == spelt


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("He sat down.", "He came on Saturday."),
        ("The number is 5.", "There is no pump."),
        ("There is no pump.", "The number of pumps is 5."),
        ("It is on Sunday.", "The sun shines on Sunday."),
        ("It is on Sunday.", "The sun shines."),
        ("The building is old.", "It is old."),
    ],
)
def test_other_words_stay(claim: str, evidence: str) -> None:
    """What is another word without its capital or its full stop, or is there as it is, does not change."""
    assert spelt_as_in(claim, evidence) == claim


@given(st.text(alphabet="MonSatdayno. 5", max_size=40), st.text(alphabet="MonSatdayno. 5", max_size=40))
def test_a_claim_that_is_there_stays(claim: str, evidence: str) -> None:
    """Nothing changes in a claim of which the evidence has every word as it is."""
    assert spelt_as_in(claim, f"{evidence} {claim} ") == claim
