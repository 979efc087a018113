"""RemoteReranker against each provider's shape."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.errors import ConfigError, ScoringError
from secondpass.remote.shapes import SHAPES
from secondpass.rerankers.remote import RemoteReranker
from secondpass.testing import FakeReranker, RerankerContract
from tests.remote.server import ANSWERS, DOCUMENTS, KEY, QUERY, Server, remote


class _ContractOfShape(RerankerContract):
    shape: ClassVar[str]
    settings: ClassVar[dict[str, Any]] = {}
    tolerance = 0.0

    @pytest.fixture(autouse=True)
    def _server(self, serve: Callable[[str], Server]) -> None:
        self.server = serve(self.shape)

    def make(self) -> RemoteReranker:
        return remote(self.server, **self.settings)


class TestCohere(_ContractOfShape):
    shape = "cohere"


class TestJina(_ContractOfShape):
    shape = "jina"


class TestJinaThatReadsAllDocumentsTogether(_ContractOfShape):
    shape = "jina"
    settings = {"model": "jina-reranker-v3", "batch_size": 2}


class TestVllm(_ContractOfShape):
    shape = "vllm"
    settings = {"batch_size": 2}


class TestInfinity(_ContractOfShape):
    shape = "infinity"
    settings = {"raw_scores": True}


class TestTei(_ContractOfShape):
    shape = "tei"


class TestVoyage(_ContractOfShape):
    shape = "voyage"


class TestShapes:
    @pytest.mark.parametrize("shape", ANSWERS)
    def test_many_documents_go_in_batches_and_come_back_in_order(
        self, shape: str, serve: Callable[[str], Server]
    ) -> None:
        """Scores are those that the server's model gives each document, whichever batch it was in."""
        server = serve(shape)
        reranker = remote(server, batch_size=32)
        scale = "logit" if shape == "jina" else "probability"
        scores = reranker.score(QUERY, DOCUMENTS)
        np.testing.assert_allclose(scores, FakeReranker(scale=scale).score(QUERY, DOCUMENTS), rtol=1e-12)
        assert sorted(len(body.get("documents", body.get("texts", ()))) for _, _, body in server.received) == [
            6,
            32,
            32,
        ]
        assert all(headers["Authorization"] == f"Bearer {KEY}" for _, headers, _ in server.received)

    @pytest.mark.parametrize(
        ("shape", "scale", "raw"),
        [
            ("cohere", "probability", None),
            ("jina", "logit", None),
            ("vllm", "logit", "logit"),
            ("infinity", "probability", "logit"),
            ("tei", "probability", "logit"),
            ("voyage", "logit", None),
        ],
    )
    def test_scale_is_what_the_documentation_promises(self, shape: str, scale: str, raw: str | None) -> None:
        """Probabilities only where [0, 1] is documented; raw scores are logits, or refused where there are none."""
        assert RemoteReranker("http://h", shape=shape, model="m").scale == scale
        if raw is None:
            with pytest.raises(ConfigError, match=f"{shape!r} can't be asked for raw scores"):
                RemoteReranker("http://h", shape=shape, model="m", raw_scores=True)
        else:
            assert RemoteReranker("http://h", shape=shape, model="m", raw_scores=True).scale == raw

    @pytest.mark.parametrize("shape", ["vllm", "infinity", "tei"])
    def test_raw_scores_are_asked_for(self, shape: str, serve: Callable[[str], Server]) -> None:
        """The server is told, and its logits come back unchanged."""
        scores = remote(serve(shape), raw_scores=True).score(QUERY, DOCUMENTS[:3])
        np.testing.assert_allclose(scores, FakeReranker(scale="logit").score(QUERY, DOCUMENTS[:3]), rtol=1e-12)

    def test_the_model_is_named_but_to_tei(self, serve: Callable[[str], Server]) -> None:
        """TEI serves one model and refuses to be told; there the name only tells fingerprints apart."""
        for shape in ANSWERS:
            server = serve(shape)
            remote(server).score("q", ["a"])
            assert server.received[0][2].get("model") == (None if shape == "tei" else "fake-1")
        prints = {RemoteReranker("http://h", shape="tei", model=model).fingerprint for model in (None, "a", "b")}
        assert len(prints) == 3

    def test_long_documents_are_cut_or_refused_as_asked(self, serve: Callable[[str], Server]) -> None:
        """TEI cuts only when told to; else its 413 says what to do. Cohere can't be told."""
        server = serve("tei")
        assert remote(server).score("q", ["word " * 2_000]).shape == (1,)
        with pytest.raises(ScoringError, match=r"HTTP 413: .*PassageReranker splits them.*less than 512 tokens"):
            remote(server, truncate=False).score("q", ["word " * 2_000])
        with pytest.raises(ScoringError, match=r"HTTP 400.*maximum context length"):
            remote(serve("vllm"), truncate=False).score("q", ["word " * 2_000])
        with pytest.raises(ConfigError, match="'cohere' can't be asked not to truncate"):
            RemoteReranker("http://h", model="m", truncate=False)

    def test_further_fields_are_sent(self, serve: Callable[[str], Server]) -> None:
        """`extra_body` reaches the server and the fingerprint."""
        server = serve("cohere")
        reranker = remote(server, extra_body={"max_tokens_per_doc": 64})
        reranker.score("q", ["a"])
        assert server.received[0][2]["max_tokens_per_doc"] == 64
        assert reranker.fingerprint != remote(server).fingerprint

    def test_one_model_that_reads_all_documents_gets_them_in_one_call(self, serve: Callable[[str], Server]) -> None:
        """Scores of jina-reranker-v3 depend on the other documents, so nothing is split or left out."""
        server = serve("jina")
        reranker = remote(server, model="jina-reranker-v3", batch_size=10)
        assert reranker.pointwise is False
        reranker.score("q", ["same", "same", *DOCUMENTS])
        assert [len(body["documents"]) for _, _, body in server.received] == [72]
        assert remote(server, model="jina-reranker-v3", pointwise=True).pointwise is True

    @given(st.permutations(range(5)), st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=5))
    def test_results_in_any_order_are_mapped_by_index(self, order: list[int], values: list[float]) -> None:
        """Whatever the order of the results, each document gets its own score."""
        for shape in SHAPES.values():
            results = [{"index": index, shape.score: values[index]} for index in order]
            payload = {shape.results: results} if shape.results else results
            assert shape.scores(payload, 5).tolist() == values

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            _nested := lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["results", "data", "index", "score", "relevance_score"]), inner, max_size=4
                )
            ),
        )
    )
    def test_no_answer_breaks_more_than_the_call(self, payload: Any) -> None:
        """Any JSON at all gives two finite scores, or our error."""
        for shape in SHAPES.values():
            try:
                scores = shape.scores(payload, 2)
            except ScoringError:
                continue
            assert scores.shape == (2,) and np.isfinite(scores).all()
