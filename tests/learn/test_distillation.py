"""Students of fewer layers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("datasets")

from safetensors.numpy import load_file

from secondpass.errors import CompositionError, ConfigError, InputError
from secondpass.learn.data.example import TrainingExample
from secondpass.learn.distillation import distil, fewer_layers, taught
from secondpass.testing import FakeReranker

pytestmark = pytest.mark.slow


def test_a_student_keeps_the_last_layer(tiny: Callable[..., Path], tmp_path: Path) -> None:
    """Its one layer has the weights of the teacher's last one, which the head reads; all else is the same."""
    student = fewer_layers(tiny(), tmp_path / "student", 1)
    before, after = load_file(tiny() / "model.safetensors"), load_file(student / "model.safetensors")
    name = "bert.encoder.layer.{}.output.dense.weight"

    np.testing.assert_array_equal(after[name.format(0)], before[name.format(1)])
    assert name.format(1) not in after
    np.testing.assert_array_equal(after["classifier.weight"], before["classifier.weight"])


def test_a_student_keeps_the_first_layers(tiny: Callable[..., Path], tmp_path: Path) -> None:
    """Asked for the first ones, its layer has the weights of the teacher's first one."""
    student = fewer_layers(tiny(), tmp_path / "student", 1, keep="first")
    before, after = load_file(tiny() / "model.safetensors"), load_file(student / "model.safetensors")
    name = "bert.encoder.layer.{}.output.dense.weight"

    np.testing.assert_array_equal(after[name.format(0)], before[name.format(0)])
    assert name.format(1) not in after


def test_a_student_keeps_the_layers_that_are_named(tiny: Callable[..., Path], tmp_path: Path) -> None:
    """Its layers have the weights of those that were asked for, in their order."""
    student = fewer_layers(tiny(), tmp_path / "student", [1])
    before, after = load_file(tiny() / "model.safetensors"), load_file(student / "model.safetensors")
    name = "bert.encoder.layer.{}.output.dense.weight"

    np.testing.assert_array_equal(after[name.format(0)], before[name.format(1)])
    assert name.format(1) not in after


def test_a_student_learns_margins(
    tiny: Callable[..., Path], questions: Callable[..., list[TrainingExample]], tmp_path: Path
) -> None:
    """Without labels, the loss against the teacher's margins falls."""
    candidates = {example.query: example.documents for example in questions(40)}
    done = distil(
        FakeReranker(scale="probability"), candidates, tmp_path, student=tiny(), n_layers=1,
        settings={"epochs": 15, "learning_rate": 5e-3, "dropout": 0.0, "precision": "float32"},
    )  # fmt: skip
    losses = [entry["loss"] for entry in done.history if "loss" in entry]

    assert done.loss == "margin-mse"
    assert np.mean(losses[-3:]) < 0.8 * np.mean(losses[:3])


def test_what_cannot_be_taught(tiny: Callable[..., Path], tmp_path: Path) -> None:
    """Ordinal scores, single documents and as many layers are errors that say so."""
    with pytest.raises(CompositionError, match="ordinal scores"):
        taught(FakeReranker(scale="ordinal"), {"q": ["a", "b"]})
    with pytest.raises(InputError, match="has 1 document"):
        taught(FakeReranker(), {"q": ["a"]})
    with pytest.raises(ConfigError, match="the model has 2 layers: a student has fewer"):
        fewer_layers(tiny(), tmp_path / "student", 2)
    for layers in ([2], [-1]):
        with pytest.raises(ConfigError, match="layers must be rising numbers from 0 to 1"):
            fewer_layers(tiny(), tmp_path / "student", layers)
    with pytest.raises(ConfigError, match="keep must be 'spaced' or 'first'"):
        fewer_layers(tiny(), tmp_path / "student", 1, keep="last")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
