"""How an entry of data is written where it is read: "Room: Suite; Price: 180 euros."."""

from collections.abc import Sequence

__all__ = ["BEHIND_NAME", "BETWEEN", "NO_SIGNS", "YES_SIGNS", "fields_of", "written"]

BETWEEN, BEHIND_NAME = "; ", ": "
"""What stands between fields, and behind the name of each."""
YES_SIGNS, NO_SIGNS = "\u2713\u2714\u2705\u2611", "\u2717\u2718\u274c\u2715\u2716"
"""Ticks and crosses, each of which is a value; what makes them colourful (U+FE0F) may follow."""


def written(fields: Sequence[tuple[str, str]]) -> str:
    """Return the text of an entry, given its names, which may be empty, and their values."""
    text = BETWEEN.join(f"{name}{BEHIND_NAME}{value}" if name else value for name, value in fields)
    return text if text.endswith(".") else f"{text}."


def fields_of(text: str) -> list[tuple[str, str]]:
    """Return the names and values of an entry that was written; a part without a name goes on with the one before."""
    fields: list[tuple[str, str]] = []
    for piece in text.removesuffix(".").split(BETWEEN):
        name, sign, value = piece.partition(BEHIND_NAME)
        if sign or not fields:
            fields.append((name, value) if sign else ("", name))
        else:
            fields[-1] = fields[-1][0], f"{fields[-1][1]}{BETWEEN}{piece}"
    return fields
