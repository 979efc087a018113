"""Claims about those beyond a bound, where the evidence speaks of all others."""

import pytest

from secondpass.verify.facts.check import check_facts


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        (
            "Those who are 27 or older pay €4.",
            "The account is free for customers under 27; all others pay €4 per month.",
        ),
        (
            "Requests of more than €2,000 go to finance.",
            "Managers approve requests under €2,000; above that they go to finance.",
        ),
        ("Bags of at least 20 kg go as cargo.", "Bags under 20 kg travel free, otherwise they go as cargo."),
    ],
)
def test_the_rest_is_beyond_the_bound(claim: str, evidence: str) -> None:
    """What is said of all others is said of those beyond it."""
    checked = check_facts(claim, evidence)
    assert (checked.mismatches, checked.lacking) == ((), ())


@pytest.mark.parametrize(
    ("claim", "evidence", "found"),
    [
        (
            "The account is free for customers over 27.",
            "The account is free for customers under 27; all others pay €4.",
            "under 27",
        ),
        (
            "The account is free for customers over 30.",
            "The account is free for customers under 27; all others pay €4.",
            "under 27",
        ),
        ("The account is free for customers over 27.", "The account is free for customers under 27.", "under 27"),
    ],
)
def test_what_is_said_of_those_within_the_bound_is_not_said_of_the_rest(claim: str, evidence: str, found: str) -> None:
    """Neither with words of those within it, nor beyond another bound, nor where nothing is said of others."""
    assert [item.evidence for item in check_facts(claim, evidence).mismatches if item.kind == "number"] == [found]
