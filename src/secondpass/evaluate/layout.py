"""Pages that need nothing else: their tables can be sorted, and they ask nobody for anything."""

import base64
import hashlib
import os
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from secondpass.errors import InputError, reason
from secondpass.evaluate.tables import COLOURS, escaped
from secondpass.files import write_whole

__all__ = ["bullets", "cell", "labelled", "section", "table", "whole_page", "write_page"]


def whole_page(title: str, headline: str, body: str) -> str:
    """Return a page. Nothing that was measured can run in it: only its own script, which is named by its hash.

    Args:
        title: what it is, in a word or two.
        headline: what was measured, in a sentence.
        body: HTML in which every text of others is `escaped`.
    """
    style, script = (_file(name) for name in ("page.css", "page.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<meta name='color-scheme' content='light dark'><title>{escaped(title)}</title>"
        f"<style>{style}</style></head><body><main><header><h1>{escaped(title)}</h1><p>{escaped(headline)}</p></header>"
        f"{body}</main><script>{script}</script></body></html>"
    )


def write_page(page: str, path: str | os.PathLike[str]) -> None:
    """Write a page.

    Raises:
        InputError: it can't be written.
    """
    try:
        write_whole(Path(path).expanduser(), page.encode("utf-8", "replace"))
    except OSError as exc:
        raise InputError(f"{path} can't be written: {reason(exc)}") from exc


def section(title: str, body: str) -> str:
    """Return a part of a page under a heading; nothing without a body."""
    return f"<section><h2>{escaped(title)}</h2>{body}</section>" if body else ""


def bullets(sentences: Iterable[str]) -> str:
    """Return sentences as a list; nothing for none."""
    items = "".join(f"<li>{escaped(sentence)}</li>" for sentence in sentences)
    return f"<ul>{items}</ul>" if items else ""


def labelled(verdict: str, words: str) -> str:
    """Return words on the colour of a verdict: ``better``, ``worse`` or ``undecided``."""
    return f"<span class='verdict' style='background:rgba({COLOURS[verdict]},.25)'>{words}</span>"


def cell(content: str, value: float | str, label: str = "") -> str:
    """Return a cell with what it is sorted by; ``label`` stands before it where a row is shown as a card."""
    named = f" data-label='{escaped(label)}'" if label else ""
    return f"<td data-v='{escaped(str(value))}'{named}>{content}</td>"


def table(heads: Iterable[str], rows: Iterable[str], kind: str = "") -> str:
    """Return a table that can be sorted, of rows that are made of as many `cell`s as there are heads."""
    head = "".join(f"<th scope='col'><button type='button'>{escaped(name)}</button></th>" for name in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    named = f" class='{kind}'" if kind else ""
    return f"<div class='wide'><table{named}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
