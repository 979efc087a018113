"""Values of a record that a claim has otherwise."""

import pytest

from secondpass.verify.facts import check_facts
from secondpass.verify.facts.kind import Kinds
from secondpass.verify.facts.kinds import NEGATIONS

ROOM = "Room: Suite; Beds: 2; Breakfast: no; Sea view: yes."
TRIP = "Ship: Aino; from: Turku; to: Riga; cabins: 90."
DEAL = "deed: 41; seller: Hedda Roth; buyer: Ivo Lang; registered: no."

LINES = """Lease 7
- Landlord: Hedda Roth, Turku
- **Tenant:** Ivo Lang
Guarantor: Nils Ek (since May)
Paid: no
It ends in June."""


def found(claim: str, evidence: str) -> list[tuple[str, str]]:
    """Return what a claim has otherwise, be it a value or a denial, with what the evidence has."""
    check = check_facts(claim, evidence)
    return [(item.kind, item.evidence) for item in check.mismatches if item.kind in {"value", "negation"}]


@pytest.mark.parametrize(
    ("claim", "evidence", "there"),
    [
        ("Breakfast is included in the suite.", ROOM, ["Breakfast: no"]),
        ("The suite does not have a sea view.", ROOM, ["Sea view: yes"]),
        ("The suite has a sea view and breakfast.", ROOM, ["Breakfast: no"]),
        ("The suite has breakfast but no sea view.", ROOM, ["Breakfast: no", "Sea view: yes"]),
        ("The deed is registered.", DEAL, ["registered: no"]),
        ("The Aino sails from Riga to Turku.", TRIP, ["from: Turku", "to: Riga"]),
        ("The Aino goes to Turku.", TRIP, ["from: Turku", "to: Riga"]),
        ("The destination is Turku.", TRIP, ["from: Turku", "to: Riga"]),
        ("The Aino starts in Riga.", TRIP, ["from: Turku", "to: Riga"]),
        ("The buyer is Hedda Roth.", DEAL, ["buyer: Ivo Lang"]),
        ("Ivo Lang is the seller.", DEAL, ["seller: Hedda Roth"]),
        ("The seller Ivo Lang has signed.", DEAL, ["seller: Hedda Roth"]),
        ("The guarantor is Ivo Lang.", LINES, ["Guarantor: Nils Ek"]),
        ("Ivo Lang is the landlord.", LINES, ["Landlord: Hedda Roth"]),
    ],
)
def test_what_a_record_has_otherwise(claim: str, evidence: str, there: list[str]) -> None:
    """A yes for its no, one end of the way for the other one, or the value of another field."""
    assert [held for kind, held in found(claim, evidence) if kind == "value"] == there


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Breakfast is not included in the suite.", ROOM),
        ("The suite has a sea view.", ROOM),
        ("The suite has a sea view, but no breakfast.", ROOM),
        ("The suite has a sea view and no breakfast.", ROOM),
        ("The suite comes without breakfast.", ROOM),
        # It may speak of another record, or of two.
        ("Breakfast is included in the double room.", ROOM),
        ("Unlike the suite, the double room has breakfast.", ROOM),
        ("Breakfast in the suite is optional.", ROOM),
        ("The Aino sails from Turku to Riga.", TRIP),
        ("The Aino sails to Riga and back to Turku.", TRIP),
        ("The Aino was built in Riga.", TRIP),
        ("Hedda Roth sold it to the buyer Ivo Lang.", DEAL),
        ("The seller is Hedda Roth, and the buyer Ivo Lang.", DEAL),
        ("Hedda Roth met the buyer.", DEAL),
        ("The tenant is Ivo Lang.", LINES),
        ("The landlord, Hedda Roth, wrote to the tenant.", LINES),
        ("The landlord of Ivo Lang is Hedda Roth.", LINES),
        ("The rent is paid.", LINES),
        # No record, or not only one.
        ("Breakfast is included in the suite.", f"{ROOM}\nSince May it is."),
        ("The buyer is Hedda Roth.", "The seller: Hedda Roth."),
    ],
)
def test_what_a_record_does_not_have_otherwise(claim: str, evidence: str) -> None:
    """What agrees with it, and what may be said of something else."""
    assert found(claim, evidence) == []


def test_denials_are_found_where_values_are_not_looked_for() -> None:
    """A set of kinds need not have both."""
    check = check_facts("The hall is not open.", "The hall is open.", Kinds((NEGATIONS,)))
    assert [item.kind for item in check.mismatches] == ["negation"]
