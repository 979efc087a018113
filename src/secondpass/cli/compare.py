"""``secondpass compare``: retrievers, rerankers and runs against each other, on a dataset."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from secondpass.bars import shows_bars
from secondpass.cli.console import say, write_json
from secondpass.errors import ConfigError, InputError

__all__ = ["compare"]


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
    prices: Annotated[
        list[str] | None,
        typer.Option("--price", help="What a system costs: NAME=0.002/call, /Mtok, /hour or /query; may be repeated."),
    ] = None,
    memory: Annotated[bool, typer.Option("--memory", help="Also measure each system's peak memory.")] = False,
    groups: Annotated[
        Path | None, typer.Option(help="A .tsv file of query ids and their category, to see each category by itself.")
    ] = None,
    failures_file: Annotated[
        str | None,
        typer.Option("--failures", metavar="NAME=FILE", help="Write a system's failures as training data (.jsonl)."),
    ] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write a page with the queries, too.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Say whether a reranker helps on your data, by how much, what it costs, and how deep it should go."""
    # Not with the module: every other command would wait for them.
    from secondpass.cli.systems import all_of, category_of, dataset_of, systems_of, whole_numbers
    from secondpass.evaluate.comparison import compare as compared
    from secondpass.evaluate.failure_cases import failures
    from secondpass.evaluate.metrics import cutoff

    wanted = None if failures_file is None else _named(failures_file, "--failures")
    for path in (html_file, None if wanted is None else Path(wanted[1])):
        if path is not None and not path.parent.is_dir():  # said now, and not when all is measured
            raise InputError(f"{path} can't be written: there is no folder {path.parent}")
    data = dataset_of(dataset, candidates, drop_missing)
    if queries is not None:
        data = data.sample(queries)
    # Whether there is what measures is asked with the systems, so that a single message names all that is missing.
    named, _ = all_of(partial(systems_of, systems, depth), partial(cutoff, "nDCG@10"))
    if wanted is not None and wanted[0] not in named:
        raise ConfigError(f"--failures: there is no system {wanted[0]!r}, only: {', '.join(named)}")
    comparison = compared(
        named,
        data,
        measures=measures or ["nDCG@10"],
        k=k,
        depth=depth,
        depths=whole_numbers(depths, "--depths"),
        groups=None if groups is None else {"category": category_of(groups)},
        prices=dict(_named(price, "--price") for price in prices or ()),
        memory=memory,
        progress=shows_bars(),
    )
    # First of all what was measured, whatever becomes of the files.
    if as_json:
        write_json(comparison.to_dict())
    else:
        sys.stdout.write(f"{comparison!r}\n")
    sys.stdout.flush()
    if wanted is not None:
        name, file = wanted
        found = failures(comparison, data, name)
        say("note", "dim", f"{found.to_jsonl(file)} of {len(found)} failures of {name} are in {file}")
    if html_file is not None:
        comparison.to_html(html_file)


def _named(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.rpartition("=")
    if not equals or not name or not value:
        raise ConfigError(f"{option} must be a system's name, = and a value, not {text!r}")
    return name, value
