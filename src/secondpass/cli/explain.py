"""``secondpass explain``: which sentences carry a score, and which evidence and which fact decided a verdict."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from secondpass.bars import shows_bars
from secondpass.cli.console import output, write_json
from secondpass.cli.reading import read_argument, read_settings, read_yaml
from secondpass.cli.verify import read_passages, write_page
from secondpass.errors import ConfigError, InputError
from secondpass.loading import from_config, load
from secondpass.types import printable

if TYPE_CHECKING:
    from secondpass.diagnose import ExplainedVerification, Explanation

__all__ = ["explain"]


def explain(
    query: Annotated[str | None, typer.Argument(help="What was asked.")] = None,
    document: Annotated[str | None, typer.Option("--document", "-d", help="The document, @FILE, or -.")] = None,
    answer: Annotated[
        str | None, typer.Option("--answer", "-a", help="An answer to be verified, @FILE, or -, instead of a document.")
    ] = None,
    passages: Annotated[
        list[str] | None,
        typer.Option("--passages", "-p", metavar="FILE...", help="What the answer was made from, as for verify."),
    ] = None,
    passage: Annotated[list[str] | None, typer.Option(help="The text of a passage; may be repeated.")] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="A name (see secondpass models), a folder, or owner/name.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="A reranker, or for an answer a FactVerifier, as YAML."),
    ] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write a page, too.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what a score rests on (QUERY and --document), or what verdicts rest on (--answer and --passages)."""
    if model is not None and config is not None:
        raise ConfigError("pass --model or --config, not both: a configuration names its model")
    if (document is None) == (answer is None):
        raise InputError("there is nothing to explain: give QUERY and --document, or --answer and --passages")
    explained: Explanation | ExplainedVerification
    if answer is not None:
        explained = _verdicts(answer, passages or [], passage or [], query, model, config)
    elif query is None or document is None:
        raise InputError("whose score is it? Give the QUERY as well")
    else:
        explained = _score(query, document, model, config)
    if html_file is not None:
        write_page(explained.to_html(), html_file)
    if as_json:
        write_json(explained.to_dict())
    else:
        for line in repr(explained).splitlines():
            output.print(Text(printable(line)), soft_wrap=True)


def _score(query: str, document: str, model: str | None, config: Path | None) -> "Explanation":
    from secondpass.diagnose import explain as explained  # not with the module: other commands would wait for it

    if config is not None:
        return explained(from_config(read_yaml(config)), query, read_argument(document))
    return explained(
        load("cross-encoder" if model is None else f"cross-encoder:{model}", progress=shows_bars()),
        query,
        read_argument(document),
    )


def _verdicts(
    answer: str, files: list[str], texts: list[str], question: str | None, model: str | None, config: Path | None
) -> "ExplainedVerification":
    from secondpass.diagnose import explain_verification
    from secondpass.verify.verifier import FactVerifier

    documents, _ = read_passages(files, texts, answer)
    settings = read_settings(config, FactVerifier) | ({} if model is None else {"model": model})
    verifier = FactVerifier.from_config(settings)
    return explain_verification(verifier, read_argument(answer), documents, question=question)
