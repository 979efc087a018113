r"""Averages checkpoints: ``python -m secondpass.train.average CHECKPOINT... --start NAME --share 0.85 --out FOLDER``.

The mean of several runs from one start, drawn back some way to that start, is better on text of other kinds than any
of the runs (https://arxiv.org/abs/2203.05482, https://arxiv.org/abs/2109.01903). It costs nothing when the model runs.

Needs: pip install "secondpass[train]"
"""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from secondpass.errors import ConfigError, ModelFormatError
from secondpass.train.start import checkpoint_of

__all__ = ["average", "main"]

_Tensors = dict[str, npt.NDArray[np.float32]]


def average(checkpoints: Sequence[Path], folder: Path, *, start: Path | None = None, share: float = 1.0) -> None:
    """Write the mean of checkpoints, drawn back to what they began with, as a checkpoint like the first of them.

    Args:
        checkpoints: folders that `secondpass.train.nli` wrote, of runs from the same start.
        folder: is made if need be.
        start: the checkpoint they began with; its layers count, and its head, if it has one, does not.
        share: of the mean in the result, above 0 and at most 1; the rest is the start's.

    Raises:
        ConfigError: there is nothing to average, or a share below 1 and no start.
        ModelFormatError: the checkpoints have different tensors.
    """
    if not checkpoints or not 0 < share <= 1 or (share < 1 and start is None):
        raise ConfigError("an average needs a checkpoint or more, a share above 0 up to 1, and a start for one below 1")
    runs = [_read(checkpoint) for checkpoint in checkpoints]
    shapes = [{name: array.shape for name, array in run.items()} for run in runs]
    if any(other != shapes[0] for other in shapes[1:]):
        raise ModelFormatError("the checkpoints have different tensors: average runs from one start only")
    mean = {name: np.mean([run[name] for run in runs], axis=0, dtype=np.float64) for name in runs[0]}
    if start is not None:
        begun = _read(start)
        for name, array in mean.items():
            if not name.startswith("classifier.") and begun.get(name, np.empty(0)).shape == array.shape:
                mean[name] = share * array + (1 - share) * begun[name]
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: array.astype(np.float32) for name, array in mean.items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(checkpoints[0] / name, folder)


def _read(checkpoint: Path) -> _Tensors:
    """Return the tensors by the names that they have in a model with a head; those of a bare encoder have no prefix."""
    tensors = load_file(checkpoint / "model.safetensors")
    has_prefix = any(name.startswith("bert.") for name in tensors)
    return tensors if has_prefix else {f"bert.{name}": array for name, array in tensors.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--start", help="a model's name, or the folder of a checkpoint")
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args(arguments)
    start = checkpoint_of(asked.start, asked.out / "start") if asked.start else None
    average(asked.checkpoints, asked.out, start=start, share=asked.share)


if __name__ == "__main__":
    main()
