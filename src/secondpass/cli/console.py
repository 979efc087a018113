"""Where the commands print to."""

from rich.console import Console

__all__ = ["errors", "output"]

output = Console()
errors = Console(stderr=True)
