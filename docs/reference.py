"""Pages of the API reference: one for each package, from its docstring and the names that it exports.

A package that exports a name by ``__all__`` has a page, and a name is described once: on the page of the innermost
such package that it was defined in. Other pages that export it link there.
"""

import functools
import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from types import ModuleType
from typing import Any

from sphinx.pycode import ModuleAnalyzer

_ADAPTERS = {
    "langchain_secondpass": "LangChain",
    "llama_index.postprocessor.secondpass": "LlamaIndex",
    "haystack_integrations.components.rankers.secondpass": "Haystack: rankers",
    "haystack_integrations.components.validators.secondpass": "Haystack: validators",
}
_INTERNAL = ("secondpass.cli", "secondpass.network")  # a command, and what clients of servers share
_MODULES = (
    "secondpass.errors",
    "secondpass.retrieve.expand",
    "secondpass.testing",
    "secondpass.types",
)  # for the rest, see their packages


def write_pages(folder: Path) -> None:
    """Write a page for each package into a folder, and remove pages of packages that are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    exports = _exports()
    homes = {id(obj): _home(obj, name, exports) for names in exports.values() for name, obj in names.items()}
    pages = {f"{module}.md": _page(module, names, homes) for module, names in exports.items()}
    pages["index.md"] = _index(exports)
    for stale in {path.name for path in folder.glob("*.md")} - pages.keys():
        (folder / stale).unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:  # what is unchanged is not read again
            path.write_text(text, encoding="utf-8")


def _exports() -> dict[str, dict[str, Any]]:
    """Return what each package, and each of the modules above, exports by its ``__all__``."""
    found = {}
    for name in ("secondpass", *sorted(_submodules("secondpass")), *_ADAPTERS):
        module = importlib.import_module(name)
        names = {each: getattr(module, each) for each in getattr(module, "__all__", ()) if not each.startswith("_")}
        if names:
            found[name] = names
    return found


def _submodules(package: str) -> list[str]:
    """Return the packages within a package, and those of its modules that are public by their own path."""
    root = importlib.import_module(package)
    names = []
    for info in pkgutil.walk_packages(root.__path__, f"{package}."):
        if info.name.startswith(_INTERNAL) or any(part.startswith("_") for part in info.name.split(".")):
            continue
        if info.ispkg or info.name in _MODULES:
            names.append(info.name)
    return names


def _home(obj: object, name: str, exports: dict[str, dict[str, Any]]) -> str:
    origin = getattr(obj, "__module__", None) or ""
    exporting = [module for module, names in exports.items() if names.get(name) is obj]
    within = [module for module in exporting if f"{origin}.".startswith(f"{module}.") and module != "secondpass"]
    return max(within, key=len) if within else exporting[-1]


def _page(module: str, names: dict[str, Any], homes: dict[int, str]) -> str:
    own = [name for name in names if homes[id(names[name])] == module]
    elsewhere = [name for name in names if name not in own]
    lines = [f"# {module}", "", "```{eval-rst}", f".. automodule:: {module}", "   :no-members:", ""]
    if elsewhere:
        lines += [".. rubric:: Described on other pages", ""]
        for name in sorted(elsewhere, key=str.lower):
            home = homes[id(names[name])]
            lines.append(f"- :py:obj:`{name} <{home}.{name}>`: {_summary(names[name], name, home)}")
        lines.append("")
    for name in sorted(own, key=str.lower):
        lines += _directive(module, name, names[name])
    return "\n".join([*lines, "```", ""])


def _directive(module: str, name: str, obj: object) -> list[str]:
    if inspect.isclass(obj):
        return [f".. autoclass:: {module}.{name}", "   :members:", "   :show-inheritance:", ""]
    if inspect.isroutine(obj):
        return [f".. autofunction:: {module}.{name}", ""]
    # Sphinx would describe a constant by the docstring of its type where it has none of its own.
    description = _constant_docs(module).get(name, [])
    return [f".. py:data:: {name}", f"   :module: {module}", "", *(f"   {line}" for line in description), ""]


@functools.cache
def _constant_docs(module: str) -> dict[str, list[str]]:
    """Return the docstrings below constants, of a module and of all in it if it is a package."""
    root = importlib.import_module(module)
    within = [info.name for info in pkgutil.iter_modules(getattr(root, "__path__", ()), f"{module}.") if not info.ispkg]
    docs = {}
    for name in (*within, module):
        found = ModuleAnalyzer.for_module(name).find_attr_docs()
        docs.update({constant: text for (scope, constant), text in found.items() if not scope})
    return docs


def _index(exports: dict[str, dict[str, Any]]) -> str:
    rows = [f"- [`{name}`]({name}.md): {_summary(importlib.import_module(name))}" for name in exports]
    titles = {name: _ADAPTERS.get(name, name.removeprefix("secondpass.")) for name in exports}
    toc = ["```{toctree}", ":hidden:", "", *(f"{title} <{name}>" for name, title in titles.items()), "```", ""]
    head = [
        "# API",
        "",
        "Made from the docstrings. What a package exports is public; everything else may change without notice.",
        "",
    ]
    return "\n".join([*head, *rows, "", *toc])


def _summary(obj: object, name: str = "", home: str = "") -> str:
    """Return the first line of what a module, a class, a function or a constant says of itself."""
    if isinstance(obj, ModuleType) or inspect.isclass(obj) or inspect.isroutine(obj):
        return (inspect.getdoc(obj) or "").partition("\n")[0].removeprefix("secondpass: ")
    return next(iter(_constant_docs(home).get(name, [])), "")


def before_napoleon(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Keep napoleon from reading what stands before a colon in a property's first line as its type."""
    if what in ("property", "attribute"):
        lines.insert(0, "")


def to_rst(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Turn what our docstrings have of Markdown, fenced code and lists right below text, into reStructuredText."""
    text = _fenced_to_directive("\n".join(lines))
    text = re.sub(r"(?<!`)(`[^`\n]+`)(?=\w)", r"\1\\ ", text)  # `Name`s: a plural ends a name, in Markdown
    # A name that is written short, as readers know it, is looked for in all modules.
    text = re.sub(r"(?<![`:])`([A-Z]\w+(?:\.\w+)?)`(?!`)", r":py:obj:`\1 <.\1>`", text)
    lines[:] = text.split("\n")
    spaced: list[str] = []
    for line in lines:
        bullet = re.match(r"\s*(?:[-*]|\d+\.) ", line)
        if bullet and spaced and spaced[-1].strip() and not re.match(r"\s*(?:[-*]|\d+\.) |\s{2,}", spaced[-1]):
            spaced.append("")
        spaced.append(line)
    lines[:] = spaced


def _fenced_to_directive(text: str) -> str:
    def directive(match: re.Match[str]) -> str:
        indent, language = match["indent"], match["language"] or "text"
        body = "\n".join(f"   {line}" if line.strip() else "" for line in match["body"].split("\n"))
        return f"\n{indent}.. code-block:: {language}\n\n{body}\n"

    pattern = r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<body>.*?)\n(?P=indent)```$"
    return re.sub(pattern, directive, text, flags=re.S | re.M)


def skip_member(app: Any, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool | None:
    """Leave out what pydantic adds to a class, which is not ours to describe."""
    return True if name in {"model_config", "model_post_init", "model_fields", "model_computed_fields"} else None
