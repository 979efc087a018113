"""How far two quantities may be apart, to either side of the border."""

import pytest

from secondpass.verify.facts.check import read_facts
from secondpass.verify.facts.kinds import NUMBERS
from secondpass.verify.facts.quantities.agreement import agree


@pytest.mark.parametrize(
    ("claim", "evidence", "says"),
    [
        ("1.2 million", "1,250,000", True),
        ("1.2 million", "1,250,001", False),
        ("1.2 million", "1,149,999", False),
        ("1,250,000", "1.2 million", None),
        ("1,260,000", "1.2 million", False),
        ("12", "12.5", True),
        ("12", "12.6", False),
        ("12", "11.5", True),
        ("3", "3.15", True),
        ("3", "3.16", False),
        ("100", "104", False),
        ("100", "105", False),
        ("100", "106", False),
        ("about 100", "112", True),
        ("about 100", "113", False),
        ("about 100", "88", True),
        ("about 100", "87", False),
        ("about 123", "124", True),
        ("about 123", "128", False),
        ("about 120", "125", True),
        ("about 125", "130", True),
        ("about 7.34", "7.3", True),
        ("about 7.34", "7.6", False),
        ("about 120", "127", False),
        ("about half a ton", "0.6 tons", False),
        ("100 km", "63.7 miles", None),
        ("100 km", "63.6 miles", True),
        ("100 km", "62.1 miles", True),
        ("100 km", "61.5 miles", True),
        ("100 km", "60.4 miles", False),
        ("1 GB", "1,100 MB", True),
        ("1 GB", "1,101 MB", None),
        ("1 GB", "900 MB", True),
        ("20 °C", "68 °F", True),
        ("20 °C", "69 °F", None),
        ("20 °C", "70 °F", False),
        ("third", "third", True),
        ("5 to 10", "5 to 10", True),
        ("5 to 10", "5 to 11", False),
        ("5 to 10", "6 to 9", False),
        ("about 5 to 10", "6 to 9", True),
        ("at least 5", "5 to 10", True),
        ("at least 5", "4 to 10", None),
        ("at least 5", "up to 5", False),
        ("at least 5", "up to 4", False),
        ("at least 5", "at least 6", False),
        ("at least 5", "at least 4", False),
        ("at least 5", "more than 6", None),
        ("more than 5", "at least 6", True),
        ("more than 1.3", "1.28", False),
        ("at least 1.3", "1.28", True),
        ("more than a third", "33.2%", True),
        ("up to 5", "up to 4", False),
        ("up to 5", "up to 6", False),
        ("up to 5", "2 to 4", None),
        ("up to 5", "2 to 5", True),
        ("less than 5", "2 to 4", True),
        ("up to 5", "at least 5", False),
        ("5 to 10", "10 to 20", False),
        ("5 to 10", "11 to 20", False),
        ("5 to 10", "1 to 4", False),
        ("5 to 10", "3", False),
        ("5 to 10", "5", True),
        ("5", "5 to 10", True),
        ("10", "5 to 10", True),
        ("10.4", "5 to 10", None),
        ("10.6", "5 to 10", False),
        ("4.4", "5 to 10", False),
        ("4", "at least 5", False),
        ("5", "at least 5", True),
        ("6", "at least 5", None),
        ("5", "more than 5", True),
        ("5:30", "17:30", True),
        ("5:30", "5:30 am", True),
        ("5:30", "5:31", False),
        ("once a month", "12 times a year", True),
        ("once a month", "13 times a year", False),
        ("once a year", "twice a month", False),
        ("once a day", "7 times a week", True),
        ("once a day", "8 times a week", None),
        ("at least once a day", "7 times a week", None),
        ("once a day", "at least 7 times a week", None),
        ("several", "2", True),
        ("several", "1", None),
        ("2", "several", None),
        ("1", "several", None),
        ("a couple of days", "2 days", True),
        ("a couple of days", "3 days", None),
        ("0", "0", True),
        ("1500", "about 1,560", False),
        ("1500", "about 1,550", None),
        ("-5 °C", "-5.4 °C", False),
        ("-5 °C", "5 °C", False),
    ],
)
def test_where_agreement_ends(claim: str, evidence: str, says: bool | None) -> None:
    """Half of the last place, or a twentieth if that is less; more for rough numbers and for other units."""
    (ours,), (theirs,) = NUMBERS.of(read_facts(claim)), NUMBERS.of(read_facts(evidence))
    assert agree(ours, theirs) is says


@pytest.mark.parametrize(
    ("claim", "evidence", "says"),
    [
        ("It is free for orders over 30 euros.", "It is free for orders over 50 euros.", False),
        ("It is free for orders over 50 euros.", "It is free for orders of more than 50 euros.", True),
        ("You may leave if it is over 20 days late.", "You may leave if it is over 30 days late.", False),
        ("Members over 60 pay half.", "Members over 65 pay half.", False),
        ("Children under 16 get in free.", "Entry is free under 14.", None),
        ("More than 30 people came.", "More than 50 people came.", True),
        ("It is over 100 m tall.", "It is over 120 m tall.", True),
        ("It has been open for over 30 years.", "It has been open for over 35 years.", True),
    ],
)
def test_a_bound_that_is_a_condition_agrees_with_no_other_one(claim: str, evidence: str, says: bool | None) -> None:
    """What is so of all over 50 need not be so of all over 30; but more than 50 are more than 30."""
    (ours,), (theirs,) = (
        [item for item in NUMBERS.of(read_facts(text)) if NUMBERS.is_checked(item)] for text in (claim, evidence)
    )
    assert agree(ours, theirs) is says
