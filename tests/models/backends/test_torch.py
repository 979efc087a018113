"""The PyTorch backend, on the embedded weights as a float32 checkpoint and on tiny random ones."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.base.modules import Transformer
from sentence_transformers.sentence_transformer.modules import Pooling

from secondpass.errors import ConfigError, ModelFormatError, ModelIntegrityError
from secondpass.evaluate.stdlib_docs import stdlib_corpus, stdlib_qrels, stdlib_queries
from secondpass.models.backends.load import load_embedding_model, load_pair_model
from secondpass.models.backends.torch_models import _half_of
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.retrieve import BM25Retriever
from secondpass.testing import RerankerContract
from tests.forks import exit_status_of_child, needs_fork
from tests.models.random_checkpoint import bpe_tokenizer, save_random, save_tokenizer
from tests.models.tiny_bert import save_tiny_bert

pytestmark = pytest.mark.slow

_QUERY = "how do I copy a file"
_DOCUMENTS = ["shutil.copy copies a file.", "The weather will be sunny.", "os.rename " * 30, "cp"]


@pytest.fixture(scope="module")
def torch_reranker(float_checkpoint: Path) -> CrossEncoderReranker:
    """Return a reranker on the float32 checkpoint."""
    return CrossEncoderReranker(float_checkpoint, device="cpu")


@pytest.fixture
def tiny(tmp_path: Path, float_checkpoint: Path) -> Path:
    """Return a folder with a tiny random checkpoint of two named labels, saved with a sigmoid."""
    labels = ["irrelevant", "relevant"]
    return save_tiny_bert(tmp_path, labels, vocabulary=float_checkpoint, seed=0, initializer_range=0.5)


class TestContract(RerankerContract):
    @pytest.fixture(autouse=True)
    def _checkpoint(self, float_checkpoint: Path) -> None:
        self.folder = float_checkpoint

    def make(self) -> CrossEncoderReranker:
        return CrossEncoderReranker(self.folder, device="cpu")


def test_scores_are_the_logits_of_sentence_transformers(
    torch_reranker: CrossEncoderReranker, float_checkpoint: Path
) -> None:
    """Whatever activation the checkpoint was saved with, scores are its logits, to 1e-4."""
    theirs = CrossEncoder(str(float_checkpoint), device="cpu", local_files_only=True)
    expected = theirs.predict([(_QUERY, text) for text in _DOCUMENTS], activation_fn=torch.nn.Identity())
    np.testing.assert_allclose(torch_reranker.score(_QUERY, _DOCUMENTS), expected, atol=1e-4)


def test_company_hardly_changes_a_float_score(torch_reranker: CrossEncoderReranker) -> None:
    """Padded next to others or alone, a document's score differs by less than 1e-4."""
    alone = [torch_reranker.score(_QUERY, [text])[0] for text in _DOCUMENTS]
    others = ["filler " * (number % 29 + 1) for number in range(40)]
    together = torch_reranker.score(_QUERY, [*others, *_DOCUMENTS])[-len(_DOCUMENTS) :]
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_int8_and_float_agree_on_order(
    torch_reranker: CrossEncoderReranker, cross_encoder: CrossEncoderReranker
) -> None:
    """On 20 real questions nearly all of the ten best of 30 candidates are the same, and nearly every first."""
    corpus = [document for document in stdlib_corpus() if len(document["text"]) < 600]
    queries = [stdlib_queries()[query] for query in list(stdlib_qrels())[:20]]
    candidates = BM25Retriever().index(corpus).search(queries, 30)
    requests = [(query, found.texts) for query, found in zip(queries, candidates, strict=True) if len(found) >= 20]
    pairs = list(zip(cross_encoder.rerank_many(requests), torch_reranker.rerank_many(requests), strict=True))
    shared = [len({d.index for d in int8[:10]} & {d.index for d in float32[:10]}) for int8, float32 in pairs]
    correlations = [np.corrcoef(_ranks(int8), _ranks(float32))[0, 1] for int8, float32 in pairs]
    assert np.mean(shared) >= 9.7 and min(shared) >= 9
    assert np.mean([int8[0].index == float32[0].index for int8, float32 in pairs]) >= 0.95
    assert np.mean(correlations) > 0.995


def _ranks(ranking: object) -> list[int]:
    return [document.rank for document in sorted(ranking, key=lambda document: document.index)]  # type: ignore[call-overload]


def test_half_precision_is_close(torch_reranker: CrossEncoderReranker, float_checkpoint: Path) -> None:
    """bfloat16 weights give logits within a few tenths, and another fingerprint."""
    half = CrossEncoderReranker(float_checkpoint, device="cpu", dtype="bfloat16")
    np.testing.assert_allclose(half.score(_QUERY, _DOCUMENTS), torch_reranker.score(_QUERY, _DOCUMENTS), atol=0.5)
    assert half.fingerprint != torch_reranker.fingerprint
    assert "bfloat16" in half.pair_model.fingerprint


def test_half_precision_does_not_make_scores_tie(float_checkpoint: Path) -> None:
    """The head adds up in float32, so that scores are not cut to bfloat16's steps."""
    half = CrossEncoderReranker(float_checkpoint, device="cpu", dtype="bfloat16")
    scores = torch.from_numpy(half.score(_QUERY, _DOCUMENTS))
    assert not torch.equal(scores, scores.to(torch.bfloat16).to(scores.dtype))


def test_auto_is_what_the_device_has(float_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """bfloat16 on a processor that computes in it, else as saved; by default always as saved on a CPU."""
    for capabilities, expected in (
        ({"avx512_bf16": True}, "bfloat16"),
        ({"amx_bf16": True}, "bfloat16"),
        ({}, "float32"),
    ):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda found=capabilities: found)
        auto = CrossEncoderReranker(float_checkpoint, device="cpu", dtype="auto")
        assert f"-torch-{expected}-" in auto.pair_model.fingerprint
        plain = CrossEncoderReranker(float_checkpoint, device="cpu")
        assert "-torch-float32-" in plain.pair_model.fingerprint


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), "float16"), ((8, 0), "bfloat16"), ((12, 0), "bfloat16")])
def test_old_gpus_get_float16(capability: tuple[int, int], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """bfloat16 is Ampere's and later; what came before would only imitate it."""
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert _half_of(torch.device("cuda:1")) == expected
    assert _half_of(torch.device("mps")) is None


def test_a_checkpoint_with_two_labels_gives_log_odds(tiny: Path) -> None:
    """The labels' names are read from the checkpoint; a score is the difference of their logits."""
    reranker = CrossEncoderReranker(tiny, device="cpu", smoke_test=False)
    assert reranker.pair_model.labels == ("irrelevant", "relevant")
    logits = reranker.pair_model.logits([(_QUERY, text) for text in _DOCUMENTS])
    np.testing.assert_allclose(reranker.score(_QUERY, _DOCUMENTS), logits[:, 1] - logits[:, 0], atol=1e-6)


def test_a_model_that_writes_a_prompt_gets_its_texts(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where sentence-transformers puts other tokens around a pair than we would, it tokenizes itself."""
    plain = CrossEncoderReranker(tiny, device="cpu", smoke_test=False)
    expected = plain.score(_QUERY, _DOCUMENTS)
    preprocess = CrossEncoder.preprocess
    monkeypatch.setattr(  # as a template does
        CrossEncoder,
        "preprocess",
        lambda self, pairs, **kw: preprocess(self, [("find " + q, d) for q, d in pairs], **kw),
    )
    prompted = CrossEncoderReranker(tiny, device="cpu", smoke_test=False)
    scores = prompted.score(_QUERY, _DOCUMENTS)
    assert np.abs(scores - expected).max() > 1e-4
    np.testing.assert_allclose(scores, plain.score("find " + _QUERY, _DOCUMENTS), atol=1e-4)


def test_pickling_loads_the_weights_again(torch_reranker: CrossEncoderReranker) -> None:
    """What is pickled is where the model is and how it is run, not its weights."""
    data = pickle.dumps(torch_reranker)
    assert len(data) < 10_000
    np.testing.assert_allclose(
        pickle.loads(data).score(_QUERY, _DOCUMENTS), torch_reranker.score(_QUERY, _DOCUMENTS), atol=1e-6
    )


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"device": "cuda"}, ConfigError, "PyTorch finds no device 'cuda' here"),
        ({"device": "toaster"}, ConfigError, "PyTorch finds no device 'toaster' here"),
        ({"device": 1.5}, ConfigError, "device must be a name"),
        ({"dtype": "int4"}, ConfigError, "dtype must be"),
        ({"max_length": 100_000}, ModelFormatError, "max_length must be a whole number between 8 and 512"),
    ],
)
def test_settings_out_of_range_are_refused(
    float_checkpoint: Path, settings: dict[str, object], error: type, message: str
) -> None:
    """Each gets an error of ours when the reranker is built."""
    if settings.get("device") == "cuda" and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(error, match=message):
        CrossEncoderReranker(float_checkpoint, **settings)  # type: ignore[arg-type]


def test_damaged_safetensors_are_an_error_of_ours(tiny: Path) -> None:
    """Half a weights file is named as such."""
    weights = (tiny / "model.safetensors").read_bytes()
    (tiny / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(ModelIntegrityError, match="can't be loaded"):
        CrossEncoderReranker(tiny)


def test_an_untrained_head_is_refused() -> None:
    """A bi-encoder loaded as a cross-encoder has a random head, which the smoke test finds out."""
    from secondpass.models.sources.catalog import catalog
    from secondpass.models.sources.resolve import package_folder

    folder = package_folder(catalog()["all-MiniLM-L6-v2"])
    with pytest.raises(ModelFormatError, match="does not score the answer"):
        CrossEncoderReranker(str(folder), device="cpu")


def test_pickles_beside_safe_weights_are_refused(tiny: Path) -> None:
    """A module of its own with pickled weights would be read by sentence-transformers."""
    (tiny / "2_Dense").mkdir()
    (tiny / "2_Dense" / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(ModelFormatError, match=r"2_Dense/pytorch_model.bin is a pickle"):
        CrossEncoderReranker(tiny)


@pytest.mark.parametrize("load", [load_pair_model, load_embedding_model])
def test_a_folder_without_a_tokenizer_is_refused(load: Any, tiny: Path) -> None:
    """Transformers makes one that knows no word, and all texts would be alike."""
    (tiny / "tokenizer.json").unlink()
    with pytest.raises(ModelFormatError, match=r"has no tokenizer \(tokenizer.json\)"):
        load(str(tiny), backend="torch", device="cpu")


@pytest.mark.parametrize("load", [load_pair_model, load_embedding_model])
def test_a_vocabulary_that_is_another_model_s_is_refused(load: Any, tiny: Path, tmp_path: Path) -> None:
    """On a GPU its first word without a vector would take the device from the whole process."""
    folder = tmp_path / "swapped"
    save_tiny_bert(folder, ["relevance"], vocabulary=tiny, seed=0, initializer_range=0.5, words=5_000)
    with pytest.raises(ModelFormatError, match="has 5,000 word vectors for the 30,522 tokens of its tokenizer"):
        load(str(folder), backend="torch", device="cpu")


def test_a_bi_encoder_keeps_its_settings_when_pickled() -> None:
    """Length and batches are those that it was built with."""
    model = load_embedding_model("all-MiniLM-L6-v2", device="cpu", max_length=32, local_files_only=True)
    restored = pickle.loads(pickle.dumps(model))
    assert restored.max_length == model.max_length == 32 and restored.fingerprint == model.fingerprint


def test_a_bi_encoder_on_torch_gives_unit_vectors() -> None:
    """all-MiniLM-L6-v2, from its package, embeds related sentences nearer to each other than unrelated ones."""
    model = load_embedding_model("all-MiniLM-L6-v2", device="cpu", local_files_only=True)
    vectors = model.encode_documents(["copy a file", "duplicate a document", "sunny weather"])
    assert vectors.dtype == np.float32 and vectors.shape == (3, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2
    restored = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(restored.encode_queries(["copy a file"])[0], vectors[0], atol=1e-5)
    assert restored.fingerprint == model.fingerprint


def test_a_decoder_finds_the_last_token_before_its_own_padding(tmp_path: Path) -> None:
    """Whatever that is called: with another id in its place the padding itself would be scored."""
    tokenizer = bpe_tokenizer()
    tokenizer.add_special_tokens(["<|endoftext|>"])
    end = tokenizer.token_to_id("<|endoftext|>")
    size = tokenizer.get_vocab_size()
    settings: dict[str, Any] = {"vocab_size": size, "num_labels": 1, "num_key_value_heads": 2}
    save_random(tmp_path, "qwen3", head_dim=8, pad_token_id=end, max_position_embeddings=128, **settings)
    save_tokenizer(tmp_path, tokenizer, with_types=False)
    change_json(tmp_path / "tokenizer_config.json", pad_token="<|endoftext|>")
    reranker = CrossEncoderReranker(tmp_path, device="cpu", smoke_test=False)
    alone = [reranker.score(_QUERY, [text])[0] for text in _DOCUMENTS]
    np.testing.assert_allclose(reranker.score(_QUERY, _DOCUMENTS), alone, atol=1e-4)
    assert np.ptp(alone) > 0.1
    change_json(tmp_path / "tokenizer_config.json", pad_token=None)
    with pytest.raises(ModelFormatError, match=r"can't be used for a pair: .* does not have a padding token"):
        CrossEncoderReranker(tmp_path, device="cpu", smoke_test=False)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("sentence_bert_config.json", {"max_seq_length": 20}),
        ("sentence_bert_config.json", {"do_lower_case": True}),
        ("tokenizer_config.json", {"do_lower_case": True}),
        ("tokenizer_config.json", {"model_max_length": 20}),
    ],
)
def test_backends_give_a_bi_encoder_the_same_tokens(tiny: Path, name: str, settings: dict[str, Any]) -> None:
    """Limits and lower case stand in files beside the tokenizer too, and sentence-transformers goes by these."""
    folder = tiny / "saved"
    SentenceTransformer(modules=[Transformer(str(tiny)), Pooling(16)], device="cpu").save_pretrained(str(folder))
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["normalizer"]["lowercase"] = False
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    change_json(folder / "tokenizer_config.json", tokenizer_class="BertTokenizer", do_lower_case=False)
    change_json(folder / name, **settings)
    texts = ["Rename a File", "a longer Text about many things " * 9]
    expected = SentenceTransformer(str(folder), device="cpu").encode(texts, normalize_embeddings=True)
    for backend in ("torch", "onnx"):
        model = load_embedding_model(str(folder), backend=backend)
        np.testing.assert_allclose(model.encode_documents(texts), expected, atol=1e-5)


def test_a_prompt_is_left_out_of_the_mean_where_it_was_trained_so(tiny: Path) -> None:
    """INSTRUCTOR and its kin average the tokens behind it."""
    modules = [Transformer(str(tiny)), Pooling(16, include_prompt=False)]
    theirs = SentenceTransformer(modules=modules, prompts={"query": "find what answers: "}, device="cpu")
    theirs.save_pretrained(str(tiny / "saved"))
    expected = theirs.encode([_QUERY], prompt_name="query", normalize_embeddings=True)
    ours = load_embedding_model(str(tiny / "saved"), backend="torch")
    np.testing.assert_allclose(ours.encode_queries([_QUERY]), expected, atol=1e-5)
    with pytest.raises(ModelFormatError, match="pooled without the prompt's tokens, which backend='torch' alone does"):
        load_embedding_model(str(tiny / "saved"), backend="onnx")


def change_json(path: Path, **settings: Any) -> None:
    """Change settings in a file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))


@needs_fork
def test_a_forked_child_scores(torch_reranker: CrossEncoderReranker) -> None:
    """PyTorch works alone there: the threads that it had in the parent did not come along."""
    documents, n_threads = ["copy a file " * 60, "the moon " * 60] * 4, torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        expected = torch_reranker.score("copy a file", documents)

        def in_child() -> None:
            np.testing.assert_allclose(torch_reranker.score("copy a file", documents), expected, atol=1e-4)

        assert exit_status_of_child(in_child) == 0
    finally:
        torch.set_num_threads(n_threads)
