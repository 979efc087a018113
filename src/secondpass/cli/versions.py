"""``secondpass versions``: what is in a store of model versions, and which of them is in use."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from secondpass.cli.console import one_line, output

if TYPE_CHECKING:
    from secondpass.learn.store.store import ModelStore

__all__ = ["versions"]

versions = typer.Typer(
    help="List the versions in a store of models, promote one, or go back.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_Store = Annotated[Path, typer.Argument(help="The folder of the store.")]
_Alias = Annotated[str, typer.Option(help="What points to a version.")]
_Reason = Annotated[str, typer.Option(help="A remark for the store's events.")]


@versions.command("list")
def list_versions(store: _Store) -> None:
    """List the versions with their metrics, the oldest first, and the aliases that point to them."""
    opened = _opened(store)
    pointing: dict[str, list[str]] = {}
    for alias, name in opened.aliases.items():
        pointing.setdefault(name, []).append(alias)
    table = Table(box=None, pad_edge=False)
    for title in ("version", "in use as", "task", "added", "base", "metrics", "note"):
        table.add_column(title, overflow="fold")
    for version in opened.list():
        metrics = ", ".join(f"{name} {value:.4g}" for name, value in version.metrics.items())
        aliases = ", ".join(pointing.get(version.name, ()))
        said = (version.name, aliases, version.task, version.created[:10], version.base, metrics, version.note)
        table.add_row(*(Text(one_line(cell)) for cell in said))
    output.print(table)


@versions.command()
def promote(store: _Store, name: str, alias: _Alias = "production", reason: _Reason = "") -> None:
    """Point an alias to a version, without a gate; its files are checked."""
    promotion = _opened(store).promote(name, alias, reason=reason)
    before = f", before {promotion.previous.name}" if promotion.previous else ""
    output.print(Text(f"{alias} is {promotion.version.name}{before}"))


@versions.command()
def rollback(store: _Store, alias: _Alias = "production", reason: _Reason = "") -> None:
    """Point an alias to the version before; its files are checked."""
    output.print(Text(f"{alias} is {_opened(store).rollback(alias, reason=reason).name}"))


@versions.command()
def prune(
    store: _Store, keep: Annotated[int, typer.Option(help="How many of the newest versions stay.", min=0)] = 5
) -> None:
    """Remove old versions that no alias needs, and what killed processes left behind."""
    removed = _opened(store).prune(keep)
    output.print(Text(f"removed {', '.join(version.name for version in removed) or 'nothing'}"))


def _opened(store: Path) -> "ModelStore":
    from secondpass.learn.store.store import ModelStore  # brings what measures

    return ModelStore(store)
