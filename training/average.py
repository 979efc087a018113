r"""Averages checkpoints: ``python -m training.average CHECKPOINT CHECKPOINT... --out FOLDER``.

The mean of the weights of runs that began with the same ones is often as good as the best of them, and better on text
of other kinds (https://arxiv.org/abs/2203.05482). `training.nli` starts with the same head for each
``--seed``.

Needs: pip install "secondpass[train]"
"""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from secondpass.errors import ConfigError, ModelFormatError, ModelNotFoundError

__all__ = ["average", "main"]


def average(checkpoints: Sequence[Path], folder: Path) -> None:
    """Write the mean of checkpoints' weights, as a checkpoint like them.

    Args:
        checkpoints: two folders or more that `training.nli` wrote, of runs with the same start.
        folder: is made if need be.

    Raises:
        ConfigError: there are fewer than two.
        ModelNotFoundError: a folder holds no weights.
        ModelFormatError: their tensors have other names or shapes.
    """
    if len(checkpoints) < 2:
        raise ConfigError(f"an average is of two checkpoints or more, not of {len(checkpoints)}")
    total = {name: array.astype(np.float64) for name, array in load_file(_weights(checkpoints[0])).items()}
    for checkpoint in checkpoints[1:]:
        tensors = load_file(_weights(checkpoint))
        if {name: array.shape for name, array in tensors.items()} != {n: array.shape for n, array in total.items()}:
            raise ModelFormatError(f"{checkpoint} and {checkpoints[0]} hold different encoders: they can't be averaged")
        for name, array in tensors.items():
            total[name] += array
    mean = {name: (array / len(checkpoints)).astype(np.float32) for name, array in total.items()}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(mean, folder / "model.safetensors", metadata={"format": "pt"})
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(checkpoints[0] / name, folder)


def _weights(checkpoint: Path) -> Path:
    weights = checkpoint / "model.safetensors"
    if not weights.is_file():
        raise ModelNotFoundError(f"there is no {weights}: name folders that `training.nli --out` wrote")
    return weights


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args(arguments)
    average(asked.checkpoints, asked.out)


if __name__ == "__main__":
    main()
