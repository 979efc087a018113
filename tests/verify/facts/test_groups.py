"""Who alone may do something."""

import pytest

from secondpass.verify.facts.check import check_facts, read_facts
from secondpass.verify.facts.wording import in_words_of

ONLY = "Only tenants may park in the yard."


def _denied(claim: str, evidence: str) -> list[tuple[str, str]]:
    return [(item.claim, item.evidence) for item in check_facts(claim, evidence).mismatches if item.kind == "group"]


@pytest.mark.parametrize(
    ("claim", "evidence", "found"),
    [
        ("Non-tenants can park in the yard.", ONLY, ("Non-tenants can", "Only tenants may")),
        ("People who aren't tenants may park there.", ONLY, ("People who aren't tenants may", "Only tenants may")),
        (ONLY, "Non-tenants may park, too.", ("Only tenants may", "Non-tenants may")),
    ],
)
def test_what_is_kept_to_a_group(claim: str, evidence: str, found: tuple[str, str]) -> None:
    """It is not for others."""
    assert _denied(claim, evidence) == [found]


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Non-tenants can't park in the yard.", ONLY),
        ("Tenants may park in the yard.", ONLY),
        ("Non-tenants can wait in the yard.", ONLY),
        ("Non-tenants can park in the street.", ONLY),
        ("Non-residents can park in the yard.", ONLY),
        ("Non-tenants can park in the yard.", "Only tenants may not park in the yard."),
    ],
)
def test_what_others_may_do(claim: str, evidence: str) -> None:
    """Another act, another place, another group, and what those of the group may do."""
    assert _denied(claim, evidence) == []


@pytest.mark.parametrize(
    ("claim", "evidence", "expected"),
    [
        (ONLY, "Non-tenants may not park in the yard.", "Non-tenants may not park in the yard."),
        (ONLY, "People who are not tenants cannot park here.", "People who are not tenants cannot park in the yard."),
        ("Guests who are not tenants can't park.", ONLY, "Only tenants may park."),
        (ONLY, "Tenants may park in the yard.", ONLY),
    ],
)
def test_it_is_said_as_there(claim: str, evidence: str, expected: str) -> None:
    """Of the group, or of all others."""
    assert in_words_of(read_facts(claim), read_facts(evidence)) == expected
