"""Units, and the periods that something is for."""

import pytest

from secondpass.verify.facts.quantities.numerals import Figures
from secondpass.verify.facts.quantities.units import per, period_at


@pytest.mark.parametrize(
    ("text", "at", "period"),
    [
        ("daily", 0, ("day", 1)),
        ("once annually now", 1, ("year", 2)),
        ("5 % p.a.", 2, ("year", 5)),
        ("twice a week", 1, ("week", 3)),
        ("5 km per hour", 2, ("h", 4)),
        ("3 / day", 1, ("day", 3)),
        ("each metre", 0, None),
        ("a thing", 0, None),
        ("a", 0, None),
        ("the day", 0, None),
        ("day", 1, None),
    ],
)
def test_the_period_that_begins_at_a_token(text: str, at: int, period: tuple[str, int] | None) -> None:
    """Its name and where it ends; other units, and what is behind the last token, are none."""
    figures = Figures(text)
    assert period_at(figures, at) == period
    unit = per(figures, at)
    assert (unit and unit.name) == (period and f"times a {period[0]}")


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("km", ("km", 1)),
        ("KM", None),
        ("Metres", ("m", 1)),
        ("square metres", ("m\u00b2", 2)),
        ("sq. ft", ("ft\u00b2", 3)),
        ("ft 2", ("ft", 1)),
        ("mW", None),
        ("MW", ("MW", 1)),
        ("K", None),
        ("kelvin", ("K", 1)),
        ("US dollars", ("$", 2)),
        ("nothing", None),
    ],
)
def test_the_unit_that_a_text_begins_with(text: str, unit: tuple[str, int] | None) -> None:
    """The longest name wins; names match in any case, symbols only as they are written."""
    found = Figures(text).unit(0)
    assert (found and (found[0].name, found[1])) == unit
