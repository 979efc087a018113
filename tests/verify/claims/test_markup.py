"""Where code and markup stand in a text."""

import pytest

from secondpass.verify.claims.markup import all_bold, inside


@pytest.mark.parametrize(
    ("position", "is_inside"),
    [(0, False), (1, True), (3, True), (4, False), (5, False), (6, True), (7, False), (100, False)],
)
def test_a_range_holds_its_beginning_and_not_its_end(position: int, is_inside: bool) -> None:
    """Of several, each on its own; the one that begins last before a position is the one that counts."""
    assert inside(position, [(1, 4), (6, 7)]) is is_inside


def test_without_ranges_nothing_is_inside() -> None:
    """Not even the beginning."""
    assert not inside(0, [])
    assert inside(0, [(0, 1)])


@pytest.mark.parametrize(
    ("text", "bold"),
    [
        ("**Opening hours**", "Opening hours"),
        ("\U0001f552 ***Hours.*** ", "Hours."),
        ("**Hours** of opening", ""),
        ("**Hours** and **prices**", ""),
        ("*Hours*", ""),
        ("** Hours**", ""),
        ("****", ""),
        ("`**Hours**`", ""),
    ],
)
def test_bold_from_end_to_end(text: str, bold: str) -> None:
    """A picture may stand before it; emphasis, code and what is bold in part are something else."""
    assert all_bold(text) == bold
