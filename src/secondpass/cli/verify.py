"""``secondpass verify``: an answer against its passages, claim by claim."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from secondpass.cli.console import one_line, output, say_error, write_json
from secondpass.cli.documents import as_document, passages_in, text_of
from secondpass.cli.reading import read_argument, read_settings
from secondpass.errors import InputError, SecondPassError, VerificationFailedError, reason
from secondpass.files import write_whole
from secondpass.types import Document, printable
from secondpass.verify.reasons import relevant, telling, told, what_was_done
from secondpass.verify.report import page
from secondpass.verify.types import CheckedClaim, Verdict, Verification
from secondpass.verify.verifier import FactVerifier

__all__ = ["read_passages", "verify", "write_page"]

_STYLES = {
    Verdict.SUPPORTED: "green",
    Verdict.CONTRADICTED: "red",
    Verdict.NOT_ENOUGH_INFO: "yellow",
    Verdict.NOT_CHECKABLE: "dim",
    Verdict.ERROR: "magenta",
}
_MARKS = {
    Verdict.SUPPORTED: "✓",
    Verdict.CONTRADICTED: "✗",
    Verdict.NOT_ENOUGH_INFO: "?",
    Verdict.NOT_CHECKABLE: "·",
    Verdict.ERROR: "!",
}
_SHOWN = 300  # characters of a piece of evidence; --json and --html have all of it
_FAILED, _BAD_INPUT = 1, 2


def verify(
    answer: Annotated[str, typer.Option("--answer", "-a", help="The answer, @FILE, or - for standard input.")],
    passages: Annotated[
        list[str] | None,
        typer.Option(
            "--passages",
            "-p",
            metavar="FILE...",
            help="Each file is a passage; of .jsonl, .json, .csv, and of - (JSONL), each document is one.",
        ),
    ] = None,
    passage: Annotated[
        list[str] | None, typer.Option(help="The text of a passage; numbered after those from files.")
    ] = None,
    question: Annotated[str | None, typer.Option("--question", "-q", help="What was asked.")] = None,
    policy: Annotated[
        str | None,
        typer.Option(help="What happens to the answer: annotate, cite, flag (the default), drop, abstain or raise."),
    ] = None,
    threshold: Annotated[
        str | None,
        typer.Option(help="strict, balanced, lenient, or a number: the lowest probability of a supported claim."),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="An NLI model: a name, a folder, or owner/name on the hub.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="A FactVerifier as YAML or JSON; options above override it.")
    ] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write a page with the evidence, too.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
) -> None:
    """Say for each claim of an answer whether the passages support it, with the evidence.

    The exit status is 0 if the answer passed, 1 if it did not, and 2 if something can't be used.
    """
    try:
        documents, sources = read_passages(passages or [], passage or [], answer)
        verifier = _verifier(config, {"model": model, "policy": policy, "threshold": _number_or_name(threshold)})
        verification = _verified(verifier, read_argument(answer), documents, question)
        if html_file is not None:
            _write_html(verification, html_file)
    except SecondPassError as exc:
        say_error(exc)
        raise typer.Exit(_BAD_INPUT) from exc
    if as_json:
        write_json(verification.to_dict() | {"sources": sources})
    else:
        _print(verification, sources)
    if not verification.passed:
        raise typer.Exit(_FAILED)


def _number_or_name(threshold: str | None) -> float | str | None:
    try:
        return None if threshold is None else float(threshold)
    except ValueError:
        return threshold


def read_passages(files: list[str], texts: list[str], answer: str) -> tuple[list[Document], list[str]]:
    """Return the passages and their sources; a passage without an id has its source as id."""
    if not (files or texts):
        raise InputError("there are no passages: give --passages FILE, or --passage TEXT")
    if [answer, *files].count("-") > 1:
        raise InputError("standard input can only be read once: give the answer or the passages as a file")
    found: list[tuple[str, dict[str, Any]]] = []
    for file in files:
        name = "standard input" if file == "-" else file
        listed = passages_in(name)
        if listed is None:
            found.append((file, {"text": text_of(file)}))
        else:
            found += [(f"{name}:{number}", as_document(document)) for number, document in listed]
    found += [(f"--passage {number}", {"text": text}) for number, text in enumerate(texts, start=1)]
    return [{"id": source, **document} for source, document in found], [source for source, _ in found]


def _verifier(config: Path | None, options: dict[str, Any]) -> FactVerifier:
    given = {name: value for name, value in options.items() if value is not None}
    return FactVerifier.from_config({"policy": "flag", **read_settings(config, FactVerifier), **given})


def _verified(verifier: FactVerifier, answer: str, passages: list[Document], question: str | None) -> Verification:
    try:
        return verifier.verify(answer, passages, question=question)
    except VerificationFailedError as exc:  # the policy "raise": the exit status says it here
        verification: Verification | None = exc.verification
        if verification is None:
            raise
        return verification


def _write_html(verification: Verification, path: Path) -> None:
    write_page(page(verification.to_dict()), path)


def write_page(text: str, path: Path) -> None:
    """Write a page to a file.

    Raises:
        InputError: it can't be written.
    """
    try:
        write_whole(path.expanduser(), text.encode("utf-8", "replace"))
    except OSError as exc:
        raise InputError(f"{path} can't be written: {reason(exc)}") from exc


def _print(verification: Verification, sources: list[str]) -> None:
    if verification.question:
        output.print(Text.assemble(("question: ", "bold"), one_line(verification.question)))
    output.print(_table(verification, sources))
    output.print(Text(f"model: {one_line(verification.model)}; policy: {what_was_done(verification.to_dict())}", "dim"))
    if verification.text != verification.answer:
        output.print(Text.assemble(("given out: ", "bold"), one_line(verification.text)))
    for note in verification.trace.notes:
        output.print(Text(f"note: {printable(note)}", style="dim"))
    checked = sum(claim.checked for claim in verification)
    supported = verification.counts[Verdict.SUPPORTED]
    outcome = Text("passed", style="bold green") if verification.passed else Text("not passed", style="bold red")
    share = f": {supported} of {checked} checkable claims are supported ({verification.supported_fraction:.0%})"
    output.print(outcome + Text(share, style="not bold default"), soft_wrap=True)


def _table(verification: Verification, sources: list[str]) -> Table:
    table = Table(expand=True, show_lines=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("p", justify="right", no_wrap=True)
    table.add_column("claim", ratio=2, overflow="fold")
    table.add_column("evidence", ratio=3, overflow="fold")
    for claim in verification:
        words = str(claim.verdict).replace("_", " ")
        word = Text(f"{_MARKS[claim.verdict]} {words}", style=_STYLES[claim.verdict])
        probability = f"{claim.probability:.2f}" if claim.checked else ""
        table.add_row(word, probability, Text(one_line(claim.text)), _evidence(claim, sources))
    return table


def _evidence(claim: CheckedClaim, sources: list[str]) -> Text:
    data = claim.to_dict()
    supports = ("✓ supports", "green") if claim.verdict is Verdict.SUPPORTED else ("nearest", "dim")
    shown = {False: supports, True: ("✗ contradicts", "red")}
    lines = [Text(one_line(told(data)), style="italic")] if told(data) else []
    for window in relevant(data):
        how = shown.pop(window in data["contradicting"], None)  # the best of each kind
        if how:
            lines.append(_place(window, claim.text, *how, sources))
    return Text("\n").join(lines)


def _place(evidence: Mapping[str, Any], claim: str, how: str, style: str, sources: list[str]) -> Text:
    source, identity = sources[evidence["passage"]], evidence["id"]
    named = f"{source} ({identity})" if identity is not None and identity != source else source
    start, end = telling(evidence["text"], claim)
    text = one_line(evidence["text"][max(0, end - _SHOWN) if end - start < _SHOWN else start :])
    text = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    place = f"{one_line(named)}, {evidence['start']}-{evidence['end']}: "
    return Text.assemble((f"{how} ", style), (place, "bold"), text)
