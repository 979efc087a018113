"""Whether a model can learn a few examples by heart."""

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("datasets")

from secondpass.learn.data.example import TrainingExample
from secondpass.learn.diagnosis.probe import probe

pytestmark = pytest.mark.slow


def test_what_can_be_learned(tiny: Callable[..., Path], questions: Callable[..., list[TrainingExample]]) -> None:
    """Clean examples are learned by heart at the higher of two rates, and a gradient reaches each part."""
    found = probe(tiny(), questions(4), rates=(1e-6, 1e-2), n_steps=40)

    assert found.memorised and found.best_rate == 1e-2 and found.findings == ()
    assert set(found.gradients) == {"embeddings", "layer 0", "layer 1", "head"}
    assert found.after[1e-6] == pytest.approx(found.start, rel=0.02)


def test_labels_that_contradict_each_other(tiny: Callable[..., Path]) -> None:
    """The same pair with both labels can't be learned by heart, which is said."""
    wrong = [
        TrainingExample.of("what is the cat", ["the cat is red"]),
        TrainingExample("what is the cat", ("the cat is red",), (0,)),
    ]
    found = probe(tiny(), wrong, rates=(1e-2,), n_steps=30)

    assert [finding.name for finding in found.findings] == ["not_memorised"]
    assert "different labels" in found.findings[0].advice


def test_frozen_layers_have_no_gradient(
    tiny: Callable[..., Path], questions: Callable[..., list[TrainingExample]]
) -> None:
    """What is frozen is named."""
    found = probe(tiny(), questions(2), settings={"frozen_layers": 1}, rates=(1e-3,), n_steps=1)

    assert found.findings[0].name == "no_gradient"
    assert found.findings[0].message == "no gradient reaches embeddings, layer 0"
