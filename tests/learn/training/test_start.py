"""Checkpoints that a training begins with."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from secondpass.errors import ModelNotFoundError  # noqa: E402
from secondpass.learn.training.start import checkpoint_of  # noqa: E402
from secondpass.logistic import softmax  # noqa: E402
from secondpass.models.nli import NliModel  # noqa: E402

PAIRS = [
    ("The museum opens at ten on weekdays.", "On a Tuesday it opens at ten."),
    ("The museum opens at ten on weekdays.", "The museum is closed on weekdays."),
    ("Ada bought the boat from her cousin, who had built it.", "Ada built the boat."),
    ("The fee is 12 euros. Members pay 8 euros.", "Tickets may be ordered by telephone."),
]


@pytest.mark.parametrize(
    ("name", "layers", "labels"), [("secondpass-nli-minilm", 9, 3), ("ms-marco-MiniLM-L12-v2", 12, 1)]
)
def test_embedded_models_as_checkpoints(name: str, layers: int, labels: int, tmp_path: Path) -> None:
    """The float32 weights that are read out of an int8 file are those of a whole encoder, with its number of labels."""
    from transformers import AutoModelForSequenceClassification

    folder = checkpoint_of(name, tmp_path)
    model = AutoModelForSequenceClassification.from_pretrained(folder)

    assert model.config.num_hidden_layers == layers
    assert model.config.num_labels == labels
    assert all(bool(torch.isfinite(tensor).all()) for tensor in model.state_dict().values())


def test_fused_graph_as_checkpoint(tmp_path: Path) -> None:
    """The checkpoint made of our own int8 graph says what the graph says, up to the rounding of activations."""
    from tokenizers import Tokenizer
    from transformers import AutoModelForSequenceClassification

    folder = checkpoint_of("secondpass-nli-minilm", tmp_path)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    encoded = Tokenizer.from_file(str(folder / "tokenizer.json")).encode_batch(PAIRS)
    logits = [
        model(input_ids=torch.tensor([one.ids]), token_type_ids=torch.tensor([one.type_ids])).logits[0].tolist()
        for one in encoded
    ]

    np.testing.assert_allclose(softmax(np.array(logits)), NliModel().run(PAIRS).probabilities, atol=0.06)


def test_unknown_checkpoint(tmp_path: Path) -> None:
    """A name of nothing is an error that says what it may be."""
    with pytest.raises(ModelNotFoundError, match="neither a folder with"):
        checkpoint_of("no-such-model", tmp_path)
