"""``secondpass verify``: an answer against its passages, claim by claim."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from secondpass.cli.console import one_line, output, say_error
from secondpass.cli.documents import passages_in, text_of
from secondpass.cli.reading import read_argument, read_settings
from secondpass.errors import InputError, SecondPassError, VerificationFailedError
from secondpass.types import Document, printable
from secondpass.verify.types import CheckedClaim, Citation, Evidence, Mismatch, Verdict, Verification
from secondpass.verify.verifier import FactVerifier

__all__ = ["read_passages", "verify", "write_page"]

_STYLES = {
    Verdict.SUPPORTED: "green",
    Verdict.CONTRADICTED: "red",
    Verdict.NOT_ENOUGH_INFO: "yellow",
    Verdict.NOT_CHECKABLE: "dim",
    Verdict.ERROR: "magenta",
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
        typer.Option(help="What happens to the answer: annotate, flag (the default), drop, abstain or raise."),
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
        sys.stdout.write(json.dumps(verification.to_dict() | {"sources": sources}) + "\n")
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
            found += [(f"{name}:{number}", document) for number, document in listed]
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
    page = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='color-scheme' content='light dark'>"
        "<title>secondpass verify</title><style>body{font-family:sans-serif;max-width:70em;margin:2em auto}"
        f"td{{vertical-align:top;padding:.2em .6em}}</style></head><body>{verification.to_html()}</body></html>"
    )
    write_page(page, path)


def write_page(page: str, path: Path) -> None:
    """Write a page to a file.

    Raises:
        InputError: it can't be written.
    """
    try:
        path.write_bytes(page.encode("utf-8", "replace"))
    except OSError as exc:
        raise InputError(f"{path} can't be written: {exc}") from exc


def _print(verification: Verification, sources: list[str]) -> None:
    output.print(_table(verification, sources))
    if verification.text != verification.answer:
        output.print(
            Text(f"{verification.policy}: ", style="bold") + Text(one_line(verification.text), style="not bold")
        )
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
        word = Text(str(claim.verdict).replace("_", " "), style=_STYLES[claim.verdict])
        probability = f"{claim.probability:.2f}" if claim.checked else ""
        table.add_row(word, probability, Text(one_line(claim.text)), _evidence(claim, sources))
    return table


def _evidence(claim: CheckedClaim, sources: list[str]) -> Text:
    reason = claim.reason or claim.claim.reason
    lines = [Text(one_line(reason), style="italic")] if reason else []
    # Those that decided are in the reason.
    lines += [Text(one_line(_described(each))) for each in claim.mismatches if _described(each) not in reason]
    shown = list(claim.evidence[:1])
    if claim.conflict:
        shown += [each for each in claim.contradicting[:1] if each not in shown]
    lines += [_place(each, sources) for each in shown]
    lines += [Text(_cited(each), style="dim") for each in claim.citations]
    return Text("\n").join(lines)


def _described(mismatch: Mismatch) -> str:
    found = f"the passage has {mismatch.evidence!r}" if mismatch.evidence else "the passage has none"
    return f"{mismatch.kind} {mismatch.claim!r}, but {found}"


def _place(evidence: Evidence, sources: list[str]) -> Text:
    source = sources[evidence.passage]
    named = f"{source} ({evidence.id})" if evidence.id is not None and evidence.id != source else source
    text = one_line(evidence.text)
    text = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return Text.assemble((f"{one_line(named)}, {evidence.start}-{evidence.end}: ", "bold"), text)


def _cited(citation: Citation) -> str:
    if not citation.exists:
        return f"[{citation.number}]: there is no such passage"
    return f"[{citation.number}]: {'supports it' if citation.supports else 'does not support it'}"
