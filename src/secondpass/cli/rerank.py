"""``secondpass rerank``: documents from files or standard input, best first on standard output."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from secondpass.base import Reranker
from secondpass.cli.console import documents_table, output
from secondpass.errors import ConfigError, InputError
from secondpass.registry import from_config, load
from secondpass.rerankers.passage import PassageReranker
from secondpass.types import Document, Ranking, printable

__all__ = ["rerank"]


def rerank(
    query: Annotated[str, typer.Argument(help="What was asked.")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Documents, one a line: plain text or JSONL; standard input without any."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help="A name (see secondpass models), a folder, or owner/name on the hub."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="A reranker as YAML or JSON, instead of a model.")
    ] = None,
    k: Annotated[int | None, typer.Option("--k", "-k", help="How many to print; all without it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Rerank documents: plain lines, or JSON objects with "text" (and "id" and "metadata")."""
    documents = [document for name, lines in _sources(files or []) for document in _documents(name, lines)]
    ranking = _reranker(model, config).rerank(query, documents, k=k)
    if as_json:
        for document in ranking:
            sys.stdout.write(json.dumps(document.to_dict()) + "\n")
    elif output.is_terminal:
        output.print(_table(ranking))
    else:
        for document in ranking:
            line = " ".join(document.text.split()).encode("utf-8", "replace").decode()
            sys.stdout.write(f"{document.rank}\t{document.score:.4f}\t{line}\n")


def _reranker(model: str | None, config: Path | None) -> Reranker:
    if config is None:
        # In windows, so that a long document is not cut.
        return PassageReranker(load("cross-encoder" if model is None else f"cross-encoder:{model}", progress=True))
    if model is not None:
        raise ConfigError("pass --model or --config, not both: a configuration names its model")
    return from_config(_read_yaml(config))


def _read_yaml(path: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise ConfigError(f"{path} can't be read as YAML: {exc}") from exc


def _sources(files: list[Path]) -> Iterator[tuple[str, list[str]]]:
    sources = [(str(path), path.read_bytes) for path in files] or [("standard input", sys.stdin.buffer.read)]
    for name, read in sources:
        try:
            text = read().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as exc:
            raise InputError(f"{name} can't be read as UTF-8 text: {exc}") from exc
        # Not splitlines, which also splits at characters that may stand within a line of JSON.
        yield name, [line.rstrip("\r") for line in text.split("\n")]


def _documents(name: str, lines: list[str]) -> Iterator[Document]:
    """Read lines as JSONL if the first is a JSON object, else as plain text; blank ones are no documents."""
    filled = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not (filled and filled[0][1].lstrip().startswith("{")):
        yield from (line for _, line in filled)
        return
    for number, line in filled:
        try:
            document: Any = json.loads(line)
        except ValueError as exc:
            raise InputError(f"{name}, line {number} is not JSON: {exc}") from exc
        if not (isinstance(document, dict) and isinstance(document.get("text"), str)):
            raise InputError(f'{name}, line {number} is not a JSON object with a string under "text"')
        yield document


def _table(ranking: Ranking) -> Table:
    table = documents_table(ranking.query, "rank", "was", str(ranking.scale))
    table.caption = f"{ranking.trace.latency_s:.2f} s"
    for document in ranking:
        line = Text(printable(" ".join(document.text.split())))
        table.add_row(str(document.rank), str(document.index + 1), f"{document.score:.3f}", line)
    return table
