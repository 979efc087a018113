"""Days of the week, and what names several of them."""

import pytest

from secondpass.verify.facts.check import check_facts, read_facts
from secondpass.verify.facts.kinds import DATES
from secondpass.verify.facts.wording import in_words_of


def _days(text: str) -> str:
    days = sorted({date.weekday for date in DATES.of(read_facts(text)) if date.weekday is not None})
    return "".join("MTWTFSS"[day] + str(day) for day in days)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Open Monday to Thursday.", "M0T1W2T3"),
        ("Open Mon-Wed.", "M0T1W2"),
        ("Open Friday through Sunday.", "F4S5S6"),
        ("Open Saturday to Monday.", "M0S5S6"),
        ("Open on Mondays and Thursdays.", "M0T3"),
        ("Open every day.", "M0T1W2T3F4S5S6"),
        ("Open daily except Sundays.", "M0T1W2T3F4S5"),
        ("Open every day but Monday and Tuesday.", "W2T3F4S5S6"),
        ("Open on weekdays.", "M0T1W2T3F4"),
        ("Open at weekends.", "S5S6"),
        ("Open every year.", ""),
        ("The sun is out daily at noon, except in May.", "M0T1W2T3F4S5S6"),
    ],
)
def test_days_that_are_named(text: str, expected: str) -> None:
    """Those between two days, all but some, and those of a week's two parts."""
    assert _days(text) == expected


@pytest.mark.parametrize(
    ("claim", "evidence", "expected"),
    [
        ("It opens on Wednesdays.", "It opens Monday to Saturday.", "It opens on Monday to Saturday."),
        ("It opens on Tuesday.", "It opens every day except Monday.", "It opens on every day except Monday."),
        ("It opens on Sunday.", "It opens Monday to Saturday.", "It opens on Sunday."),
    ],
)
def test_a_day_among_others_is_read_as_they_are(claim: str, evidence: str, expected: str) -> None:
    """A model reads the range that a day lies in."""
    assert in_words_of(read_facts(claim), read_facts(evidence)) == expected


def test_a_day_among_others_is_found() -> None:
    """It is no other day than those at the ends; one outside of them is."""
    assert check_facts("It opens on Wednesdays.", "It opens Monday to Saturday.").mismatches == ()
    (outside,) = check_facts("It opens on Sundays.", "It opens Monday to Saturday.").mismatches
    assert (outside.claim, outside.kind) == ("Sundays", "date")


def test_what_names_several_days_still_counts() -> None:
    """How often a day is compared as before."""
    (other,) = check_facts("Take it twice daily.", "Take it three times daily.").mismatches
    assert (other.claim, other.evidence) == ("twice", "three times")
