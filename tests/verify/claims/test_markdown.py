"""Blocks of markdown, where `split_claims` doesn't tell: the cells of rows."""

import pytest

from secondpass.verify.claims.markdown import MarkdownReader, PartKind, _cells


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


@pytest.mark.parametrize(
    ("lines", "given"),
    [  # how many parts have been given after each line
        (["```", "```"], [0, 1]),
        (["```py", "x = 1", "```"], [0, 0, 1]),
        (["````", "```", "````"], [0, 0, 1]),
        (["~~~", "```", "~~~~"], [0, 0, 1]),
        (["> ```", "> x", "> ```"], [0, 0, 1]),
        (["```", "``` x", "```"], [0, 0, 1]),
        (["# One", "Two."], [1, 1]),
        (["One.", "", "Two."], [0, 1, 1]),
        (["One", "===", "Two."], [0, 1, 1]),
        (["| a | b |", "|---|---|", "| 1 | 2 |", "Two."], [0, 1, 2, 2]),
        (["| 1 | 2 |", "Two."], [0, 1]),
        (["    x = 1;", "    y = 2;", "Two."], [0, 0, 1]),
        (["- One.", "- Two."], [0, 1]),
        (['{"a":', "1}", "Two."], [0, 1, 1]),
        (["[1]: https://a.b/c", "Two."], [1, 1]),
    ],
)
def test_when_a_block_has_ended(lines: list[str], given: list[int]) -> None:
    """A fence with its own mark, a row of a table when it is no header, other blocks with the next one."""
    reader = MarkdownReader()
    counts, total = [], 0
    for line in lines:
        total += len(list(reader.feed(f"{line}\n")))
        counts.append(total)
    assert counts == given


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("[a]: https://a.b/c", PartKind.REFERENCE),
        ('[a]: <https://a.b/c> "Its title"', PartKind.REFERENCE),
        (f"[a]: https://a.b/c{' ' * 50_000}or so", PartKind.SENTENCE),
        (f"{'=' * 50_000}x", PartKind.SENTENCE),
        (f"    f(x){' ' * 50_000}ends", PartKind.SENTENCE),
        (f"    f(x){' ' * 50_000}:", PartKind.CODE),
    ],
)
def test_what_a_long_line_is_takes_linear_time(line: str, kind: PartKind) -> None:
    """A line of an address, of a rule or of code is known by its end, which very many blanks may stand before."""
    reader = MarkdownReader()
    parts = [*reader.feed(line), *reader.finish()]
    assert [part.kind for part in parts] == [kind]
