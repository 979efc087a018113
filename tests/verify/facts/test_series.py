"""Numbers of a series that a claim gives to another thing of it."""

import pytest

from secondpass.verify.facts.check import check_facts


def _found(claim: str, evidence: str) -> list[tuple[str, str]]:
    return [(item.claim, item.evidence) for item in check_facts(claim, evidence).mismatches if item.kind == "number"]


@pytest.mark.parametrize(
    ("claim", "evidence", "found"),
    [
        ("Pro costs 9 euros.", "Basic costs 9 euros, Pro 19 euros.", ("9 euros", "19 euros")),
        ("Basic costs 19 euros.", "Basic costs 9 euros, Pro 19 euros.", ("19 euros", "9 euros")),
        ("Sales in Asia fell by 8%.", "Sales in Europe rose by 8%, but sales in Asia fell by 4%.", ("8%", "4%")),
        (
            "Turnover in 2022 was $19 million.",
            "Turnover fell from $21 million in 2022 to $19 million in 2023.",
            ("$19 million", "$21 million"),
        ),
        (
            "Turnover in 2022 was $19 million.",
            "Turnover was $19 million in 2023, compared with $21 million in 2022.",
            ("$19 million", "$21 million"),
        ),
        ("You pay 9 euros for Pro.", "You pay 9 euros for Basic and 19 euros for Pro.", ("9 euros", "19 euros")),
        (
            "The check returns 503 when it is running.",
            "The check returns 200 when it is running and 503 when it is starting.",
            ("503", "200"),
        ),
        (
            "Red bags hold 3 litres.",
            "Blue bags hold 3 litres, red bags 5 litres and green ones 7 litres.",
            ("3 litres", "5 litres"),
        ),
    ],
)
def test_the_number_of_another_one(claim: str, evidence: str, found: tuple[str, str]) -> None:
    """Things before their numbers, or behind them, the verb said once or each time."""
    assert _found(claim, evidence) == [found]


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Pro costs 19 euros.", "Basic costs 9 euros, Pro 19 euros."),
        ("Pro costs 10 euros more than Basic.", "Basic costs 9 euros, Pro 19 euros."),
        ("Pro costs more than 9 euros.", "Basic costs 9 euros, Pro 19 euros."),
        ("Pro costs 9 euros.", "Basic costs 9 euros, Pro 19 euros. In March, Pro costs 9 euros."),
        ("Pro costs 9 euros.", "Basic costs 9 euros, Pro 9 euros."),
        ("Pro doesn't cost 9 euros.", "Basic costs 9 euros, Pro 19 euros."),
        ("Unlike Basic, Pro does not cost 9 euros.", "Basic costs 9 euros, Pro 19 euros."),
        ("They won 3 gold medals.", "They won 5 medals, 3 of them gold."),
        ("Rents fell to 4%.", "Rents fell from 7% to 4%."),
        ("Lamps cost 9 euros.", "Basic costs 9 euros, Pro 19 euros."),
        ("Pro costs 9 euros.", "Basic costs 9 euros which is less than Pro with its 19 euros."),
    ],
)
def test_the_number_of_the_same_one(claim: str, evidence: str) -> None:
    """Its own number, one that follows, one that both have, or what can't be told."""
    assert _found(claim, evidence) == []


@pytest.mark.parametrize(("amount", "found"), [("10 euros", []), ("12 euros", [("12 euros", "9 euros")])])
def test_by_how_much_two_of_a_series_differ(amount: str, found: list[tuple[str, str]]) -> None:
    """The difference of two numbers follows from them, and another one does not."""
    assert _found(f"Pro costs {amount} more than Basic.", "Basic costs 9 euros, Pro 19 euros.") == found


REPORT = "Revenue was $1,250 million in 2023 (2022: $1,198m). It had 412 offices (2022: 398)."


@pytest.mark.parametrize(
    ("claim", "found"),
    [
        ("Revenue in 2022 was $1,250 million.", [("$1,250 million", "$1,198m")]),
        ("Revenue in 2023 was $1,198 million.", [("$1,198 million", "$1,250 million")]),
        ("It had 412 offices in 2022.", [("412", "398")]),
        ("Revenue in 2022 was $1,198 million.", []),
        ("Revenue in 2023 was $1,250 million.", []),
        ("It had 398 offices in 2022.", []),
    ],
)
def test_a_number_in_brackets_is_of_the_year_before_it(claim: str, found: list[tuple[str, str]]) -> None:
    """The one before the brackets is of another year."""
    assert _found(claim, REPORT) == found
