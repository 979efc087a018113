"""DeBERTa-v2 and -v3 on the fused graph give what PyTorch gives."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from secondpass.errors import ModelFormatError
from secondpass.models.backends.load import load_pair_model
from secondpass.models.graph.deberta import distance_buckets
from secondpass.models.graph.encoder import build_graph
from secondpass.models.graph.weights import read_weights
from tests.models.copying import PAIRS
from tests.models.graph.test_encoder import random_batch, run, torch_rows
from tests.models.random_checkpoint import DEBERTA, save_random, save_tokenizer, unigram_tokenizer

pytestmark = pytest.mark.slow
Make = Callable[..., tuple[Path, Any]]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Return a maker of small checkpoints with random weights: the folder and the PyTorch model."""
    pytest.importorskip("transformers")

    def make(**settings: Any) -> tuple[Path, Any]:
        folder = tmp_path_factory.mktemp("deberta")
        return folder, save_random(folder, "deberta-v2", **{**DEBERTA, **settings})

    return make


@pytest.mark.parametrize(
    ("settings", "shapes"),
    [
        ({}, [(1, 1), (1, 2), (3, 17), (2, 128)]),
        ({"num_labels": 1, "share_att_key": False, "pooler_hidden_act": "tanh"}, [(2, 40)]),
        ({"type_vocab_size": 2, "norm_rel_ebd": "none"}, [(2, 40)]),
        ({"pos_att_type": ["c2p"], "share_att_key": False, "position_buckets": -1}, [(2, 100)]),
        ({"pos_att_type": ["p2c"]}, [(2, 40)]),
        ({"position_buckets": 256, "max_position_embeddings": 1100}, [(1, 1_100)]),
    ],
)
def test_float32_logits_are_those_of_pytorch(
    checkpoint: Make, settings: dict[str, Any], shapes: list[tuple[int, int]]
) -> None:
    """With one term or both, projections of their own or shared, within the buckets and beyond: to 1e-4."""
    folder, model = checkpoint(**settings)
    graph = build_graph(read_weights(folder), head="classifier", precision="float32")
    for rows, length in shapes:
        batch = random_batch(rows, length)
        expected = torch_rows(model, batch, with_types="type_vocab_size" in settings).logits.numpy()
        found = run(graph, batch)
        assert found.shape == (rows, settings.get("num_labels", 3))
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(("buckets", "furthest"), [(256, 512), (16, 128), (32, 100), (256, 1024)])
def test_distances_fall_into_the_buckets_of_transformers(buckets: int, furthest: int) -> None:
    """Every one of them: a distance in the next bucket would be read from another vector."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers.models.deberta_v2.modeling_deberta_v2")
    distances = np.arange(-furthest, furthest + 1)
    expected = transformers.make_log_bucket_position(torch.tensor(distances), buckets, furthest).long().tolist()
    assert distance_buckets(distances, buckets, furthest).tolist() == expected


def test_a_sequence_scores_the_same_alone_and_in_a_batch(checkpoint: Make) -> None:
    """With others of its length, and PyTorch's behind padding."""
    folder, model = checkpoint()
    graph = build_graph(read_weights(folder), head="classifier", precision="float32")
    batch = random_batch(3, 50)
    together = run(graph, batch)
    for row in range(3):
        one = type(batch)(*(getattr(batch, name)[row : row + 1] for name in type(batch).__slots__))
        np.testing.assert_allclose(run(graph, one), together[row : row + 1], atol=1e-5)
    padded = type(batch)(*(np.pad(getattr(batch, name), ((0, 0), (0, 20))) for name in type(batch).__slots__))
    np.testing.assert_allclose(torch_rows(model, padded, with_types=False).logits.numpy(), together, atol=1e-4)


def test_int8_logits_are_near_float32(checkpoint: Make) -> None:
    """Weights, activations and the vectors of distances are rounded."""
    folder, _ = checkpoint(initializer_range=0.1)
    weights, batch = read_weights(folder), random_batch(4, 60)
    exact = run(build_graph(weights, head="classifier", precision="float32"), batch)
    near = run(build_graph(weights, head="classifier"), batch)
    assert 0 < np.abs(near - exact).max() < 0.05 * np.ptp(exact)


def test_vectors_are_those_of_pytorch(checkpoint: Make) -> None:
    """The heads tokens and cls."""
    folder, model = checkpoint(auto="AutoModel")
    weights, batch = read_weights(folder), random_batch(2, 30)
    tokens = torch_rows(model, batch, with_types=False).last_hidden_state.numpy()
    for head, expected in {"tokens": tokens, "cls": tokens[:, 0]}.items():
        found = run(build_graph(weights, head=head, precision="float32"), batch)  # type: ignore[arg-type]
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_too_few_vectors_of_distances_are_refused(checkpoint: Make, tmp_path: Path) -> None:
    """A config.json of another model."""
    folder, _ = checkpoint()
    (tmp_path / "model.safetensors").symlink_to(folder / "model.safetensors")
    config = (folder / "config.json").read_text().replace('"position_buckets": 16', '"position_buckets": 64')
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(ModelFormatError, match="DeBERTa: it has 32 vectors of distances, and not 128"):
        read_weights(tmp_path)


def test_a_checkpoint_loads_and_scores_as_on_pytorch(
    checkpoint: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From texts to logits, with a tokenizer of pieces; without it the error says how to make one."""
    pytest.importorskip("sentence_transformers")
    monkeypatch.setenv("SECONDPASS_CACHE_DIR", str(tmp_path / "cache"))
    tokenizer = unigram_tokenizer()
    folder, _ = checkpoint(vocab_size=tokenizer.get_vocab_size())
    save_tokenizer(folder, tokenizer, with_types=True)
    model = load_pair_model(str(folder), backend="onnx", task="nli")
    expected = load_pair_model(str(folder), backend="torch", task="nli").logits(PAIRS)
    np.testing.assert_allclose(model.logits(PAIRS), expected, atol=1e-4)
    (folder / "tokenizer.json").rename(folder / "spm.model")
    with pytest.raises(ModelFormatError, match=r"no tokenizer\.json .*, only spm\.model; transformers' AutoTokenizer"):
        load_pair_model(str(folder), backend="onnx", task="nli")
