"""Where the commands print to, and the table that they print."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["documents_table", "errors", "output"]

output = Console()
errors = Console(stderr=True)


def documents_table(title: str, *numbers: str) -> Table:
    """Return a table of columns of numbers, which keep their width, and the document, which gets what is left."""
    table = Table(title=Text(title, style="bold"), title_justify="left", expand=True)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("document", overflow="ellipsis", no_wrap=True, ratio=1)
    return table
