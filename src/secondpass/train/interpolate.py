r"""Draws a checkpoint back to its start: ``python -m secondpass.train.interpolate CHECKPOINT --start NAME --out F``.

Weights some way between those that a training began with and those that it ended with are better on text of other
kinds than the latter, and nearly as good on what was trained (https://arxiv.org/abs/2109.01903).

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

__all__ = ["interpolate", "main"]


def interpolate(checkpoint: Path, start: Path, folder: Path, *, share: float = 0.9) -> None:
    """Write ``share`` of a checkpoint's weights plus the rest of its start's, as a checkpoint like the first.

    Args:
        checkpoint: a folder that `secondpass.train.nli` wrote.
        start: the checkpoint it began with, or another that began there; its head for labels does not count.
        folder: is made if need be.
        share: from 0 to 1.

    Raises:
        ConfigError: the share is out of range.
        ModelFormatError: the start is another encoder.
    """
    if not 0 <= share <= 1:
        raise ConfigError(f"share is a number from 0 to 1, not {share!r}")
    trained, begun = _read(checkpoint), _read(start)
    tensors = dict(trained)
    for name, array in trained.items():
        if name.startswith("classifier.") or (name.startswith("bert.pooler.") and name not in begun):
            continue  # began at random
        if begun.get(name, np.empty(0)).shape != array.shape:
            raise ModelFormatError(f"{start} is not what {checkpoint} began with: {name} differs in shape")
        tensors[name] = (share * array + (1 - share) * begun[name]).astype(array.dtype)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(checkpoint / name, folder)


def _read(checkpoint: Path) -> dict[str, npt.NDArray[np.float32]]:
    """Return the tensors by the names that they have in a model with a head; those of a bare encoder have no prefix."""
    tensors = load_file(checkpoint / "model.safetensors")
    has_prefix = any(name.startswith("bert.") for name in tensors)
    return tensors if has_prefix else {f"bert.{name}": array for name, array in tensors.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--start", required=True, help="a model's name, or the folder of a checkpoint")
    parser.add_argument("--share", type=float, default=0.9)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args(arguments)
    interpolate(asked.checkpoint, checkpoint_of(asked.start, asked.out / "start"), asked.out, share=asked.share)


if __name__ == "__main__":
    main()
