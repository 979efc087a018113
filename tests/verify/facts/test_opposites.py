"""Claims with the opposite of a word of their evidence."""

import pytest

from secondpass.verify.facts.check import check_facts


def _found(claim: str, evidence: str) -> list[tuple[str, str]]:
    mismatches = check_facts(claim, evidence).mismatches
    return [(item.claim, item.evidence) for item in mismatches if item.kind == "opposite"]


@pytest.mark.parametrize(
    ("claim", "evidence", "found"),
    [
        ("Revenue fell 5% in May.", "Revenue rose 5% in May.", ("fell", "rose")),
        ("Revenue fell 5% in May.", "Revenue was 9 million in May, up 5% on the year.", ("fell", "up")),
        ("Revenue fell 5% to $9 million in May.", "Revenue was $9 million in May, up 5% on the year.", ("fell", "up")),
        ("Take the syrup after meals.", "Take the syrup before meals, with water.", ("after", "before")),
        ("Timeouts above 5 seconds are rejected.", "Timeouts below 5 seconds are rejected.", ("above", "below")),
        ("Webhooks are disabled by default.", "Webhooks are enabled by default.", ("disabled", "enabled")),
        (
            "The council voted to open Mill Street.",
            "The council voted on Monday to close Mill Street.",
            ("open", "close"),
        ),
        ("The mill is higher than the church.", "The mill is lower than the church.", ("higher", "lower")),
        ("The pump isn't on at noon by default.", "The pump isn't off at noon by default.", ("on", "off")),
    ],
)
def test_the_opposite_in_the_same_place(claim: str, evidence: str, found: tuple[str, str]) -> None:
    """What changed, when, where and in which state, with all of the other words in the same order."""
    assert _found(claim, evidence) == [found]


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Revenue rose 5% in May.", "Revenue increased by 5% in May."),
        ("Costs fell 3% in May.", "Revenue rose 5% and costs fell 3% in May."),
        ("The church is lower than the mill.", "The mill is higher than the church."),
        ("Pain was lower with mint than with salt.", "Pain was higher with salt than with mint."),
        ("Subletting is allowed only if the owner agrees.", "Subletting is prohibited unless the owner agrees."),
        (
            "After the card is blocked, the customer is not liable.",
            "The customer is liable before the card is blocked.",
        ),
        ("The farm lies south of Kelby.", "The farm lies north-west of Kelby."),
        ("Staff reduced the losses of Kelby.", "Staff lost much, and cut the losses of Kelby."),
        ("Der Umsatz fiel after dem Mai um fünf Prozent.", "Der Umsatz fiel before dem Mai um fünf Prozent."),
        ("It fell.", "It rose."),
        ("", ""),
    ],
)
def test_no_opposite_in_the_same_place(claim: str, evidence: str) -> None:
    """The same in other words or in another order, what is denied or limited on one side, and what is too short."""
    assert _found(claim, evidence) == []
