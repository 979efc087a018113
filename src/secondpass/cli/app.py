"""The commands, and how their errors and warnings are shown."""

import sys
import warnings
from typing import Annotated, Any

import typer
from rich.text import Text

import secondpass
from secondpass.cli.console import errors
from secondpass.cli.demo import demo
from secondpass.cli.models import models
from secondpass.cli.rerank import rerank
from secondpass.errors import SecondPassError
from secondpass.types import printable

__all__ = ["app", "run"]

app = typer.Typer(
    help="Rerank what was retrieved, verify what was generated.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo)
app.command()(rerank)
app.command()(models)


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"secondpass {secondpass.__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    pass


def run() -> None:
    """Run the command line; an error of ours is one line on standard error and exit status 1."""
    warnings.showwarning = _show_warning
    try:
        app()
    except SecondPassError as exc:
        _say("error", "red", f"{type(exc).__name__}: {exc}")
        sys.exit(1)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    _say("warning", "yellow", str(message))


def _say(what: str, style: str, message: str) -> None:
    errors.print(Text.assemble((f"{what}: ", style), printable(message)), soft_wrap=True)
