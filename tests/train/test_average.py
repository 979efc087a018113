"""Averages of checkpoints."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from secondpass.errors import ConfigError, ModelFormatError
from secondpass.train.average import average, main


def checkpoint(folder: Path, value: float, *, prefix: str = "bert.", width: int = 2) -> Path:
    """Write a folder with an encoder's tensor and a head of one value each."""
    folder.mkdir()
    tensors = {f"{prefix}layer.weight": np.full(width, value, np.float32)}
    tensors |= {"classifier.weight": np.full(1, 10 * value, np.float32)} if prefix else {}
    save_file(tensors, folder / "model.safetensors")
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_text(f"{value}")
    return folder


def test_the_mean_is_drawn_back_to_the_start(tmp_path: Path) -> None:
    """Three quarters of the mean of 1 and 3 and a quarter of a start of 10 is 4; the head is the runs' alone."""
    runs = [checkpoint(tmp_path / "a", 1), checkpoint(tmp_path / "b", 3)]
    average(runs, tmp_path / "out", start=checkpoint(tmp_path / "start", 10, prefix=""), share=0.75)
    found = load_file(tmp_path / "out" / "model.safetensors")
    assert found["bert.layer.weight"].tolist() == [4, 4]
    assert found["classifier.weight"].tolist() == [20]
    assert found["bert.layer.weight"].dtype == np.float32
    assert (tmp_path / "out" / "tokenizer.json").read_text() == "1"


def test_the_head_of_the_start_does_not_count(tmp_path: Path) -> None:
    """A start that ranks has a head for another task."""
    run, start = checkpoint(tmp_path / "a", 1), checkpoint(tmp_path / "start", 3)
    main([str(run), "--start", str(start), "--share", "0.5", "--out", str(tmp_path / "out")])
    found = load_file(tmp_path / "out" / "model.safetensors")
    assert found["bert.layer.weight"].tolist() == [2, 2]
    assert found["classifier.weight"].tolist() == [10]


@pytest.mark.parametrize(("n", "share"), [(0, 1.0), (1, 0.0), (1, 1.5), (1, 0.5)])
def test_refuses_what_gives_no_average(tmp_path: Path, n: int, share: float) -> None:
    """Nothing to average, a share out of range, or no start to draw back to."""
    runs = [checkpoint(tmp_path / "a", 1)][:n]
    with pytest.raises(ConfigError, match="a share above 0"):
        average(runs, tmp_path / "out", share=share)


def test_refuses_models_of_different_shapes(tmp_path: Path) -> None:
    """Runs from different starts have no mean."""
    runs = [checkpoint(tmp_path / "a", 1), checkpoint(tmp_path / "b", 1, width=3)]
    with pytest.raises(ModelFormatError, match="from one start"):
        average(runs, tmp_path / "out")
