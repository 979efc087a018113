"""``secondpass demo``: search Python's own documentation in two stages, and see what reranking changes."""

import platform
import time
import warnings
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from secondpass.bars import shows_bars
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
    "import a module whose name is in a variable",
)
_MAX_LENGTH = 64  # tokens of a docstring that are embedded: its first lines say what it is for
_SAMPLE = 60  # documents whose time says how long all of them take


_NEXT = (
    ('secondpass demo "your own question about Python"', ""),
    ('secondpass rerank "what was asked" documents.jsonl', "your own documents, best first"),
    ('secondpass verify --answer "..." --passages notes.md', "an answer, claim by claim"),
    ("secondpass models", "other models, and which are installed"),
    ("secondpass doctor", "what is installed here, and works"),
)
_PIPELINES = (
    "In your pipeline: SecondPassReranker (LangChain), SecondPassRerank (LlamaIndex), SecondPassRanker (Haystack)"
)
_WIDE = 100  # columns, for the bi-encoder's own scores


def demo(
    query: Annotated[str | None, typer.Argument(help="A question about Python's standard library.")] = None,
    k: Annotated[int, typer.Option("--k", "-k", help="How many results to show.")] = 5,
    depth: Annotated[int, typer.Option(help="How many candidates to rerank.")] = 50,
) -> None:
    """Search the documentation of Python's standard library: retrieve by vectors, then rerank."""
    # What the model by itself changes; the places before are in the table.
    model = load("cross-encoder", long_documents="truncate", progress=shows_bars())
    search = RetrieveRerank(_retriever(), model, depth=depth, prior=False)
    warnings.simplefilter("ignore", TruncationWarning)  # the line below each table counts them
    for question in [query] if query else _QUESTIONS:
        ranking = search.search(question, k)
        output.print(_table(ranking))
        output.print(_times(ranking.trace, depth), style="dim", highlight=False)
        output.print()
    output.print(Text("What next", "bold"))
    following = Table.grid(padding=(0, 2))
    following.add_column()
    following.add_column(no_wrap=True)
    for command, what in _NEXT:
        following.add_row("", command, what)
    output.print(following, highlight=False)
    output.print(_PIPELINES, highlight=False)


def _retriever() -> DenseRetriever:
    folder = cache_dir("demo") / f"python-{platform.python_version()}-{_MAX_LENGTH}-no-methods"
    try:
        return DenseRetriever.load(folder)
    except (ConfigError, ModelIntegrityError):  # not there yet, or made with another model
        # Without methods, which are half of them: what answers a question is mostly what they belong to.
        documents = [document for document in stdlib_corpus() if document["metadata"]["kind"] != "method"]
    retriever = DenseRetriever(max_length=_MAX_LENGTH)
    texts = [document["text"] for document in documents[:: len(documents) // _SAMPLE]]
    start = time.perf_counter()
    retriever.embedding_model.encode_documents(texts)
    about_s = (time.perf_counter() - start) * len(documents) / len(texts)
    what = f"{len(documents):,} docstrings of Python's standard library"
    errors.print(f"Indexing {what}: about {about_s:.0f} s, this first time only.", style="dim", highlight=False)
    start = time.perf_counter()
    retriever.index(documents, progress=shows_bars())
    retriever.save(folder)
    errors.print(f"Done in {time.perf_counter() - start:.0f} s; kept in {folder}\n", style="dim", highlight=False)
    return retriever


def _table(ranking: Ranking) -> Table:
    wide = output.width >= _WIDE
    table = documents_table(ranking.query, "rank", "bi-encoder", "moved", "logit", *(["cosine"] if wide else []))
    for document in ranking:
        before = document.explanation["retrieval_rank"]
        table.add_row(
            str(document.rank),
            str(before),
            _moved(before - document.rank),
            f"{document.score:.2f}",
            *([f"{document.explanation['retrieval_score']:.3f}"] if wide else []),
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
        f"({reranking.total('tokens')} tokens; documents cut to fit: {reranking.total('truncated')})"
    )
