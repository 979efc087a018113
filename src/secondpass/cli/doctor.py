"""``secondpass doctor``: what makes a reranker or a verifier slow or odd, on this machine."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from secondpass.bars import shows_bars
from secondpass.cli.console import output, say_error, write_json
from secondpass.cli.reading import read_argument, read_yaml
from secondpass.errors import ConfigError, SecondPassError
from secondpass.loading import from_config, load
from secondpass.types import printable

if TYPE_CHECKING:
    from secondpass.base import Reranker
    from secondpass.verify.monitored import MonitoredVerifier
    from secondpass.verify.verifier import FactVerifier

__all__ = ["doctor"]

_FAULT, _BAD_INPUT = 1, 2
_STYLES = {"fault": "bold red", "warning": "yellow", "note": "dim"}


def doctor(
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help="A name (see secondpass models), a folder, or owner/name on the hub."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="A reranker or a FactVerifier as YAML or JSON.")
    ] = None,
    query: Annotated[str | None, typer.Option("--query", "-q", help="A query of yours, @FILE, or -.")] = None,
    document: Annotated[str | None, typer.Option("--document", "-d", help="A document for it, @FILE, or -.")] = None,
    with_profile: Annotated[
        bool, typer.Option("--profile", help="Measure where the time goes, and the machine's peak, as well.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Look for what makes a reranker or a verifier slow or odd: machine, model, order, range, language, tokens.

    The exit status is 0 if nothing makes results wrong, 1 if something does, and 2 if something can't be used.
    """
    # Not with the module: every other command would wait for them.
    from secondpass.base import Reranker
    from secondpass.diagnose import diagnose, profile

    try:
        subject = _subject(model, config)
        texts = [None if text is None else read_argument(text) for text in (query, document)]
        diagnosis = diagnose(subject, *texts)
        if with_profile and not isinstance(subject, Reranker):
            raise ConfigError("--profile measures a reranker; a verifier's time is that of its model")
        measured = profile(subject, rounds=2) if with_profile and isinstance(subject, Reranker) else None
    except SecondPassError as exc:
        say_error(exc)
        raise typer.Exit(_BAD_INPUT) from exc
    if as_json:
        found = diagnosis.to_dict() | ({} if measured is None else {"profile": measured.to_dict()})
        write_json(found)
    else:
        for line in repr(diagnosis).splitlines() + ([] if measured is None else ["", *repr(measured).splitlines()]):
            level = line.strip().partition(":")[0]
            output.print(Text(printable(line), style=_STYLES.get(level, "")), soft_wrap=True)
    if not diagnosis.healthy:
        raise typer.Exit(_FAULT)


def _subject(model: str | None, config: Path | None) -> "Reranker | FactVerifier | MonitoredVerifier":
    if config is None:
        # Without the test at loading, which would refuse what is to be found out.
        name = "cross-encoder" if model is None else f"cross-encoder:{model}"
        return load(name, smoke_test=False, progress=shows_bars())
    if model is not None:
        raise ConfigError("pass --model or --config, not both: a configuration names its model")
    settings = read_yaml(config)
    inner = settings.get("wrapped", settings) if isinstance(settings, Mapping) else None
    if isinstance(inner, Mapping) and inner.get("type") == "fact":
        from secondpass.adapters import load_verifier

        return load_verifier(settings)
    return from_config(settings)
