"""Numerals: what each is worth, how exactly it is given, and where it ends."""

import pytest

from secondpass.verify.facts.quantities.numerals import Figures, literal, said_once


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e3", (1000.0, 1000.0)),
        ("2.5e6", (2500000.0, 100000.0)),
        ("1e-19", (1e-19, 1e-19)),
        ("1E\u22122", (0.01, 0.01)),
        ("1,25,00,000", (12500000.0, 1.0)),
        ("1,25,00,000.5", (12500000.5, 0.1)),
        ("1'500", (1500.0, 1.0)),
        ("164 000", (164000.0, 1.0)),
        ("1 234 567", (1234567.0, 1.0)),
        ("1.234,56", (1234.56, 0.01)),
        ("3,5", (3.5, 0.1)),
        ("1,000.5", (1000.5, 0.1)),
        ("1.2.3", None),
        ("1.035.496", (1035496.0, 1.0)),
        ("1234.567.890", None),
        ("1.23.456", None),
        ("12,34", (12.34, 0.01)),
        ("1" * 25, (int("1" * 25), 1.0)),
        ("1" * 26, None),
        ("7", (7.0, 1.0)),
        ("0.050", (0.05, 0.001)),
    ],
)
def test_digits_have_a_value_and_a_last_place(text: str, expected: tuple[float, float] | None) -> None:
    """Separators of thousands and of decimals are told apart; what has too many groups, or digits, is no number."""
    found = literal(text)
    assert (found is None) == (expected is None)
    assert found is None or found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("twenty-five", (3, 25.0, 1.0, 1.0, "words")),
        ("five hundred", (2, 500.0, 100.0, 1.0, "words")),
        ("two three", (1, 2.0, 1.0, 1.0, "words")),
        ("twenty five six", (2, 25.0, 1.0, 1.0, "words")),
        ("one hundred and twenty thousand five hundred and six", (9, 120506.0, 1.0, 1.0, "words")),
        ("two thousand and ten", (4, 2010.0, 1.0, 1.0, "words")),
        ("twenty - three", (3, 23.0, 1.0, 1.0, "words")),
        ("twenty - eleven", (1, 20.0, 1.0, 1.0, "words")),
        ("twenty -three", (3, 23.0, 1.0, 1.0, "words")),
        ("thirty-third", (3, 33.0, 1.0, 1.0, "ordinal")),
        ("a hundred", (2, 100.0, 100.0, 1.0, "words")),
        ("a dozen", (2, 12.0, 12.0, 1.0, "words")),
        ("two dozen eggs", (2, 24.0, 12.0, 1.0, "words")),
        ("nineteen hundred", (2, 1900.0, 100.0, 1.0, "words")),
        ("twelve hundred and five", (4, 1205.0, 1.0, 1.0, "words")),
        ("zero", (1, 0.0, 1.0, 1.0, "words")),
        ("twenty zero", (1, 20.0, 1.0, 1.0, "words")),
        ("one million two thousand", (4, 1002000.0, 1000.0, 1.0, "words")),
        ("two thousand one million", None),
        ("two thousand one million three", None),
        ("three million four million", None),
        ("five hundred six hundred", None),
        ("two dozen three hundred", None),
        ("one million two hundred thousand", (5, 1200000.0, 1000.0, 1.0, "words")),
        ("two crore five lakh ten thousand", (6, 20510000.0, 1000.0, 1.0, "words")),
        ("five hundred six", (3, 506.0, 1.0, 1.0, "words")),
        ("one hundred hundred", (3, 10000.0, 100.0, 1.0, "words")),
        ("five thousand thousand", (3, 5000000.0, 1000000.0, 1000.0, "words")),
        ("thousand", None),
        ("three point one four", (4, 3.14, 0.01, 1.0, "words")),
        ("three point", (1, 3.0, 1.0, 1.0, "words")),
        ("three point ten", (1, 3.0, 1.0, 1.0, "words")),
        ("twenty point five", (3, 20.5, 0.1, 1.0, "words")),
        ("hundred point five", (3, 5.0, 1.0, 1.0, "words")),
        ("two hundred point five", (2, 200.0, 100.0, 1.0, "words")),
        ("1.2 million", (2, 1200000.0, 100000.0, 1000000.0, "digits")),
        ("1.2-million", (3, 1200000.0, 100000.0, 1000000.0, "digits")),
        ("5 hundred thousand", (3, 500000.0, 100000.0, 100000.0, "digits")),
        ("12k", (2, 12000.0, 1000.0, 1000.0, "digits")),
        ("12 k", (1, 12.0, 1.0, 1.0, "digits")),
        ("3 bn", (2, 3000000000.0, 1000000000.0, 1000000000.0, "digits")),
        ("3bn", (2, 3000000000.0, 1000000000.0, 1000000000.0, "digits")),
        ("5M", (2, 5000000.0, 1000000.0, 1000000.0, "digits")),
        ("5 M", (1, 5.0, 1.0, 1.0, "digits")),
        ("3 trillion million", (2, 3000000000000.0, 1000000000000.0, 1000000000000.0, "digits")),
        ("half", (1, 0.5, 0.1, 1.0, "fraction")),
        ("half-hour", (1, 0.5, 0.1, 1.0, "fraction")),
        ("half-brother", None),
        ("half a million", (3, 500000.0, 100000.0, 1000000.0, "words")),
        ("half-dozen", (3, 6.0, 1.2000000000000002, 12.0, "words")),
        ("half-point", (1, 0.5, 0.1, 1.0, "fraction")),
        ("half a dozen", (3, 6.0, 1.2000000000000002, 12.0, "words")),
        ("a quarter", None),
        ("a quarter of a mile", (2, 0.25, 0.1, 1.0, "fraction")),
        ("a quarter of an hour", (2, 0.25, 0.1, 1.0, "fraction")),
        ("quarter of a million", (4, 250000.0, 100000.0, 1000000.0, "words")),
        ("a third", (2, 3.0, 1.0, 1.0, "ordinal")),
        ("a third of them", (2, 0.3333333333333333, 0.1, 1.0, "fraction")),
        ("a third person", (2, 3.0, 1.0, 1.0, "ordinal")),
        ("one-third", (3, 0.3333333333333333, 0.1, 1.0, "fraction")),
        ("two-thirds", (3, 0.6666666666666666, 0.1, 1.0, "fraction")),
        ("two thirds", (2, 0.6666666666666666, 0.1, 1.0, "fraction")),
        ("two third places", (1, 2.0, 1.0, 1.0, "words")),
        ("one halves", (1, 1.0, 1.0, 1.0, "words")),
        ("two halves", (1, 2.0, 1.0, 1.0, "words")),
        ("three quarters", (2, 0.75, 0.1, 1.0, "fraction")),
        ("the last three quarters", (3, 3.0, 1.0, 1.0, "words")),
        ("for three quarters of them", (3, 0.75, 0.1, 1.0, "fraction")),
        ("for three quarters", (2, 3.0, 1.0, 1.0, "words")),
        ("two quarters", (1, 2.0, 1.0, 1.0, "words")),
        ("three-quarters of it", (3, 0.75, 0.1, 1.0, "fraction")),
        ("nine tenths", (2, 0.9, 0.1, 1.0, "fraction")),
        ("ten elevenths", (1, 10.0, 1.0, 1.0, "words")),
        ("three-quarter mile", (3, 0.75, 0.1, 1.0, "fraction")),
        ("two-half mile", (1, 2.0, 1.0, 1.0, "words")),
        ("a half hour", (2, 0.5, 0.1, 1.0, "fraction")),
        ("a-year-and-a-half", (9, 0.5, 0.1, 1.0, "fraction")),
        ("½", (1, 0.5, 0.1, 1.0, "fraction")),
        ("2½", (2, 2.5, 0.1, 1.0, "digits")),
        ("2 ½", (2, 2.5, 0.1, 1.0, "digits")),
        ("2 1/2", (4, 2.5, 0.1, 1.0, "digits")),
        ("2 3/2", (1, 2.0, 1.0, 1.0, "digits")),
        ("1/2", (3, 0.5, 0.1, 1.0, "fraction")),
        ("3/4", (3, 0.75, 0.1, 1.0, "fraction")),
        ("9/11", (3, 11.0, 1.0, 1.0, "digits")),
        ("1/40", (3, 0.025, 0.1, 1.0, "fraction")),
        ("1/31", (3, 31.0, 1.0, 1.0, "digits")),
        ("1/32", (3, 0.03125, 0.1, 1.0, "fraction")),
        ("1/1000", (3, 0.001, 0.1, 1.0, "fraction")),
        ("1/1001", (3, 1001.0, 1.0, 1.0, "digits")),
        ("2/40", (3, 40.0, 1.0, 1.0, "digits")),
        ("4/3", (3, 3.0, 1.0, 1.0, "digits")),
        ("1 / 2", (1, 1.0, 1.0, 1.0, "digits")),
        ("one and a half", (4, 1.5, 0.1, 1.0, "words")),
        ("two-and-a-half million", (8, 2500000.0, 100000.0, 1000000.0, "words")),
        ("a million and a half", (5, 1500000.0, 100000.0, 1.0, "words")),
        ("one and a half dozen", (5, 18.0, 1.2000000000000002, 12.0, "words")),
        ("two and three quarters", (4, 2.75, 0.1, 1.0, "words")),
        ("two and three quarters of them", (1, 2.0, 1.0, 1.0, "words")),
        ("a hundred and a half", (2, 100.0, 100.0, 1.0, "words")),
        ("two hundred and a half", (2, 200.0, 100.0, 1.0, "words")),
        ("two thousand and a half", (5, 2500.0, 100.0, 1.0, "words")),
        ("one and one third miles", (4, 1.3333333333333333, 0.1, 1.0, "words")),
        ("one and a third miles", (4, 1.3333333333333333, 0.1, 1.0, "words")),
        ("one and a third things", (1, 1.0, 1.0, 1.0, "words")),
        ("one and one-third", (5, 1.3333333333333333, 0.1, 1.0, "words")),
        ("five and half", (1, 5.0, 1.0, 1.0, "words")),
        ("five and half miles", (3, 5.5, 0.1, 1.0, "words")),
        ("five and half-brothers", (1, 5.0, 1.0, 1.0, "words")),
        ("10^8", (3, 100000000.0, 0.0, 1.0, "digits")),
        ("10**8", (4, 100000000.0, 0.0, 1.0, "digits")),
        ("10^-4", (4, 0.0001, 0.0, 1.0, "digits")),
        ("10\u207b\u00b9\u2079", (3, 1e-19, 0.0, 1.0, "digits")),
        ("10\u2078", (2, 100000000.0, 0.0, 1.0, "digits")),
        ("1000^2", (3, 1000000.0, 0.0, 1.0, "digits")),
        ("1001^2", (1, 1001.0, 1.0, 1.0, "digits")),
        ("10 ^8", (1, 10.0, 1.0, 1.0, "digits")),
        ("10^61", (1, 10.0, 1.0, 1.0, "digits")),
        ("10^60", (3, 1e60, 0.0, 1.0, "digits")),
        ("10^100", (1, 10.0, 1.0, 1.0, "digits")),
        ("10^x", (1, 10.0, 1.0, 1.0, "digits")),
        ("10*8", (1, 10.0, 1.0, 1.0, "digits")),
        ("1.5 \u00d7 10^6", (5, 1500000.0, 100000.0, 1.0, "digits")),
        ("1.5 x 10^6", (5, 1500000.0, 100000.0, 1.0, "digits")),
        ("1.5 x 11^6", (1, 1.5, 0.1, 1.0, "digits")),
        ("1.5x", (1, 1.5, 0.1, 1.0, "digits")),
        ("21st", (2, 21.0, 1.0, 1.0, "ordinal")),
        ("2nd", (2, 2.0, 1.0, 1.0, "ordinal")),
        ("3 rd", (1, 3.0, 1.0, 1.0, "digits")),
        ("3rd place", (2, 3.0, 1.0, 1.0, "ordinal")),
        ("second", (1, 2.0, 1.0, 1.0, "ordinal")),
        ("3.25", (1, 3.25, 0.01, 1.0, "digits")),
        ("1st of", (2, 1.0, 1.0, 1.0, "ordinal")),
        ("\u215b", (1, 0.125, 0.1, 1.0, "fraction")),
        ("5½ million", (3, 5500000.0, 100000.0, 1000000.0, "digits")),
    ],
)
def test_the_first_numeral(text: str, expected: tuple[int, float, float, float, str] | None) -> None:
    """Its end among the tokens, its value, the place value of its last digit, its scale and its form."""
    figures = Figures(text)
    found = next(filter(None, map(figures.numeral, range(len(figures)))), None)
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        assert (found.end, found.form) == (expected[0], expected[4])
        assert found[1:4] == pytest.approx(expected[1:4])


def test_there_is_none_behind_the_last_token() -> None:
    """Nothing begins where the text has ended."""
    assert Figures("five").numeral(1) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("within fourteen (14) days", "within 14 days"),
        ("One hundred and twenty (120) days", "120 days"),
        ("sixty-five(65) and two thousand (2,000)", "65 and 2,000"),
        ("ten (12) days", "ten (12) days"),
        ("section four (b), one (1st)", "section four (b), one (1st)"),
        ("bone (1)", "bone (1)"),
    ],
)
def test_numbers_that_are_said_twice(text: str, expected: str) -> None:
    """Words with the same number in digits behind them are left out, as contracts have both."""
    assert said_once(text) == expected
