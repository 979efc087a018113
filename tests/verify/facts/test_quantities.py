"""Numbers as they are written, their units and bounds, and dates."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.verify.facts import dates
from secondpass.verify.facts.check import read_facts
from secondpass.verify.facts.kinds import DATES, NUMBERS
from secondpass.verify.facts.quantities.agreement import agree
from secondpass.verify.facts.quantities.numerals import Figures, roman
from secondpass.verify.facts.quantities.quantity import Quantity


def _read(text: str) -> tuple[list[Quantity], list[Quantity]]:
    """Return the quantities of a text: those that say how many, and the vague ones."""
    found = NUMBERS.of(read_facts(text))
    return [item for item in found if not item.is_vague], [item for item in found if item.is_vague]


def _quantity(text: str) -> Quantity:
    found, _ = _read(text)
    assert len(found) == 1, found
    return found[0]


class TestNumerals:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("1,035,496", 1035496),
            ("1\u00a0035\u00a0496", 1035496),
            ("1.035.496", 1035496),
            ("3,5", 3.5),
            ("3.25", 3.25),
            ("1.2 million", 1.2e6),
            ("1.2-million", 1.2e6),
            ("3bn", 3e9),
            ("12k", 12000),
            ("twenty-five", 25),
            ("thirty - three", 33),
            ("two dozen", 24),
            ("a hundred and two", 102),
            ("one hundred and twenty thousand five hundred and six", 120506),
            ("5 hundred thousand", 500000),
            ("half", 0.5),
            ("half a million", 500000),
            ("two-thirds", 2 / 3),
            ("one third of", 1 / 3),
            ("three quarters", 0.75),
            ("½", 0.5),
            ("2½", 2.5),
            ("2 1/2", 2.5),
            ("one and a half", 1.5),
            ("two-and-a-half million", 2.5e6),
            ("a million and a half", 1.5e6),
            ("one and a half dozen", 18),
            ("two and three quarters", 2.75),
            ("one and a third hours", 4 / 3),
            ("a quarter of a million", 250000),
            ("half-dozen", 6),
            ("one point five million", 1.5e6),
            ("nought point two five", 0.25),
            ("21st", 21),
            ("twenty-first", 21),
        ],
    )
    def test_is_read(self, text: str, value: float) -> None:
        """Digits with either separator, scales, words, fractions and ordinals."""
        numeral = Figures(text).numeral(0)
        assert numeral is not None
        assert numeral.value == pytest.approx(value, rel=1e-12)

    @pytest.mark.parametrize(
        "text", ["1.2.3", "a third person", "a few", "hundred", "km", "9/11", "1" * 30, "half-brother"]
    )
    def test_is_no_number(self, text: str) -> None:
        """Versions, persons, dates with a stroke and endless digits are none."""
        assert Figures(text).numeral(0) is None

    @given(st.integers(0, 999_999))
    def test_words_of_any_number(self, number: int) -> None:
        """Every number up to a million is read from its English words."""
        numeral = Figures(_spelled(number)).numeral(0)
        assert numeral is not None
        assert numeral.value == number

    @pytest.mark.parametrize(
        ("text", "value"), [("XIV", 14), ("MCMXCIX", 1999), ("IIII", None), ("", None), ("Mix", None)]
    )
    def test_roman(self, text: str, value: int | None) -> None:
        """Only what is written by the rules is a Roman numeral."""
        assert roman(text) == value


_SMALL = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_SMALL += [f"{root}teen" for root in ("thir", "four", "fif", "six", "seven", "eigh", "nine")]
_TENS = [f"{root}ty" for root in ("twen", "thir", "for", "fif", "six", "seven", "eigh", "nine")]


def _spelled(number: int) -> str:
    if number < 20:
        return _SMALL[number]
    if number < 100:
        return _TENS[number // 10 - 2] + (f"-{_SMALL[number % 10]}" if number % 10 else "")
    size, word = (100, "hundred") if number < 1000 else (1000, "thousand")
    rest = f" and {_spelled(number % size)}" if number % size and size == 100 else ""
    if number % size and size == 1000:
        rest = f" {_spelled(number % size)}"
    return f"{_spelled(number // size)} {word}{rest}"


class TestQuantities:
    @pytest.mark.parametrize(
        ("text", "low", "high", "unit"),
        [
            ("5 km", 5, 5, "km"),
            ("a 20-year-old dog", 20, 20, "year"),
            ("half an hour", 0.5, 0.5, "h"),
            ("a half-hour show", 0.5, 0.5, "h"),
            ("a quarter of an hour", 0.25, 0.25, "h"),
            ("three quarters of an hour", 0.75, 0.75, "h"),
            ("an hour and a half", 1.5, 1.5, "h"),
            ("two years and a half", 2.5, 2.5, "year"),
            ("two and three quarter miles", 2.75, 2.75, "mi"),
            ("half a point", 0.5, 0.5, ""),
            ("a quarter of a point", 0.25, 0.25, ""),
            ("50 basis points", 50, 50, "bp"),
            ("the last three quarters", 3, 3, ""),
            ("three quarters of them", 0.75, 0.75, "ratio"),
            ("two or three hundred people", 200, 300, ""),
            ("two to three hundred people", 200, 300, ""),
            ("from one to two hundred people", 1, 200, ""),
            ("thirty-plus years", 30, math.inf, "year"),
            ("a hundred or so people", 100, 100, ""),
            ("twice", 2, 2, "times"),
            ("once a day", 1, 1, "times a day"),
            ("three times weekly", 3, 3, "times a week"),
            ("a tenfold rise", 10, 10, "times"),
            ("120 km/h", 120, 120, "km/h"),
            ("10,000 m²", 10000, 10000, "m²"),
            ("a frost of -5 °C", -5, -5, "°C"),
            ("50 degrees Fahrenheit", 50, 50, "°F"),
            ("two-thirds", 2 / 3, 2 / 3, "ratio"),
            ("12 per cent", 12, 12, "%"),
            ("$5m", 5e6, 5e6, "$"),
            ("5 million U.S. dollars", 5e6, 5e6, "$"),
            ("$5-10 million", 5e6, 1e7, "$"),
            ("between 5 and 10 kg", 5, 10, "kg"),
            ("5 to 10 minutes", 5, 10, "min"),
            ("8\u201312 hours", 8, 12, "h"),
            ("at least 5 people", 5, math.inf, ""),
            ("no fewer than five people", 5, math.inf, ""),
            ("five or more people", 5, math.inf, ""),
            ("5+ people", 5, math.inf, ""),
            ("more than 5 km", 5, math.inf, "km"),
            ("up to 10%", -math.inf, 10, "%"),
            ("a limit of 10 MB", -math.inf, 10, "MB"),
            ("capped at ten members", -math.inf, 10, ""),
            ("a lower limit of 10 kg", 10, math.inf, "kg"),
            ("an age limit of 10", 10, 10, ""),
            ("no more than a dozen eggs", -math.inf, 12, ""),
            ("the 21st time", 21, 21, "ordinal"),
        ],
    )
    def test_is_read_with_its_unit(self, text: str, low: float, high: float, unit: str) -> None:
        """Units in words and signs, ranges, bounds, money."""
        found = _quantity(text)
        assert (found.low, found.high, found.unit.name) == (pytest.approx(low), pytest.approx(high), unit)

    @pytest.mark.parametrize(
        ("text", "low", "high", "unit"),
        [
            ("a couple of days", 2, 2, "day"),
            ("a couple hundred people", 200, 200, ""),
            ("several miles", 2, math.inf, "mi"),
            ("a few thousand people", 2000, math.inf, ""),
            ("dozens of people", 24, math.inf, ""),
            ("hundreds of thousands of dollars", 200000, math.inf, "$"),
            ("up to several hundred people", -math.inf, math.inf, ""),
            ("sixty-odd people", 60, 60, ""),
            ("half of the team", 0.5, 0.5, "ratio"),
            ("once or twice", 2, 2, "times"),
        ],
    )
    def test_what_is_vague_is_apart(self, text: str, low: float, high: float, unit: str) -> None:
        """What may be several numbers is no fact to look for, but it is read."""
        sure, vague = _read(text)
        assert sure == []
        assert [(item.low, item.high, item.unit.name) for item in vague] == [(low, high, unit)]

    def test_a_score_is_no_range(self) -> None:
        """What falls is two numbers."""
        assert [(item.low, item.high) for item in _read("a 6-4 win")[0]] == [(6, 6), (4, 4)]

    @pytest.mark.parametrize(
        "text",
        [
            "one of them",
            "the one she saw",
            "half of what he says",
            "half the team",
            "half a century",
            "the couple and another half",
            "half of it",
            "a split second",
            "it took a second",
            "frames per second",
            "once there was a king",
            "os.path and utf-8 and x86_64",
            "COVID-19",
            "see [1] and [2, 3]",
            "https://example.org/2/3?page=4",
            "/usr/lib/python3/4",
            "version 1.2.3",
            "0x1f and dead0beef1",
            "Python 3.11",
            "RFC 2616",
            "Section 4",
            "World War II",
            "3. Mix it well.",
        ],
    )
    def test_identifiers_and_pronouns_count_nothing(self, text: str) -> None:
        """Names with figures in them are no quantities."""
        assert _read(text)[0] == []


_VAGUE = ["several", "a few", "few", "many", "hundreds of", "dozens of", "a couple of", "sixty-odd", "several dozen"]


def _any_quantity(text: str) -> Quantity:
    sure, vague = _read(text)
    found = [*sure, *vague]
    assert len(found) == 1, found
    return found[0]


class TestAgreement:
    @pytest.mark.parametrize(
        ("claim", "evidence", "says"),
        [
            ("1 km", "1000 metres", True),
            ("100 km", "62 miles", True),
            ("20 kg", "44 lb", True),
            ("32 °F", "0 °C", True),
            ("90 minutes", "1.5 hours", True),
            ("24 months", "2 years", True),
            ("1 GB", "1024 MB", True),
            ("29 tonnes", "29 tons", True),
            ("25 dogs", "twenty-five dogs", True),
            ("about 1.2 million", "1,234,567", True),
            ("1.2 million", "1,234,567", True),
            ("nearly 30", "29", True),
            ("50 km", "49.72 km", True),
            ("1,234,567", "about 1.2 million", None),
            ("1,234,567", "1,234,568", False),
            ("3 billion", "2.6 billion", False),
            ("5 km", "5 miles", False),
            ("at least 5", "7", True),
            ("at least 5", "3", False),
            ("at least 5", "the minimum is 7", False),
            ("up to 10", "7", None),
            ("up to 10", "a limit of 10", True),
            ("up to 10", "a limit of 7", False),
            ("up to 10", "limited to 7", False),
            ("up to 10", "the maximum is 7", False),
            ("the limit is 10", "a cap of 10", True),
            ("the limit is 7", "a cap of 10", False),
            ("the lower limit is 10", "at least 10", True),
            ("the age limit is 10", "at least 10", True),
            ("at least 5", "at most 5", False),
            ("more than 5", "fewer than 5", False),
            ("more than 5", "more than 3", None),
            ("up to 10", "12", False),
            ("between 5 and 10", "7", True),
            ("7", "between 5 and 10", None),
            ("12", "between 5 and 10", False),
            ("8-12 hours", "8-13 hours", False),
            ("third", "fourth", False),
            ("half a million", "512,000", True),
            ("512,000", "half a million", None),
            ("two and a half million", "2,480,000", True),
            ("a quarter of the voters", "26%", True),
            ("nearly half of the voters", "45%", True),
            ("two thirds of the voters", "a quarter of the voters", False),
            ("half a percentage point", "50 basis points", True),
            ("90 minutes", "an hour and a half", True),
            ("two or three hundred", "three or four hundred", None),
            ("twice a day", "three times a day", False),
            ("twice a day", "14 times a week", True),
            ("twice a day", "13 times a week", None),
            ("once a year", "monthly", False),
            ("monthly", "12 times a year", True),
            ("half past six", "18:30", True),
            ("noon", "12:00", True),
            ("at midnight", "00:00", True),
            ("noon", "14:00", False),
            ("12:30 p.m.", "12:30", True),
            ("12:30 a.m.", "00:30", True),
            ("12:30 a.m.", "12:30 p.m.", False),
            ("12 p.m.", "noon", True),
            ("1 p.m.", "13:00", True),
            ("11:59 p.m.", "23:59", True),
            ("weekly", "daily", False),
            ("monthly", "weekly", False),
            ("1 in 1,000", "0.1 %", True),
            ("1 in 1,000", "1 %", False),
            ("half past six in the morning", "18:30", False),
            ("twice a day", "two times", True),
            ("2 days", "a couple of days", True),
            ("3 days", "a couple of days", None),
            ("450", "hundreds", None),
            ("more than 100", "hundreds", True),
            ("hundreds", "450", True),
            ("hundreds", "45", None),
            ("a few hundred", "several hundred", True),
        ],
    )
    def test_of_two_quantities(self, claim: str, evidence: str, says: bool | None) -> None:
        """Units are converted, bounds and ranges are intervals, and what is vaguer leaves it open."""
        assert agree(_any_quantity(claim), _any_quantity(evidence)) is says

    @given(st.floats(-1e9, 1e9), st.sampled_from(_VAGUE))
    def test_vague_numbers_deny_nothing(self, value: float, vague: str) -> None:
        """Whatever the other number is, and whichever of the two is the claim."""
        said, held = _any_quantity(f"{value:.3f} days"), _any_quantity(f"{vague} days")
        assert agree(said, held) in {True, None}
        assert agree(held, said) in {True, None}

    @given(st.integers(0, 999_999), st.sampled_from(["half", "quarter"]))
    def test_a_part_more(self, number: int, part: str) -> None:
        """Any number of hours with a half or a quarter is the number in digits."""
        end = {"half": 0.5, "quarter": 0.25}[part]
        if number % 100 == 0 and number % 1000:
            number += 1  # nobody says a hundred and a half
        spoken = _quantity(f"it took {_spelled(number)} and a {part} hours")
        assert spoken.low == pytest.approx(number + end * (1000 if number and number % 1000 == 0 else 1))

    @given(st.floats(1e-3, 1e9), st.sampled_from(["km", "kg", "%", "people", "dollars", "°C"]))
    def test_every_quantity_agrees_with_itself(self, value: float, unit: str) -> None:
        """What is said is what is held."""
        found = _quantity(f"it was {value:.4f} {unit}")
        assert agree(found, found) is True


def _date(text: str) -> dates.Date:
    found = DATES.of(read_facts(text))
    assert len(found) == 1, found
    return found[0]


class TestDates:
    @pytest.mark.parametrize(
        ("text", "years", "month", "day"),
        [
            ("12 May 2019", (2019, 2019), 5, 12),
            ("the 12th of May, 2019", (2019, 2019), 5, 12),
            ("May 12, 2019", (2019, 2019), 5, 12),
            ("Sept. 5", None, 9, 5),
            ("2019-05-12", (2019, 2019), 5, 12),
            ("25/12/2019", (2019, 2019), 12, 25),
            ("3.4.2020", (2020, 2020), 4, 3),
            ("in May 2019", (2019, 2019), 5, None),
            ("in 1066", (1066, 1066), None, None),
            ("the 1990s", (1990, 1999), None, None),
            ("the '90s", (1990, 1999), None, None),
            ("the 19th century", (1801, 1900), None, None),
            ("the second century BC", (-200, -101), None, None),
            ("AD 49", (49, 49), None, None),
            ("49 BC", (-49, -49), None, None),
        ],
    )
    def test_is_read(self, text: str, years: tuple[int, int] | None, month: int | None, day: int | None) -> None:
        """The usual English forms, ISO dates, decades, centuries and eras."""
        found = _date(text)
        assert (found.years, found.month, found.day) == (years, month, day)

    @pytest.mark.parametrize(
        "text", ["You may go", "They march on", "1,200 people", "1500 people", "$1995", "Dec she said"]
    )
    def test_is_no_date(self, text: str) -> None:
        """Verbs are no months, and counts no years."""
        assert DATES.of(read_facts(text)) == []

    @pytest.mark.parametrize(
        ("text", "spans"),
        [
            ("in 2098\u20132100", [(2098, 2100)]),
            ("in 2098\u20132101", []),
            ("in 1990\u20131990", []),
            ("in 1995\u20131990", []),
            ("in 1995\u201390", []),
            ("in 1995\u2013 96", []),
            ("in 1995\u20136", []),
        ],
    )
    def test_spans_rise_and_end_in_a_year(self, text: str, spans: list[tuple[int, int]]) -> None:
        """The second year comes after the first, and no later than any that is one; short ones stand close by."""
        assert [date.years for date in DATES.of(read_facts(text)) if date.is_span] == spans

    def test_spans_have_two_years(self) -> None:
        """A span yields both its years, short ones completed, and the time between."""
        found = DATES.of(read_facts("in 1957\u201358, and from 1990 to 1995"))
        assert [date.years for date in found if not date.is_span] == [
            (1957,) * 2,
            (1958,) * 2,
            (1990,) * 2,
            (1995,) * 2,
        ]
        assert [date.years for date in found if date.is_span] == [(1957, 1958), (1990, 1995)]

    @pytest.mark.parametrize(
        ("claim", "evidence", "says"),
        [
            ("in 2019", "12 May 2019", True),
            ("12 May 2019", "in 2019", None),
            ("May 2019", "June 2019", False),
            ("12 May", "12 May 2019", True),
            ("12 May", "13 May 2019", False),
            ("the 1990s", "in 1995", True),
            ("in 1995", "the 1990s", None),
            ("in 2005", "the 1990s", False),
            ("in 49 BC", "AD 49", False),
            ("on Monday", "on Tuesday", False),
            ("on Monday", "in 1995", None),
            ("03/04/2020", "3 April 2020", True),
            ("03/04/2020", "4 March 2020", True),
            ("03/04/2020", "5 March 2020", False),
        ],
    )
    def test_agreement(self, claim: str, evidence: str, says: bool | None) -> None:
        """A part agrees with the whole; the whole is left open by a part; figures are read the way that fits."""
        assert dates.agree(_date(claim), _date(evidence)) is says


@pytest.mark.parametrize("text", ["5'11\" tall", "5\u203211\u2033 tall", "5\u2019 11\u201d tall", "5'11'' tall"])
def test_feet_and_inches_in_signs(text: str) -> None:
    """They are one length: seventy-one inches."""
    assert (_quantity(text).low, _quantity(text).unit.name) == (71.0, "inch")


def test_minutes_and_seconds_of_an_angle_are_no_feet() -> None:
    """Behind degrees, signs are those of its parts."""
    assert all(item.unit.dimension != "length" for item in NUMBERS.of(read_facts("at 48\u00b0 51' 24\" N")))
