"""Batches without padding against padded ones, on tiny random models of each architecture; the GPU's own on a GPU."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from secondpass.models.backends import torch_padding_free
from secondpass.models.backends.torch_padding_free import PaddingFree
from secondpass.models.tokens import Batch
from secondpass.rerankers.cross_encoder import CrossEncoderReranker

pytestmark = pytest.mark.slow

_SHAPE = {"vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "num_labels": 2}
_MODERNBERT = {"classifier_pooling": "cls", "local_attention": 16, "global_attn_every_n_layers": 2, "bos_token_id": 1}
_ARCHITECTURES: dict[str, dict[str, Any]] = {
    "Bert": {"max_position_embeddings": 64},
    "Electra": {"max_position_embeddings": 64, "embedding_size": 16},
    "Roberta": {"max_position_embeddings": 66, "pad_token_id": 1},
    "Camembert": {"max_position_embeddings": 66, "pad_token_id": 1},
    "XLMRoberta": {"max_position_embeddings": 66, "pad_token_id": 1},
    "ModernBert": {**_MODERNBERT, "pad_token_id": 0, "cls_token_id": 1, "sep_token_id": 2, "eos_token_id": 2},
}
_NAMES = frozenset({"input_ids", "attention_mask"})
_QUERY = "how do I copy a file"
_DOCUMENTS = ["shutil.copy copies a file.", "The weather will be sunny.", "os.rename " * 30, "cp"]


def _model(name: str, **settings: Any) -> Any:
    """Return a random model of an architecture, with weights large enough for its attention to matter."""
    torch.manual_seed(0)
    config = getattr(transformers, f"{name}Config")(
        **_SHAPE, intermediate_size=64, **{**_ARCHITECTURES[name], **settings}
    )
    model = getattr(transformers, f"{name}ForSequenceClassification")(config).eval()
    with torch.no_grad():
        for weights in model.parameters():
            if weights.dim() > 1:
                weights.copy_(torch.randn_like(weights) * 0.15)
    return model


def _batch(padding: int) -> Batch:
    """Return sequences of 60, 40, 3, 17 and 17 tokens, padded on the right."""
    rng, lengths = np.random.default_rng(0), [60, 40, 3, 17, 17]
    input_ids, mask = np.full((5, 60), padding), np.zeros((5, 60), dtype=np.int64)
    for row, length in enumerate(lengths):
        input_ids[row, :length] = rng.integers(5, 100, length)
        mask[row, :length] = 1
    return Batch(input_ids, mask, np.zeros_like(mask))


def _padded(model: Any, batch: Batch) -> np.ndarray:
    with torch.inference_mode():
        inputs = {name: torch.from_numpy(getattr(batch, name)).to(model.device) for name in _NAMES}
        logits: np.ndarray = model(**inputs).logits.float().cpu().numpy()
    return logits


@pytest.mark.parametrize("name", _ARCHITECTURES)
def test_logits_are_those_of_the_padded_batch(name: str) -> None:
    """To 1e-5, with the RoBERTa family's own positions and ModernBERT's sliding windows; undone, they are so again."""
    model = _model(name)
    batch = _batch(model.config.pad_token_id)
    expected = _padded(model, batch)
    free = PaddingFree(model)
    np.testing.assert_allclose(free.logits(batch, _NAMES), expected, atol=1e-5)
    assert np.ptp(expected[:, 0]) > 0.1  # so that mixing sequences up would show
    free.undo()
    np.testing.assert_array_equal(_padded(model, batch), expected)


def test_positions_and_windows_matter() -> None:
    """What the test above would see: other positions, or no windows, move a logit by far more than 1e-5."""
    model = _model("Roberta")
    free = PaddingFree(model)
    right = free.logits(_batch(1), _NAMES)
    free._first_position = 0
    assert np.abs(free.logits(_batch(1), _NAMES) - right).max() > 1e-2
    narrow, wide = _model("ModernBert"), _model("ModernBert", local_attention=1000)
    narrow_logits = PaddingFree(narrow).logits(_batch(0), _NAMES)
    assert np.abs(PaddingFree(wide).logits(_batch(0), _NAMES) - narrow_logits)[0].max() > 1e-2


@pytest.mark.parametrize(
    ("name", "settings", "reason"),
    [
        ("Bert", {}, "padding is left out on CUDA only"),
        ("Bert", {"is_decoder": True}, "architecture, bert, is not known"),
        ("ModernBert", {"classifier_pooling": "mean"}, "its head reads every token"),
    ],
)
def test_a_model_that_must_be_padded_says_why(name: str, settings: dict[str, Any], reason: str) -> None:
    """The reason is the model's own before it is the machine's."""
    found = PaddingFree.reason_against(_model(name, **settings))
    assert found and reason in found


def test_a_reranker_without_padding_gives_the_same_scores(
    float_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a CPU it is not taken by itself; made to take it, its scores are those of padded batches to 1e-4."""
    padded = CrossEncoderReranker(float_checkpoint, device="cpu")
    assert padded.pair_model.padding == "padding is left out on CUDA only"  # type: ignore[attr-defined]
    monkeypatch.setattr(PaddingFree, "reason_against", lambda model: None)
    free = CrossEncoderReranker(float_checkpoint, device="cpu")
    assert free.pair_model.padding is None  # type: ignore[attr-defined]
    np.testing.assert_allclose(free.score(_QUERY, _DOCUMENTS), padded.score(_QUERY, _DOCUMENTS), atol=1e-4)


@pytest.mark.parametrize("fault", ["raises", "mixes"])
def test_a_kernel_that_fails_its_test_is_not_used(
    float_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """One that raises, or lets sequences see each other, is left when the model is loaded; the reason is kept."""

    def attention(module: Any, query: Any, key: Any, value: Any, mask: Any, **settings: Any) -> Any:
        if fault == "raises":
            raise RuntimeError("no kernel image")
        return torch.nn.functional.scaled_dot_product_attention(query, key, value).transpose(1, 2), None

    expected = CrossEncoderReranker(float_checkpoint, device="cpu").score(_QUERY, _DOCUMENTS)
    monkeypatch.setattr(PaddingFree, "reason_against", lambda model: None)
    monkeypatch.setattr(torch_padding_free, "_attention", attention)
    reranker = CrossEncoderReranker(float_checkpoint, device="cpu")
    assert {"raises": "no kernel image", "mixes": "off by"}[fault] in reranker.pair_model.padding  # type: ignore[attr-defined]
    np.testing.assert_array_equal(reranker.score(_QUERY, _DOCUMENTS), expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_runs_without_padding_and_agrees_with_a_cpu(float_checkpoint: Path) -> None:
    """By default in half precision, with scores within a few tenths of float32's, in the same order."""
    expected = CrossEncoderReranker(float_checkpoint, device="cpu").score(_QUERY, _DOCUMENTS)
    reranker = CrossEncoderReranker(float_checkpoint, device="cuda")
    scores = reranker.score(_QUERY, _DOCUMENTS)
    np.testing.assert_allclose(scores, expected, atol=0.5)
    assert np.argsort(scores).tolist() == np.argsort(expected).tolist()
    if torch.cuda.get_device_capability() >= (8, 0) and find_spec("torch.nn.attention.varlen"):
        assert reranker.pair_model.padding is None  # type: ignore[attr-defined]
