"""A model's files on this machine, and the identity that follows from what is in them."""

import hashlib
import json
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from secondpass.counts import counted
from secondpass.errors import ModelFormatError, ModelIntegrityError
from secondpass.models.sources.config import ModelConfig, read_config
from secondpass.models.sources.formats import FileFormat
from secondpass.models.sources.spec import ModelSpec
from secondpass.validation import Whole

__all__ = ["ModelFiles", "sha256_of"]

# Device, inode, size, and when it was last written to and changed in any way: of the file, not of a link to it.
_State = tuple[int, int, int, int, int]

_DEFAULT_LENGTH = 512
# How an ONNX file names another one that holds its weights: field 1 is the key, field 2 the value.
_EXTERNAL = b"\x0a\x08location\x12"
_BLOCK, _LONGEST_NAME = 1 << 22, 256


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model's files on this machine, as they are when it is found.

    Pickled without their states: whoever opens a copy takes the files as they are then.

    Attributes:
        name: as the caller wrote it.
        source: ``folder``, ``store``, ``package NAME``, ``Hugging Face cache`` or ``Hugging Face hub``.
        folder: where the settings and the tokenizer are.
        backend: the name of the one that opens it.
        weights: the weights' own file.
        format: which files belong to it.
        spec: what the catalogue says of it, if it has an entry.
        config: what its own settings say.

    Raises:
        ModelIntegrityError: a setting can't be read, or what should be a file is not one.
        ModelFormatError: a setting is of another type than it has in every checkpoint.
    """

    name: str
    source: str
    folder: Path
    backend: str
    weights: Path
    format: FileFormat
    spec: ModelSpec | None = None
    config: ModelConfig = field(init=False)
    _states: dict[Path, _State] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        # States first: what changes while the settings are read is noticed by `identity`.
        object.__setattr__(self, "_states", self._current_states())
        object.__setattr__(self, "config", read_config(self.folder))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.source, self.folder, self.backend, self.weights, self.format, self.spec)

    def identity(self, texts: Sequence[str] = ()) -> str:
        """Return 32 hexadecimal digits of a SHA-256 over all that the backend reads: weights, tokenizer and settings.

        Called once the model is open, it is the identity of what was opened: it fails if anything changed since the
        files were found. A file's digest is kept as long as the file stays the same.

        Args:
            texts: what else makes a model another one, such as the labels that the catalogue gives it.

        Raises:
            ModelIntegrityError: a file changed since.
        """
        digest = hashlib.sha256(json.dumps(list(texts)).encode())
        for path in self._states:
            digest.update(f"{_relative(path, self.folder)} {sha256_of(path)}\n".encode())
        if self._current_states() != self._states:
            raise ModelIntegrityError(f"{self.name}: files in {self.folder} changed while it was loaded; load it again")
        return digest.hexdigest()[:32]

    def weight_files(self) -> list[Path]:
        """Return the files that the weights are in; those of large models stand beside the graph or the index.

        Raises:
            ModelIntegrityError: there are none any more.
        """
        if self.weights.suffix == ".onnx":
            parts = {*self.weights.parent.glob(f"{self.weights.name}*"), *_external_data(self.weights)}
        else:
            parts = {*self.folder.glob("model*.safetensors"), self.weights}
        found = sorted(path for path in parts if path.exists())
        if not found:
            raise ModelIntegrityError(f"{self.name}: {self.weights} is no longer there")
        return found

    def labels(self, n_labels: int) -> tuple[str, ...]:
        """Return the names of a head's labels: the catalogue's, else the checkpoint's own.

        A single output that has no name, or the name ``LABEL_0``, is called ``relevance``.

        Raises:
            ModelFormatError: the head has another number of labels than it has names.
        """
        names = (self.spec.labels if self.spec else ()) or self.config.labels
        if n_labels == 1 and (len(names) != 1 or names[0].upper() == "LABEL_0"):
            return ("relevance",)
        if not names:
            raise ModelFormatError(
                f"{self.name} has {counted(n_labels, 'output')}, and nothing says what they mean: add id2label to "
                "its config.json"
            )
        if len(names) != n_labels:
            shown = ", ".join(names[:10])
            raise ModelFormatError(f"{self.name} has {counted(n_labels, 'output')} but names for {len(names)}: {shown}")
        return names

    def pooling(self) -> Literal["cls", "mean"]:
        """Return which vector stands for a text: as the catalogue says, else as sentence-transformers saved it.

        Raises:
            ModelFormatError: it was saved with another vector, or with a layer behind it.
        """
        if self.spec:
            return self.spec.pooling
        if self.config.not_pooled:
            raise ModelFormatError(self.config.not_pooled)
        return self.config.pooling

    def head(self) -> Literal["classifier", "cls", "mean"]:
        """Return what comes out of the model: labels, or one of two vectors that stand for a text.

        Raises:
            ModelFormatError: as `pooling`.
        """
        embeds = self.spec.task == "embed" if self.spec else self.config.embeds
        return self.pooling() if embeds else "classifier"

    def max_length(self, asked: int | None) -> int:
        """Return how many tokens the model is given at most.

        Raises:
            ModelFormatError: more are asked for than the model has positions.
        """
        limits = [self.spec.max_length if self.spec else None, self.config.max_length]
        limit = min((length for length in limits if length), default=_DEFAULT_LENGTH)
        fits = Whole(at_least=8, at_most=limit) | None
        return fits.checked(asked, f"{self.name}: max_length", error=ModelFormatError) or limit

    def _current_states(self) -> dict[Path, _State]:
        """Return the state of each file that the backend reads.

        Raises:
            ModelIntegrityError: one is not a regular file: opening a pipe, for one, might never end.
        """
        paths = {path for pattern in self.format.reads for path in self.folder.glob(pattern)}
        states = {}
        for path in sorted(paths.union(self.weight_files())):
            try:
                about = path.stat()
            except FileNotFoundError:  # a link to nothing
                continue
            if not stat.S_ISREG(about.st_mode):
                raise ModelIntegrityError(f"{self.name}: {path} is not a regular file")
            states[path] = _state(about)
        return states


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal; a process reads a file that did not change once."""
    return _sha256(path, _state(path.stat()))


@lru_cache(maxsize=256)
def _sha256(path: Path, state: _State) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _state(about: Any) -> _State:
    return (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def _external_data(model: Path) -> list[Path]:
    """Return the files beside an ONNX file that it keeps weights in."""
    if not model.is_file():
        return []
    names = _external_names(model, _state(model.stat()))
    return [model.parent / name for name in names if Path(name).name == name and "\0" not in name]


@lru_cache(maxsize=256)
def _external_names(model: Path, state: _State) -> frozenset[str]:
    """Find the names without protobuf, which would take as much memory as the model."""
    names, kept = set(), b""
    with model.open("rb") as file:
        while block := file.read(_BLOCK):
            data = kept + block
            at = data.find(_EXTERNAL)
            while at >= 0:
                start = at + len(_EXTERNAL) + 1
                if start <= len(data) and start + data[start - 1] <= len(data):  # else it is whole in the next one
                    names.add(data[start : start + data[start - 1]].decode(errors="replace"))
                at = data.find(_EXTERNAL, at + 1)
            kept = data[-_LONGEST_NAME:]
    return frozenset(names)
