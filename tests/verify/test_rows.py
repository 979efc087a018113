"""Rows of tables that a claim names, and those of others."""

from collections.abc import Sequence

import pytest

from secondpass.verify import FactVerifier, Verdict
from secondpass.verify.record import written
from secondpass.verify.rows import Rows

_HALLS = [("Great hall", "yes", "stage"), ("Hall", "no", "bar"), ("Cellar", "no", "stage")]
_YEARS = [("2018", "Herons", "Lyon"), ("2019", "Otters", "Porto"), ("2020", "Herons", "Lyon")]
_TASKS = [("1", "Anna", "open"), ("2", "Ben", "done"), ("3", "Anna", "late")]


def rows(names: str, values: Sequence[tuple[str, ...]]) -> Rows:
    """Return rows that stand below one another in one passage."""
    texts = [written(list(zip(names.split(), row, strict=True))) for row in values]
    return Rows({at: (0, 10 * at, text) for at, text in enumerate(texts)})


@pytest.mark.parametrize(
    ("claim", "own"),
    [
        ("The great hall has a stage.", {0}),
        ("There is a bar in the hall.", {1}),
        ("The great hall is larger than the cellar.", {0, 2}),
        ("The Cellar's stage is small.", {2}),
        ("The kitchen has a stage.", set()),
        ("", set()),
    ],
)
def test_rows_are_named_by_what_tells_them_apart(claim: str, own: set[int]) -> None:
    """By all the words of a value, and a longer one goes before one within it."""
    table = rows("Room Heated With", _HALLS)
    named = table.named(claim)
    assert named.own == own
    assert [table.is_another(at, named) for at in range(3)] == [bool(own) and at not in own for at in range(3)]


@pytest.mark.parametrize(
    ("claim", "own"), [("Task 2 is done.", {1}), ("It takes 2 hours.", set()), ("Anna has two tasks.", set())]
)
def test_a_number_names_a_row_behind_the_name_of_its_column(claim: str, own: set[int]) -> None:
    """Else it may be of anything; and a value that several rows have names none of them."""
    assert rows("task owner status", _TASKS).named(claim).own == own


def test_a_year_names_a_row_by_itself() -> None:
    """As "in 2019" does."""
    assert rows("Year Champion Host", _YEARS).named("Porto was host in 2019.").own == {1}


@pytest.mark.parametrize(
    ("claim", "strays"),
    [
        ("The cellar has a bar.", {2: ("bar", "With: stage")}),
        ("In 2019 nothing was won by Herons.", {}),
        ("The cellar has a stage.", {}),
        ("The cellar has no bar.", {}),
        ("The cellar has a stage, and the hall a bar.", {}),
        ("The cellar has a stage where there was a bar.", {}),
    ],
)
def test_a_value_of_another_row_is_astray(claim: str, strays: dict[int, tuple[str, str]]) -> None:
    """Where the row that the claim names has another one there, which the claim has not, and nothing is denied."""
    assert rows("Room Heated With", _HALLS).named(claim).strays == strays


def test_rows_without_a_name_are_not_told_apart() -> None:
    """One row, or rows that share their first values, speak of whatever they speak of."""
    single, alike = rows("Room Heated", [("Hall", "no")]), rows("Kind Heated", [("Hall", "no"), ("Hall", "yes")])
    assert single.named("The hall is heated.").own == alike.named("The hall is heated.").own == frozenset()


@pytest.fixture(scope="module")
def verifier() -> FactVerifier:
    """Return the default verifier."""
    return FactVerifier()


_MENU = """| Dish | Vegan | Served | Contains gluten |
|---|---|---|---|
| Bean stew | yes | lunch | no |
| Plum pie | no | dinner | yes |
| Rice bowl | yes | dinner | no |
"""
_CABINS = "cabin,view,pets allowed,beds\nLarch,lake,yes,2\nMaple,forest,no,4\nRowan,forest,yes,6\n"
_TRAINS = '[{"train": "RX 5", "from": "Basel", "to": "Turin"}, {"train": "RX 8", "from": "Turin", "to": "Basel"}]'
_DEAL = '{"deed": "K 41", "seller": "Hedda Roth", "buyer": "Ivo Lang", "notary": "Petra Sand", "registered": false}'


@pytest.mark.parametrize(
    ("source", "right", "wrong"),
    [
        (_MENU, "The plum pie contains gluten.", "The plum pie is vegan."),
        (_MENU, "Bean stew is served at lunch.", "Bean stew is served at dinner."),
        (_MENU, "The rice bowl does not contain gluten.", "The rice bowl contains gluten."),
        (_CABINS, "Larch has a view of the lake.", "Maple has a view of the lake."),
        (_CABINS, "Pets are allowed in Rowan.", "Pets are allowed in Maple."),
        (_CABINS, "Maple does not allow pets.", "Pets are not allowed in Larch."),
        (_TRAINS, "RX 5 goes from Basel to Turin.", "RX 5 goes from Turin to Basel."),
        (_DEAL, "The buyer is Ivo Lang.", "The buyer is Hedda Roth."),
        (_DEAL, "Hedda Roth is the seller.", "Petra Sand is the seller."),
        (_DEAL, "The deed is not registered.", "The deed is registered."),
    ],
)
def test_the_row_of_another_thing_supports_nothing(verifier: FactVerifier, source: str, right: str, wrong: str) -> None:
    """Nor does the value of another column, nor a yes where there is a no."""
    verdicts = [result.claims[0].verdict for result in verifier.verify_many([(right, [source]), (wrong, [source])])]
    assert verdicts[0] is Verdict.SUPPORTED
    assert verdicts[1] is not Verdict.SUPPORTED


def test_where_no_row_is_named_all_windows_are_read(verifier: FactVerifier) -> None:
    """As many as for any other source."""
    said = ["The pond is deep and cold.", "The pond is deep, they say.", "The pond is deep in spring."]
    (claim,) = verifier.verify("The old pond is deep.", said).claims
    assert {evidence.passage for evidence in claim.evidence} == {0, 1, 2}


def test_a_row_that_is_named_is_read_where_others_have_more_of_the_words(verifier: FactVerifier) -> None:
    """However many of them there are."""
    lines = [f"Larch {at},lake view,yes" for at in range(30)]
    source = "\n".join(["cabin,view,pets allowed", *lines, "Elm,none,no"])
    (claim,) = verifier.verify("Elm has a lake view, and pets are allowed.", [source]).claims[:1]
    assert claim.verdict is not Verdict.SUPPORTED
    assert "Elm,none,no" in {evidence.text for evidence in claim.evidence}
