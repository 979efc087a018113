"""Both first stages, saved and loaded, and the two stages together."""

import json
import pickle
import threading
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from secondpass.errors import (
    CompositionError,
    ConfigError,
    InputError,
    ModelIntegrityError,
    RegistryError,
    TruncationWarning,
)
from secondpass.models.backends.load import load_embedding_model
from secondpass.models.embedding import EmbeddingModel, pool
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.retrieve import (
    BM25Retriever,
    DenseRetriever,
    ExpandedRetriever,
    HybridRetriever,
    Retriever,
    RetrieveRerank,
)
from secondpass.retrieve.expand import FeedbackExpander, SynonymExpander, TemplateExpander
from secondpass.testing import FakeReranker
from secondpass.types import Scale
from tests.forks import exit_status_of_child, needs_fork

_DOCUMENTS = [
    {"id": "copy", "text": "shutil.copy copies a file with its permissions.", "metadata": {"module": "shutil"}},
    {"id": "weather", "text": "The weather will be sunny all week.", "metadata": {}},
    {"id": "remove", "text": "os.remove deletes a file.", "metadata": {}},
    "A lone \ud800 surrogate.",
    {"id": "dough", "text": "Knead the dough and let it rest for an hour.", "metadata": {}},
]


class Flaky(BM25Retriever):
    """Fails to build an index when it is told to."""

    registry_name: ClassVar[str] = "flaky"
    broken = False

    def _index(self, texts: Sequence[str], progress: bool) -> None:
        if self.broken:
            raise MemoryError
        super()._index(texts, progress)


@pytest.fixture(scope="module")
def model() -> EmbeddingModel:
    """Return the embedded bi-encoder, loaded once."""
    return load_embedding_model("bge-small-en-v1.5", local_files_only=True)


@pytest.fixture(params=["inner_product", "l2", "bm25", "hybrid"])
def build(request: pytest.FixtureRequest, model: EmbeddingModel) -> Callable[[], Retriever]:
    """Return a constructor of each kind of retriever."""
    if request.param == "bm25":
        return BM25Retriever
    if request.param == "hybrid":
        return lambda: HybridRetriever([BM25Retriever(), DenseRetriever(model)])
    return lambda: DenseRetriever(model, metric=request.param)


class TestEveryRetriever:
    def test_it_finds_the_document_that_was_asked_for(self, build: Callable[[], Retriever]) -> None:
        """Best first, with the position in the corpus, the very document, and ordinal scores that fall."""
        ranking = build().index(_DOCUMENTS).search("copy a file", 2)
        assert [hit.id for hit in ranking] == ["copy", "remove"]
        assert ranking[0].index == 0 and ranking[0].document is _DOCUMENTS[0]
        assert ranking[0].score > ranking[1].score and type(ranking[0].score) is float
        assert ranking.scale is Scale.ORDINAL and ranking.trace.latency_s > 0

    def test_a_list_of_queries_gives_a_list(self, build: Callable[[], Retriever]) -> None:
        """Each query gets its own ranking, in order; none gives none."""
        retriever = build().index(_DOCUMENTS)
        rankings = retriever.search(["sunny weather", "knead dough"], 1)
        assert [ranking[0].id for ranking in rankings] == ["weather", "dough"]
        assert retriever.search([]) == []

    def test_no_more_than_there_is(self, build: Callable[[], Retriever]) -> None:
        """A `k` beyond the corpus gives each document at most once."""
        found = [hit.index for hit in build().index(_DOCUMENTS).search("a file about the weather", 100)]
        assert len(found) == len(set(found)) <= len(_DOCUMENTS)

    def test_saved_and_loaded_it_finds_the_same(self, build: Callable[[], Retriever], tmp_path: Path) -> None:
        """Documents, ids, metadata, broken texts and scores survive; saving again replaces."""
        retriever = build().index(_DOCUMENTS)
        retriever.save(tmp_path / "index")
        retriever.save(tmp_path / "index")
        loaded = type(retriever).load(tmp_path / "index")
        assert len(loaded) == len(_DOCUMENTS)
        for query in ("copy a file", "lone surrogate"):
            before, after = retriever.search(query, 5), loaded.search(query, 5)
            assert [hit.document for hit in before] == [hit.document for hit in after]
            assert [hit.score for hit in before] == [hit.score for hit in after]
        assert [path.name for path in tmp_path.iterdir()] == ["index"]

    def test_bad_input_is_refused(self, build: Callable[[], Retriever], tmp_path: Path) -> None:
        """Searching before indexing, no documents, a single text, an empty query, k=0, nothing to save."""
        retriever = build()
        with pytest.raises(InputError, match="call index"):
            retriever.search("q")
        with pytest.raises(InputError, match="call index"):
            retriever.save(tmp_path / "index")
        with pytest.raises(InputError, match="no documents to index"):
            retriever.index([])
        with pytest.raises(InputError, match="not str"):
            retriever.index("a text")
        retriever.index(_DOCUMENTS)
        for query, k in ((" ", 1), ("q", 0), (None, 1), (["q", 3], 1)):
            with pytest.raises(InputError):
                retriever.search(query, k)  # type: ignore[call-overload]

    def test_it_survives_pickling(self, build: Callable[[], Retriever]) -> None:
        """A restored copy finds the same; the models are loaded again."""
        retriever = build().index(_DOCUMENTS)
        restored = pickle.loads(pickle.dumps(retriever))
        assert [hit.score for hit in restored.search("copy", 3)] == [hit.score for hit in retriever.search("copy", 3)]

    def test_nothing_else_is_overwritten(self, build: Callable[[], Retriever], tmp_path: Path) -> None:
        """A folder that holds something else stays as it is, and so does a saved index when saving fails."""
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "thesis.txt").write_text("years of work")
        retriever = build().index(_DOCUMENTS)
        with pytest.raises(InputError, match="does not hold a saved retriever"):
            retriever.save(tmp_path / "mine")
        assert (tmp_path / "mine" / "thesis.txt").exists()
        retriever.save(tmp_path / "index")
        for metadata, message in (({"object": object()}, "not JSON serializable"), ({1: "a"}, r"documents\[1\] would")):
            unsavable = build().index(["a file", {"text": "a file", "metadata": metadata}])
            with pytest.raises(InputError, match=f"can't be saved as JSON: .*{message}"):
                unsavable.save(tmp_path / "index")
        assert len(type(retriever).load(tmp_path / "index")) == len(_DOCUMENTS)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["index", "mine"]

    def test_where_nothing_can_be_written_is_an_error_of_ours(
        self, build: Callable[[], Retriever], tmp_path: Path
    ) -> None:
        """A file in place of a folder, a name that is too long, and one that is none."""
        (tmp_path / "file").write_text("")
        retriever = build().index(_DOCUMENTS)
        for folder in (tmp_path / "file" / "index", tmp_path / ("x" * 300), tmp_path / "a\0b"):
            with pytest.raises(InputError, match="can't be written"):
                retriever.save(folder)
        assert [path.name for path in tmp_path.iterdir()] == ["file"]

    def test_an_index_that_fails_leaves_the_earlier_one(self, build: Callable[[], Retriever]) -> None:
        """Whatever was built of it before that, in whatever retriever it stands."""
        inner = build()
        retriever = HybridRetriever([ExpandedRetriever(inner, SynonymExpander({"copy": ["move"]})), Flaky()])
        retriever.index(_DOCUMENTS)
        expected = retriever.search("how do I copy a file?", 3).documents
        retriever.retrievers[1].broken = True  # type: ignore[attr-defined]
        with pytest.raises(MemoryError):
            retriever.index(["Other documents.", "And more of them."] * 5)
        assert len(retriever) == len(inner) == len(_DOCUMENTS)
        assert retriever.search("how do I copy a file?", 3).documents == expected
        retriever.retrievers[1].broken = False  # type: ignore[attr-defined]
        assert retriever.index(["A file is copied."]).search("copy a file", 3).texts == ["A file is copied."]
        assert inner.search("copied", 3).texts == ["A file is copied."]

    def test_it_is_indexed_while_others_search(self, build: Callable[[], Retriever]) -> None:
        """Each search finds documents of one corpus, at their positions in it."""
        old, new = [f"copy number {at}" for at in range(40)], [f"copy, letter {at}" for at in range(8)]
        retriever = build().index(old)
        done = threading.Event()

        def search() -> set[str]:
            found = set()
            while not done.is_set():
                hits = retriever.search("copy", 20)
                corpus = old if hits[0].text in old else new
                assert [hit.text for hit in hits] == [corpus[hit.index] for hit in hits]
                found.add(corpus[0])
            return found

        with ThreadPoolExecutor(2) as pool:
            futures = [pool.submit(search) for _ in range(2)]
            for _ in range(10):
                retriever.index(new)
                retriever.index(old)
            done.set()
        assert all(future.result() <= {old[0], new[0]} for future in futures)

    def test_a_damaged_index_is_an_error_of_ours(self, build: Callable[[], Retriever], tmp_path: Path) -> None:
        """No folder, another kind of index, and missing documents or a missing file each say what is wrong."""
        retriever = build().index(_DOCUMENTS)
        with pytest.raises(ModelIntegrityError, match="that can be read"):
            type(retriever).load(tmp_path / "nowhere")
        retriever.save(tmp_path / "index")
        other = BM25Retriever if isinstance(retriever, DenseRetriever) else DenseRetriever
        with pytest.raises(ConfigError, match=f"does not hold a {other.__name__}"):
            other.load(tmp_path / "index")
        documents = tmp_path / "index" / "documents.jsonl"
        documents.write_text("".join(documents.read_text().splitlines(keepends=True)[:4]))
        with pytest.raises(ModelIntegrityError, match=r"that can be read: .*5 (vectors|documents) for 4"):
            type(retriever).load(tmp_path / "index")
        documents.unlink()
        with pytest.raises(ModelIntegrityError, match="that can be read"):
            type(retriever).load(tmp_path / "index")


class TestDense:
    def test_scores_are_cosines_or_negative_distances(self, model: EmbeddingModel) -> None:
        """Both metrics give the same order, and the scores that the docstring promises."""
        cosine = DenseRetriever(model).index(_DOCUMENTS).search("copy a file", 5)
        distance = DenseRetriever(model, metric="l2").index(_DOCUMENTS).search("copy a file", 5)
        assert [hit.index for hit in cosine] == [hit.index for hit in distance]
        vectors = model.encode_documents([hit.text.replace("\ud800", "\ufffd") for hit in cosine])
        expected = vectors @ model.encode_queries(["copy a file"])[0]
        np.testing.assert_allclose([hit.score for hit in cosine], expected, atol=1e-5)
        np.testing.assert_allclose([hit.score for hit in distance], -(2 - 2 * expected), atol=1e-5)

    def test_an_index_of_another_model_is_refused(self, model: EmbeddingModel, tmp_path: Path) -> None:
        """Vectors of one model must not be searched with those of another."""
        DenseRetriever(model).index(_DOCUMENTS).save(tmp_path / "index")
        settings = tmp_path / "index" / "retriever.json"
        settings.write_text(json.dumps(json.loads(settings.read_text()) | {"fingerprint": "another"}))
        with pytest.raises(ConfigError, match=r"built with another model.*index again"):
            DenseRetriever.load(tmp_path / "index")

    def test_a_loaded_model_can_be_shared(self, model: EmbeddingModel, tmp_path: Path) -> None:
        """An index that is read again may use a model that is there already."""
        DenseRetriever(model).index(_DOCUMENTS).save(tmp_path / "index")
        loaded = DenseRetriever.load(tmp_path / "index", model=model)
        assert loaded.embedding_model is model and "5 documents" in repr(loaded)

    def test_the_precision_is_the_models_and_is_saved(self, tmp_path: Path) -> None:
        """An index that was built with a precision is searched with it; other vectors are another model's."""
        retriever = DenseRetriever("bge-small-en-v1.5", precision="exported", local_files_only=True)
        exported = load_embedding_model("bge-small-en-v1.5", precision="exported", local_files_only=True)
        assert retriever.embedding_model.fingerprint == exported.fingerprint
        retriever.index(_DOCUMENTS).save(tmp_path / "index")
        loaded = DenseRetriever.load(tmp_path / "index", local_files_only=True)
        assert loaded.settings == retriever.settings and loaded.loading["precision"] == "exported"
        before, after = retriever.search("copy a file"), loaded.search("copy a file")
        assert [hit.score for hit in before] == [hit.score for hit in after]
        with pytest.raises(ConfigError, match="built with another model"):
            DenseRetriever.load(tmp_path / "index", precision=None, local_files_only=True)

    def test_an_index_of_before_there_was_a_precision_is_read(self, model: EmbeddingModel, tmp_path: Path) -> None:
        """Its settings don't name one, which is the default."""
        DenseRetriever(model).index(_DOCUMENTS).save(tmp_path / "index")
        settings = tmp_path / "index" / "retriever.json"
        saved = json.loads(settings.read_text())
        assert saved.pop("precision") is None
        settings.write_text(json.dumps(saved))
        assert len(DenseRetriever.load(tmp_path / "index", model=model)) == len(_DOCUMENTS)

    def test_an_unknown_metric_is_refused(self, model: EmbeddingModel) -> None:
        """The message lists the metrics."""
        with pytest.raises(ConfigError, match="'inner_product' or 'l2', not 'hamming'"):
            DenseRetriever(model, metric="hamming")  # type: ignore[arg-type]

    def test_queries_get_the_prefix_that_the_model_wants(self, model: EmbeddingModel) -> None:
        """Bge was trained with an instruction before queries, and none before documents."""
        (query,), (document,) = model.encode_queries(["copy"]), model.encode_documents(["copy"])
        (prefixed,) = model.encode_documents([model.query_prefix + "copy"])
        np.testing.assert_array_equal(query, prefixed)
        assert np.abs(query - document).max() > 0.01

    def test_pooling(self) -> None:
        """The mean leaves padding out, cls takes the first token, pooled vectors stay."""
        outputs = np.array([[[1.0, 2.0], [3.0, 4.0], [9.0, 9.0]]], dtype=np.float32)
        mask = np.array([[1, 1, 0]])
        assert pool(outputs, mask, "mean").tolist() == [[2.0, 3.0]]
        assert pool(outputs, mask, "cls").tolist() == [[1.0, 2.0]]
        assert pool(outputs[:, 0], mask, "mean").tolist() == [[1.0, 2.0]]


class TestBM25:
    def test_only_documents_with_a_word_of_the_query_are_found(self) -> None:
        """Unknown words find nothing, instead of arbitrary documents with a score of zero."""
        retriever = BM25Retriever().index(_DOCUMENTS)
        assert len(retriever.search("zyzzyva")) == 0
        assert [hit.id for hit in retriever.search("dough")] == ["dough"]

    @pytest.mark.parametrize(
        ("query", "documents"),
        [
            ("如何复制文件", ["怎样删除一个文件夹", "用这个命令可以复制文件", "明天是晴天"]),
            (
                "ファイルをコピーする",
                ["天気は晴れです", "このコマンドでファイルをコピーできます", "フォルダを削除する"],
            ),
            ("คัดลอกไฟล์", ["วันนี้อากาศดี", "คำสั่งนี้ใช้คัดลอกไฟล์", "ลบโฟลเดอร์"]),
            ("ຄັດລອກໄຟລ໌", ["ມື້ນີ້ອາກາດດີ", "ຄຳສັ່ງນີ້ຄັດລອກໄຟລ໌"]),
            ("फ़ाइल कॉपी करना", ["आज मौसम अच्छा है", "यह कमांड फ़ाइल कॉपी करता है"]),
            ("नदी", ["नाद और नंद", "यह नदी है"]),
            ("نسخ ملف", ["الطقس جميل", "هذا الأمر نسخ ملف"]),
            ("파일을 복사", ["날씨가 맑다", "파일을 복사 하는 명령"]),
            ("猫", ["犬", "猫"]),
        ],
    )
    def test_words_are_those_of_the_script(self, query: str, documents: list[str]) -> None:
        """What is written without spaces is found by its pairs of characters, and vowel marks belong to words."""
        ranking = BM25Retriever().index(documents).search(query, 3)
        assert len(ranking) and ranking[0].text == documents[1]

    @pytest.mark.parametrize("size", [0, 50])
    def test_an_array_that_was_cut_off_is_an_error_of_ours(self, size: int, tmp_path: Path) -> None:
        """Whether nothing is left of the file, or a part."""
        BM25Retriever().index(_DOCUMENTS).save(tmp_path / "index")
        for array in (tmp_path / "index").glob("*.npy"):
            array.write_bytes(array.read_bytes()[:size])
        with pytest.raises(ModelIntegrityError, match="does not hold a BM25Retriever that can be read"):
            BM25Retriever.load(tmp_path / "index")

    def test_documents_without_words_are_refused(self) -> None:
        """Stop words and single letters alone make no index."""
        with pytest.raises(InputError, match="no document has a word that BM25 counts"):
            BM25Retriever().index(["the", "a b c"])


class TestHybrid:
    def test_ranks_of_both_are_fused(self, model: EmbeddingModel) -> None:
        """A score is the sum of 1 / (k + rank) over the retrievers that found the document."""
        words, vectors = BM25Retriever(), DenseRetriever(model)
        hybrid = HybridRetriever([words, vectors], rrf_k=10).index(_DOCUMENTS)
        query = "the weather for a file"
        expected: dict[int, float] = {}
        for retriever in (words, vectors):
            for hit in retriever.search(query, 4):
                expected[hit.index] = expected.get(hit.index, 0.0) + 1 / (10 + hit.rank)
        ranking = hybrid.search(query, 4)
        best = sorted(expected.values(), reverse=True)[:4]
        assert [hit.score for hit in ranking] == pytest.approx(best)
        assert all(hit.score == pytest.approx(expected[hit.index]) for hit in ranking)

    def test_a_model_that_does_not_read_the_query_is_left_out(self, model: EmbeddingModel) -> None:
        """The words alone decide then, also by the language of what they found; if they find nothing, vectors do."""
        documents = ["الطقس جميل اليوم", "هذا الأمر ينسخ ملفا", "حذف مجلد كامل", "هذا ملف"]
        words, vectors = BM25Retriever(), DenseRetriever(model)
        hybrid = HybridRetriever([words, vectors]).index(documents)
        assert vectors.languages == {"en"} and words.languages is None
        for query in ("ينسخ ملفا", "README ملفا"):
            found = [hit.index for hit in words.search(query, 4)]
            assert found and [hit.index for hit in hybrid.search(query, 4)] == found
            expanded = HybridRetriever([words, ExpandedRetriever(vectors, TemplateExpander(["{query}?"]))])
            assert [hit.index for hit in expanded.search(query, 4)] == found
        assert len(hybrid.search("سيارة", 4)) == 4
        assert len(HybridRetriever([words, vectors]).index(_DOCUMENTS).search("copy", 5)) == 5

    def test_it_is_one_line(self) -> None:
        """By default it is BM25 with the bi-encoder, and a configuration builds it again."""
        hybrid = HybridRetriever()
        assert [type(retriever) for retriever in hybrid.retrievers] == [BM25Retriever, DenseRetriever]
        search = RetrieveRerank(hybrid, FakeReranker()).index(_DOCUMENTS)
        assert search.search("copies a file", 1)[0].id == "copy"
        config = json.loads(json.dumps(search.to_config()))
        assert [each["type"] for each in config["retriever"]["retrievers"]] == ["bm25", "dense"]
        assert RetrieveRerank.from_config(config).fingerprint == search.fingerprint

    def test_an_index_of_another_model_is_refused(self, model: EmbeddingModel, tmp_path: Path) -> None:
        """Also if the model is that of one retriever of several."""
        HybridRetriever([BM25Retriever(), DenseRetriever(model)]).index(_DOCUMENTS).save(tmp_path / "index")
        settings = tmp_path / "index" / "retriever.json"
        saved = json.loads(settings.read_text())
        saved["retrievers"][1]["fingerprint"] = "another"
        settings.write_text(json.dumps(saved))
        with pytest.raises(ConfigError, match=r"built with another model.*index again"):
            HybridRetriever.load(tmp_path / "index")

    def test_wrong_parts_are_refused(self) -> None:
        """One retriever alone, something else, and a constant below 0."""
        with pytest.raises(CompositionError, match="two or more"):
            HybridRetriever([BM25Retriever()])
        with pytest.raises(CompositionError, match="not a FakeReranker"):
            HybridRetriever([BM25Retriever(), FakeReranker()])  # type: ignore[list-item]
        with pytest.raises(ConfigError, match="rrf_k"):
            HybridRetriever(rrf_k=-1)


class TestTwoStages:
    def test_the_cross_encoder_has_the_last_word(
        self, model: EmbeddingModel, cross_encoder: CrossEncoderReranker
    ) -> None:
        """The result is the reranker's, over the candidates, with the corpus's positions and both stages' times."""
        search = RetrieveRerank(DenseRetriever(model), cross_encoder, depth=3).index(_DOCUMENTS)
        ranking = search.search("how do I duplicate a file", 2)
        assert len(ranking) == 2 and ranking[0].id == "copy" and ranking.scale is Scale.LOGIT
        assert ranking[0].document is _DOCUMENTS[ranking[0].index]
        assert ranking[0].explanation["retrieval_rank"] in (1, 2, 3)
        retrieval, reranking = ranking.trace.stages
        assert (retrieval.name, reranking.name) == ("DenseRetriever", "PriorReranker")
        assert reranking.total("pairs") == 3
        assert ranking.trace.latency_s >= retrieval.latency_s + reranking.latency_s > 0

    def test_the_prior_can_be_switched_off(self, cross_encoder: CrossEncoderReranker) -> None:
        """A long document whose answer comes late is found by its windows, and what the rank adds is explained.

        A reranker that cuts it does so here too.
        """
        late = {"id": "late", "text": "Knead the dough. " * 200 + "To copy a file, call shutil.copy."}
        documents = [*_DOCUMENTS, late]
        query = "how do I copy a file?"

        def found(reranker: Any = cross_encoder, **settings: Any) -> dict[str, tuple[float, dict[str, Any]]]:
            search = RetrieveRerank(BM25Retriever(), reranker, **settings).index(documents)
            return {hit.id: (hit.score, dict(hit.explanation)) for hit in search.search(query, None)}

        usual, by_windows = found(), found(prior=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TruncationWarning)
            alone = found({"type": "cross-encoder", "long_documents": "truncate"}, prior=False)
        score, why = usual["late"]
        assert score == pytest.approx(why["reranker_score"] + why["prior"]) and "shutil.copy" in why["passage"]["text"]
        assert by_windows["late"][0] == why["reranker_score"] > alone["late"][0] + 5
        assert alone["late"][1]["truncated"] and "passage" not in alone["late"][1]
        assert alone["copy"][0] == by_windows["copy"][0]
        with pytest.raises(ConfigError, match="prior must be True or False"):
            found(prior="no")

    def test_many_queries_share_batches_and_get_what_each_gets_alone(self) -> None:
        """A list gives a list; a query that finds nothing gives an empty ranking."""
        search = RetrieveRerank(BM25Retriever(), FakeReranker()).index(_DOCUMENTS)
        together = search.search(["copy a file", "zyzzyva", "sunny weather"], 2)
        assert [len(ranking) for ranking in together] == [2, 0, 1]
        assert [hit.index for hit in together[0]] == [hit.index for hit in search.search("copy a file", 2)]

    def test_no_more_than_depth_are_reranked_or_returned(self) -> None:
        """A larger `k`, or None, gives the candidates that there are."""
        search = RetrieveRerank(BM25Retriever(), FakeReranker(), depth=2).index(_DOCUMENTS)
        for k in (3, None):
            ranking = search.search("a file for the weather", k)
            assert len(ranking) == 2 and ranking.trace.total("pairs") == 2

    def test_both_stages_by_their_names(self) -> None:
        """As the reranker's, the retriever's name or configuration stands for it, also in a list or wrapped."""
        for retriever in ("bm25", {"type": "bm25", "k1": 2.0}, HybridRetriever(["bm25", {"type": "bm25"}])):
            search = RetrieveRerank(retriever, "fake").index(["os.remove deletes a file", "shutil.copy copies a file"])
            assert search.search("copies", k=1)[0].text == "shutil.copy copies a file"
        assert isinstance(ExpandedRetriever("bm25", str.split).retriever, BM25Retriever)
        with pytest.raises(RegistryError, match=r"no 'bm52' \(did you mean 'bm25'\?\)"):
            RetrieveRerank("bm52", "fake")
        with pytest.raises(ConfigError, match="BM25Retriever: too many positional arguments; its settings are: k1, b"):
            HybridRetriever(["bm25:model", "bm25"])
        with pytest.raises(CompositionError, match="takes Retrievers, not a int"):
            HybridRetriever(["bm25", 3])  # type: ignore[list-item]

    def test_wrong_parts_are_refused(self) -> None:
        """The message names what was given."""
        with pytest.raises(CompositionError, match="not FakeReranker and BM25Retriever"):
            RetrieveRerank(FakeReranker(), BM25Retriever())  # type: ignore[arg-type]
        with pytest.raises(InputError, match="RetrieveRerank: depth must be a whole number of at least 1, not 0"):
            RetrieveRerank(BM25Retriever(), FakeReranker(), depth=0)


class TestData:
    def test_retrievers_are_data(self) -> None:
        """What is not an object that was passed in comes back from JSON: stages, expanders, the reranker."""
        expanded = ExpandedRetriever(
            BM25Retriever(k1=1.2),
            [SynonymExpander({"copy": ["duplicate"]}), TemplateExpander(["define {query}"]), FeedbackExpander(terms=3)],
            fusion="max",
        )
        search = RetrieveRerank(expanded, FakeReranker(), depth=7)
        config = json.loads(json.dumps(search.to_config()))
        assert config["retriever"]["retriever"] == {"type": "bm25", "k1": 1.2, "b": 0.75}
        restored = RetrieveRerank.from_config(config)
        assert restored.to_config() == search.to_config() and restored.fingerprint == search.fingerprint

    @pytest.mark.parametrize(
        ("config", "error", "message"),
        [
            (
                {"type": "bm52"},
                RegistryError,
                "no 'bm52' .did you mean 'bm25'.*; there are: bm25, dense, expanded, hybrid",
            ),
            (
                {"k1": 1},
                ConfigError,
                "retriever must be a Retriever, its name, or a mapping with its name under 'type'",
            ),
            ({"type": "bm25", "k": 1}, ConfigError, "no setting 'k'"),
            ({"type": "bm25", "k1": "1"}, ConfigError, "BM25Retriever: k1 must be a number of at least 0, not '1'"),
            (
                {"type": "expanded", "retriever": {"type": "bm25"}, "expanders": [{"type": "function"}]},
                ConfigError,
                "the type of an expander must be 'synonyms', 'templates' or 'feedback', not 'function'",
            ),
        ],
    )
    def test_what_is_no_retriever_is_refused(self, config: Any, error: type[Exception], message: str) -> None:
        """The error says what there is."""
        with pytest.raises(error, match=message):
            RetrieveRerank.from_config({"retriever": config, "reranker": {"type": "fake"}})


class _Random(EmbeddingModel):
    """Gives each text a vector of its own, at no cost."""

    fingerprint, max_length = "random", 1_000

    def _encode(self, texts: Sequence[str], progress: bool) -> Any:
        return np.array([np.random.default_rng(len(text)).standard_normal(64) for text in texts], dtype=np.float32)


@needs_fork
def test_a_forked_child_searches() -> None:
    """FAISS works alone there: the threads that it had in the parent did not come along."""
    faiss = pytest.importorskip("faiss")
    retriever = DenseRetriever(_Random("random"))
    retriever.index(["a" * at for at in range(2_000)])
    queries, n_threads = ["b" * at for at in range(1, 51)], faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(4)
    try:
        expected = [[hit.index for hit in ranking] for ranking in retriever.search(queries, 3)]

        def in_child() -> None:
            assert [[hit.index for hit in ranking] for ranking in retriever.search(queries, 3)] == expected

        assert exit_status_of_child(in_child) == 0
        in_child()
    finally:
        faiss.omp_set_num_threads(n_threads)
