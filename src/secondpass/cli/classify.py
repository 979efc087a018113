"""``secondpass classify``: which of the given labels a text has, without training data."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from secondpass.classify import Classification, ZeroShotClassifier
from secondpass.cli.console import one_line, output, write_json
from secondpass.cli.reading import read_argument, read_settings
from secondpass.errors import ConfigError

__all__ = ["classify"]


def classify(
    text: Annotated[str, typer.Argument(help="The text, @FILE, or - for standard input.")],
    labels: Annotated[
        str | None, typer.Option("--labels", "-l", help="The labels to choose from, separated by commas.")
    ] = None,
    multi_label: Annotated[
        bool | None, typer.Option("--multi-label", help="Several labels may be true, or none.")
    ] = None,
    template: Annotated[
        list[str] | None, typer.Option(help="A sentence with {} where the label stands; several are averaged.")
    ] = None,
    threshold: Annotated[float | None, typer.Option(help="The probability that a label has to reach.")] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help="An NLI model (name or folder), 'bi-encoder:NAME' or 'cross-encoder:NAME'."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="A ZeroShotClassifier as YAML or JSON; options above override it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Find the label of a text, or its labels, by their words alone; no label is a result as well."""
    options = {
        "labels": None if labels is None else [label.strip() for label in labels.split(",")],
        "multi_label": multi_label,
        "template": template or None,
        "thresholds": threshold,
        "model": model,
    }
    classifier = _classifier(config, {name: value for name, value in options.items() if value is not None})
    result = classifier.classify(read_argument(text))
    if as_json:
        write_json(result.to_dict())
    elif output.is_terminal:
        output.print(_table(result))
    else:
        for label, probability in result.scores.items():
            chosen = "*" if label in result.labels else ""
            sys.stdout.write(f"{probability:.4f}\t{one_line(label)}\t{chosen}\n")


def _classifier(config: Path | None, options: dict[str, Any]) -> ZeroShotClassifier:
    settings = {**read_settings(config, ZeroShotClassifier), **options}
    if not (settings.get("labels") or settings.get("hypotheses")):
        raise ConfigError("there are no labels: give --labels a,b,c, or a --config that has some")
    return ZeroShotClassifier.from_config(settings)


def _table(result: Classification) -> Table:
    table = Table()
    table.add_column("label", overflow="fold")
    table.add_column("probability", justify="right", no_wrap=True)
    table.add_column("chosen", justify="center", no_wrap=True)
    for label, probability in result.scores.items():
        chosen = label in result.labels
        table.add_row(Text(one_line(label), style="bold green" if chosen else ""), f"{probability:.4f}", "✓" * chosen)
    if result.path:
        table.caption = Text(one_line(" > ".join(result.path)))
    elif result.reason:
        table.caption = Text(f"no label: {one_line(result.reason)}")
    return table
