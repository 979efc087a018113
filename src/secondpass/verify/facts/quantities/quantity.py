"""A number of a text with its unit, or an interval of numbers."""

import math
from dataclasses import dataclass

from secondpass.verify.facts.quantities.units import Unit

__all__ = ["Quantity"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of a text, or an interval of numbers, with its unit.

    Attributes:
        first: the index of its first token, bounding words included.
        end: the index of the token after it, its unit included.
        low: the number as written, or the lower end of a range; minus infinity below an upper bound.
        high: equal to `low` for a single number; infinity above a lower bound.
        unit: of both ends.
        step: the place value of the last digit as written.
        is_approximate: whether a word such as "about" makes it a rough one.
        is_vague: whether it may stand for other numbers, too: "a couple" may be three.
        form: how it is written: ``digits``, ``words``, ``ordinal``, ``fraction`` or, of a frequency, ``period``
            ("every six weeks"); ``multiple`` ("doubled"); ``change`` of what follows from two numbers.
        period: what it is for, as the name of a unit of time: ``month`` of "$10 a month"; empty if for none.
        limit: 1 if it names a least number, as "at least 5" and "the minimum is 5" do, -1 if it names a largest one.
        is_condition: whether it is a bound that says of whom, or when, something holds: "for orders over 50".
    """

    first: int
    end: int
    low: float
    high: float
    unit: Unit
    step: float
    is_approximate: bool = False
    is_vague: bool = False
    form: str = "digits"
    period: str = ""
    limit: int = 0
    is_condition: bool = False

    @property
    def is_single(self) -> bool:
        """Whether it is one number, neither a range nor a bound."""
        return self.low == self.high

    @property
    def is_range(self) -> bool:
        """Whether it is a range with two ends."""
        return self.low < self.high and math.isfinite(self.low) and math.isfinite(self.high)

    def converted(self) -> tuple[float, float]:
        """Return its ends in the base unit of its dimension."""
        factor, offset = self.unit.factor, self.unit.offset
        return self.low * factor + offset, self.high * factor + offset
