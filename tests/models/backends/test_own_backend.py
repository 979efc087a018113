"""A backend is one class in a registry: this file adds one, and everything that loads models takes it by its name."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tokenizers

from secondpass.errors import ConfigError, ModelFormatError, ModelNotFoundError
from secondpass.loading import from_config
from secondpass.models.backends.base import Backend
from secondpass.models.backends.load import load_embedding_model
from secondpass.models.batching import BatchRunner, Rows
from secondpass.models.embedding import EmbeddingModel
from secondpass.models.nli import NliModel
from secondpass.models.pair import PairModel
from secondpass.models.sources.files import ModelFiles
from secondpass.models.sources.formats import FileFormat
from secondpass.models.tokens import Batch, EncoderTokenizer
from secondpass.registry import backends
from secondpass.rerankers.cross_encoder import CrossEncoderReranker

QUERY, DOCUMENTS = "copy a file", ["rename a folder", "copy a file", "a file"]


class WordsPairModel(PairModel):
    """Scores a pair by the words that stand on both sides, each by its weight."""

    def __init__(self, files: ModelFiles, *, max_length: int | None = None, **_: Any) -> None:
        self.weights = np.load(files.weights)["weights"]
        tokenizer = EncoderTokenizer.from_file(files.folder / "tokenizer.json", files.max_length(max_length))
        super().__init__(files.name, files.labels(1), tokenizer, None, BatchRunner(1, lambda exc: False))
        self.fingerprint = f"{files.identity()}-words-{tokenizer.max_length}"

    def _forward(self, batch: Batch) -> Rows:
        (ids,), (types,) = batch.input_ids, batch.token_type_ids
        return np.array([[self.weights[np.intersect1d(ids[types == 0], ids[types == 1])].sum()]], dtype=np.float32)


class WordsEmbeddingModel(EmbeddingModel):
    """Gives a text a vector of the weights of its words."""

    max_length = 512  # type: ignore[assignment]

    def __init__(self, files: ModelFiles, **_: Any) -> None:
        super().__init__(files.name)
        self.weights = np.load(files.weights)["weights"]
        self.tokenizer = EncoderTokenizer.from_file(files.folder / "tokenizer.json", 512)
        self.fingerprint = files.identity()

    def _encode(self, texts: Sequence[str], progress: bool) -> Rows:
        rows = [np.bincount(tokens.ids, minlength=len(self.weights)) for tokens in self.tokenizer.tokenize(texts)]
        return np.asarray(np.array(rows) * self.weights, dtype=np.float32)


class WordsBackend(Backend):
    """Reads weights of words from a NumPy archive."""

    name = "words"
    format = FileFormat(name="npz", weights=("model.npz",), reads=("tokenizer.json", "config.json"))

    def open_pair_model(self, files: ModelFiles, **settings: Any) -> PairModel:
        return WordsPairModel(files, **settings)

    def open_embedding_model(self, files: ModelFiles, **settings: Any) -> EmbeddingModel:
        return WordsEmbeddingModel(files, **settings)


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    """Register the backend for a test, as a package does by an entry point."""
    backends.register("words", WordsBackend)
    yield
    del backends._registered["words"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a model: five words and their weights."""
    words = ["[UNK]", "copy", "a", "file", "rename", "folder"]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({w: at for at, w in enumerate(words)}, "[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(single="$A", pair="$A $B:1")
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    np.savez(tmp_path / "model.npz", weights=np.array([0, 3, 0.1, 2, 3, 2]))
    return tmp_path


def test_a_reranker_takes_it_by_its_name(folder: Path) -> None:
    """It scores, has an identity, and is written down and built again."""
    reranker = CrossEncoderReranker(folder, backend="words", smoke_test=False)
    np.testing.assert_allclose(reranker.score(QUERY, DOCUMENTS), [0.1, 5.1, 2.1], atol=1e-6)
    again = from_config(reranker.to_config())
    assert again.fingerprint == reranker.fingerprint
    np.savez(folder / "model.npz", weights=np.array([0, 3, 0.1, 2, 3, 9]))
    assert CrossEncoderReranker(folder, backend="words", smoke_test=False).fingerprint != reranker.fingerprint


def test_so_does_a_bi_encoder_and_an_nli_model(folder: Path) -> None:
    """Whatever is built on pair and embedding models needs to know nothing of it."""
    vectors = load_embedding_model(str(folder), backend="words").encode_documents(DOCUMENTS)
    assert vectors.shape == (3, 6) and vectors[1] @ vectors[2] > vectors[0] @ vectors[2]
    (folder / "config.json").write_text('{"id2label": {"0": "entailment"}}')
    output = NliModel(folder, backend="words", smoke_test=False).run([(QUERY, DOCUMENTS[1])])
    assert output.probabilities[0, 0] > 0.99


def test_what_it_lacks_is_said(folder: Path, tmp_path: Path) -> None:
    """Its settings, its files, and the names of all backends are in the messages."""
    with pytest.raises(ConfigError, match="backend='words' has no setting dtype; it has batch_tokens, device, max_len"):
        CrossEncoderReranker(folder, backend="words", dtype="float16")
    with pytest.raises(ModelNotFoundError, match=r"has no model\.npz"):
        CrossEncoderReranker(tmp_path.parent, backend="words")
    with pytest.raises(ModelFormatError, match="ms-marco-MiniLM-L12-v2 runs on onnx or openvino or torch only"):
        CrossEncoderReranker(backend="words")
    with pytest.raises(
        ModelFormatError, match="must be one of 'auto', 'onnx', 'openvino', 'torch', 'use', 'words', not 'x'"
    ):
        CrossEncoderReranker(folder, backend="x")
    with pytest.raises(ModelNotFoundError, match=r"has no model\.onnx"):  # it is not one of those that auto tries
        CrossEncoderReranker(folder)
