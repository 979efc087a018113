"""Fused graphs give what PyTorch gives."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest

from secondpass.errors import ConfigError, ModelFormatError
from secondpass.models.graph.activation_ranges import activation_ranges, sample_batches
from secondpass.models.graph.encoder import build_graph
from secondpass.models.graph.onnx_proto import read_model
from secondpass.models.graph.weights import EncoderWeights, read_weights
from secondpass.models.onnx_session import read_tokenizer
from secondpass.models.sources.files import ModelFiles
from secondpass.models.tokens import Batch
from tests.models.random_checkpoint import save_random

Rows = npt.NDArray[np.float32]


def run(model: bytes, batch: Batch) -> Rows:
    """Run a serialized model with ONNX Runtime's default options."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {i.name: getattr(batch, i.name) for i in session.get_inputs()})[0])


def random_batch(rows: int, length: int) -> Batch:
    """Return sequences of random tokens, of one length."""
    rng = np.random.default_rng(rows * 100 + length)
    ids = rng.integers(4, 50, (rows, length))
    return Batch(ids, np.ones_like(ids), rng.integers(0, 2, (rows, length)))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Path, Any]]:
    """Return a maker of small checkpoints with random weights: the folder and the PyTorch model."""
    pytest.importorskip("transformers")

    def make(model_type: str, auto: str = "AutoModelForSequenceClassification", **settings: Any) -> tuple[Path, Any]:
        folder = tmp_path_factory.mktemp(model_type)
        return folder, save_random(folder, model_type, auto=auto, **settings)

    return make


def torch_rows(model: Any, batch: Batch, *, with_types: bool = True) -> Any:
    """Run the PyTorch model."""
    import torch

    inputs = {"input_ids": torch.tensor(batch.input_ids), "attention_mask": torch.tensor(batch.attention_mask)}
    if with_types:
        inputs["token_type_ids"] = torch.tensor(batch.token_type_ids)
    with torch.no_grad():
        return model(**inputs)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model_type", "settings"),
    [
        ("bert", {}),
        ("bert", {"hidden_act": "gelu_new"}),
        ("bert", {"hidden_act": "relu", "num_hidden_layers": 1}),
        ("electra", {"embedding_size": 32}),
        ("electra", {"embedding_size": 16}),
        ("roberta", {"type_vocab_size": 1, "pad_token_id": 1}),
        ("xlm-roberta", {"type_vocab_size": 1, "pad_token_id": 1}),
    ],
)
def test_float32_logits_are_those_of_pytorch(
    checkpoint: Callable[..., tuple[Path, Any]], model_type: str, settings: dict[str, Any]
) -> None:
    """Of sequences of one length, to 1e-4."""
    folder, model = checkpoint(model_type, **settings)
    weights = read_weights(folder)
    assert weights.n_labels == 3
    with_types = settings.get("type_vocab_size", 2) > 1
    for batch in (random_batch(1, 17), random_batch(3, 12)):
        expected = torch_rows(model, batch, with_types=with_types).logits.numpy()
        assert np.ptp(expected) > 0.1
        found = run(build_graph(weights, head="classifier", precision="float32"), batch)
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.slow
def test_pooled_vectors_are_those_of_pytorch(checkpoint: Callable[..., tuple[Path, Any]]) -> None:
    """The heads tokens, cls and mean."""
    folder, model = checkpoint("bert", auto="AutoModel")
    weights = read_weights(folder)
    assert weights.n_labels == 0
    batch = random_batch(2, 11)
    tokens = torch_rows(model, batch).last_hidden_state.numpy()
    for head, expected in {"tokens": tokens, "cls": tokens[:, 0], "mean": tokens.mean(axis=1)}.items():
        found = run(build_graph(weights, head=head, precision="float32"), batch)  # type: ignore[arg-type]
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.fixture(scope="module")
def weights(embedded: ModelFiles) -> EncoderWeights:
    """Return the weights of the embedded cross-encoder."""
    return read_weights(embedded.weights)


def test_int8_logits_are_near_float32_and_nearer_with_ranges(embedded: ModelFiles, weights: EncoderWeights) -> None:
    """On texts that the ranges were not measured on; the exported int8 file is as far off as int8 without ranges."""
    tokenizer = read_tokenizer(embedded, None)
    texts = [
        "The tide is caused by the pull of the moon and, to a lesser degree, of the sun.",
        "A tide pool is a shallow pool of seawater that forms on the rocky shore.",
        "Bread rises because yeast makes gas from sugar.",
        "Twice a day the water comes in and goes out again; sailors read it off a table.",
        "The moon has no air and no water, and its days are as long as a month.",
        "raise ValueError('high or low') if tide is None else tide.level",
    ]
    query, *documents = tokenizer.tokenize(["what makes the tides", *texts])
    batches = [tokenizer.pair_batch([(query, document)]) for document in documents]

    def logits(model: bytes) -> Rows:
        return np.concatenate([run(model, batch)[:, 0] for batch in batches])

    exact = logits(build_graph(weights, head="classifier", precision="float32"))
    plain = np.abs(logits(build_graph(weights, head="classifier")) - exact)
    ranges = activation_ranges(weights, sample_batches(tokenizer))
    near = np.abs(logits(build_graph(weights, head="classifier", ranges=ranges)) - exact)
    assert exact.argmax() == 0
    assert np.ptp(exact) > 5
    assert plain.mean() < 0.4
    assert near.mean() < 0.1
    assert near.mean() < plain.mean() / 1.5


def test_last_layer_runs_for_the_first_token_only(tmp_path: Path, weights: EncoderWeights) -> None:
    """One product less than layers times six reads more than one token; the graph has no mask."""
    (tmp_path / "model.onnx").write_bytes(build_graph(weights, head="classifier"))
    graph = read_model(tmp_path / "model.onnx").graph
    operators = [node.op_type for node in graph.node]
    assert [value.name for value in graph.input] == ["input_ids", "token_type_ids"]
    assert operators.count("MultiHeadAttention") == 12
    assert operators.count("MatMulIntegerToFloat") == 72
    assert operators.count("DynamicQuantizeLinear") == 12 * 4 + 1  # the last query reads another input than its keys
    assert operators.count("Slice") == 2


def test_what_can_not_be_built_is_refused(weights: EncoderWeights) -> None:
    """A head that the weights have not, and words that are no head or precision."""
    headless = EncoderWeights(
        weights.config, {name: array for name, array in weights.tensors.items() if not name.startswith("head.")}
    )
    with pytest.raises(ModelFormatError, match="no head for labels"):
        build_graph(headless, head="classifier")
    with pytest.raises(ConfigError, match="head or precision is unknown: 'pooler'"):
        build_graph(weights, head="pooler")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="'int4'"):
        build_graph(weights, head="cls", precision="int4")  # type: ignore[arg-type]
