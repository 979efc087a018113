"""``secondpass models``: the catalogue, where each model would come from, and how it runs."""

import time
from typing import Annotated, Any, get_args

import typer
from rich.text import Text
from typer.core import TyperGroup

from secondpass.cli.console import list_table, output
from secondpass.models.graph.cache import cpu_model, describe
from secondpass.models.sources.catalog import ModelSpec, Task, catalog
from secondpass.models.sources.files import ModelFiles
from secondpass.models.sources.resolve import find_model, package_folder
from secondpass.types import printable

__all__ = ["models"]

_WIDE = 100  # columns from which on the licence has room


class _Models(TyperGroup):
    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Say what shows a model, where its name stands in the place of a command."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            ctx.fail(f"There is no command {args[0]!r}. Of a model of that name: secondpass models info {args[0]}")
        return super().resolve_command(ctx, args)


models = typer.Typer(
    cls=_Models,
    help="List the models known by name, or show how one runs.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
)

_Name = Annotated[str, typer.Argument(help="A name from the list, a folder, or owner/name on the Hugging Face hub.")]
_Revision = Annotated[str | None, typer.Option(help="Branch, tag or commit on the hub.")]


@models.callback()
def list_models(context: typer.Context) -> None:
    """List the models that are known by name, and which are on this machine."""
    if context.invoked_subcommand:
        return
    specs = list(dict.fromkeys(catalog().values()))
    found = {spec.name: _where(spec) for spec in specs}
    wide = output.width >= _WIDE
    table = list_table("", "name", "task", "params", *(["licence"] if wide else []), "where")
    table.columns[3].justify = "right"
    for spec in sorted(specs, key=lambda spec: not found[spec.name]):
        where = found[spec.name]
        style = "" if where else "dim"
        cells = [spec.task, f"{spec.parameters:g}M", *([spec.licence.partition(";")[0]] if wide else [])]
        table.add_row(
            Text("✓" if where else "", style="green"),
            Text(spec.name, style="bold" if where else ""),
            *(Text(cell, style=style) for cell in cells),
            Text(where, style="green") if where else Text(_elsewhere(spec), style=style),
        )
    output.print(table)
    about = (
        f"{sum(map(bool, found.values()))} of {len(specs)} are installed (✓). An extra: pip install "
        f'"secondpass[NAME]". Any other model: a folder, or owner/name on the Hugging Face hub. Languages, figures and '
        f"how one runs: secondpass models info NAME"
    )
    output.print(Text(f"\n{about}", style="dim"))


def _elsewhere(spec: ModelSpec) -> str:
    if spec.unsupported:
        return "can't be run"
    return f"extra {spec.extra}" if spec.package else "on the hub"


@models.command()
def info(name: _Name, revision: _Revision = None) -> None:
    """Show what is known about a model, where it is on this machine, and how it runs on the CPU."""
    spec = catalog().get(name)
    if spec:
        _field("task", spec.task)
        _field("parameters", f"{spec.parameters:g} million")
        _field("licence", spec.licence)
        _field("languages", spec.languages)
        if spec.figures:
            _field("figures", spec.figures)
            if "(E)" in spec.figures:
                _field("", "(E): mean nDCG@10 in %, MTEB(eng, v2) retrieval, measured by the Ettin rerankers' authors")
        if spec.unsupported:
            _field("runs", f"not at all: {spec.unsupported}")
            return
        if spec.task == "colbert":
            _field("runs", "as exported: late interaction needs the mask of the query")
            return
    files = _files(name, revision, local_files_only=True)
    size = sum(path.stat().st_size for path in files.weight_files())
    _field("found in", f"{files.source}: {files.folder}")
    _field("weights", f"{files.weights.relative_to(files.folder)}, {size / 1e6:.1f} MB")
    if files.backend == "torch":
        _field("runs", "on PyTorch, as it has no ONNX file; an encoder of the fused graph also with backend='onnx'")
    elif files.backend == "use":
        _field("runs", "in numpy")
    else:
        _field("runs", describe(files, head=files.head()))


@models.command()
def fuse(
    name: _Name,
    precision: Annotated[str | None, typer.Option(help="int8 or float32; by default that of the file.")] = None,
    revision: _Revision = None,
) -> None:
    """Build a model's fused graph for a CPU ahead of time, as loading it would; print where it is kept."""
    files = _files(name, revision, backend="onnx")
    start = time.perf_counter()
    chosen = cpu_model(files, head=files.head(), precision=precision)  # type: ignore[arg-type]  # it checks
    seconds = time.perf_counter() - start
    if isinstance(chosen.model, bytes):
        raise typer.Exit(1)  # the warning said why
    _field("runs", str(chosen))
    _field("kept in", str(chosen.model))
    _field("size", f"{chosen.model.stat().st_size / 1e6:.1f} MB")
    _field("took", f"{seconds:.1f} s")


def _files(name: str, revision: str | None, *, backend: str = "auto", local_files_only: bool = False) -> ModelFiles:
    spec = catalog().get(name)
    task: Task = spec.task if spec else get_args(Task)[0]
    return find_model(name, task, backend=backend, revision=revision, local_files_only=local_files_only)


def _field(name: str, value: str) -> None:
    output.print(Text.assemble((f"{name:<12}", "bold"), printable(value)), soft_wrap=True)


def _where(spec: ModelSpec) -> str:
    if spec.package and package_folder(spec):
        return f"package {spec.package}"
    if not spec.repo:
        return ""
    from huggingface_hub import try_to_load_from_cache

    return "Hugging Face cache" if isinstance(try_to_load_from_cache(spec.repo, "config.json"), str) else ""
