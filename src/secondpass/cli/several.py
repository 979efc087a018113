"""Options that take several values behind one name, as a shell writes them for ``*.md``."""

from typing import Any

from typer.core import TyperCommand

__all__ = ["several"]


def several(*names: str) -> type[TyperCommand]:
    """Return the class of a command whose option takes several values, in their order.

    Args:
        names: the option's: "--passages", "-p".
    """

    class SeveralCommand(TyperCommand):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            """Write ``--passages a b`` as ``--passages a --passages b``."""
            rewritten, values = [], -1  # how many values the option has so far; -1 outside of it
            for at, argument in enumerate(args):
                if argument == "--":
                    rewritten += args[at:]
                    break
                if argument.startswith("-") and argument != "-":
                    opens = argument in names
                    values = 0 if opens else 1 if argument.startswith(f"{names[0]}=") else -1
                elif values >= 0:
                    rewritten += [names[0]] if values else []
                    values += 1
                rewritten.append(argument)
            return super().parse_args(ctx, rewritten)

    return SeveralCommand
