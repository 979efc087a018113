"""The entry of a model in the catalogue."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["ModelSpec", "Task"]

Task = Literal["rerank", "nli", "embed", "colbert"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """An entry of the catalogue: what is known of a model before it is loaded.

    Attributes:
        name: the short name.
        task: ``rerank``, ``nli``, ``embed`` or ``colbert``.
        repo: the repository on the Hugging Face hub, ``owner/name``; empty if only a package carries it.
        aliases: other names that it is found by, such as former ones.
        package: the Python package whose files carry it; empty if none does.
        folder: where in that package.
        extra: the extra of secondpass that installs that package; empty if it is secondpass itself.
        sha256: of the weights in that package; empty if they are not checked.
        max_length: the most tokens it reads; 0 if the checkpoint says.
        formats: in which of them its files hold the whole model, the best first: ``onnx``; ``safetensors``, for
            PyTorch; ``fused``, for safetensors from which the fused graph is built; or one of another backend's.
        labels: names of the head's outputs; empty if the checkpoint says.
        pooling: for ``embed``: which vector stands for the text.
        query_prefix: for ``embed``: what the model expects before a query.
        parameters: how many, in millions.
        licence: as its publisher states it.
        languages: which ones it was trained for.
        figures: what its publisher reports, in its own units.
        unsupported: why secondpass can't run it, and what to take instead; empty if it can.
    """

    name: str
    task: Task
    repo: str
    aliases: tuple[str, ...] = ()
    package: str = ""
    folder: str = ""
    extra: str = "embedded"
    sha256: str = ""
    max_length: int = 0
    formats: tuple[str, ...] = ("onnx", "safetensors")
    labels: tuple[str, ...] = ()
    pooling: Literal["cls", "mean"] = "mean"
    query_prefix: str = ""
    parameters: float = 0.0
    licence: str = ""
    languages: str = "English"
    figures: str = ""
    unsupported: str = ""
