"""Times of the day: minutes, the half of the day that is left open, and where they end."""

import pytest

from secondpass.verify.facts.quantities.clock import clock_at, hours_of
from secondpass.verify.facts.quantities.numerals import Figures


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("noon", (720.0, "", 1)),
        ("midnight", (0.0, "", 1)),
        ("half past six", (390.0, "am or pm", 3)),
        ("half to six", None),
        ("quarter past six", (375.0, "am or pm", 3)),
        ("a quarter to nine", (525.0, "am or pm", 4)),
        ("a half past six", (390.0, "am or pm", 4)),
        ("quarter to 13", None),
        ("quarter to 12", (705.0, "am or pm", 3)),
        ("ten past four", (250.0, "am or pm", 3)),
        ("thirty past four", None),
        ("29 past four", (269.0, "am or pm", 3)),
        ("30 past four", None),
        ("ten to four", None),
        ("six o'clock", (360.0, "am or pm", 2)),
        ("six o\u2019clock", (360.0, "am or pm", 2)),
        ("13 o'clock", None),
        ("12 o'clock", (0.0, "am or pm", 2)),
        ("0 o'clock", None),
        ("1 o'clock in the morning", (60.0, "", 5)),
        ("six o'clock in the evening", (1080.0, "", 5)),
        ("half past twelve pm", (750.0, "", 4)),
        ("half past twelve am", (30.0, "", 4)),
        ("a quarter to one", (45.0, "am or pm", 4)),
        ("5:30", (330.0, "am or pm", 3)),
        ("17:30", (1050.0, "", 3)),
        ("0:15", (15.0, "", 3)),
        ("00:15", (15.0, "", 3)),
        ("12:30", (750.0, "am or pm", 3)),
        ("13:00", (780.0, "", 3)),
        ("24:00", (1440.0, "", 3)),
        ("25:00", None),
        ("5:60", None),
        ("5:59", (359.0, "am or pm", 3)),
        ("5:3", None),
        ("5 :30", None),
        ("5: 30", None),
        ("5:301", None),
        ("5:30 pm", (1050.0, "", 4)),
        ("5 pm", (1020.0, "", 2)),
        ("5 p.m.", (1020.0, "", 5)),
        ("5 p. m", (1020.0, "", 4)),
        ("5 p.m", (1020.0, "", 4)),
        ("5 a.m.", (300.0, "", 5)),
        ("12 am", (0.0, "", 2)),
        ("12 pm", (720.0, "", 2)),
        ("13 pm", None),
        ("0 pm", None),
        ("5", None),
        ("5 in the morning", (300.0, "", 4)),
        ("5 in the afternoon", (1020.0, "", 4)),
        ("5 in the garden", None),
        ("5 in", None),
        ("17:30 pm", (1050.0, "", 4)),
        ("100 pm", None),
        ("5.5 pm", None),
        ("6.5 o'clock", None),
        ("twenty-one o'clock", None),
        ("a six o'clock", None),
        ("3 pm.", (900.0, "", 2)),
    ],
)
def test_the_time_that_a_text_begins_with(text: str, expected: tuple[float, str, int] | None) -> None:
    """In words and in digits, with and without the half of the day; hours above 12, and 0, tell it by themselves."""
    found = clock_at(Figures(text), 0)
    assert (found and (found[0], found[1].name, found[2])) == expected


@pytest.mark.parametrize(
    ("minutes", "hours"), [(900.0, {15, 3}), (60.0, {1}), (0.0, {0}), (930.0, set()), (719.0, set())]
)
def test_the_numbers_of_a_full_hour(minutes: float, hours: set[float]) -> None:
    """15:00 may be written as 15 and as 3; half past has no such number."""
    assert hours_of(minutes) == hours
