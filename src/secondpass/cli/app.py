"""The commands, and how their errors, warnings and slow steps are shown."""

import logging
import sys
import warnings
from io import TextIOWrapper
from typing import Annotated, Any

import typer

import secondpass
from secondpass.cli.choose import choose
from secondpass.cli.classify import classify
from secondpass.cli.compare import compare
from secondpass.cli.console import say, say_error
from secondpass.cli.demo import demo
from secondpass.cli.doctor import doctor
from secondpass.cli.explain import explain
from secondpass.cli.learn import learn
from secondpass.cli.models import models
from secondpass.cli.plugins import plugins
from secondpass.cli.rerank import rerank
from secondpass.cli.serve import serve
from secondpass.cli.several import several
from secondpass.cli.verify import verify
from secondpass.cli.versions import versions
from secondpass.errors import SecondPassError

__all__ = ["app", "run"]

app = typer.Typer(
    help="Rerank what was retrieved, verify what was generated.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo)
app.command()(rerank)
app.command(cls=several("--passages", "-p"))(verify)
app.command()(classify)
app.command(cls=several("--systems", "-s"))(compare)
app.command()(learn)
app.command()(serve)
app.command()(choose)
app.command()(doctor)
app.command(cls=several("--passages", "-p"))(explain)
app.command()(plugins)
app.add_typer(models, name="models")
app.add_typer(versions, name="versions")


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


class _Notes(logging.Handler):
    """Shows what is logged on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        say("note", "dim", record.getMessage())


_NOTES = _Notes()  # a single one: a logger adds the same handler only once


def run() -> None:
    """Run the command line; an error of ours is one line on standard error and exit status 1."""
    warnings.showwarning = _show_warning
    if isinstance(sys.stdout, TextIOWrapper):
        # As standard error does. A question mark in place of what the stream's encoding lacks would read as a verdict.
        sys.stdout.reconfigure(errors="backslashreplace")
    models_log = logging.getLogger("secondpass.models")
    models_log.setLevel(logging.INFO)  # where they say that a graph is built, which takes seconds
    models_log.addHandler(_NOTES)
    try:
        app()
    except SecondPassError as exc:
        say_error(exc)
        sys.exit(1)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    say("warning", "yellow", str(message))
