"""The documentation of Python's own standard library, as a corpus available on every machine.

The demo, the notebooks and the quality test search it: about 5,000 docstrings, one document for each
module, class, function and method that has its own. The text is the qualified name with its
signature, then the docstring. It differs a little from one Python version to the next.
"""

import contextlib
import importlib
import inspect
import json
import os
import pkgutil
import platform
import subprocess
import sys
import warnings
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from secondpass.errors import SecondPassError
from secondpass.paths import cache_dir

if TYPE_CHECKING:
    from secondpass.evaluate.dataset import Dataset

__all__ = ["stdlib_corpus", "stdlib_dataset", "stdlib_qrels", "stdlib_queries"]

# Importing these opens a browser, prints, starts a program or loads a test suite.
_SKIPPED = {"antigravity", "this", "idlelib", "turtledemo", "test", "lib2to3", "__main__", "tkinter", "turtle"}
_SKIPPED |= {"ntpath", "posixpath", "genericpath"}  # known as os.path
_FORMAT = 1  # raise it when the texts are made differently: the cache still holds the old ones
# Packages whose public submodules are documented as modules in their own right.
_PACKAGES = {"asyncio", "collections", "concurrent", "email", "html", "http", "importlib", "json", "logging"}
_PACKAGES |= {"multiprocessing", "os", "unittest", "urllib", "wsgiref", "xml", "xmlrpc", "zoneinfo", "dbm"}


@cache
def stdlib_corpus() -> tuple[dict[str, Any], ...]:
    """Return the corpus: mappings with ``id`` (the qualified name), ``text`` and ``metadata``.

    The modules are imported in a child process, so that no import of theirs changes the caller's;
    the result is cached on disk for each Python version. ``metadata`` holds ``module`` and ``kind``
    ("module", "class", "function" or "method").

    Raises:
        SecondPassError: the child process failed; the end of its output is in the message.
    """
    path = cache_dir("stdlib") / f"docs-{_FORMAT}-python-{platform.python_version()}.json"
    if not path.exists():
        partial = path.with_suffix(f".{os.getpid()}.tmp")
        # -P: not from the current folder, whose modules may have the names of the standard library's.
        command = [sys.executable, "-P", "-m", "secondpass.evaluate.stdlib_docs", str(partial)]
        child = subprocess.run(  # noqa: S603  # this Python, on this module
            command, capture_output=True, text=True, timeout=120, check=False
        )
        if child.returncode != 0:
            raise SecondPassError(f"reading the standard library's documentation failed: {child.stderr[-500:]}")
        partial.replace(path)
    return tuple(json.loads(path.read_text(encoding="utf-8")))


def stdlib_queries() -> dict[str, str]:
    """Return the questions about the standard library that come with secondpass, by query id."""
    lines = resources.files(__package__).joinpath("stdlib_queries.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["_id"]: row["text"] for row in map(json.loads, lines)}


def stdlib_qrels() -> dict[str, dict[str, int]]:
    """Return the judgements: query id to document id (a qualified name) to grade (2 answers it, 1 helps)."""
    lines = resources.files(__package__).joinpath("stdlib_qrels.tsv").read_text(encoding="utf-8").splitlines()
    qrels: dict[str, dict[str, int]] = {}
    for line in lines[1:]:
        query_id, document_id, grade = line.split("\t")
        qrels.setdefault(query_id, {})[document_id] = int(grade)
    return qrels


def stdlib_dataset() -> "Dataset":
    """Return corpus, questions and judgements as a dataset; judgements of what this Python lacks are left out."""
    from secondpass.evaluate.dataset import Dataset  # not in the child, which reads the documentation

    return Dataset.of(stdlib_corpus(), stdlib_queries(), stdlib_qrels(), missing="drop")


def _modules() -> Iterator[tuple[str, ModuleType]]:
    for name in sorted(sys.stdlib_module_names):
        if name.startswith("_") or name in _SKIPPED:
            continue
        try:
            module = importlib.import_module(name)
        except ImportError:  # of another platform (winreg), or not built into this Python
            continue
        yield name, module
        if name in _PACKAGES:
            yield from _submodules(module)
    yield "os.path", os.path


def _submodules(package: ModuleType) -> Iterator[tuple[str, ModuleType]]:
    for info in pkgutil.walk_packages(getattr(package, "__path__", ()), package.__name__ + "."):
        if any(part.startswith("_") for part in info.name.split(".")) or ".test" in info.name:
            continue
        with contextlib.suppress(ImportError):  # asyncio.windows_events, and the like
            yield info.name, importlib.import_module(info.name)


def _members(name: str, module: ModuleType) -> Iterator[tuple[str, str, object]]:
    prefix = "" if name == "builtins" else name + "."
    top = name.partition(".")[0]
    public = getattr(module, "__all__", None) or [key for key in vars(module) if not key.startswith("_")]
    for key in sorted(public):
        member = getattr(module, key, None)
        home = (getattr(member, "__module__", None) or name).partition(".")[0].lstrip("_")
        # posix and genericpath are where os and os.path really live; the rest is imported from elsewhere.
        if inspect.ismodule(member) or home not in {top, "posix", "posixpath", "genericpath", "io"}:
            continue
        if inspect.isclass(member):
            yield prefix + key, "class", member
            for method, function in sorted(vars(member).items()):
                if not method.startswith("_") and (
                    callable(function) or isinstance(function, classmethod | staticmethod)
                ):
                    yield f"{prefix}{key}.{method}", "method", getattr(member, method)
        elif callable(member):
            yield prefix + key, "function", member


def _signature(member: object) -> str:
    """Return the signature without annotations, and only with defaults that are the same everywhere.

    A default can be anything: an object's address, a local path, even ``os.environ`` (in cgi).
    """
    try:
        signature = inspect.signature(member)  # type: ignore[arg-type]  # callable() was asked by _members
    except (TypeError, ValueError, AttributeError):  # the last: curses names constants that its C module lacks
        return "()"
    parameters = [
        parameter.replace(
            annotation=inspect.Parameter.empty,
            default=parameter.default if _is_plain(parameter.default) else ...,
        )
        for parameter in signature.parameters.values()
    ]
    shown = str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))
    return shown.replace("=Ellipsis", "=...")


def _is_plain(default: object) -> bool:
    if default is None or default is inspect.Parameter.empty or isinstance(default, bool | int | float):
        return True
    return isinstance(default, str | bytes) and len(default) <= 12


def _read() -> list[dict[str, Any]]:
    """Import every module and collect the docstrings; one that occurs twice is kept under its shortest name."""
    documents: dict[str, dict[str, Any]] = {}
    for name, module in _modules():
        for qualified, kind, member in [(name, "module", module), *_members(name, module)]:
            docstring = inspect.getdoc(member)
            if not docstring or (docstring in documents and len(documents[docstring]["id"]) <= len(qualified)):
                continue
            head = qualified + ("" if kind in {"module", "class"} else _signature(member))
            metadata = {"module": name, "kind": kind}
            documents[docstring] = {"id": qualified, "text": f"{head}\n{docstring}", "metadata": metadata}
    return list({document["id"]: document for document in documents.values()}.values())


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    Path(sys.argv[1]).write_text(json.dumps(_read(), ensure_ascii=False), encoding="utf-8", errors="replace")
