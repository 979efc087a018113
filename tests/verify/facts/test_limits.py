"""What is beyond a limit, or an exception, and what is said of it."""

import pytest

from secondpass.verify.facts.check import check_facts, read_facts
from secondpass.verify.facts.kinds import NEGATIONS

EITHER_WAY = [
    ("Only owners can vote.", "People who are not owners cannot vote."),
    ("Only members may enter the sauna.", "Non-members may not enter the sauna."),
    ("Only members can enter.", "Guests cannot enter unless they are members."),
    ("Refunds are only given with a receipt.", "Refunds are not given without a receipt."),
    ("The gym is open for guests aged 16 and over.", "The gym is not open for guests under 16."),
    ("The office is open from 9 am.", "The office is not open before 9 am."),
    ("The office is open until 8 pm.", "The office is not open after 8 pm."),
    ("Guide dogs are allowed.", "Dogs are not allowed, except guide dogs."),
    ("Guide dogs are allowed.", "Dogs are not allowed, with the exception of guide dogs."),
    ("The shop is not open on Sundays.", "The shop is open daily except on Sundays."),
    ("The shop is not open on Sundays.", "The shop is open daily but not on Sundays."),
    ("The nurses may not leave at noon.", "All staff except the nurses may leave at noon."),
    ("The Basic plan does not include support.", "The Pro plan includes support, but the Basic plan does not."),
    ("The Pro plan includes support.", "The Basic plan does not include support, but the Pro plan does."),
    ("The drivers do not get a laptop.", "Staff get a laptop, all but the drivers, who get a tablet."),
    ("The drivers get a tablet.", "Staff get a laptop, all but the drivers, who get a tablet."),
    ("Bags may weigh up to 20 kg.", "Bags may weigh no more than 20 kg."),
    ("At most three guests may stay.", "No more than three guests may stay."),
    ("The sauna is not free.", "All rooms apart from the sauna are free."),
    ("Rice is not free.", "Every dish save for rice is free."),
    ("The tower has a gym.", "Apart from the tower, the castle has a gym."),
    ("Tips are not in the fare.", "All fees, not including tips, are in the fare."),
    ("Children under four do not pay.", "Children under four swim free; adults pay 9 euros."),
]
DENIED = [
    ("Members may not enter the sauna.", "Only members may enter the sauna."),
    ("Non-members may enter the sauna.", "Non-members may not enter the sauna."),
    ("Dogs are allowed.", "Dogs are not allowed, except guide dogs."),
    ("Guide dogs are not allowed.", "Dogs are not allowed, except guide dogs."),
    ("The cook may leave the ship.", "Everyone but the cook may leave the ship."),
    ("The cooks start at six.", "Everyone but the cooks starts at six."),
    ("The attic is heated.", "All of the rooms but the attic are heated."),
    ("The office in Gent is closed.", "All offices but the one in Gent are closed."),
    ("Lars signed the letter.", "Every member but Lars signed the letter."),
    ("The cook may not open the safe.", "No one except the cook may open the safe."),
    ("The shop is open on Sundays.", "The shop is open daily except on Sundays."),
    ("The sauna is free for guests.", "All rooms apart from the sauna are free for guests."),
    ("The sauna is free for guests.", "Apart from the sauna, all rooms are free for guests."),
    ("The cook may not open the safe.", "No one other than the cook may open the safe."),
    ("Soup is part of the price.", "Every dish save for soup is part of the price."),
    ("Tips are part of the fare.", "All fees, not including tips, are part of the fare."),
    ("The pool is open after 8 pm.", "The pool is not open after 8 pm."),
    ("The Pro plan does not include support.", "The Pro plan includes support, but the Basic plan does not."),
    ("Applications may be filed later than 30 June.", "Applications may be filed no later than 30 June."),
]


def _denies(claim: str, evidence: str) -> bool:
    return any(item.kind == "negation" for item in check_facts(claim, evidence).mismatches)


@pytest.mark.parametrize(("claim", "evidence"), EITHER_WAY)
def test_what_is_denied_beyond_a_limit_is_not_denied_within(claim: str, evidence: str) -> None:
    """Limits, exceptions and verbs that are left out turn a denial round, on either side."""
    assert not _denies(claim, evidence)
    assert not _denies(evidence, claim)


@pytest.mark.parametrize(("claim", "evidence"), DENIED)
def test_what_is_on_the_same_side_is_denied(claim: str, evidence: str) -> None:
    """A limit, an exception or a verb that is left out keeps no denial from being seen where it holds."""
    assert _denies(claim, evidence)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is open daily except on Sundays and holidays.", {"sunday": "except", "holiday": "except"}),
        ("Except on Sundays, entry is free.", {"sunday": "except"}),
        ("Without a ticket you may not stay.", {"ticket": "without"}),
        ("Those who have not paid must leave.", {"paid": "without"}),
        ("Bags over 20 kg are refused.", {"20": "after", "kg": "after"}),
        ("The bridge over the river is closed.", {}),
    ],
)
def test_where_a_limit_ends(text: str, expected: dict[str, str]) -> None:
    """It ends before a verb; behind one that a sentence begins with, it ends at a comma; "over" needs a number."""
    found: dict[str, str] = {}
    for clause in NEGATIONS.of(read_facts(text)):
        found |= clause.beyond
    assert found == expected


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Bags may not weigh more than 20 kg.", "Bags may weigh at most 20 kg."),
        ("It is not open to guests under 16.", "It is open to guests aged 16 and over."),
        ("Nobody under 16 is allowed in.", "It may be used by guests over 16."),
    ],
)
def test_a_bound_that_is_denied_is_the_other_bound(claim: str, evidence: str) -> None:
    """What may not be more is at most so much, in the claim as in the evidence."""
    assert check_facts(claim, evidence).mismatches == ()


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Bags may weigh more than 20 kg.", "Bags may weigh at most 20 kg."),
        ("Bags may not weigh more than 30 kg.", "Bags may weigh at most 20 kg."),
    ],
)
def test_another_bound_is_another_number(claim: str, evidence: str) -> None:
    """A bound that nobody denies, and one at another number, are found otherwise."""
    assert [item.evidence for item in check_facts(claim, evidence).mismatches] == ["at most 20 kg"]
