"""Code in Markdown pages: found, run as a reader would run it, and compared with the output that the page shows."""

import ast
import contextlib
import importlib
import inspect
import io
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt

import secondpass as sp
from notebooks.store import same_text
from secondpass.serve import ServeSettings

__all__ = ["Block", "call_errors", "find_blocks", "run_blocks"]

_RUNS = {"python", "yaml", "toml", "shell"}


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language and flags from the line that opens it, and where that stands."""

    path: Path
    line: int
    info: tuple[str, ...]
    code: str

    @property
    def language(self) -> str:
        """What it is written in; empty if it doesn't say."""
        return self.info[0] if self.info else ""

    @property
    def runs(self) -> bool:
        """Whether it is run: what needs a hub, a GPU or what the page doesn't define says ``notest``."""
        return self.language in _RUNS and "notest" not in self.info

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


def find_blocks(path: Path) -> list[Block]:
    """Return all fenced blocks of a page, in order, those in lists and quotes included."""
    tokens = MarkdownIt().parse(path.read_text(encoding="utf-8"))
    fences = [(token, token.map) for token in tokens if token.type == "fence"]
    return [Block(path, lines[0] + 1, tuple(token.info.split()), token.content) for token, lines in fences if lines]


def run_blocks(blocks: Sequence[Block], namespace: dict[str, Any], folder: Path) -> None:
    """Run blocks one after the other in one namespace, as in a notebook; an ``output`` block is what was printed.

    Raises:
        AssertionError: a block printed something else than the page shows.
    """
    printed = ""
    for block in blocks:
        if block.info == ("text", "output"):
            assert same_text(printed, block.code), f"{block} shows another output than\n{printed}"
        elif block.runs:
            printed = _run(block, namespace, folder)


def _run(block: Block, namespace: dict[str, Any], folder: Path) -> str:
    if block.language == "shell":
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        command = ["bash", "-euo", "pipefail", "-c", block.code]
        done = subprocess.run(
            command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{block}: {done.stderr}"
        return done.stdout
    if block.language == "yaml":
        read = ServeSettings.from_config if "serve" in block.info else sp.from_config
        read(yaml.safe_load(block.code))
        return ""
    if block.language == "toml":
        assert tomllib.loads(block.code), f"{block} is empty"
        return ""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        # The empty lines let a traceback point into the page.
        exec(compile("\n" * block.line + block.code, str(block.path), "exec"), namespace)
    return printed.getvalue()


def call_errors(block: Block) -> Iterator[str]:
    """Check a block that can't run here: it parses, what it imports of ours exists, and our calls fit signatures."""
    tree = ast.parse(block.code)
    known: dict[str, Any] = {"sp": sp}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and "secondpass" in node.module:
            module = importlib.import_module(node.module)
            known |= {name.asname or name.name: getattr(module, name.name) for name in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (called := _resolved(node.func, known)) is not None:
            arguments = [None] * len(node.args), {word.arg: None for word in node.keywords if word.arg}
            try:
                inspect.signature(called).bind_partial(*arguments[0], **arguments[1])
            except TypeError as exc:
                yield f"{block}, {ast.unparse(node.func)}: {exc}"


def _resolved(function: ast.expr, known: dict[str, Any]) -> Any:
    if isinstance(function, ast.Name):
        return known.get(function.id)
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "sp":
        return getattr(sp, function.attr)
    return None
