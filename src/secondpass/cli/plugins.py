"""``secondpass plugins``: what installed packages add by entry points, from whom, and whether it loads."""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated

import typer
from rich.text import Text

from secondpass.cli.console import list_table, one_line, output
from secondpass.errors import MissingExtraError, first_line

__all__ = ["plugins"]

_OWN = "secondpass"
_WIDE = 100  # columns, for objects with their modules


def plugins(
    group: Annotated[str | None, typer.Argument(help="A group, such as secondpass.rerankers; all by default.")] = None,
) -> None:
    """List the plug-ins of secondpass that are installed: our own groups, and those that name what frameworks load.

    Each is imported, so that what is broken shows. The exit status is 1 if one is.
    """
    groups = _groups()
    if group is not None and group not in groups:
        raise typer.BadParameter(f"no {group!r}; there are {', '.join(groups) or 'none'}", param_hint="group")
    n_broken, wide = 0, output.width >= _WIDE
    for name in groups if group is None else [group]:
        table = list_table("name", "from", "loads", "object")
        for point in _points(name):
            loads, style = _loads(point)
            n_broken += style == "red"
            what = point.value if wide else point.value.rpartition(":")[2]  # a module's name would break in a word
            table.add_row(Text(point.name, "bold"), _owner(point), Text(one_line(loads), style), Text(what, "dim"))
        output.print(Text(name, style="bold underline"))
        output.print(table)
        output.print()
    if n_broken:
        output.print(Text(f"{n_broken} can't be loaded", style="red"))
        raise typer.Exit(1)


def _groups() -> list[str]:
    """Return the groups that are ours, and the others in which this package has an entry."""
    every = entry_points()
    return sorted(
        group
        for group in every.groups
        if group.startswith(f"{_OWN}.") or any(_is_ours(point) for point in every.select(group=group))
    )


def _is_ours(point: EntryPoint) -> bool:
    # `console_scripts` are commands, and not what is asked for.
    return point.group != "console_scripts" and point.dist is not None and point.dist.name == _OWN


def _points(group: str) -> Iterable[EntryPoint]:
    """Return the entries by name; one distribution can be on the path twice (editable and built)."""
    points = {(point.name, point.value): point for point in entry_points(group=group)}
    return [points[key] for key in sorted(points)]


def _owner(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "unknown"


def _loads(point: EntryPoint) -> tuple[str, str]:
    try:
        point.load()
    except MissingExtraError as exc:
        return first_line(exc), "yellow"
    except Exception as exc:  # whatever a module raises while it is imported
        return f"no: {type(exc).__name__}: {first_line(exc)}", "red"
    return "yes", "green"
