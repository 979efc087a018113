"""``secondpass learn``: tune a reranker on your own queries, and say whether that made it better."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from secondpass.bars import shows_bars
from secondpass.cli.console import write_json
from secondpass.errors import ConfigError

if TYPE_CHECKING:
    from secondpass.evaluate.dataset import Dataset

__all__ = ["learn"]


def learn(
    dataset: Annotated[
        str,
        typer.Argument(
            help="A BEIR folder; a .csv, .tsv or .jsonl file of question-answer pairs, clicks or feedback; or stdlib: "
            "the documentation of this Python, with questions."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="A folder for the training, the model and the report.")],
    model: Annotated[
        str, typer.Option("--model", "-m", help="What it begins with: a name, a folder, or store:FOLDER#production.")
    ] = "ms-marco-MiniLM-L12-v2",
    corpus: Annotated[
        Path | None, typer.Option(help="With a file: the documents that are searched, .jsonl or .tsv.")
    ] = None,
    store: Annotated[
        Path | None, typer.Option(help="A folder of model versions; the new one is promoted if it is better.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", metavar="NAME=VALUE", help="A setting of the training, such as epochs=2."),
    ] = None,
    retriever: Annotated[str, typer.Option(help="What finds candidates: bm25, dense or hybrid.")] = "bm25",
    depth: Annotated[int, typer.Option(help="How many candidates there are for a query.")] = 50,
    negatives: Annotated[int, typer.Option(help="Hard negatives of each training query, at most.")] = 4,
    dev: Annotated[float, typer.Option(help="Share of the queries to choose by.")] = 0.15,
    test: Annotated[float, typer.Option(help="Share of the queries to measure on.")] = 0.35,
    synthetic: Annotated[
        int, typer.Option(help="Queries made from the documents, on which a teacher's scores are learned.")
    ] = 0,
    teacher: Annotated[
        str | None,
        typer.Option(help="The reranker whose scores these are; by default the start with a bi-encoder beside it."),
    ] = None,
    guards: Annotated[
        list[str] | None,
        typer.Option("--guard", metavar="NAME=FOLDER", help="A BEIR folder on which it must not get worse."),
    ] = None,
    measure: Annotated[str, typer.Option(help="Such as nDCG@10, MRR@10, MAP.")] = "nDCG@10",
    processes: Annotated[int, typer.Option(help="How many train together, by torchrun.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the split and the training.")] = 0,
    drop_missing: Annotated[
        bool, typer.Option("--drop-missing", help="Leave out judgements of documents that the corpus does not have.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Mine, train, export, calibrate, measure and register: a reranker for your own queries.

    Stopped at any time, the same command goes on from there.
    """
    # Not with the module: every other command would wait for them.
    from secondpass.cli.systems import dataset_of
    from secondpass.evaluate.statistics import Difference
    from secondpass.learn.pipeline import learn as learned_from

    data = _judged(dataset, corpus, drop_missing)
    learned = learned_from(
        data,
        out,
        model=model,
        store=store,
        settings=_settings(settings or []),
        retriever=retriever,
        depth=depth,
        negatives=negatives,
        dev=dev,
        test=test,
        synthetic=synthetic,
        teacher=teacher,
        guards={name: dataset_of(value, None, drop_missing) for name, value in _named(guards or [], "--guard")},
        measure=measure,
        processes=processes,
        seed=seed,
        progress=shows_bars() or not as_json,
    )
    if not as_json:
        sys.stdout.write(f"{learned!r}\n")
        return
    difference: Difference = learned.comparison["tuned"].differences[measure]
    told = {
        "model": str(learned.model),
        "report": str(learned.report),
        "version": learned.version and learned.version.name,
        "promoted": learned.promoted,
        "decision": learned.decision.to_dict(),
        "difference": asdict(difference),
        "ece": learned.calibration and learned.calibration.ece,
        "findings": learned.findings.to_dict(),
        "seconds": dict(learned.seconds),
    }
    write_json(told)


def _judged(dataset: str, corpus: Path | None, drop_missing: bool) -> "Dataset":
    from secondpass.cli.systems import dataset_of
    from secondpass.learn.data.judgements import read_judged

    if Path(dataset).is_file():
        return read_judged(dataset, corpus)
    if corpus is not None:
        raise ConfigError(f"--corpus is for a file of answers, clicks or feedback: {dataset} has its own documents")
    return dataset_of(dataset, None, drop_missing)


def _named(given: list[str], option: str) -> list[tuple[str, str]]:
    pairs = []
    for each in given:
        name, equals, value = each.partition("=")
        if not (name and equals and value):
            raise ConfigError(f"{option} takes NAME=VALUE, not {each!r}")
        pairs.append((name, value))
    return pairs


def _settings(given: list[str]) -> dict[str, Any]:
    """Return settings with their values as JSON has them: numbers as numbers, all else as texts."""
    found: dict[str, Any] = {}
    for name, value in _named(given, "--set"):
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found
