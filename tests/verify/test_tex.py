"""Formulas in TeX, written out."""

import pytest

from secondpass.verify.claims.split import split_claims
from secondpass.verify.facts.check import check_facts
from secondpass.verify.sources import mended
from secondpass.verify.tex import without_tex


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"The area is $A = \pi r^2$.", "The area is A = \u03c0 r^2."),
        (r"It moves at $20\,\text{m/s}$.", "It moves at 20 m/s."),
        (r"It has $\sim$7B parameters.", "It has ~7B parameters."),
        (r"It is $3 \times 10^{-4}$ or $\frac{1}{2}$.", "It is 3 \u00d7 10^-4 or 1/2."),
        (r"It rose by $12\%$ to $90^\circ$.", "It rose by 12% to 90\u00b0."),
        (r"So \(E = mc^2\) holds.", "So E = mc^2 holds."),
        ("$$\nx = \\frac{a+b}{\\sqrt{2}}\n$$", "x = (a+b)/\u221a2"),
        (r"\[ 1{,}000 \leq n \]", "1,000 \u2264 n"),
        (r"It runs in $O(n \log n)$, with $n$ items.", "It runs in O(n log n), with n items."),
    ],
)
def test_formulas_are_written_out(text: str, expected: str) -> None:
    """Signs stand in the place of commands, and the dollar signs and brackets around them go."""
    assert without_tex(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Prices range from $5 to $20.",
        "It costs $5/month or $50/year.",
        "It costs $5-$20, that is US$5 or AU$8.",
        "It is $5, without tax ($).",
        "Set $HOME/$USER or $PATH.",
        r"It closed in May.\[1\] It opened \[2, 3\].",
    ],
)
def test_money_and_markers_stay(text: str) -> None:
    """What stands between two prices is no formula, and an escaped citation marker is none either."""
    assert without_tex(text) == text


def test_claims_and_passages_are_read_without_tex() -> None:
    """A number in a formula is a number, and no amount of money."""
    (claim,) = split_claims(r"The limit is $n = 5$.")
    assert claim.text == "The limit is n = 5."
    assert mended(r"The limit is $5$.") == "The limit is 5."
    assert check_facts("The limit is 5.", mended(r"The limit is $7$.")).mismatches[0].evidence == "7"


@pytest.mark.parametrize("unit", ["$", "$a", r"\(", r"\[", "$$ ", r"$\frac{", "$x^{"])
def test_signs_without_an_end_take_linear_time(unit: str) -> None:
    """Very many dollar signs and brackets that end nowhere are read."""
    assert without_tex(unit * 20_000)
