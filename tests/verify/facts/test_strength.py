"""Claims that say more than their evidence."""

import pytest

from secondpass.verify.facts.check import check_facts, read_facts


def _found(claim: str, evidence: str) -> list[tuple[str, str]]:
    mismatches = check_facts(claim, evidence).mismatches
    return [(item.claim, item.evidence) for item in mismatches if item.kind == "strength"]


@pytest.mark.parametrize(
    ("claim", "evidence", "found"),
    [
        ("All boats run at night.", "Some of the boats run at night.", ("All", "Some")),
        ("Every farm has a well.", "Most farms have a well.", ("Every", "Most")),
        ("Most boats run at night.", "Few boats run at night.", ("Most", "Few")),
        ("Only one of the mills grinds rye.", "Both mills grind rye.", ("Only one", "Both")),
        ("All boats run at night.", "Not all boats run at night.", ("All", "Not all")),
        ("You must peel the roots.", "The roots may be peeled.", ("must", "may")),
        ("Members have to pay by card.", "Members can pay by card.", ("have to", "can")),
    ],
)
def test_more_than_the_evidence_says(claim: str, evidence: str, found: tuple[str, str]) -> None:
    """All for some, one for both, and must for may, in the same place."""
    assert _found(claim, evidence) == [found]


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Some boats run at night.", "All boats run at night."),
        ("Rye is ground at both mills.", "Both mills grind rye."),
        ("All boats run at night.", "All boats run at night, and some run at noon."),
        ("All boats run at night.", "Some trains are late."),
        ("Members may pay by card.", "Members must pay by card."),
        ("The roots must not be peeled.", "The roots may be peeled."),
        ("Members must pay by card.", "Members may only pay by card."),
        ("Members must pay by card.", "Members may have to pay by card."),
        ("The roots must be dug in spring.", "The roots were dug on 3 May in spring."),
        ("Alle Boote fahren in der Nacht.", "Some of the boats run at night."),
        ("", ""),
    ],
)
def test_no_more_than_the_evidence_says(claim: str, evidence: str) -> None:
    """Less, the same in other words, other things, denials, and what may be done in one way only."""
    assert _found(claim, evidence) == []


@pytest.mark.parametrize("text", ["all", "They came, all", "It is only one", "not all"])
def test_the_last_words_of_a_text_are_its_last_tokens(text: str) -> None:
    """Nothing that is found goes beyond the end."""
    facts = read_facts(text)
    (found,) = facts.found["strength"]
    assert found.end == len(facts.read.tokens)
