"""From a checkpoint to one ONNX file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("datasets")

from secondpass.errors import InputError, ModelFormatError
from secondpass.learn.data.example import LabelledPair, TrainingExample
from secondpass.learn.exporting import export, quality_of
from secondpass.models.backends.load import load_embedding_model, load_pair_model

pytestmark = pytest.mark.slow
Tiny = Callable[..., Path]


def test_float32_is_the_checkpoint(tiny: Tiny, tmp_path: Path) -> None:
    """The graph in float32 gives the checkpoint's logits, and int8 nearly so; both run without PyTorch."""
    pairs = [("what is the cat", "the cat is red"), ("a dog", "has the dog")]
    exact = load_pair_model(str(tiny()), backend="torch").logits(pairs)
    for precision, tolerance in (("float32", 5e-4), ("int8", 0.02)):
        done = export(tiny(), tmp_path / precision, precision=precision)  # type: ignore[arg-type]
        assert sorted(path.name for path in done.folder.iterdir())[:2] == ["config.json", "model.onnx"]
        np.testing.assert_allclose(load_pair_model(str(done.folder)).logits(pairs), exact, atol=tolerance)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["float32", "int8"]


def test_a_bi_encoder_keeps_its_prefixes(
    tiny: Tiny, questions: Callable[..., list[TrainingExample]], tmp_path: Path
) -> None:
    """What sentence-transformers keeps beside the weights goes with them, and what int8 costs is measured."""
    from secondpass.learn.training.models import open_model
    from secondpass.learn.training.settings import TrainSettings

    open_model(tiny(0), "embed", TrainSettings(query_prefix="who ")).save_pretrained(str(tmp_path / "saved"))
    done = export(tmp_path / "saved", tmp_path / "out", task="embed", examples=questions(8))

    assert load_embedding_model(str(done.folder)).query_prefix == "who "
    assert done.loss is not None and abs(done.loss.value) < 0.2 and done.measure == "nDCG@10"
    assert {path.name for path in tmp_path.iterdir()} == {"saved", "out"}


def test_a_bi_encoder_that_pools_otherwise_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    """The graph would give the mean, and the search would be another one."""
    (tiny(0) / "1_Pooling").mkdir()
    (tiny(0) / "1_Pooling" / "config.json").write_text('{"pooling_mode": "max"}')
    with pytest.raises(ModelFormatError, match="pooled by max"):
        export(tiny(0), tmp_path / "out", task="embed")


def test_labels_of_entailment(tiny: Tiny, tmp_path: Path) -> None:
    """The quality of an NLI model is its balanced accuracy, whatever the order of its labels."""
    import json

    done = export(tiny(3), tmp_path / "out")
    config = json.loads((done.folder / "config.json").read_text())
    config["id2label"] = {"0": "contradiction", "1": "entailment", "2": "neutral"}
    (done.folder / "config.json").write_text(json.dumps(config))
    pairs = [LabelledPair("the cat", "a cat", "entailment"), LabelledPair("the cat", "a dog", "neutral")]
    values = quality_of(done.folder, "nli", pairs, "")

    assert set(values) == {"0", "1"} and all(value in (0.0, 1.0) for value in values.values())


def test_what_cannot_be_exported(tiny: Tiny, tmp_path: Path) -> None:
    """A folder that is there, and a checkpoint without a head, are errors that leave nothing behind."""
    (tmp_path / "there").mkdir()
    with pytest.raises(InputError, match="is there already"):
        export(tiny(), tmp_path / "there")
    with pytest.raises(ModelFormatError, match="no head for labels"):
        export(tiny(0), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
