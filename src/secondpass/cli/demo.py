"""``secondpass demo``: search Python's own documentation in two stages, and see what reranking changes."""

import platform
import warnings
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from secondpass.cli.console import documents_table, errors, output
from secondpass.errors import ConfigError, ModelIntegrityError, TruncationWarning
from secondpass.evaluate.stdlib_docs import stdlib_corpus
from secondpass.loading import load
from secondpass.paths import cache_dir
from secondpass.retrieve import DenseRetriever, RetrieveRerank
from secondpass.types import Ranking, Trace

__all__ = ["demo"]

# Questions whose answers the bi-encoder ranks lower, and the cross-encoder first.
_QUESTIONS = (
    "one function, different implementations depending on the type of the argument",
    "compare the speed of two small snippets",
    "TypeError: Object of type datetime is not JSON serializable",
)
_MAX_LENGTH = 128  # tokens of a docstring that are embedded: its first lines say what it is for


def demo(
    query: Annotated[str | None, typer.Argument(help="A question about Python's standard library.")] = None,
    k: Annotated[int, typer.Option("--k", "-k", help="How many results to show.")] = 5,
    depth: Annotated[int, typer.Option(help="How many candidates to rerank.")] = 50,
) -> None:
    """Search the documentation of Python's standard library: retrieve by vectors, then rerank."""
    # What the model by itself changes; the places before are in the table.
    model = load("cross-encoder", long_documents="truncate", progress=True)
    search = RetrieveRerank(_retriever(), model, depth=depth, prior=False)
    warnings.simplefilter("ignore", TruncationWarning)  # the line below each table counts them
    for question in [query] if query else _QUESTIONS:
        ranking = search.search(question, k)
        output.print(_table(ranking))
        output.print(_times(ranking.trace, depth), style="dim")
        output.print()


def _retriever() -> DenseRetriever:
    folder = cache_dir("demo") / f"python-{platform.python_version()}-{_MAX_LENGTH}"
    try:
        return DenseRetriever.load(folder)
    except (ConfigError, ModelIntegrityError):  # not there yet, or made with another model
        documents = stdlib_corpus()
    errors.print(f"Indexing {len(documents)} docstrings of Python's standard library (once) ...", style="dim")
    retriever = DenseRetriever(max_length=_MAX_LENGTH).index(documents, progress=True)
    retriever.save(folder)
    return retriever


def _table(ranking: Ranking) -> Table:
    table = documents_table(ranking.query, "rank", "bi-encoder", "moved", "logit", "cosine")
    for document in ranking:
        before = document.explanation["retrieval_rank"]
        table.add_row(
            str(document.rank),
            str(before),
            _moved(before - document.rank),
            f"{document.score:.2f}",
            f"{document.explanation['retrieval_score']:.3f}",
            Text(f"{document.id}: ", style="bold") + Text(_first_sentence(document.text), style="not bold"),
        )
    return table


def _moved(places: int) -> Text:
    if places == 0:
        return Text("=", style="dim")
    return Text(f"▲ {places}", style="green") if places > 0 else Text(f"▼ {-places}", style="red")


def _first_sentence(text: str) -> str:
    return " ".join(text.partition("\n")[2].split("\n\n")[0].split())


def _times(trace: Trace, depth: int) -> str:
    retrieval, reranking = trace.stages
    return (
        f"retrieved {depth} candidates in {retrieval.latency_s * 1000:.0f} ms, "
        f"reranked them in {reranking.latency_s * 1000:.0f} ms "
        f"({reranking.total('tokens')} tokens; {reranking.total('truncated')} documents cut to fit)"
    )
