"""Numbers that a claim has for each of one thing, and the evidence for each of another one."""

import pytest

from secondpass.verify.facts.check import check_facts


def _found(claim: str, evidence: str) -> list[tuple[str, str]]:
    return [(item.claim, item.evidence) for item in check_facts(claim, evidence).mismatches if item.kind == "unit"]


@pytest.mark.parametrize(
    ("claim", "evidence", "found"),
    [
        ("It costs $5 per month.", "It costs $5 per user.", ("$5 per month", "$5 per user")),
        ("It costs $5 per user.", "It costs $5 per month.", ("$5 per user", "$5 per month")),
        (
            "The excess is €250 per year.",
            "The excess is €250 for each claim.",
            ("€250 per year", "€250 for each claim"),
        ),
        (
            "We pay 15 cents per quarter.",
            "We pay 15 cents per share in May.",
            ("15 cents per quarter", "15 cents per share"),
        ),
    ],
)
def test_for_each_of_another_thing(claim: str, evidence: str, found: tuple[str, str]) -> None:
    """The same number, and the claim's thing is nowhere in the evidence."""
    assert _found(claim, evidence) == [found]


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("It costs $5 per user.", "It costs $5 per user per month."),
        ("It costs $5 per month.", "It costs $5 per user, and is billed monthly."),
        ("It costs $5 per seat.", "It costs $5 per user."),
        ("It costs $5 per user.", "It costs $5."),
        ("It costs $5.", "It costs $5 per user."),
        ("It costs $60 per year.", "It costs $5 per month."),
        ("Reports are due every quarter.", "Reports are due every three months."),
        ("We pay 15 cents per quarter.", "We pay 15 cents per share every three months."),
        ("Give 5 mg per kg.", "Give 5 mg per kilogram."),
        ("It costs $5 per user.", "It costs $5 per month. Elsewhere, it costs $5 per user."),
    ],
)
def test_for_each_of_the_same(claim: str, evidence: str) -> None:
    """For each of more things, of the same in other words, or of nothing that is told."""
    assert _found(claim, evidence) == []
