"""Late interaction on the embedded ColBERT: contract, vectors, MaxSim, settings."""

import pickle
import string
import warnings
from pathlib import Path

import numpy as np
import pytest

from secondpass.composition.passage import PassageReranker
from secondpass.errors import ConfigError, ModelFormatError, ModelNotFoundError, TruncationWarning
from secondpass.evaluate.stdlib_docs import stdlib_corpus
from secondpass.models.colbert import ColbertModel
from secondpass.models.sources.resolve import find_model
from secondpass.rerankers.colbert import ColbertReranker
from secondpass.testing import RerankerContract
from secondpass.types import Request, Scale
from tests.models.tiny_encoder import save_tiny_encoder

QUERY = "how do I copy a file"
DOCUMENTS = [
    "shutil.copy copies a file to another place.",
    "The weather will be sunny all week.",
    "os.rename gives a file another name.",
]


@pytest.fixture(scope="module")
def colbert() -> ColbertReranker:
    """Return the embedded model, loaded once."""
    return ColbertReranker()


class TestContract(RerankerContract):
    tolerance = 1e-5

    def make(self) -> ColbertReranker:
        return ColbertReranker()


class TestScores:
    def test_the_answer_is_first(self, colbert: ColbertReranker) -> None:
        """The real model puts the real answer first and the weather last, on its scale."""
        ranking = colbert.rerank(QUERY, DOCUMENTS)
        assert [d.index for d in ranking] == [0, 2, 1]
        assert 32 > ranking[0].score > ranking[-1].score + 3 > 3
        assert ranking.scale is Scale.LOGIT and colbert.pointwise

    def test_it_is_the_sum_of_the_best_cosines(self, colbert: ColbertReranker) -> None:
        """MaxSim, calculated by hand from the vectors."""
        query = colbert.colbert_model.query_vectors(QUERY)
        for document in DOCUMENTS:
            (vectors,) = colbert.colbert_model.document_vectors([document])
            expected = sum(max(float(one @ other) for other in vectors) for one in query)
            assert colbert.score(QUERY, [document])[0] == pytest.approx(expected, abs=1e-4)

    def test_a_real_question_is_answered(self, colbert: ColbertReranker) -> None:
        """Among documents of the standard library the right ones come first."""
        ids = ["shutil.rmtree", "os.remove", "os.rename", "json.dumps", "math.gcd", "random.shuffle", "os.path.join"]
        documents = [document for document in stdlib_corpus() if document["id"] in ids]
        best = {
            "delete a whole directory tree": "shutil.rmtree",
            "turn a dictionary into a json string": "json.dumps",
            "greatest common divisor": "math.gcd",
            "put a list in random order": "random.shuffle",
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TruncationWarning)
            rankings = colbert.rerank_many([(query, documents) for query in best])
        assert [ranking[0].id for ranking in rankings] == list(best.values())

    def test_company_does_not_change_a_score(self, colbert: ColbertReranker) -> None:
        """Alone and among others, int8 or not."""
        alone = [colbert.score(QUERY, [document])[0] for document in DOCUMENTS]
        mixed = colbert.rerank_many([("another question", [*DOCUMENTS, "more"]), (QUERY, [*DOCUMENTS, "x " * 90])])[1]
        scores = {d.index: d.score for d in mixed}
        np.testing.assert_allclose([scores[at] for at in range(3)], alone, atol=1e-5)


class TestVectors:
    def test_queries_have_one_length(self, colbert: ColbertReranker) -> None:
        """Short ones are filled up with masks, long ones cut, and every vector has length 1."""
        for query in ("copy", QUERY, "word " * 100):
            vectors = colbert.colbert_model.query_vectors(query)
            assert vectors.shape == (32, 384) and vectors.dtype == np.float32
            np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        assert ColbertReranker(query_length=16).colbert_model.query_vectors(QUERY).shape == (16, 384)

    def test_documents_have_one_for_each_token_but_punctuation(self, colbert: ColbertReranker) -> None:
        """With [CLS], the marker and [SEP]."""
        texts = ["copy a file", "copy, a (file)!", "", string.punctuation]
        shapes = [vectors.shape for vectors in colbert.colbert_model.document_vectors(texts)]
        assert shapes == [(6, 384), (6, 384), (3, 384), (3, 384)]

    def test_query_and_document_are_read_differently(self, colbert: ColbertReranker) -> None:
        """The marker after [CLS] tells the model which of them it reads."""
        query = colbert.colbert_model.query_vectors(QUERY)
        (document,) = colbert.colbert_model.document_vectors([QUERY])
        assert float(query[2] @ document[2]) < 0.999


class TestTrace:
    def test_counts(self, colbert: ColbertReranker) -> None:
        """Pairs asked for and scored, across requests, and the documents' tokens."""
        requests = [Request("q", ["one two", "one", "one two"]), Request("q", ["one", "two"])]
        first, second = colbert.score_many(requests)
        assert first.trace.counts == {"pairs": 3, "pairs_scored": 2, "tokens": 5 + 4 + 5, "truncated": 0}
        assert second.trace.counts == {"pairs": 2, "pairs_scored": 1, "tokens": 8, "truncated": 0}
        assert first.explanations == {}

    def test_a_document_that_does_not_fit_is_counted_and_warned_about_once(self) -> None:
        """As for a cross-encoder."""
        reranker = ColbertReranker(max_length=16, long_documents="truncate")
        with pytest.warns(TruncationWarning, match="1 of 2 documents were cut to fit into 16 tokens") as caught:
            (scores,) = reranker.score_many([Request("q", ["short", "long " * 30])])
        assert caught[0].filename == __file__
        assert scores.explanations == {"truncated": [False, True]} and scores.trace.counts["tokens"] == 4 + 16
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert reranker.score_many([Request("q", ["long " * 30])])[0].trace.counts["truncated"] == 1

    def test_a_long_document_is_read_in_windows(self) -> None:
        """By default, as by a cross-encoder, and nothing is cut."""
        reranker, text = ColbertReranker(max_length=16), "Knead the dough. " * 10 + "Copy a file."
        (scores,) = reranker.score_many([Request("how do I copy a file?", [text])])
        passage = scores.explanations["passage"][0]
        assert "Copy a file." in passage["text"] and scores.trace.counts["truncated"] == 0
        assert scores.values[0] == reranker.score("how do I copy a file?", [passage["text"]])[0]

    def test_a_query_that_does_not_fit_is_counted_and_warned_about_once(self) -> None:
        """In the trace of its own request; one that just fits is not."""
        reranker = ColbertReranker()
        with pytest.warns(TruncationWarning, match="the query was cut to fit into 32 tokens; what was cut"):
            fits, cut = reranker.rerank_many([("q " * 29, ["one", "two"]), ("q " * 30, ["one", "two"])])
        assert "query_truncated" not in fits.trace.counts and fits.trace.notes == ()
        assert (cut.trace.counts["query_truncated"], cut.trace.counts["truncated"]) == (1, 0)
        assert cut.trace.notes == ("the query was cut to fit into 32 tokens",) and "truncated" not in cut[0].explanation
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert reranker.rerank("q " * 30, ["one"]).trace.counts["query_truncated"] == 1

    def test_passages_fit_whatever_the_query(self) -> None:
        """The query takes no room from a document, and nothing is cut."""
        reranker = ColbertReranker(max_length=16)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            wrapped = PassageReranker(reranker)
            ranking = wrapped.rerank("q " * 29, ["long " * 13, "long " * 14])
        assert ranking.trace.counts == {"passages": 3, "documents_split": 1}


class TestSettings:
    def test_the_fingerprint_follows_what_changes_a_score(self, colbert: ColbertReranker) -> None:
        """Lengths and batches do, a progress bar does not."""
        assert ColbertReranker(progress=True).fingerprint == colbert.fingerprint
        for settings in ({"query_length": 16}, {"max_length": 64}, {"batch_tokens": 512}):
            assert ColbertReranker(**settings).fingerprint != colbert.fingerprint

    @pytest.mark.parametrize(
        ("settings", "error", "message"),
        [
            ({"query_length": 0}, ConfigError, "query_length must be a whole number of at least 1"),
            ({"query_length": 3}, ConfigError, "query_length must lie between 4 and 512"),
            ({"batch_tokens": True}, ConfigError, "batch_tokens must be a whole number"),
            ({"device": 0}, ConfigError, "device must be a name"),
            ({"model": None}, ConfigError, "a model is a folder"),
            ({"max_length": 9_999}, ModelFormatError, "max_length must be a whole number between 8 and 512"),
            ({"model": "ms-marco-MiniLM-L12-v2"}, ModelFormatError, "is a model for the task 'rerank', not 'colbert'"),
            ({"model": "no-such-model"}, ModelNotFoundError, "no model 'no-such-model'"),
        ],
    )
    def test_what_can_not_be_used_is_refused(
        self, settings: dict[str, object], error: type[Exception], message: str
    ) -> None:
        """When the reranker is built."""
        with pytest.raises(error, match=message):
            ColbertReranker(**settings)  # type: ignore[arg-type]

    def test_a_cross_encoder_is_no_late_interaction(self) -> None:
        """A file that gives one number for a pair is refused by its shape."""
        files = find_model("ms-marco-MiniLM-L12-v2", "rerank", backend="onnx")
        with pytest.raises(ModelFormatError, match="so it has no late interaction"):
            ColbertModel(files, query_length=32)

    def test_a_checkpoint_without_an_onnx_file_is_refused(self, colbert: ColbertReranker, tmp_path: Path) -> None:
        """It is whole, and no reason to doubt it."""
        folder = save_tiny_encoder(tmp_path / "tiny", colbert.colbert_model.files.folder)
        with pytest.raises(ModelFormatError, match=r"was found as model\.safetensors; late interaction runs from"):
            ColbertReranker(folder)

    def test_batches_stay_close(self, colbert: ColbertReranker) -> None:
        """With a token budget the int8 scores move, but not the order of clear cases; it pickles."""
        shared = pickle.loads(pickle.dumps(ColbertReranker(batch_tokens=2_048)))
        together = shared.score(QUERY, DOCUMENTS)
        np.testing.assert_allclose(together, colbert.score(QUERY, DOCUMENTS), atol=0.5)
        assert np.argmax(together) == 0
