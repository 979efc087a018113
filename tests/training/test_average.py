"""The mean of what several runs learned."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from secondpass.errors import ConfigError, ModelFormatError, ModelNotFoundError
from training.average import average, main


def checkpoint(folder: Path, value: float, *, width: int = 2) -> Path:
    """Write a folder with an encoder's tensor of one value, and a head of ten times that."""
    folder.mkdir()
    tensors = {"bert.layer.weight": np.full(width, value, np.float32)}
    tensors["classifier.weight"] = np.full(1, 10 * value, np.float32)
    save_file(tensors, folder / "model.safetensors")
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_text(f"{value}")
    return folder


def test_weights_are_the_mean_of_all_runs(tmp_path: Path) -> None:
    """Encoder and head are the mean of 1, 2 and 6; what is not weights comes from the first, and none is changed."""
    runs = [checkpoint(tmp_path / f"seed{value}", value) for value in (1, 2, 6)]
    main([*map(str, runs), "--out", str(tmp_path / "out" / "mean")])
    found = load_file(tmp_path / "out" / "mean" / "model.safetensors")
    assert {name: array.tolist() for name, array in found.items()} == {
        "bert.layer.weight": [3, 3],
        "classifier.weight": [30],
    }
    assert all(array.dtype == np.float32 for array in found.values())
    assert (tmp_path / "out" / "mean" / "tokenizer.json").read_text() == "1"
    assert load_file(runs[0] / "model.safetensors")["bert.layer.weight"].tolist() == [1, 1]


def test_refuses_one_checkpoint(tmp_path: Path) -> None:
    """The mean of one is a mistake."""
    with pytest.raises(ConfigError, match="two checkpoints or more, not of 1"):
        average([checkpoint(tmp_path / "only", 1)], tmp_path / "out")


def test_refuses_other_encoders(tmp_path: Path) -> None:
    """Weights of other shapes have no mean; nothing is written."""
    first, second = checkpoint(tmp_path / "a", 1), checkpoint(tmp_path / "b", 1, width=3)
    with pytest.raises(ModelFormatError, match="can't be averaged"):
        average([first, second], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_refuses_folders_without_weights(tmp_path: Path) -> None:
    """The message names the file that is missed."""
    with pytest.raises(ModelNotFoundError, match=r"model\.safetensors.*--out"):
        average([checkpoint(tmp_path / "a", 1), tmp_path], tmp_path / "out")
