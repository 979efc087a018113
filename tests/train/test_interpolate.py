"""Weights between a start and what was trained from it."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from secondpass.errors import ConfigError, ModelFormatError
from secondpass.train.interpolate import interpolate, main


def checkpoint(folder: Path, value: float, *, prefix: str = "bert.", width: int = 2) -> Path:
    """Write a folder with one tensor of an encoder, of one value, and a head of ten times that if it has a prefix."""
    folder.mkdir()
    tensors = {f"{prefix}layer.weight": np.full(width, value, np.float32)}
    tensors |= {"classifier.weight": np.full(1, 10 * value, np.float32)} if prefix else {}
    save_file(tensors, folder / "model.safetensors")
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_text(f"{value}")
    return folder


def test_the_encoder_is_drawn_back_and_the_head_is_kept(tmp_path: Path) -> None:
    """Three quarters of 2 and a quarter of a start of 10 is 4; the start is a bare encoder."""
    start = checkpoint(tmp_path / "start", 10, prefix="")
    interpolate(checkpoint(tmp_path / "trained", 2), start, tmp_path / "out", share=0.75)
    found = load_file(tmp_path / "out" / "model.safetensors")
    assert found["bert.layer.weight"].tolist() == [4, 4]
    assert found["classifier.weight"].tolist() == [20]
    assert found["bert.layer.weight"].dtype == np.float32
    assert (tmp_path / "out" / "tokenizer.json").read_text() == "2"


def test_the_head_of_the_start_does_not_count(tmp_path: Path) -> None:
    """A start that ranks has a head for another task."""
    trained, start = checkpoint(tmp_path / "trained", 1), checkpoint(tmp_path / "start", 3)
    main([str(trained), "--start", str(start), "--share", "0.5", "--out", str(tmp_path / "out")])
    found = load_file(tmp_path / "out" / "model.safetensors")
    assert found["bert.layer.weight"].tolist() == [2, 2]
    assert found["classifier.weight"].tolist() == [10]


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_refuses_shares_out_of_range(tmp_path: Path, share: float) -> None:
    """Beyond either end there is nothing to interpolate."""
    with pytest.raises(ConfigError, match="from 0 to 1"):
        interpolate(tmp_path, tmp_path, tmp_path / "out", share=share)


def test_refuses_another_start(tmp_path: Path) -> None:
    """An encoder of another shape is not what it began with."""
    trained, start = checkpoint(tmp_path / "trained", 1), checkpoint(tmp_path / "start", 1, width=3)
    with pytest.raises(ModelFormatError, match="differs in shape"):
        interpolate(trained, start, tmp_path / "out")
