"""What decides, behind some of a cross-encoder's layers, which documents can still be among the best.

An exit estimates a pair's final logit by a linear function of what the layers so far made of it: the first token's
vector, and the means of those of the query and of the document. It is fitted on the model's own logits of pairs that
nobody judged (`secondpass.learn.progressive.fit_exits`), for one model's weights, and holds for these in any precision.
"""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from secondpass.config import digest
from secondpass.errors import ConfigError, ModelIntegrityError
from secondpass.files import write_whole
from secondpass.models.sources.files import ModelFiles
from secondpass.validation import NOT_NEGATIVE, Number, Whole

__all__ = ["Exit", "Exits"]

Floats = npt.NDArray[np.float32]

_FORMAT = "secondpass-exits-1"


@dataclass(frozen=True, slots=True, eq=False)
class Exit:
    """What is asked behind one layer.

    Attributes:
        layer: behind how many layers.
        weights: of what `OnnxPairModel.run_piece` gives, shape (3 * hidden,), float32; of half that precision in files.
        bias: the estimate where these say nothing, in logits.
        margin: how far below the k-th best estimate a document may lie and still go on, in logits.
    """

    layer: int
    weights: Floats
    bias: float
    margin: float

    def estimate(self, rows: Floats) -> npt.NDArray[np.float64]:
        """Return estimates of the final logits, shape (n,), from an array of shape (n, 3 * hidden)."""
        # Summed row by row: in a product of matrices the neighbours of a row decide in which order it is summed.
        return np.asarray((rows.astype(np.float64) * self.weights).sum(axis=1) + self.bias)

    def to_data(self) -> dict[str, Any]:
        """Return it as plain data."""
        packed = base64.b64encode(self.weights.astype("<f2").tobytes()).decode()
        return {"layer": self.layer, "bias": self.bias, "margin": self.margin, "weights": packed}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_data` wrote."""
        weights = np.frombuffer(base64.b64decode(data["weights"], validate=True), "<f2").astype(np.float32)
        if not (len(weights) and np.isfinite(weights).all()):
            raise ValueError("its weights are not finite")
        return cls(
            layer=Whole(at_least=1).checked(data["layer"], "layer"),
            weights=weights,
            bias=Number().checked(data["bias"], "bias"),
            margin=NOT_NEGATIVE.checked(data["margin"], "margin"),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Exits:
    """The exits of a model, and which model that is.

    Attributes:
        exits: by layer, rising; at least one.
        model: what the model was called.
        fitted_on: the identity of its files (`ModelFiles.identity`), or the catalogue's SHA-256 of its weights.
    """

    exits: tuple[Exit, ...]
    model: str
    fitted_on: str

    def __post_init__(self) -> None:
        layers = self.layers
        if not layers or sorted(set(layers)) != list(layers) or len({len(each.weights) for each in self.exits}) != 1:
            raise ConfigError(f"the exits of a model stand behind rising layers and read equally many values: {layers}")

    @property
    def layers(self) -> tuple[int, ...]:
        """Behind how many layers they stand."""
        return tuple(each.layer for each in self.exits)

    @property
    def hidden_size(self) -> int:
        """The width of the vectors that they read."""
        return len(self.exits[0].weights) // 3

    @property
    def fingerprint(self) -> str:
        """The identity of what decides."""
        return digest(self.to_data())

    def to_data(self) -> dict[str, Any]:
        """Return them as plain data."""
        exits = [each.to_data() for each in self.exits]
        return {"format": _FORMAT, "model": self.model, "fitted_on": self.fitted_on, "exits": exits}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_data` wrote.

        Raises:
            ModelIntegrityError: it is something else.
        """
        try:
            if data["format"] != _FORMAT:
                raise ValueError(f"the format is {data['format']!r}")  # noqa: TRY301
            exits = tuple(Exit.from_data(each) for each in data["exits"])
            return cls(exits, str(data["model"]), str(data["fitted_on"]))
        except (ConfigError, KeyError, TypeError, ValueError) as exc:
            raise ModelIntegrityError(f"these are no exits of a model: {exc!r}") from exc

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write them as JSON: some kilobytes, which `load` reads."""
        write_whole(Path(path), (json.dumps(self.to_data(), indent=1) + "\n").encode())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote.

        Raises:
            ModelIntegrityError: the file can't be read, or holds something else.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as exc:
            raise ModelIntegrityError(f"{path} can't be read as the exits of a model: {exc}") from exc
        try:
            return cls.from_data(data)
        except ModelIntegrityError as exc:
            raise ModelIntegrityError(f"{path}: {exc}") from exc

    @classmethod
    def ready(cls, files: ModelFiles) -> Self | None:
        """Return those that come with secondpass for a model; None if there are none."""
        # A folder may have the name of a model in the catalogue, and be a fine-tuned one.
        if files.spec is None or files.source == "folder":
            return None
        found = _ready().get(files.spec.name)
        return None if found is None or found["fitted_on"] != files.spec.sha256 else cls.from_data(found)

    def check(self, files: ModelFiles) -> None:
        """Check that they are those of a model.

        Raises:
            ConfigError: they are another one's.
        """
        known = {files.identity(), files.spec.sha256 if files.spec and files.source != "folder" else ""}
        if self.fitted_on not in known:
            raise ConfigError(
                f"these exits were fitted on {self.model}, and not on {files.name} as it is here: fit some with "
                f"secondpass.learn.progressive.fit_exits"
            )


@cache
def _ready() -> Mapping[str, Any]:
    """Return what ``python -m training.exits`` fitted, by the model's name."""
    text = resources.files(__package__).joinpath("exits.json").read_text(encoding="utf-8")
    ready: Mapping[str, Any] = json.loads(text)
    return ready
