"""Values under another name of a record, and figures by the caption of their table."""

import pytest

from secondpass.verify.facts import check_facts
from secondpass.verify.facts.quantities.captions import captions

ROOM = "Bedrooms: 3; Bathrooms: 2; Area: 96 m\u00b2."
SALES = "Sales; 2021: $5,100; 2020: $4,900 (in $ millions)."
PLAN = "Plan: Team; Price: $9 per user; Users: 25; Storage: 100 GB."
LIMITS = "limits connect: 250 ms; limits read: 30000 ms; retries: 4."


def found(claim: str, evidence: str) -> list[tuple[str, str]]:
    """Return the numbers of a claim that its evidence has otherwise or not at all."""
    check = check_facts(claim, evidence)
    return [(item.claim, item.evidence) for item in (*check.mismatches, *check.missing) if item.kind == "number"]


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("It has three bedrooms and two bathrooms.", ROOM),
        ("It has two bathrooms and three bedrooms.", ROOM),
        ("It has 3 bedrooms.", ROOM),
        ("It has 96 m\u00b2.", ROOM),
        ("Sales were 5,100 in 2021 and 4,900 in 2020.", SALES),
        ("Sales rose from $4.9 billion in 2020 to $5.1 billion in 2021.", SALES),
        ("Sales were $5.1 billion.", SALES),
        ("Sales were $5,100 million in 2021, up from $4,900 million.", SALES),
        ("What were sales in 2020 in USD billions? 4.9", SALES),
        ("The read limit is 30 seconds.", LIMITS),
        ("The limit is 30 seconds.", LIMITS),
        ("It costs $9 per user.", PLAN),
        ("It is for 25 users.", PLAN),
        ("Costs were 3 in 2021.", "Sales; 2021: 5; 2020: 3.\nCosts; 2021: 3; 2020: 2."),
    ],
)
def test_values_under_their_own_name_are_found(claim: str, evidence: str) -> None:
    """In any order, in another unit, or as the caption makes them."""
    assert found(claim, evidence) == []


@pytest.mark.parametrize(
    ("claim", "evidence", "expected"),
    [
        ("It has two bedrooms and three bathrooms.", ROOM, [("two", "3"), ("three", "2")]),
        ("It has 2 bedrooms.", ROOM, [("2", "3")]),
        ("Sales were 4,900 in 2021 and 5,100 in 2020.", SALES, [("4,900", "$5,100"), ("5,100", "$4,900")]),
        ("Sales rose to $4.9 billion in 2021 from $5.1 billion a year before.", SALES, [("$4.9 billion", "$5,100")]),
        ("The read limit is 250 milliseconds.", LIMITS, [("250 milliseconds", "30000 ms")]),
        ("Sales were $5.1 million.", SALES, [("$5.1 million", "")]),
    ],
)
def test_values_under_another_name_are_told(claim: str, evidence: str, expected: list[tuple[str, str]]) -> None:
    """The claim's names and numbers belong together in their order, or where a name is right behind a number."""
    assert found(claim, evidence) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(in millions, except per share amounts)", [(1e6, "")]),
        ("(Amounts in thousands)", [(1e3, "")]),
        ("(Dollars in thousands)", [(1e3, "$")]),
        ("(in thousands of euros): Rail; 2021: 5", [(1e3, "\u20ac")]),
        ("Division ($000): Rail", [(1e3, "$")]),
        ("\u00a3m: Sales", [(1e6, "\u00a3")]),
        ("What were sales in USD billions?", [(1e9, "$")]),
        ("Amounts in millions of US dollars", [(1e6, "$")]),
        ("In thousands\nSales 5", [(1e3, "")]),
        ("It resulted in millions of deaths.", []),
        ("It was seen in millions of homes", []),
        ("(about 5 million people)", []),
        ("He spent $5m on it.", []),
    ],
)
def test_captions_are_told_from_prose(text: str, expected: list[tuple[float, str]]) -> None:
    """They stand in brackets, in a line of their own, or with a currency."""
    assert [(caption.factor, caption.unit.name) for caption in captions(text)] == expected


def test_what_is_per_share_is_not_in_millions() -> None:
    """Lines about something per share, and about shares, keep their figures."""
    evidence = "(in millions)\nSales 5,100\nEarnings per share 3.12"
    assert found("Sales were $5.1 billion.", evidence) == []
    assert found("Earnings were 3.12 million.", evidence) != []
