"""How a model runs on a CPU: as a fused graph that is kept in the cache folder, or as its file is.

A kept graph is trusted as the weights are that it was built from: its name holds a digest of these and one of its own
contents, which show that a file is the right one and whole, but not who wrote it. So a graph is only taken from a
folder, and from a file, that belongs to the user of the process or to root and that nobody else may write to. Whoever
can write there as that user can make a model give any score.
"""

import hashlib
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from secondpass.errors import ConfigError, ModelFormatError, ModelIntegrityError, SecondPassWarning, warn
from secondpass.files import write_whole
from secondpass.models.sources.files import ModelFiles, sha256_of

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
    "is_fused",
]

PrecisionSetting = Literal["int8", "float32", "bfloat16", "exported"]

BUILDER_VERSION = 1  # raised whenever what secondpass.models.graph.encoder writes of a model changes

_log = logging.getLogger(__name__)
_HEADER_BYTES = 1 << 20  # nodes stand before the weights
_ADVICE = "set SECONDPASS_CACHE_DIR to a folder that can be written"


@dataclass(frozen=True, slots=True)
class CpuModel:
    """The model that is run on a CPU, and how.

    Attributes:
        model: a file, or a serialized model if none could be kept.
        precision: of the fused graph; None for the file as it is.
        reason: why it is the file as it is; empty for a fused graph.
        engine: the engine that runs it.
    """

    model: Path | bytes
    precision: PrecisionSetting | None = None
    reason: str = ""
    engine: Literal["ONNX Runtime", "OpenVINO"] = "ONNX Runtime"

    @property
    def identity(self) -> str:
        """Its part in fingerprints, beside the weights."""
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
        precision: ``int8`` or ``float32`` for a fused graph, ``exported`` for the file as it is. By default a fused
            graph as precise as the file, or the file where no such graph can be made.

    Raises:
        ModelFormatError: no graph can be made of it, and one was asked for, or there is no ONNX file to run instead.
        ModelIntegrityError: its files are damaged.
        ConfigError: the precision is unknown.
    """
    if precision == "bfloat16":
        raise ConfigError("precision='bfloat16' is for backend='openvino'; ONNX Runtime has none on a CPU")
    if precision not in (None, "int8", "float32", "exported"):
        raise ConfigError(f"precision must be 'int8', 'float32', 'exported' or None, not {precision!r}")
    is_onnx = files.weights.suffix == ".onnx"
    if precision == "exported":
        if not is_onnx:
            raise ModelFormatError(
                f"{files.name} was found as {files.weights.name}, which is no ONNX file to run as exported; leave "
                f"precision out"
            )
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
    """Return the fused graph: a file of the cache folder, or what could not be kept there.

    Raises:
        ModelFormatError: none can be made of the model.
        ModelIntegrityError: its files are damaged.
    """
    model, trouble = _found_or_built(files, head, precision)
    if trouble:
        warn(
            f"the fused graph of {files.name} can't be kept ({trouble}), so it is built again at each start; {_ADVICE}",
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
        found = _cached(_cache_key(files, head, precision), files)
        if not found:
            read_encoder(files, head)
    except (ModelFormatError, ModelIntegrityError) as exc:
        return str(CpuModel(files.weights, reason=str(exc)))
    place = f"kept in {found}" if found else "built when it is first loaded, or by `secondpass models fuse`"
    return f"{CpuModel(files.weights, precision)}; {place}"


def is_fused(path: Path) -> bool:
    """Whether an ONNX file is a graph that `secondpass.models.graph.encoder` wrote."""
    with path.open("rb") as file:
        return b"\x12\x0asecondpass" in file.read(32)  # the producer's name: field 2, 10 bytes


def file_precision(files: ModelFiles) -> Literal["int8", "float32"]:
    """Return how precise the weights are as they are."""
    if files.weights.suffix != ".onnx":
        return "float32"
    with files.weights.open("rb") as file:
        return "int8" if b"MatMulInteger" in file.read(_HEADER_BYTES) else "float32"


def _found_or_built(files: ModelFiles, head: "Head", precision: "Precision") -> tuple[Path | bytes, Exception | None]:
    """Return a file of the cache, or a built model and what kept it from becoming one."""
    _check_shape(files)  # before hundreds of megabytes are read
    model: bytes | None = None
    try:
        key = _cache_key(files, head, precision)
        found = _cached(key, files)
        if found:
            return found, None
        _tell(f"preparing the graph of {files.name} for this processor, once; this takes seconds")
        try:
            model = _build(files, head, precision)
        except ModelFormatError as exc:
            if exc.__cause__ is None:  # to be told again without reading it all
                write_whole(key.with_suffix(".txt"), _anywhere(str(exc), files).encode())
            raise
        path = key.with_name(f"{key.name}-{hashlib.sha256(model).hexdigest()}.onnx")
        write_whole(path, model)
    except (OSError, ConfigError) as exc:
        return model or _build(files, head, precision), exc
    return path, None


def _tell(message: str) -> None:
    """Log what takes long; where nobody is told by that and a person is watching, write it to the terminal as well."""
    _log.info("%s", message)
    told = _log.isEnabledFor(logging.INFO) and _log.hasHandlers()
    if not told and sys.stderr is not None and sys.stderr.isatty():
        sys.stderr.write(f"secondpass: {message}\n")
        sys.stderr.flush()


def _build(files: ModelFiles, head: "Head", precision: "Precision") -> bytes:
    from secondpass.models.graph import build

    return build.build_fused(files, head=head, precision=precision)


def _cache_key(files: ModelFiles, head: "Head", precision: "Precision") -> Path:
    """Return where in the cache folder a graph is, without the part of the name that its contents give.

    Raises:
        ConfigError: the folder can't be made, or somebody else may write to it.
    """
    from secondpass.paths import cache_dir

    folder = cache_dir("models")
    if doubt := _doubt(folder):
        raise ConfigError(f"{folder} {doubt}, who could put another model there")
    return folder / f"{files.identity()}-{head}-{precision}-v{BUILDER_VERSION}"


def _cached(key: Path, files: ModelFiles) -> Path | None:
    """Return the undamaged file for a key, if there is one.

    Raises:
        ModelFormatError: no graph could be made before.
    """
    for found in sorted(key.parent.glob(f"{key.name}-*.onnx")):
        if doubt := _doubt(found):
            _log.warning("%s %s, so it is not used", found, doubt)
        elif found.stem.removeprefix(f"{key.name}-") == sha256_of(found):
            return found
        else:
            found.unlink(missing_ok=True)  # damaged
    reason = key.with_suffix(".txt")
    if reason.is_file() and not _doubt(reason):
        raise ModelFormatError(_here(reason.read_text(encoding="utf-8"), files))
    return None


# What a reason has in place of where the model is, as a copy of it may be anywhere.
_PLACES = {"folder": "\0folder\0", "name": "\0name\0"}


def _anywhere(reason: str, files: ModelFiles) -> str:
    for attribute, mark in _PLACES.items():
        reason = reason.replace(str(getattr(files, attribute)), mark)
    return reason


def _here(reason: str, files: ModelFiles) -> str:
    for attribute, mark in _PLACES.items():
        reason = reason.replace(mark, str(getattr(files, attribute)))
    return reason


def _doubt(path: Path) -> str:
    """Say why somebody other than the user of this process or root could have written to a path; else nothing."""
    if not hasattr(os, "geteuid"):  # Windows, where a user's folders are the user's own
        return ""
    about = path.stat()
    if about.st_uid not in (os.geteuid(), 0):
        return f"belongs to another user (uid {about.st_uid})"
    return "can be written to by other users" if about.st_mode & 0o022 else ""


def _check_shape(files: ModelFiles) -> None:
    """Refuse what shows without the weights: a graph of our own, another architecture, layers behind the encoder."""
    if files.weights.suffix == ".onnx" and is_fused(files.weights):
        raise ModelFormatError(f"{files.name} is a fused graph already, in the precision that it was built in")
    encoder = files.config.require_encoder()
    known = encoder.head.modules if encoder else ()
    for path in sorted(files.folder.glob("[1-9]_*/model.safetensors")):
        if path.parent.name not in known:
            raise ModelFormatError(
                f"{files.name} has another layer, in {path.parent.name}, after the encoder, which the fused graph does "
                f"not have; backend='torch' runs it"
            )
