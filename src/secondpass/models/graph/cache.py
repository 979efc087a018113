"""How a model runs on a CPU: as a graph made for inference, kept in the cache folder, or as its file is."""

import hashlib
import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from secondpass.errors import ConfigError, ModelFormatError, ModelIntegrityError, SecondPassWarning, warn
from secondpass.models.sources.encoder_config import config_of
from secondpass.models.sources.resolve import ModelFiles, sha256_of

if TYPE_CHECKING:
    from secondpass.models.graph.encoder import Head, Precision

__all__ = [
    "BUILDER_VERSION",
    "CpuModel",
    "PrecisionSetting",
    "cpu_model",
    "describe",
    "file_precision",
    "graph_of",
    "is_optimized",
    "optimized_path",
    "weight_files",
]

PrecisionSetting = Literal["int8", "float32", "bfloat16", "exported"]

BUILDER_VERSION = 1  # raised whenever secondpass.models.graph.encoder, or what it is given, changes

_log = logging.getLogger(__name__)
_HEADER_BYTES = 1 << 20  # nodes stand before the weights
_ADVICE = "set SECONDPASS_CACHE_DIR to a folder that can be written"


@dataclass(frozen=True, slots=True)
class CpuModel:
    """What is run on a CPU, and how.

    Attributes:
        model: a file, or a serialized model if none could be kept.
        precision: in which the graph made for inference runs; None for the file as it is.
        reason: why it is the file as it is; empty if it isn't.
        engine: what runs it.
    """

    model: Path | bytes
    precision: PrecisionSetting | None = None
    reason: str = ""
    engine: Literal["ONNX Runtime", "OpenVINO"] = "ONNX Runtime"

    @property
    def identity(self) -> str:
        """What fingerprints hold of it, beside the weights."""
        engine = "" if self.engine == "ONNX Runtime" else f"{self.engine.lower()}-"
        return f"{engine}{self.precision}-v{BUILDER_VERSION}" if self.precision else "exported"

    def __str__(self) -> str:
        if self.precision:
            on = "" if self.engine == "ONNX Runtime" else f" on {self.engine}"
            return f"fused graph{on}, {self.precision}, each sequence alone"
        return f"as exported: {self.reason}"


def cpu_model(files: ModelFiles, *, head: "Head", precision: PrecisionSetting | None = None) -> CpuModel:
    """Return what to run on a CPU; a graph is built the first time, which takes seconds, and kept.

    A cache folder that can't be written costs that time at each start, and gives a warning that says so.

    Args:
        files: the model's.
        head: as in `secondpass.models.graph.encoder.build_graph`.
        precision: ``int8`` or ``float32`` for a graph made for inference, ``exported`` for the file as it is. By
            default a graph as precise as the file, or the file where no such graph can be made.

    Raises:
        ModelFormatError: no graph can be made of it, and one was asked for, or there is no ONNX file to run instead.
        ModelIntegrityError: its files are damaged.
        ConfigError: there is no such precision.
    """
    if precision == "bfloat16":
        raise ConfigError("precision='bfloat16' is for backend='openvino'; ONNX Runtime has none on a CPU")
    if precision not in (None, "int8", "float32", "exported"):
        raise ConfigError(f"precision must be 'int8', 'float32', 'exported' or None, not {precision!r}")
    is_onnx = files.weights.suffix == ".onnx"
    if precision == "exported":
        if not is_onnx:
            raise ModelFormatError(f"{files.name} has no ONNX file to run as exported; leave precision out")
        return CpuModel(files.weights, reason="precision='exported' asks for it")
    try:
        wanted = precision or file_precision(files)
        model = graph_of(files, head=head, precision=wanted)
    except (ModelFormatError, ModelIntegrityError) as exc:  # what we can't read, ONNX Runtime may
        if precision is not None or not is_onnx:
            raise
        _log.debug("%s runs as exported: %s", files.name, exc)
        return CpuModel(files.weights, reason=str(exc))
    return CpuModel(model, wanted)


def graph_of(files: ModelFiles, *, head: "Head", precision: "Precision") -> Path | bytes:
    """Return the graph made for inference: a file of the cache folder, or what could not be kept there.

    Raises:
        ModelFormatError: none can be made of the model.
        ModelIntegrityError: its files are damaged.
    """
    model, trouble = _found_or_built(files, head, precision, masked=False)
    if trouble:
        warn(
            f"the graph made of {files.name} can't be kept ({trouble}), so it is made again at each start; {_ADVICE}",
            SecondPassWarning,
        )
    return model


def describe(files: ModelFiles, *, head: "Head") -> str:
    """Say which way a model goes on a CPU by default, and why, without building anything.

    Raises:
        ConfigError: the cache folder can't be made.
    """
    from secondpass.models.graph.build import read_encoder

    precision = file_precision(files)
    try:
        _check_shape(files)
        found = _cached(_cache_key(files, head, precision, masked=False))
        if not found:
            read_encoder(files, head)
    except (ModelFormatError, ModelIntegrityError) as exc:
        return str(CpuModel(files.weights, reason=str(exc)))
    place = f"kept in {found}" if found else "built when it is first loaded, or by `secondpass models optimize`"
    return f"{CpuModel(files.weights, precision)}; {place}"


def optimized_path(
    files: ModelFiles, *, head: "Head", precision: "Precision | None" = None, masked: bool = False
) -> Path:
    """Return a file with a model's graph made for inference; it is built if the cache folder has it not.

    A file is found by the SHA-256 of what it was built from, and its name holds the SHA-256 of its contents: one that
    does not match is built again. Processes that build at the same time do not disturb each other.

    Args:
        files: the model's, with weights for either backend.
        head: as in `secondpass.models.graph.encoder.build_graph`.
        precision: as there; by default that of the weights.
        masked: as there.

    Raises:
        ModelFormatError: the model is not of the shape of BERT, or has no such head; it runs as it was exported.
        ModelIntegrityError: its files are damaged.
        ConfigError: the cache folder can't be written.
    """
    model, trouble = _found_or_built(files, head, precision or file_precision(files), masked)
    if not isinstance(model, Path):
        raise ConfigError(f"the graph made of {files.name} can't be kept: {trouble}; {_ADVICE}") from trouble
    return model


def is_optimized(path: Path) -> bool:
    """Whether an ONNX file is a graph that `secondpass.models.graph.encoder` wrote."""
    with path.open("rb") as file:
        return b"\x12\x0asecondpass" in file.read(32)  # the producer's name: field 2, 10 bytes


def weight_files(files: ModelFiles) -> list[Path]:
    """Return the files that a model's numbers are in; those of large ones stand beside the graph or the index.

    Raises:
        ModelIntegrityError: there are none any more.
    """
    if files.weights.suffix == ".onnx":
        parts = sorted(files.weights.parent.glob(f"{files.weights.name}*"))
    else:
        parts = sorted(files.folder.glob("model*.safetensors"))
    if not parts:
        raise ModelIntegrityError(f"{files.name}: {files.weights} is not there any more")
    return parts


def file_precision(files: ModelFiles) -> Literal["int8", "float32"]:
    """Return how precise the weights are as they are."""
    if files.weights.suffix != ".onnx":
        return "float32"
    with files.weights.open("rb") as file:
        return "int8" if b"MatMulInteger" in file.read(_HEADER_BYTES) else "float32"


def _found_or_built(
    files: ModelFiles, head: "Head", precision: "Precision", masked: bool
) -> tuple[Path | bytes, Exception | None]:
    """Return a file of the cache, or a built model and what kept it from becoming one."""
    _check_shape(files)  # before hundreds of megabytes are read
    model: bytes | None = None
    try:
        key = _cache_key(files, head, precision, masked)
        found = _cached(key)
        if found:
            return found, None
        _log.info("building the graph of %s for inference, once; this takes seconds", files.name)
        try:
            model = _build(files, head, precision, masked)
        except ModelFormatError as exc:
            if exc.__cause__ is None:  # to be told again without reading it all
                _write(key.with_suffix(".txt"), str(exc).encode())
            raise
        path = key.with_name(f"{key.name}-{hashlib.sha256(model).hexdigest()}.onnx")
        _write(path, model)
    except (OSError, ConfigError) as exc:
        return model or _build(files, head, precision, masked), exc
    return path, None


def _build(files: ModelFiles, head: "Head", precision: "Precision", masked: bool) -> bytes:
    from secondpass.models.graph import build

    return build.build_optimized(files, head=head, precision=precision, masked=masked)


def _cache_key(files: ModelFiles, head: "Head", precision: "Precision", masked: bool) -> Path:
    """Return where in the cache folder a graph is, without the part of the name that its contents give."""
    from secondpass.paths import cache_dir

    form = f"{head}-{precision}{'-masked' if masked else ''}-v{BUILDER_VERSION}"
    folder = cache_dir("models")
    return folder / f"{_source_digest(files, folder)[:32]}-{form}"


def _cached(key: Path) -> Path | None:
    """Return the undamaged file for a key, if there is one.

    Raises:
        ModelFormatError: no graph could be made before.
    """
    for found in sorted(key.parent.glob(f"{key.name}-*.onnx")):
        if found.stem.removeprefix(f"{key.name}-") == sha256_of(found):
            return found
        found.unlink(missing_ok=True)  # damaged
    if key.with_suffix(".txt").is_file():
        raise ModelFormatError(key.with_suffix(".txt").read_text(encoding="utf-8"))
    return None


def _check_shape(files: ModelFiles) -> None:
    """Refuse what shows without the weights: a graph of our own, another architecture, layers behind the encoder."""
    if files.weights.suffix == ".onnx" and is_optimized(files.weights):
        raise ModelFormatError(f"{files.name} is a fused graph already, in the precision that it was built in")
    settings = files.settings("config.json")
    if settings.get("model_type"):
        config_of(settings, files.folder)
    for path in files.folder.glob("[1-9]_*/model.safetensors"):
        raise ModelFormatError(f"{files.name} has a layer of its own in {path.parent.name}, behind the encoder")


def _source_digest(files: ModelFiles, folder: Path) -> str:
    """Return the SHA-256 over all that a graph is made of: weights, settings and the tokenizer of the samples."""
    digest = hashlib.sha256()
    settings = [files.folder / name for name in ("config.json", "tokenizer.json")]
    for part in [*weight_files(files), *(path for path in settings if path.is_file())]:
        digest.update(f"{part.name} {_noted_sha256(part, folder)}\n".encode())
    return digest.hexdigest()


def _noted_sha256(path: Path, folder: Path) -> str:
    """Return the SHA-256 of a file, which is noted in the folder: weights may be gigabytes.

    Only to tell models apart; what is promised of a file's contents is checked on the contents.
    """
    stat = path.stat()
    state = f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"
    note = folder / f"{hashlib.sha256(state.encode()).hexdigest()[:32]}.sha256"
    if note.is_file():
        noted = note.read_text(encoding="utf-8", errors="replace")
        if len(noted) == 64:
            return noted
    found = sha256_of(path)
    with suppress(OSError):  # a folder that can only be read may hold the graph, and is then good enough
        _write(note, found.encode())
    return found


def _write(path: Path, contents: bytes) -> None:
    """Write a file that is there whole or not at all, even if the power fails."""
    # Not by tempfile, whose files no other user may read: a folder may be filled by one and used by all.
    temporary = path.with_name(f".building-{uuid4().hex}")
    try:
        with temporary.open("xb") as file:
            file.write(contents)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
