"""Dates of a text: their words and their parts."""

from typing import Any

import pytest

from secondpass.verify.facts.check import check_facts, read_facts
from secondpass.verify.facts.dates import Date
from secondpass.verify.facts.kinds import DATES


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5 May 2019", [("5 May 2019", {"years": (2019, 2019), "month": 5, "day": 5})]),
        ("5 May", [("5 May", {"month": 5, "day": 5})]),
        ("5th of May, 2019", [("5th of May, 2019", {"years": (2019, 2019), "month": 5, "day": 5})]),
        ("May 5, 2019", [("May 5, 2019", {"years": (2019, 2019), "month": 5, "day": 5})]),
        ("May 5 2019", [("May 5 2019", {"years": (2019, 2019), "month": 5, "day": 5})]),
        ("May 5th", [("May 5th", {"month": 5, "day": 5})]),
        ("May 2019", [("May 2019", {"years": (2019, 2019), "month": 5})]),
        ("in May", [("May", {"month": 5})]),
        ("May was", []),
        ("may 5", []),
        ("Jan. 5", [("Jan. 5", {"month": 1, "day": 5})]),
        ("Jan. 5, 2019", [("Jan. 5, 2019", {"years": (2019, 2019), "month": 1, "day": 5})]),
        ("March. 5", [("March", {"month": 3})]),
        ("the 5th of May", [("5th of May", {"month": 5, "day": 5})]),
        ("05-Jan-2024", [("05-Jan-2024", {"years": (2024, 2024), "month": 1, "day": 5})]),
        ("5-Jan 2024", [("5-Jan 2024", {"years": (2024, 2024), "month": 1, "day": 5})]),
        (
            "24 and 25 December",
            [("24 and 25 December", {"month": 12, "day": 24}), ("24 and 25 December", {"month": 12, "day": 25})],
        ),
        (
            "24 to 26 December 2020",
            [
                ("24 to 26 December 2020", {"years": (2020, 2020), "month": 12, "day": 24}),
                ("24 to 26 December 2020", {"years": (2020, 2020), "month": 12, "day": 25, "is_span": True}),
                ("24 to 26 December 2020", {"years": (2020, 2020), "month": 12, "day": 26}),
            ],
        ),
        (
            "14-16 June",
            [
                ("14-16 June", {"month": 6, "day": 14}),
                ("14-16 June", {"month": 6, "day": 15, "is_span": True}),
                ("14-16 June", {"month": 6, "day": 16}),
            ],
        ),
        (
            "24 & 25 December",
            [("24 & 25 December", {"month": 12, "day": 24}), ("24 & 25 December", {"month": 12, "day": 25})],
        ),
        (
            "December 24 and 25",
            [("December 24 and 25", {"month": 12, "day": 24}), ("December 24 and 25", {"month": 12, "day": 25})],
        ),
        ("on May 5 and 10 people", [("May 5", {"month": 5, "day": 5})]),
        (
            "on May 5 and 10 in Rome",
            [("May 5 and 10", {"month": 5, "day": 5}), ("May 5 and 10", {"month": 5, "day": 10})],
        ),
        (
            "May 5 and 10, 2019",
            [
                ("May 5 and 10, 2019", {"years": (2019, 2019), "month": 5, "day": 5}),
                ("May 5 and 10, 2019", {"years": (2019, 2019), "month": 5, "day": 10}),
            ],
        ),
        ("32 May", []),
        ("2019", [("2019", {"years": (2019, 2019)})]),
        ("in 2019", [("2019", {"years": (2019, 2019)})]),
        ("2019 people", []),
        ("the 2019 elections", [("2019", {"years": (2019, 2019)})]),
        ("the 1500 elections", []),
        ("1500 elections", []),
        ("in 1500", [("1500", {"years": (1500, 1500)})]),
        ("1599", []),
        ("1600", [("1600", {"years": (1600, 1600)})]),
        ("1000", []),
        ("999", []),
        ("2100", [("2100", {"years": (2100, 2100)})]),
        ("2101", []),
        ("$2019", []),
        ("2019 km", []),
        ("1990s", [("1990s", {"years": (1990, 1999)})]),
        ("the 1990s", [("1990s", {"years": (1990, 1999)})]),
        ("1900s", [("1900s", {"years": (1900, 1999)})]),
        ("'90s", [("90s", {"years": (1990, 1999)})]),
        ("90s", []),
        ("'95s", []),
        ("1995s", []),
        (
            "1990-95",
            [
                ("1990", {"years": (1990, 1990)}),
                ("95", {"years": (1995, 1995)}),
                ("1990-95", {"years": (1990, 1995), "is_span": True}),
            ],
        ),
        (
            "1990-1995",
            [
                ("1990", {"years": (1990, 1990)}),
                ("1995", {"years": (1995, 1995)}),
                ("1990-1995", {"years": (1990, 1995), "is_span": True}),
            ],
        ),
        ("1995-1990", [("1995", {"years": (1995, 1995)}), ("1990", {"years": (1990, 1990)})]),
        ("1990 - 95", [("1990", {"years": (1990, 1990)})]),
        (
            "1990\u20131995",
            [
                ("1990", {"years": (1990, 1990)}),
                ("1995", {"years": (1995, 1995)}),
                ("1990\u20131995", {"years": (1990, 1995), "is_span": True}),
            ],
        ),
        (
            "from 1990 to 1995",
            [
                ("1990", {"years": (1990, 1990)}),
                ("1995", {"years": (1995, 1995)}),
                ("1990 to 1995", {"years": (1990, 1995), "is_span": True}),
            ],
        ),
        ("1990 to 1995", [("1990", {"years": (1990, 1990)}), ("1995", {"years": (1995, 1995)})]),
        (
            "between 1990 and 1995",
            [
                ("1990", {"years": (1990, 1990)}),
                ("1995", {"years": (1995, 1995)}),
                ("1990 and 1995", {"years": (1990, 1995), "is_span": True}),
            ],
        ),
        ("1990-9", [("1990", {"years": (1990, 1990)})]),
        ("1990-995", [("1990", {"years": (1990, 1990)})]),
        ("2000-2150", [("2000", {"years": (2000, 2000)})]),
        ("12.05.2019", [("12.05.2019", {"years": (2019, 2019), "month": 5, "day": 12})]),
        ("5/4/2019", [("5/4/2019", {"years": (2019, 2019), "days": frozenset({(4, 5), (5, 4)})})]),
        ("13/4/2019", [("13/4/2019", {"years": (2019, 2019), "month": 4, "day": 13})]),
        ("4/13/2019", [("4/13/2019", {"years": (2019, 2019), "month": 4, "day": 13})]),
        ("5/5/2019", [("5/5/2019", {"years": (2019, 2019), "month": 5, "day": 5})]),
        ("2019-05-12", [("2019-05-12", {"years": (2019, 2019), "month": 5, "day": 12})]),
        ("2019.05.12", [("2019.05.12", {"years": (2019, 2019), "month": 5, "day": 12})]),
        ("2019-13-12", []),
        ("2019-05-32", []),
        ("12.05.2020.7", []),
        ("2019-05-12T", [("2019-05-12", {"years": (2019, 2019), "month": 5, "day": 12})]),
        ("1.2.3.2019", []),
        ("31.12.2019", [("31.12.2019", {"years": (2019, 2019), "month": 12, "day": 31})]),
        ("0/5/2019", []),
        ("19th century", [("19th century", {"years": (1801, 1900)})]),
        ("the third or fourth century", [("third", {"years": (201, 300)}), ("fourth century", {"years": (301, 400)})]),
        ("third and fifth century", [("third", {"years": (201, 300)}), ("fifth century", {"years": (401, 500)})]),
        ("3rd century BC", [("3rd century BC", {"years": (-300, -201)})]),
        ("22nd century", []),
        ("21st century", [("21st century", {"years": (2001, 2100)})]),
        ("first century", [("first century", {"years": (1, 100)})]),
        ("nineteenth-century", [("nineteenth-century", {"years": (1801, 1900)})]),
        ("19th of", []),
        ("AD 49", [("AD 49", {"years": (49, 49)})]),
        ("49 BC", [("49 BC", {"years": (-49, -49)})]),
        ("49 BCE people", [("49 BCE", {"years": (-49, -49)})]),
        ("49 ad", []),
        ("500 BC", [("500 BC", {"years": (-500, -500)})]),
        ("12345 BC", []),
        ("ad 49", []),
        ("AD forty", []),
        ("Monday", [("Monday", {"weekday": 0})]),
        ("Mondays", [("Mondays", {"weekday": 0})]),
        ("monday", []),
        (
            "on Tuesday 5 May 2020",
            [("Tuesday", {"weekday": 1}), ("5 May 2020", {"years": (2020, 2020), "month": 5, "day": 5})],
        ),
        ("Dec 25", [("Dec 25", {"month": 12, "day": 25})]),
        ("a Dec", []),
        ("by Dec", [("Dec", {"month": 12})]),
        ("mar", []),
        ("Mar 5", [("Mar 5", {"month": 3, "day": 5})]),
        ("in march", []),
        ("next March", [("March", {"month": 3})]),
        ("March on", []),
        ("March 5", [("March 5", {"month": 3, "day": 5})]),
        ("5 of May", [("5 of May", {"month": 5, "day": 5})]),
        ("5 and May", [("May", {"month": 5})]),
        ("May of 2019", [("2019", {"years": (2019, 2019)})]),
        ("May in 2019", [("2019", {"years": (2019, 2019)})]),
        ("May, 2019", [("2019", {"years": (2019, 2019)})]),
        ("5 May, 2019", [("5 May, 2019", {"years": (2019, 2019), "month": 5, "day": 5})]),
        ("5 May,2019", [("5 May,2019", {"years": (2019, 2019), "month": 5, "day": 5})]),
        ("1700 seats", []),
        ("the 1700 seats", [("1700", {"years": (1700, 1700)})]),
        ("in 1700 seats", [("1700", {"years": (1700, 1700)})]),
        ("from 1700 seats", []),
        ("during 1700 seats", [("1700", {"years": (1700, 1700)})]),
        ("~2019", []),
        ("=2019", []),
        ("1800 men", []),
        (
            "May 5 to 7",
            [
                ("May 5 to 7", {"month": 5, "day": 5}),
                ("May 5 to 7", {"month": 5, "day": 6, "is_span": True}),
                ("May 5 to 7", {"month": 5, "day": 7}),
            ],
        ),
        ("5 to May 7", [("May 7", {"month": 5, "day": 7})]),
        ("2019 and 2020", [("2019", {"years": (2019, 2019)}), ("2020", {"years": (2020, 2020)})]),
        (
            "3/4/1999 and 1998",
            [
                ("3/4/1999", {"years": (1999, 1999), "days": frozenset({(3, 4), (4, 3)})}),
                ("1998", {"years": (1998, 1998)}),
            ],
        ),
        ("June the 5th", [("June the 5th", {"month": 6, "day": 5})]),
        ("May 005", [("May", {"month": 5})]),
        ("AD 12345", []),
        ("12-13 BC", [("13 BC", {"years": (-13, -13)})]),
        ("Q3 2019", [("Q3", {"quarter": 3}), ("2019", {"years": (2019, 2019)})]),
        ("2Q 2019", [("2Q", {"quarter": 2}), ("2019", {"years": (2019, 2019)})]),
        ("fourth-quarter sales", [("fourth-quarter", {"quarter": 4})]),
        ("the fifth quarter", []),
        ("Q7", []),
        ("the first quarters", []),
        ("since '94", [("94", {"years": (1994, 1994)})]),
        ("in \u201905", [("05", {"years": (2005, 2005)})]),
        ("5 May '21", [("5 May '21", {"years": (2021, 2021), "month": 5, "day": 5})]),
        ("in '94er", []),
        ("he said '12 men'", []),
    ],
)
def test_dates_of_a_text(text: str, expected: list[tuple[str, dict[str, Any]]]) -> None:
    """Days, months, years, weekdays, decades, centuries and eras; what only looks like one is none."""
    facts = read_facts(text)
    found = list(DATES.of(facts))
    assert [facts.read.words(item.first, item.end) for item in found] == [words for words, _ in expected]
    assert found == [Date(item.first, item.end, **parts) for item, (_, parts) in zip(found, expected, strict=True)]


@pytest.mark.parametrize(
    ("text", "years"),
    [("in the 80s", [(1980, 1989)]), ("in the late 80s", [(1980, 1989)]), ("in his 80s", []), ("in the low 80s", [])],
)
def test_decades_of_two_figures(text: str, years: list[tuple[int, int]]) -> None:
    """They need no apostrophe behind "the"; an age, or how warm it is, is none."""
    assert [date.years for date in DATES.of(read_facts(text))] == years


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("It is not open on Sundays.", "It is open on Mondays."),
        ("It was not finished in May 1998.", "It was finished in June 1998."),
        ("It wasn't built in 1850.", "It was built in 1870."),
    ],
)
def test_what_is_denied_goes_with_another_date(claim: str, evidence: str) -> None:
    """Not on Sundays, but on Mondays: nothing that the evidence has otherwise."""
    assert [item for item in check_facts(claim, evidence).mismatches if item.kind == "date"] == []
