"""ModernBERT on the fused graph gives what PyTorch gives, however long the sequence is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from secondpass.errors import ModelFormatError
from secondpass.models.backends.load import load_pair_model
from secondpass.models.graph.encoder import build_graph
from secondpass.models.graph.weights import read_weights
from secondpass.models.sources.resolve import find_model
from tests.models.copying import PAIRS
from tests.models.graph.test_encoder import random_batch, run, torch_rows
from tests.models.random_checkpoint import MODERNBERT, bpe_tokenizer, save_random, save_tokenizer

pytestmark = pytest.mark.slow
Make = Callable[..., tuple[Path, Any]]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Return a maker of small checkpoints with random weights: the folder and the PyTorch model."""
    pytest.importorskip("transformers")

    def make(**settings: Any) -> tuple[Path, Any]:
        folder = tmp_path_factory.mktemp("modernbert")
        return folder, save_random(folder, "modernbert", **{**MODERNBERT, **settings})

    return make


@pytest.mark.parametrize(
    ("settings", "shapes"),
    [
        # A reach of 8 to each side: what it sees whole, a little more, one block, and two that are not full.
        ({}, [(1, 1), (1, 9), (3, 10), (3, 144), (1, 145), (2, 200)]),
        ({"num_labels": 1, "classifier_pooling": "mean", "classifier_activation": "relu"}, [(2, 30), (1, 160)]),
        ({"norm_bias": True, "attention_bias": True, "mlp_bias": True, "classifier_bias": True}, [(2, 30)]),
        ({"num_hidden_layers": 3}, [(1, 5), (2, 30), (1, 160)]),  # the last layer sees near tokens only
        ({"local_attention": 128}, [(1, 100), (1, 1_100)]),
    ],
)
def test_float32_logits_are_those_of_pytorch(
    checkpoint: Make, settings: dict[str, Any], shapes: list[tuple[int, int]]
) -> None:
    """With each pooling, with and without biases, within and beyond the window: to 1e-4."""
    folder, model = checkpoint(**settings)
    graph = build_graph(read_weights(folder), head="classifier", precision="float32")
    for rows, length in shapes:
        batch = random_batch(rows, length)
        expected = torch_rows(model, batch, with_types=False).logits.numpy()
        found = run(graph, batch)
        assert found.shape == (rows, settings.get("num_labels", 3))
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_longest_sequence(checkpoint: Make) -> None:
    """8,192 tokens, in one layer of each kind."""
    layers = {"num_hidden_layers": 2, "hidden_size": 16, "num_attention_heads": 1}
    folder, model = checkpoint(**layers)
    batch = random_batch(1, 8192)
    found = run(build_graph(read_weights(folder), head="classifier", precision="float32"), batch)
    np.testing.assert_allclose(found, torch_rows(model, batch, with_types=False).logits.numpy(), atol=1e-4)


def test_a_sequence_scores_the_same_alone_in_a_batch_and_padded(checkpoint: Make) -> None:
    """Ours alone and with others of its length; PyTorch's behind padding."""
    folder, model = checkpoint()
    graph = build_graph(read_weights(folder), head="classifier", precision="float32")
    batch = random_batch(3, 150)
    together = run(graph, batch)
    for row in range(3):
        alone = random_batch(3, 150)
        one = type(alone)(*(getattr(alone, name)[row : row + 1] for name in type(alone).__slots__))
        np.testing.assert_allclose(run(graph, one), together[row : row + 1], atol=1e-5)
    padded = type(batch)(*(np.pad(getattr(batch, name), ((0, 0), (0, 40))) for name in type(batch).__slots__))
    np.testing.assert_allclose(torch_rows(model, padded, with_types=False).logits.numpy(), together, atol=1e-4)


def test_int8_logits_are_near_float32(checkpoint: Make) -> None:
    """Weights and activations are rounded; the lookup of words too."""
    folder, _ = checkpoint(initializer_range=0.1)
    weights, batch = read_weights(folder), random_batch(4, 60)
    exact = run(build_graph(weights, head="classifier", precision="float32"), batch)
    near = run(build_graph(weights, head="classifier"), batch)
    assert 0 < np.abs(near - exact).max() < 0.05 * np.ptp(exact)


def test_vectors_are_those_of_pytorch(checkpoint: Make) -> None:
    """The heads tokens, cls and mean, behind the last norm."""
    folder, model = checkpoint(auto="AutoModel")
    weights, batch = read_weights(folder), random_batch(2, 30)
    tokens = torch_rows(model, batch, with_types=False).last_hidden_state.numpy()
    for head, expected in {"tokens": tokens, "cls": tokens[:, 0], "mean": tokens.mean(axis=1)}.items():
        found = run(build_graph(weights, head=head, precision="float32"), batch)  # type: ignore[arg-type]
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.fixture
def folder(checkpoint: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a whole checkpoint with its tokenizer, and use a cache folder of the test's own."""
    monkeypatch.setenv("SECONDPASS_CACHE_DIR", str(tmp_path / "cache"))
    found, _ = checkpoint(vocab_size=400, num_labels=1)
    save_tokenizer(found, bpe_tokenizer(), with_types=False)
    return found


def test_a_checkpoint_loads_and_scores_as_on_pytorch(folder: Path) -> None:
    """From texts to logits, with a tokenizer of byte pairs, and an ONNX file beside it that is not needed."""
    pytest.importorskip("sentence_transformers")
    (folder / "model.onnx").write_bytes(b"exported files of it don't show its weights")
    model = load_pair_model(str(folder), backend="onnx")
    assert model.on_cpu.precision == "float32"  # type: ignore[attr-defined]
    expected = load_pair_model(str(folder), backend="torch").logits(PAIRS)
    np.testing.assert_allclose(model.logits(PAIRS), expected, atol=1e-4)
    (folder / "model.onnx").unlink()


def test_layers_of_another_number_are_refused(folder: Path, tmp_path: Path) -> None:
    """The kinds of layers in config.json must be those of the weights."""
    (tmp_path / "model.safetensors").symlink_to(folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "layer_types": ["full_attention"]}))
    with pytest.raises(ModelFormatError, match=r"ModernBERT: it has 4 layers, but 1 by its config\.json"):
        read_weights(tmp_path)


class TestModules:
    """A head in folders of sentence-transformers' modules, as the Ettin rerankers have it."""

    @pytest.fixture
    def modular(self, checkpoint: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Return such a checkpoint, saved by sentence-transformers, with a cache folder of the test's own."""
        torch = pytest.importorskip("torch")
        pytest.importorskip("sentence_transformers")
        from sentence_transformers import CrossEncoder
        from sentence_transformers.base.modules import Dense, Transformer
        from sentence_transformers.sentence_transformer.modules import LayerNorm, Pooling

        monkeypatch.setenv("SECONDPASS_CACHE_DIR", str(tmp_path / "cache"))
        source, _ = checkpoint(auto="AutoModel", vocab_size=400)
        save_tokenizer(source, bpe_tokenizer(), with_types=False)
        torch.manual_seed(5)
        norm = LayerNorm(32)
        with torch.no_grad():
            norm.norm.weight.add_(torch.randn(32) * 0.2)
            norm.norm.bias.add_(torch.randn(32) * 0.2)
        modules = [
            Transformer(str(source)),
            Pooling(32, pooling_mode="cls"),
            Dense(32, 32, bias=False, activation_function=torch.nn.GELU()),
            norm,
            Dense(32, 1, activation_function=torch.nn.Identity(), module_output_name="scores"),
        ]
        CrossEncoder(modules=modules).save(str(tmp_path / "modular"))
        return tmp_path / "modular"

    def test_its_scores_are_those_of_pytorch(self, modular: Path) -> None:
        """The head's weights come from the modules, and are part of its identity."""
        model = load_pair_model(str(modular), backend="onnx")
        expected = load_pair_model(str(modular), backend="torch").logits(PAIRS)
        assert model.labels == ("relevance",) and np.ptp(expected) > 0.1
        np.testing.assert_allclose(model.logits(PAIRS), expected, atol=1e-4)
        (out,) = modular.glob("4_*/model.safetensors")
        out.write_bytes(out.read_bytes()[:-1] + b"\x01")
        assert load_pair_model(str(modular), backend="onnx").fingerprint != model.fingerprint

    def test_another_chain_of_modules_is_refused(self, modular: Path) -> None:
        """A residual that the head would leave out; the message says what runs it."""
        path = next(modular.glob("2_*")) / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "use_residual": True}))
        with pytest.raises(ModelFormatError, match=r"another layer, in 2_\w+, .*; backend='torch' runs it"):
            load_pair_model(str(modular), backend="onnx")

    def test_it_is_no_bi_encoder(self, modular: Path) -> None:
        """Its folder of a pooling does not make it one."""
        assert find_model(str(modular), "rerank", backend="onnx").head() == "classifier"
