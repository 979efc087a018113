"""Rough parts of years, months, decades and centuries."""

import pytest

from secondpass.verify.facts.check import check_facts

RELEASE = "Version 4 was released in May 2024."
MILL = "The mill was built in 1964 and closed on 27 March 1998."


def _denied(claim: str, evidence: str) -> list[tuple[str, str]]:
    return [(item.claim, item.evidence) for item in check_facts(claim, evidence).mismatches if item.kind == "date"]


@pytest.mark.parametrize(
    ("claim", "evidence", "found"),
    [
        ("Version 4 was released in early 2024.", RELEASE, ("early 2024", "May 2024")),
        ("Version 4 was released in late 2024.", RELEASE, ("late 2024", "May 2024")),
        ("Version 4 was released at the end of 2024.", RELEASE, ("end of 2024", "May 2024")),
        ("The mill closed in early March 1998.", MILL, ("early March 1998", "27 March 1998")),
        ("The mill was built in the late 1960s.", MILL, ("late 1960s", "1964")),
        ("The mill was built early in the 20th century.", MILL, ("early in the 20th century", "1964")),
        ("It opened in early 2011.", "It opened in late 2011.", ("early 2011", "late 2011")),
        ("It opened in November 2011.", "It opened in early 2011.", ("November 2011", "early 2011")),
    ],
)
def test_another_part(claim: str, evidence: str, found: tuple[str, str]) -> None:
    """What lies elsewhere in the year, the month, the decade or the century."""
    assert _denied(claim, evidence) == [found]


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Version 4 was released in mid-2024.", RELEASE),
        ("Version 4 was released in the middle of 2024.", RELEASE),
        ("Version 4 had been released by the end of 2024.", RELEASE),
        ("Version 4 was released before late 2024.", RELEASE),
        ("Version 4 was released in early May.", RELEASE),
        ("Early versions were released in 2024.", RELEASE),
        ("The mill closed in late March 1998.", MILL),
        ("The mill closed at the start of 1998.", MILL),
        ("The mill was built in the early 1960s.", MILL),
        ("The mill was built in the mid-1960s.", MILL),
        ("It opened in early 2011.", "It opened in 2011."),
        ("It opened in early 2011.", "It opened in mid-2011."),
        ("It opened in early 2011.", "It opened in February 2011 and closed in December 2011."),
        ("It opened in January 2011.", "It opened in early 2011."),
    ],
)
def test_the_same_part(claim: str, evidence: str) -> None:
    """What may be called so, what is left open, and limits."""
    assert _denied(claim, evidence) == []
