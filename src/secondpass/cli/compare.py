"""``secondpass compare``: retrievers, rerankers and runs against each other, on a dataset."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from secondpass.cli.reading import read_yaml
from secondpass.config import construct
from secondpass.errors import ConfigError
from secondpass.evaluate.beir import read_beir
from secondpass.evaluate.comparison import compare as compared
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.reading import read_run
from secondpass.evaluate.stdlib_docs import stdlib_dataset
from secondpass.loading import from_config, load
from secondpass.retrieve.base import Retriever, retrievers
from secondpass.retrieve.two_stage import RetrieveRerank

__all__ = ["compare"]

_FIRST_STAGE = "first-stage"


def compare(
    dataset: Annotated[
        str, typer.Argument(help="A BEIR folder, or stdlib: the documentation of this Python, with questions.")
    ],
    systems: Annotated[
        list[str],
        typer.Option(
            "--systems",
            "-s",
            metavar="[NAME=]SYSTEM...",
            help="The first is what the others are compared with. A retriever (bm25, dense, hybrid), a reranker "
            "(cross-encoder:MODEL), both (bm25+cross-encoder), a YAML or JSON file, a TREC run, or first-stage.",
        ),
    ],
    measures: Annotated[
        list[str] | None,
        typer.Option("--measure", "-m", help="Such as nDCG@10 (the default), MRR@10, MAP, R@100; may be repeated."),
    ] = None,
    k: Annotated[int | None, typer.Option("--k", "-k", help="How many documents are wanted; all by default.")] = None,
    depth: Annotated[int, typer.Option(help="How many candidates rerankers rank.")] = 100,
    depths: Annotated[str, typer.Option(help="Also rank so many, for a depth curve: 10,20,50.")] = "",
    queries: Annotated[int | None, typer.Option(help="At most so many queries, the same ones each time.")] = None,
    candidates: Annotated[
        Path | None, typer.Option(help="A TREC run whose documents rerankers rank, instead of a retriever's.")
    ] = None,
    drop_missing: Annotated[
        bool, typer.Option("--drop-missing", help="Leave out judgements of documents that the corpus does not have.")
    ] = False,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write a page with the queries, too.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Say whether a reranker helps on your data, by how much, what it costs, and how deep it should go."""
    data = _dataset(dataset, candidates, drop_missing)
    if queries is not None:
        data = data.sample(queries)
    built: dict[str, Any] = {}
    comparison = compared(
        _named(systems, depth, built),
        data,
        measures=measures or ["nDCG@10"],
        k=k,
        depth=depth,
        depths=_numbers(depths),
        progress=True,
    )
    if html_file is not None:
        comparison.to_html(html_file)
    if as_json:
        sys.stdout.write(json.dumps(comparison.to_dict()) + "\n")
    else:
        sys.stdout.write(f"{comparison!r}\n")


def _dataset(name: str, candidates: Path | None, drop_missing: bool) -> Dataset:
    if name != "stdlib" or Path(name).is_dir():
        return read_beir(name, candidates=candidates, missing="drop" if drop_missing else "raise")
    data = stdlib_dataset()
    run = None if candidates is None else read_run(candidates)
    return data if run is None else Dataset(data.documents, data.queries, data.qrels, run)


def _numbers(depths: str) -> list[int]:
    try:
        return [int(part) for part in depths.split(",") if part.strip()]
    except ValueError as exc:
        raise ConfigError(f"--depths must be whole numbers with commas between them, not {depths!r}") from exc


def _named(systems: list[str], depth: int, built: dict[str, Any]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for given in systems:
        name, is_named, system = given.partition("=")
        if not is_named:
            system = given
        if name in named:
            raise ConfigError(f"two systems are named {name!r}: name one of them, as in other={system}")
        named[name] = _system(system, depth, built)
    return named


def _system(system: str, depth: int, built: dict[str, Any]) -> Any:
    """Return the system of a name or a file; ``built`` are those that there are already, so that they share indexes."""
    if system == _FIRST_STAGE:
        return None
    if system not in built:
        built[system] = _built(system, depth, built)
    return built[system]


def _built(system: str, depth: int, built: dict[str, Any]) -> Any:
    path = Path(system)
    if path.is_file():
        return _configured(path) if path.suffix in (".yaml", ".yml", ".json") else path
    first, both, second = system.partition("+")
    if both:
        retriever, reranker = _system(first, depth, built), _system(second, depth, built)
        return RetrieveRerank(retriever, reranker, depth=depth)  # refuses what is not of these kinds
    kind, colon, model = system.partition(":")
    if kind in retrievers.names():
        retriever_made: Retriever = construct(retrievers.get(kind), *([model] if colon else []))
        return retriever_made
    return load(system)


def _configured(path: Path) -> Any:
    config = read_yaml(path)
    if isinstance(config, Mapping) and config.get("type") in retrievers.names():
        return retrievers.get(str(config["type"])).from_config(config)
    if isinstance(config, Mapping) and config.get("type") == RetrieveRerank.registry_name:
        return RetrieveRerank.from_config(config)
    return from_config(config)
