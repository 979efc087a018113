"""``secondpass choose``: what to search with on this machine, by measurements on a sample of queries."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from secondpass.bars import shows_bars
from secondpass.cli.console import write_json

__all__ = ["choose"]


def choose(
    dataset: Annotated[
        str, typer.Argument(help="A BEIR folder, or stdlib: the documentation of this Python, with questions.")
    ],
    latency_ms: Annotated[
        float | None, typer.Option("--latency-ms", help="What 95 % of the queries have to stay below; no limit else.")
    ] = None,
    k: Annotated[int, typer.Option("--k", "-k", help="How many documents are wanted.")] = 10,
    depths: Annotated[str, typer.Option(help="How many candidates to rerank.")] = "10,20,50,100",
    retriever: Annotated[
        list[str] | None, typer.Option(help="Such as bm25 or dense:MODEL, repeated; all that are installed else.")
    ] = None,
    reranker: Annotated[
        list[str] | None, typer.Option(help="Such as cross-encoder:MODEL, repeated; all that are installed else.")
    ] = None,
    queries: Annotated[int, typer.Option(help="At most so many queries, the same ones each time.")] = 50,
    candidates: Annotated[
        Path | None, typer.Option(help="A TREC run whose documents are reranked, instead of a retriever's.")
    ] = None,
    drop_missing: Annotated[
        bool, typer.Option("--drop-missing", help="Leave out judgements of documents that the corpus does not have.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
) -> None:
    """Recommend a retriever, a reranker and a depth, or a retriever alone: measured here, on your queries."""
    # Not with the module: every other command would wait for them.
    from secondpass.cli.systems import dataset_of, whole_numbers
    from secondpass.evaluate.choosing import choose as chosen

    choice = chosen(
        dataset_of(dataset, candidates, drop_missing),
        latency_ms=latency_ms,
        k=k,
        retrievers=retriever,
        rerankers=reranker,
        depths=whole_numbers(depths, "--depths"),
        n_queries=queries,
        progress=shows_bars(),
    )
    if as_json:
        write_json(choice.to_dict())
    else:
        sys.stdout.write(f"{choice!r}\n")
