"""On which days something is open or closed."""

import pytest

from secondpass.verify.facts.check import check_facts, read_facts
from secondpass.verify.facts.wording import in_words_of

MILL = "The old mill is open Monday to Friday from 9 to 5 pm and on Saturday from 9 to 12. Tours start at noon."
TWO = "The pool is open Monday to Friday, the sauna on Saturdays."


def _denied(claim: str, evidence: str) -> list[str]:
    return [item.claim for item in check_facts(claim, evidence).mismatches if item.kind == "opening"]


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("The mill is closed on Saturdays.", MILL),
        ("The mill is closed on Wednesdays.", MILL),
        ("On Saturdays the mill is closed.", MILL),
        ("It is closed on Saturdays.", MILL),
        ("The pool is closed on Mondays.", TWO),
        ("The mill is closed at the weekend.", "The mill is open daily."),
        ("The mill isn't open on Thursdays.", MILL),
        ("The mill is not closed on Mondays.", "The mill is closed on Mondays."),
        ("The mill is open on Mondays.", "The mill is closed on Mondays."),
    ],
)
def test_the_other_one_on_that_day(claim: str, evidence: str) -> None:
    """A day among those on which the evidence has it the other way round."""
    assert len(_denied(claim, evidence)) == 1


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("The mill is closed on Sundays.", MILL),
        ("The mill is open on Saturdays.", MILL),
        ("The sauna is closed on Mondays.", TWO),
        ("The pool is closed on Saturdays.", TWO),
        ("The café is closed on Saturdays.", MILL),
        ("The mill is not closed on Saturdays.", MILL),
        ("The mill is closed on Mondays.", "The mill is open on Mondays only in May."),
        ("The mill is closed at weekends.", MILL),
        ("The mill is closed on Mondays and Saturdays.", MILL),
    ],
)
def test_nothing_is_denied(claim: str, evidence: str) -> None:
    """Other days, other places, denials, limits and several days."""
    assert _denied(claim, evidence) == []


@pytest.mark.parametrize(
    ("claim", "evidence", "expected"),
    [
        ("The mill is closed on Tuesdays.", "It is open Friday to Sunday.", "The mill is closed on Tuesdays."),
        (
            "The mill is closed on Tuesdays.",
            "The mill is open Friday to Sunday.",
            "The mill is open on Friday to Sunday.",
        ),
        ("It is closed at the weekend.", "It is open Monday to Friday.", "It is open at the Monday to Friday."),
        ("The mill is closed on Sundays.", "The mill is open on Mondays.", "The mill is closed on Sundays."),
        ("The mill is closed on Sundays.", "The mill is open daily.", "The mill is closed on daily."),
        (
            "The mill isn't open on Sundays.",
            "The mill is open Friday and Saturday.",
            "The mill is open on Friday and Saturday.",
        ),
        (
            "The mill is not open on Sundays.",
            "The mill is open Monday to Friday.",
            "The mill is open on Monday to Friday.",
        ),
        ("The mill is closed on Mondays.", TWO, "The mill is closed on Monday."),
    ],
)
def test_closed_is_open_on_the_others(claim: str, evidence: str, expected: str) -> None:
    """Where the evidence has several days on which it is open, and does not speak of that one."""
    assert in_words_of(read_facts(claim), read_facts(evidence)) == expected
