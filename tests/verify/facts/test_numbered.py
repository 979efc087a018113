"""Things that have a number for a name."""

import pytest

from secondpass.verify.facts.check import check_facts, read_facts
from secondpass.verify.facts.kinds import NUMBERED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("section 4", [("section 4", "section", "4")]),
        ("Section 4", [("Section 4", "section", "4")]),
        ("section IV", [("section IV", "section", "4")]),
        ("section I", []),
        ("Section I", [("Section I", "section", "1")]),
        ("World War I", [("War I", "war", "1")]),
        ("war I", []),
        ("World War II", [("War II", "war", "2")]),
        ("World War X", [("War X", "war", "10")]),
        ("World War L", [("War L", "war", "50")]),
        ("section four", []),
        ("section Four", [("section Four", "section", "4")]),
        ("section Twenty", [("section Twenty", "section", "20")]),
        ("section twenty", []),
        ("Python 3.11", [("Python 3.11", "python", "3.11")]),
        ("Python 3.11 is", [("Python 3.11", "python", "3.11")]),
        ("Scoring 5 goals", []),
        ("Scoring 5", [("Scoring 5", "scor", "5")]),
        ("Scoring 5 of them", [("Scoring 5", "scor", "5")]),
        ("It scored Goals 5 of", [("Goals 5", "goal", "5")]),
        ("v2.1", [("v2.1", "version", "2.1")]),
        ("v 2.1", []),
        ("a v2", [("v2", "version", "2")]),
        ("av2", []),
        ("-v2", [("v2", "version", "2")]),
        ("No. 5", [("No. 5", "no", "5")]),
        ("no 5", [("no 5", "no", "5")]),
        ("version 3.1", [("version 3.1", "version", "3.1")]),
        ("Version 3", [("Version 3", "version", "3")]),
        ("use Add 3 eggs", []),
        ("In Berlin 500 people", [("Berlin 500", "berlin", "500")]),
        ("Model 1995", []),
        ("Boeing 1995", []),
        ("BMW 1995", []),
        ("B 1995", []),
        ("model 1,500", []),
        ("section 4 km", []),
        ("section 4 %", []),
        ("section 4%", []),
        ("section 4 million", []),
        ("section 999", [("section 999", "section", "999")]),
        ("Boeing 999", [("Boeing 999", "boe", "999")]),
        ("Boeing 1000", []),
        ("Boeing 2100", []),
        ("Boeing 2101", [("Boeing 2101", "boe", "2101")]),
        ("about 5", []),
        ("The 5", []),
        ("chapter\n\n5", []),
        ("Chapter. 5", []),
        ("section 4.2.1", [("section 4.2.1", "section", "4.2.1")]),
        ("episode XII", [("episode XII", "episod", "12")]),
        ("Henry VIII", [("Henry VIII", "henry", "8")]),
        ("Henry V", [("Henry V", "henry", "5")]),
        ("Henry C", []),
        ("the V", []),
        ("Type 2", [("Type 2", "typ", "2")]),
        ("RFC 2616", [("RFC 2616", "rfc", "2616")]),
        ("It costs EUR 10", []),
        ("Open 24/7", []),
        ("CHF 10 is due", []),
        ("It costs Rs. 10", []),
    ],
)
def test_numbered_things_of_a_text(text: str, expected: list[tuple[str, str, str]]) -> None:
    """Their words, what is numbered, and the number in digits; what is counted, measured or a year is none."""
    facts = read_facts(text)
    found = [(facts.read.words(item.first, item.end), item.head, item.number) for item in NUMBERED.of(facts)]
    assert found == expected


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("It costs EUR 10.", "It costs 10 euros."),
        ("It costs 10 euros.", "It costs EUR 10."),
        ("It costs CHF 10.", "It costs 10 Swiss francs."),
    ],
)
def test_an_amount_behind_its_currency_is_no_numbered_thing(claim: str, evidence: str) -> None:
    """It is the same amount as with the currency's name behind it, and another one is told apart."""
    assert check_facts(claim, evidence).missing == check_facts(claim, evidence).mismatches == ()
    (other,) = check_facts(claim, evidence.replace("10", "12")).mismatches
    assert (other.kind, "10" in other.claim, "12" in other.evidence) == ("number", True, True)


@pytest.mark.parametrize(
    ("claim", "evidence", "missing"),
    [
        ("Step 1: Preheat the oven.", "Preheat the oven.", False),
        ("Tip 2: Drink water.", "Drink water.", False),
        ("Version 2: Drink water.", "Drink water.", True),
        ("Drink water in step 2.", "Drink water.", True),
        ("Chapter 3 covers it.", "It is covered by chapter three.", False),
        ("Chapter 4 covers it.", "It is covered by chapter three.", True),
    ],
)
def test_what_an_answer_numbers_by_itself_needs_no_evidence(claim: str, evidence: str, missing: bool) -> None:
    """Nor does a number that the evidence has in a word."""
    assert bool(check_facts(claim, evidence).missing) is missing


def test_steps_are_compared_with_those_of_the_evidence() -> None:
    """Where the evidence numbers its steps, a claim that begins with another number is denied."""
    (found,) = check_facts("Step 3: Preheat the oven.", "Step 1: Mix. Step 2: Preheat the oven.").mismatches
    assert (found.kind, found.claim, found.evidence) == ("number", "Step 3", "Step 2")
