"""``secondpass rerank``: documents from files or standard input, best first on standard output."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from secondpass.bars import shows_bars
from secondpass.base import Reranker
from secondpass.cli.console import documents_table, one_line, output, write_json
from secondpass.cli.documents import as_document, documents_in
from secondpass.cli.reading import read_yaml
from secondpass.errors import ConfigError, InputError
from secondpass.loading import from_config, load
from secondpass.types import RankedDocument, Ranking

__all__ = ["rerank"]

_RANKED = ("rank", "index", "score", "explanation")


def rerank(
    query: Annotated[str, typer.Argument(help="What was asked.")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Documents: plain lines, JSON, JSONL or CSV, gzipped or not; standard input for -, or without a file."
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help="A name (see secondpass models), a folder, or owner/name on the hub."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="A reranker as YAML or JSON, instead of a model.")
    ] = None,
    k: Annotated[int | None, typer.Option("--k", "-k", help="How many to print; all by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
) -> None:
    """Rerank documents: plain lines, JSON strings, or objects with "text" (and "id" and "metadata"), or rows of CSV."""
    names = [str(path) for path in files or ()] or ["-"]
    if names.count("-") > 1:
        raise InputError("standard input can only be read once")
    read = [each for name in names for _, each in documents_in("standard input" if name == "-" else name)]
    ranking = _reranker(model, config).rerank(query, [as_document(each) for each in read], k=k)
    if as_json:
        for document in ranking:
            write_json(_written(document, read[document.index]))
    elif output.is_terminal:
        output.print(_table(ranking))
    else:
        for document in ranking:
            sys.stdout.write(f"{document.rank}\t{document.score:.4f}\t{one_line(document.text)}\n")


def _written(document: RankedDocument, read: Mapping[str, Any]) -> dict[str, Any]:
    """Return a ranked document with all that its line held, but for what an earlier reranker wrote there."""
    return document.to_dict() | {name: value for name, value in read.items() if name not in _RANKED}


def _reranker(model: str | None, config: Path | None) -> Reranker:
    if config is None:
        return load("cross-encoder" if model is None else f"cross-encoder:{model}", progress=shows_bars())
    if model is not None:
        raise ConfigError("pass --model or --config, not both: a configuration names its model")
    return from_config(read_yaml(config))


def _table(ranking: Ranking) -> Table:
    table = documents_table(ranking.query, "rank", "was", str(ranking.scale))
    table.caption = f"{ranking.trace.latency_s:.2f} s"
    for document in ranking:
        line = Text(one_line(document.text))
        table.add_row(str(document.rank), str(document.index + 1), f"{document.score:.3f}", line)
    return table
