"""The datasets and systems that ``secondpass compare`` takes, by their names on the command line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from secondpass.cli.reading import read_yaml
from secondpass.errors import ConfigError, InputError, MissingExtraError
from secondpass.evaluate.beir import read_beir
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.reading import read_run, read_texts
from secondpass.evaluate.stdlib_docs import stdlib_dataset
from secondpass.loading import from_config, load
from secondpass.retrieve.base import retriever_of, retrievers
from secondpass.retrieve.two_stage import RetrieveRerank

__all__ = ["all_of", "category_of", "dataset_of", "systems_of", "whole_numbers"]

_FIRST_STAGE = "first-stage"
_CONFIGURATIONS, _RUNS = (".yaml", ".yml", ".json"), (".run", ".trec", ".tsv", ".txt")  # how such files may end


def dataset_of(name: str, candidates: Path | None, drop_missing: bool) -> Dataset:
    """Return the dataset of a BEIR folder, or of "stdlib".

    Raises:
        InputError: it can't be read, or its parts don't fit together.
    """
    if name != "stdlib" or Path(name).is_dir():
        return read_beir(name, candidates=candidates, missing="drop" if drop_missing else "raise")
    data = stdlib_dataset()
    return data if candidates is None else replace(data, candidates=read_run(candidates))


def category_of(path: Path) -> dict[str, str]:
    """Return the category of each query in a file of ids and categories with a tab between them.

    Raises:
        InputError: it can't be read, or a line is something else.
    """
    return {row["id"]: row["text"] for row in read_texts(path, "query")}


def systems_of(systems: Sequence[str], depth: int) -> dict[str, Any]:
    """Return systems by name, as `secondpass.evaluate.compare` takes them.

    Args:
        systems: each as it is given, with or without ``NAME=``.
        depth: how many candidates a retriever with a reranker hands on.

    Raises:
        ConfigError: two have one name, or one can't be built.
        RegistryError: there is no retriever or reranker of that name.
        InputError: there is no file of that name, which ends as one.
        MissingExtraError: packages that they need are not installed; names them all.
    """
    wanted: dict[str, str] = {}
    built: dict[str, Any] = {}
    for given in systems:
        name, is_named, system = given.partition("=")
        if not is_named:
            system = given
        if name in wanted:
            raise ConfigError(f"two systems are named {name!r}: name one of them, as in other={system}")
        wanted[name] = system
    found = all_of(*(partial(_system, system, depth, built) for system in wanted.values()))
    return dict(zip(wanted, found, strict=True))


def all_of(*makers: Callable[[], Any]) -> list[Any]:
    """Return what each of some functions makes.

    Raises:
        MissingExtraError: some need packages that are not installed; names them all.
    """
    made, missing = [], []
    for maker in makers:
        try:
            made.append(maker())
        except MissingExtraError as exc:
            missing.append(exc)
    if missing:
        raise MissingExtraError.of_all(missing)
    return made


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
        return _configured(path) if path.suffix in _CONFIGURATIONS else path
    if path.suffix in (*_CONFIGURATIONS, *_RUNS):
        raise InputError(f"{system} can't be read: there is no such file")
    first, both, second = system.partition("+")
    if both:
        retriever, reranker = all_of(*(partial(_system, part, depth, built) for part in (first, second)))
        return RetrieveRerank(retriever, reranker, depth=depth)  # refuses what is not of these kinds
    if system.partition(":")[0] in retrievers.names():
        return retriever_of(system)
    return load(system)


def _configured(path: Path) -> Any:
    config = read_yaml(path)
    if isinstance(config, Mapping) and config.get("type") in retrievers.names():
        return retrievers.get(str(config["type"])).from_config(config)
    if isinstance(config, Mapping) and config.get("type") == RetrieveRerank.registry_name:
        return RetrieveRerank.from_config(config)
    return from_config(config)


def whole_numbers(text: str, option: str) -> list[int]:
    """Return the numbers of "10,20,50".

    Raises:
        ConfigError: it is something else.
    """
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError as exc:
        raise ConfigError(f"{option} must be whole numbers with commas between them, not {text!r}") from exc
