"""Blocks of markdown, where `split_claims` doesn't tell: the cells of rows."""

import pytest

from secondpass.verify.claims.markdown import _cells


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("| a | b |", [("a", 1), ("b", 5)]),
        ("a | b", [("a", 0), ("b", 3)]),
        ("|a|b", [("a", 1), ("b", 3)]),
        ("a|b|", [("a", 0), ("b", 2)]),
        ("| a \\| b | c |", [("a \\| b", 1), ("c", 10)]),
        ("| `x|y` | c |", [("`x|y`", 1), ("c", 9)]),
        ("|", []),
        ("||", [("", 1)]),
        ("|a|", [("a", 1)]),
        ("a", [("a", 0)]),
        ("| a | b | c", [("a", 1), ("b", 5), ("c", 9)]),
        ("|  |x|", [("", 1), ("x", 4)]),
        ("`|`|b", [("`|`", 0), ("b", 4)]),
    ],
)
def test_cells_of_a_row(row: str, cells: list[tuple[str, int]]) -> None:
    """Bars at the ends bound it; those behind a backslash, or in code, are of a cell."""
    assert _cells(row) == cells
