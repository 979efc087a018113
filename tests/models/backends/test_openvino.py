"""The OpenVINO backend: the fused graph, with float scores."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import secondpass as sp
from secondpass.errors import ConfigError, ModelFormatError, ModelIntegrityError
from secondpass.evaluate.stdlib_docs import stdlib_corpus, stdlib_qrels, stdlib_queries
from secondpass.models.backends.load import load_embedding_model, load_pair_model
from secondpass.models.backends.openvino import OpenVinoPairModel, OpenVinoSession
from secondpass.models.graph.cache import graph_of
from secondpass.models.pair import PairModel
from secondpass.models.sources.files import ModelFiles
from secondpass.models.tokens import Batch
from tests.forks import exit_status_of_child, needs_fork
from tests.models.copying import DOCUMENTS, PAIRS, QUERY


@pytest.fixture(scope="module")
def float32() -> PairModel:
    """Return the embedded reranker on OpenVINO, in float32."""
    return load_pair_model("ms-marco-MiniLM-L12-v2", backend="openvino", precision="float32")


def test_float32_gives_the_scores_of_onnx_runtime(float32: PairModel) -> None:
    """Two engines on one graph in float32 agree to 1e-4."""
    expected = load_pair_model("ms-marco-MiniLM-L12-v2", precision="float32").run(PAIRS).logits
    assert np.abs(float32.run(PAIRS).logits - expected).max() < 1e-4


def test_is_nearer_to_float32_than_onnx_runtime(float32: PairModel) -> None:
    """What the backend is for: bfloat16 and int8 scores move less than ONNX Runtime's int8 ones."""
    queries = dict(list(stdlib_queries().items())[:8])
    texts = {document["id"]: document["text"][:600] for document in stdlib_corpus()}
    judged = [(queries[query], name) for query, found in stdlib_qrels().items() if query in queries for name in found]
    others = list(zip(queries.values(), list(texts)[::200], strict=False))
    pairs = [(query, texts[name]) for query, name in judged + others]
    expected = float32.run(pairs).logits

    def error(**settings: Any) -> float:
        model = load_pair_model("ms-marco-MiniLM-L12-v2", **settings)
        return float(np.abs(model.run(pairs).logits - expected).mean())

    int8 = error(precision="int8")
    assert error(backend="openvino", precision="bfloat16") < 0.6 * int8
    assert error(backend="openvino", precision="int8") < 0.95 * int8


def test_runs_in_pieces(float32: PairModel) -> None:
    """Behind an exit and on, with serialized models: in float32 to 1e-4, and by each piece as by all in a row."""
    model = load_pair_model("ms-marco-MiniLM-L12-v2", backend="openvino", precision="float32", exits=(4, 9))
    assert isinstance(model, OpenVinoPairModel) and model.exits == (4, 9)
    whole = model.logits(PAIRS)
    assert np.abs(whole - float32.logits(PAIRS)).max() < 1e-4
    tokens, _, _ = model.tokenized(PAIRS)
    rows, states = model.run_piece(0, tokens, [None] * len(tokens))
    assert rows.shape == (len(PAIRS), 3 * 384)
    for at in (1, 2):
        rows, states = model.run_piece(at, tokens, states)
    assert rows.tolist() == whole.tolist()


def test_takes_the_precision_of_the_file() -> None:
    """The embedded weights are int8, so they run as int8 unless something else is asked for."""
    model = load_pair_model("ms-marco-MiniLM-L12-v2", backend="openvino")
    assert str(model.on_cpu) == "fused graph on OpenVINO, int8, each sequence alone"  # type: ignore[attr-defined]


def test_reranks_alone_among_others_and_from_threads() -> None:
    """A score is the same to the bit alone, in a call with others, and in eight threads at once."""
    reranker = sp.CrossEncoderReranker(backend="openvino")
    together = reranker.score(QUERY, DOCUMENTS)
    alone = [reranker.score(QUERY, [document])[0] for document in DOCUMENTS]
    with ThreadPoolExecutor(8) as pool:
        threads = list(pool.map(lambda _: reranker.score(QUERY, DOCUMENTS).tolist(), range(16)))
    assert together.tolist() == alone
    assert threads == [together.tolist()] * 16
    assert reranker.rerank(QUERY, DOCUMENTS)[0].index in (0, 4)


def test_says_what_runs_and_has_a_fingerprint_of_its_own(float32: PairModel) -> None:
    """Scores of another engine or precision are other scores, for a cache."""
    assert isinstance(float32, OpenVinoPairModel)
    assert str(float32.on_cpu) == "fused graph on OpenVINO, float32, each sequence alone"
    others = [load_pair_model("ms-marco-MiniLM-L12-v2", precision="float32")]
    others += [load_pair_model("ms-marco-MiniLM-L12-v2", backend="openvino", precision="bfloat16")]
    assert len({float32.fingerprint, *(other.fingerprint for other in others)}) == 3


@needs_fork
def test_a_forked_child_compiles_it_again(float32: PairModel) -> None:
    """OpenVINO's threads don't come along, and a request to them would never be answered."""
    expected = float32.logits(PAIRS).tolist()

    def same() -> None:
        assert float32.logits(PAIRS).tolist() == expected

    assert exit_status_of_child(same) == 0
    same()


def test_pickles_as_what_it_is(float32: PairModel) -> None:
    """A copy runs on OpenVINO again, with the same scores."""
    copy = pickle.loads(pickle.dumps(float32))
    assert isinstance(copy, OpenVinoPairModel)
    assert copy.run(PAIRS).logits.tolist() == float32.run(PAIRS).logits.tolist()


def test_encodes_texts() -> None:
    """Vectors of the embedded bi-encoder are those of ONNX Runtime in float32, but for rounding."""
    ours = load_embedding_model("bge-small-en-v1.5", backend="openvino", precision="float32").encode_documents(
        DOCUMENTS
    )
    expected = load_embedding_model("bge-small-en-v1.5", precision="float32").encode_documents(DOCUMENTS)
    assert np.abs(ours - expected).max() < 1e-4


@pytest.mark.parametrize("settings", [{"precision": "int4"}, {"precision": "exported"}, {"device": "cuda"}])
def test_refuses_what_it_has_not(settings: dict[str, str]) -> None:
    """Other precisions and devices are errors that name what there is."""
    with pytest.raises(ConfigError, match="backend='openvino'"):
        load_pair_model("ms-marco-MiniLM-L12-v2", backend="openvino", **settings)  # type: ignore[arg-type]


def test_bfloat16_is_not_for_onnx_runtime() -> None:
    """The error says which backend has it."""
    with pytest.raises(ConfigError, match="for backend='openvino'"):
        load_pair_model("ms-marco-MiniLM-L12-v2", precision="bfloat16")


def test_refuses_padding(embedded: ModelFiles) -> None:
    """The graph has no mask, so a padded batch would give wrong scores."""
    session = OpenVinoSession(graph_of(embedded, head="classifier", precision="float32"), "float32")
    ids = np.array([[101, 7, 102, 0]])
    with pytest.raises(ModelFormatError, match="no input for a mask"):
        session.run(Batch(ids, np.array([[1, 1, 1, 0]]), np.zeros_like(ids)))


def test_a_damaged_file_is_an_error_of_ours(tmp_path: Path) -> None:
    """What OpenVINO can't read is named."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(ModelIntegrityError, match=r"model\.onnx"):
        OpenVinoSession(path, "float32")
