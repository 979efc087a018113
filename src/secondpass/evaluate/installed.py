"""The models of the catalogue that are on this machine: what `choose` measures if it is told nothing else."""

from collections.abc import Iterator
from importlib.util import find_spec

from secondpass.errors import SecondPassError
from secondpass.models.sources.catalog import catalog
from secondpass.models.sources.resolve import find_model, package_folder
from secondpass.models.sources.spec import ModelSpec, Task

__all__ = ["installed_rerankers", "installed_retrievers"]

_KINDS: dict[Task, str] = {"rerank": "cross-encoder", "colbert": "colbert"}


def installed_rerankers() -> list[str]:
    """Return the names of the catalogue's rerankers that can be loaded without a network, as `load` takes them."""
    return [f"{_KINDS[spec.task]}:{spec.name}" for spec in _here("rerank", "colbert")]


def installed_retrievers() -> list[str]:
    """Return the names of retrievers that are installed, as `retriever_of` takes them: BM25, and bi-encoders."""
    names = ["bm25"] if find_spec("bm25s") else []
    if find_spec("faiss"):
        names += [f"dense:{spec.name}" for spec in _here("embed")]
    return names


def _here(*tasks: Task) -> Iterator[ModelSpec]:
    """Yield the models of some tasks that are on this machine; each has several names in the catalogue."""
    for name, spec in catalog().items():
        if name == spec.name and spec.task in tasks and not spec.unsupported and _is_here(spec):
            yield spec


def _is_here(spec: ModelSpec) -> bool:
    if package_folder(spec) is None and not (spec.repo and _is_cached(spec.repo)):
        return False
    try:
        find_model(spec.name, spec.task, local_files_only=True)
    except SecondPassError:  # a part of it is missing, or the extra that runs it
        return False
    return True


def _is_cached(repo: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(repo, "config.json"), str)
