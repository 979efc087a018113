"""Where the commands print to, and the table that they print."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from secondpass.errors import SecondPassError
from secondpass.types import printable

__all__ = ["documents_table", "errors", "list_table", "one_line", "output", "say", "say_error", "write_json"]

output = Console()
errors = Console(stderr=True)


def documents_table(title: str, *numbers: str) -> Table:
    """Return a table of columns of numbers, which keep their width, and the document, which gets what is left."""
    table = Table(title=Text(title, style="bold"), title_justify="left", expand=True)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("document", overflow="ellipsis", no_wrap=True, ratio=1)
    return table


def list_table(*columns: str) -> Table:
    """Return a table of lines without borders, whose columns stay apart: all but the last keep their width."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in columns[:-1]:
        table.add_column(name, no_wrap=True)
    table.add_column(columns[-1], overflow="fold")
    return table


def one_line(text: str) -> str:
    """Return a text without line breaks, control characters and lone surrogates, which no terminal takes."""
    return printable(" ".join(text.split())).encode("utf-8", "replace").decode()


def say(what: str, style: str, message: str) -> None:
    """Print a line to standard error: what it is, in a colour, and the message without control characters."""
    errors.print(Text.assemble((f"{what}: ", style), printable(message)), soft_wrap=True)


def say_error(exc: SecondPassError) -> None:
    """Print an error of ours to standard error, with what was noted on its way, such as where it happened."""
    say("error", "red", "; ".join([f"{type(exc).__name__}: {exc}", *getattr(exc, "__notes__", ())]))


def write_json(value: Mapping[str, Any]) -> None:
    """Write a line of JSON to standard output, with null for NaN and for infinite numbers, which JSON has none of."""
    try:
        line = json.dumps(value, allow_nan=False)
    except ValueError:
        line = json.dumps(json.loads(json.dumps(value), parse_constant=lambda name: None))
    sys.stdout.write(f"{line}\n")
