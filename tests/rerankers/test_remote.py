"""RemoteReranker against real HTTP servers: each provider's shape, and each way that a server fails."""

import json
import logging
import os
import pickle
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import secondpass as sp
from secondpass.errors import ConfigError, ScoringError
from secondpass.registry import from_config, load
from secondpass.remote.failures import retry_after_s
from secondpass.remote.shapes import SHAPES
from secondpass.rerankers.remote import RemoteReranker
from secondpass.secret import Secret
from secondpass.testing import FakeReranker, RerankerContract

_KEY = "sesame-42"
_QUERY = "how do I copy a file in python"
_DOCUMENTS = [f"file number {number} is about python" for number in range(70)]

Reply = tuple[int, Any] | tuple[int, Any, Mapping[str, str]]


class _RefusedError(Exception):
    """What a server answers with an HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _fields(body: dict[str, Any], *, must: set[str], may: set[str]) -> None:
    if must - set(body) or set(body) - must - may:
        raise _RefusedError(422, f"must hold {sorted(must)}, may hold {sorted(may)}, holds {sorted(body)}")


def _best_first(query: str, texts: list[str], scale: str) -> list[tuple[int, float]]:
    """Score by the fake reranker and answer sorted, as all these servers do."""
    values = FakeReranker(scale=scale).score(query, texts)
    return [(int(index), float(values[index])) for index in np.argsort(-values, kind="stable")]


# Written after each one's documentation, and not from our table, which they check.


def _cohere(body: dict[str, Any]) -> Any:
    _fields(body, must={"model", "query", "documents"}, may={"top_n", "max_tokens_per_doc", "priority"})
    found = _best_first(body["query"], body["documents"], "probability")
    results = [{"index": index, "relevance_score": score} for index, score in found]
    return {"id": "07734bd2", "results": results, "meta": {"billed_units": {"search_units": 1}}}


def _jina(body: dict[str, Any]) -> Any:
    _fields(body, must={"model", "query", "documents"}, may={"top_n", "return_documents", "truncation"})
    assert body["return_documents"] is False  # it would send them all back
    found = _best_first(body["query"], body["documents"], "logit")
    results = [{"index": index, "relevance_score": score} for index, score in found]
    return {"model": body["model"], "object": "list", "usage": {"total_tokens": 7}, "results": results}


def _vllm(body: dict[str, Any]) -> Any:
    may = {"model", "top_n", "truncate_prompt_tokens", "use_activation", "user", "priority"}
    _fields(body, must={"query", "documents"}, may=may)
    if "truncate_prompt_tokens" not in body and any(len(text) > 5_000 for text in body["documents"]):
        raise _RefusedError(400, "This model's maximum context length is 512 tokens")
    scale = "logit" if body.get("use_activation") is False else "probability"
    results = [
        {"index": index, "document": {"text": body["documents"][index]}, "relevance_score": score}
        for index, score in _best_first(body["query"], body["documents"], scale)
    ]
    return {"id": "rerank-1", "model": "m", "usage": {"prompt_tokens": 5, "total_tokens": 5}, "results": results}


def _infinity(body: dict[str, Any]) -> Any:
    _fields(body, must={"query", "documents"}, may={"model", "return_documents", "raw_scores", "top_n"})
    scale = "logit" if body.get("raw_scores") else "probability"
    found = _best_first(body["query"], body["documents"], scale)
    results = [{"relevance_score": score, "index": index, "document": None} for index, score in found]
    return {"object": "rerank", "results": results, "usage": {"prompt_tokens": 3, "total_tokens": 3}, "created": 1}


def _tei(body: dict[str, Any]) -> Any:
    _fields(body, must={"query", "texts"}, may={"raw_scores", "return_text", "truncate", "truncation_direction"})
    if len(body["texts"]) > 32:
        raise _RefusedError(422, f"batch size {len(body['texts'])} > maximum allowed batch size 32")
    if not body.get("truncate") and any(len(text) > 5_000 for text in body["texts"]):
        raise _RefusedError(413, "`inputs` must have less than 512 tokens")
    scale = "logit" if body.get("raw_scores") else "probability"
    return [{"index": index, "score": score} for index, score in _best_first(body["query"], body["texts"], scale)]


def _voyage(body: dict[str, Any]) -> Any:
    _fields(body, must={"model", "query", "documents"}, may={"top_k", "return_documents", "truncation"})
    found = _best_first(body["query"], body["documents"], "probability")
    data = [{"index": index, "relevance_score": score} for index, score in found]
    return {"object": "list", "data": data, "model": body["model"], "usage": {"total_tokens": 26}}


_ANSWERS = {
    "cohere": ("/v2/rerank", _cohere),
    "jina": ("/v1/rerank", _jina),
    "vllm": ("/rerank", _vllm),
    "infinity": ("/rerank", _infinity),
    "tei": ("/rerank", _tei),
    "voyage": ("/v1/rerank", _voyage),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class calls it that
        pass

    def do_POST(self) -> None:
        owner = self.server
        received = self.rfile.read(int(self.headers["Content-Length"]))
        with owner.lock:
            owner.received.append((self.path, dict(self.headers), json.loads(received)))
            act = owner.script.pop(0) if owner.script else None
            owner.busy += 1
            owner.most_busy = max(owner.most_busy, owner.busy)
        try:
            if act is None:
                self.reply(*owner.answer(self.path, dict(self.headers), json.loads(received)))
            elif callable(act):
                act(self)
            else:
                self.reply(*act)
        finally:
            with owner.lock:
                owner.busy -= 1

    def reply(self, status: int, payload: Any, headers: Mapping[str, str] | None = None) -> None:
        content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


class Server(ThreadingHTTPServer):
    """A server of one shape on loopback; what stands in ``script`` is answered first."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, shape: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.shape = shape
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.script: list[Reply | Callable[[_Handler], None]] = []
        self.received: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.lock, self.busy, self.most_busy = threading.Lock(), 0, 0
        self.delay_s = 0.0
        self.released = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that hung up is part of the tests

    def answer(self, path: str, headers: Mapping[str, str], body: dict[str, Any]) -> Reply:
        time.sleep(self.delay_s)
        right_path, score = _ANSWERS[self.shape]
        if path != right_path:
            return 404, {"message": f"no {path}"}
        if headers.get("Authorization") != f"Bearer {_KEY}":
            return 401, {"message": f"invalid key: {headers.get('Authorization')}"}
        try:
            return 200, score(body)
        except _RefusedError as exc:
            return exc.status, {"error": str(exc), "error_type": "Validation"}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMOTE_TEST_KEY", _KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for shape in SHAPES.values():
        monkeypatch.delenv(shape.variable, raising=False)


@pytest.fixture
def serve() -> Iterator[Callable[[str], Server]]:
    """Return a function that starts a server of a shape; all are stopped after the test."""
    servers: list[Server] = []

    def start(shape: str = "tei") -> Server:
        server = Server(shape)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.released.set()
        server.shutdown()
        server.server_close()


def _remote(server: Server, **settings: Any) -> RemoteReranker:
    defaults = {"shape": server.shape, "model": "fake-1", "api_key_variable": "REMOTE_TEST_KEY", "backoff_s": 0.01}
    return RemoteReranker(server.url, **(defaults | settings))


class _ContractOfShape(RerankerContract):
    shape: ClassVar[str]
    settings: ClassVar[dict[str, Any]] = {}
    tolerance = 0.0

    @pytest.fixture(autouse=True)
    def _server(self, serve: Callable[[str], Server]) -> None:
        self.server = serve(self.shape)

    def make(self) -> RemoteReranker:
        return _remote(self.server, **self.settings)


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
    @pytest.mark.parametrize("shape", _ANSWERS)
    def test_many_documents_go_in_batches_and_come_back_in_order(
        self, shape: str, serve: Callable[[str], Server]
    ) -> None:
        """Scores are those that the server's model gives each document, whichever batch it was in."""
        server = serve(shape)
        reranker = _remote(server, batch_size=32)
        scale = "logit" if shape == "jina" else "probability"
        scores = reranker.score(_QUERY, _DOCUMENTS)
        np.testing.assert_allclose(scores, FakeReranker(scale=scale).score(_QUERY, _DOCUMENTS), rtol=1e-12)
        assert sorted(len(body.get("documents", body.get("texts", ()))) for _, _, body in server.received) == [
            6,
            32,
            32,
        ]
        assert all(headers["Authorization"] == f"Bearer {_KEY}" for _, headers, _ in server.received)

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
        scores = _remote(serve(shape), raw_scores=True).score(_QUERY, _DOCUMENTS[:3])
        np.testing.assert_allclose(scores, FakeReranker(scale="logit").score(_QUERY, _DOCUMENTS[:3]), rtol=1e-12)

    def test_the_model_is_named_but_to_tei(self, serve: Callable[[str], Server]) -> None:
        """TEI serves one model and refuses to be told; there the name only tells fingerprints apart."""
        for shape in _ANSWERS:
            server = serve(shape)
            _remote(server).score("q", ["a"])
            assert server.received[0][2].get("model") == (None if shape == "tei" else "fake-1")
        prints = {RemoteReranker("http://h", shape="tei", model=model).fingerprint for model in (None, "a", "b")}
        assert len(prints) == 3

    def test_long_documents_are_cut_or_refused_as_asked(self, serve: Callable[[str], Server]) -> None:
        """TEI cuts only when told to; else its 413 says what to do. Cohere can't be told."""
        server = serve("tei")
        assert _remote(server).score("q", ["word " * 2_000]).shape == (1,)
        with pytest.raises(ScoringError, match=r"HTTP 413: .*PassageReranker splits them.*less than 512 tokens"):
            _remote(server, truncate=False).score("q", ["word " * 2_000])
        with pytest.raises(ScoringError, match=r"HTTP 400.*maximum context length"):
            _remote(serve("vllm"), truncate=False).score("q", ["word " * 2_000])
        with pytest.raises(ConfigError, match="'cohere' can't be asked not to truncate"):
            RemoteReranker("http://h", model="m", truncate=False)

    def test_further_fields_are_sent(self, serve: Callable[[str], Server]) -> None:
        """`extra_body` reaches the server and the fingerprint."""
        server = serve("cohere")
        reranker = _remote(server, extra_body={"max_tokens_per_doc": 64})
        reranker.score("q", ["a"])
        assert server.received[0][2]["max_tokens_per_doc"] == 64
        assert reranker.fingerprint != _remote(server).fingerprint

    def test_one_model_that_reads_all_documents_gets_them_in_one_call(self, serve: Callable[[str], Server]) -> None:
        """Scores of jina-reranker-v3 depend on the other documents, so nothing is split or left out."""
        server = serve("jina")
        reranker = _remote(server, model="jina-reranker-v3", batch_size=10)
        assert reranker.pointwise is False
        reranker.score("q", ["same", "same", *_DOCUMENTS])
        assert [len(body["documents"]) for _, _, body in server.received] == [72]
        assert _remote(server, model="jina-reranker-v3", pointwise=True).pointwise is True

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


class TestCalls:
    def test_the_trace_counts_calls_and_tokens(self, serve: Callable[[str], Server]) -> None:
        """Equal documents are sent once; what the server bills is summed over the calls."""
        ranking = _remote(serve("jina"), batch_size=2).rerank(_QUERY, ["a", "b", "a", "c", "b"])
        counts = {"pairs": 5, "pairs_scored": 3, "calls": 2, "retries": 0, "tokens": 14}
        assert dict(ranking.trace.counts) == counts and ranking.trace.notes == ()
        scores = {(document.text, document.score) for document in ranking}
        assert len(scores) == 3

    def test_no_more_calls_at_once_than_allowed(self, serve: Callable[[str], Server]) -> None:
        """The limit holds for all threads together, and calls do overlap within it."""
        server = serve("tei")
        server.delay_s = 0.05
        reranker = _remote(server, batch_size=1, concurrency=3)
        threads = [threading.Thread(target=reranker.score, args=("q", _DOCUMENTS[:6])) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.received) == 18 and server.most_busy == 3

    def test_the_first_failure_ends_the_rest(self, serve: Callable[[str], Server]) -> None:
        """Of seventy calls, those that were not sent yet are not, and the error is the server's."""
        server = serve("tei")
        server.delay_s = 0.01
        server.script = [(403, {"message": "no"})]
        with pytest.raises(ScoringError, match="HTTP 403"):
            _remote(server, batch_size=1, concurrency=2).score("q", _DOCUMENTS)
        assert len(server.received) < 20

    def test_a_closed_one_opens_again(self, serve: Callable[[str], Server]) -> None:
        """`close` and the end of a with block close the connections; the next call opens new ones."""
        with _remote(serve("tei")) as reranker:
            expected = reranker.score("q", ["a"])
        assert reranker._transports == {}
        assert reranker.score("q", ["a"]) == expected
        reranker.close()
        reranker.close()

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_a_forked_child_has_its_own_connections(self, serve: Callable[[str], Server]) -> None:
        """Parent and child score at the same time after the fork, and neither gets the other's answer."""
        server = serve("tei")
        reranker = _remote(server)
        expected = [reranker.score(f"file {number}", _DOCUMENTS[:4]).tolist() for number in range(20)]
        read, write = os.pipe()
        child = os.fork()
        if child == 0:  # pragma: no cover  # coverage ends with the process
            try:
                scores = [reranker.score(f"file {number}", _DOCUMENTS[:4]).tolist() for number in range(20)]
                os.write(write, json.dumps(scores).encode())
            finally:
                os._exit(0)
        assert [reranker.score(f"file {number}", _DOCUMENTS[:4]).tolist() for number in range(20)] == expected
        os.close(write)
        with os.fdopen(read) as pipe:
            assert json.loads(pipe.read()) == expected
        os.waitpid(child, 0)


class TestRepeats:
    @pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
    def test_what_fails_for_a_moment_is_tried_again(
        self, status: int, serve: Callable[[str], Server], caplog: pytest.LogCaptureFixture
    ) -> None:
        """Two failures, then the answer: the scores are right, and trace and log say what happened."""
        server = serve("tei")
        server.script = [(status, {"error": "busy"})] * 2
        with caplog.at_level(logging.WARNING, "secondpass"):
            ranking = _remote(server).rerank(_QUERY, _DOCUMENTS[:2])
        assert len(server.received) == 3 and ranking.trace.counts["retries"] == 2
        assert ranking.trace.notes[0].startswith(f"tried again (2x): HTTP {status}")
        assert len(caplog.records) == 2 and f"HTTP {status}" in caplog.text

    @pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 413, 418, 422, 424, 501])
    def test_what_fails_for_good_is_not(self, status: int, serve: Callable[[str], Server]) -> None:
        """One call only, and the error holds the status and what the server said."""
        server = serve("tei")
        server.script = [(status, {"error": "the\nreason"})] * 5
        with pytest.raises(ScoringError, match=rf"{server.url}/rerank: HTTP {status}: .*the\\nreason"):
            _remote(server).score("q", ["a"])
        assert len(server.received) == 1

    def test_it_gives_up(self, serve: Callable[[str], Server]) -> None:
        """After `max_retries` further attempts the error says how many there were."""
        server = serve("tei")
        server.script = [(503, b"")] * 9
        with pytest.raises(ScoringError, match=r"HTTP 503: the server failed.*\(attempt 4\)"):
            _remote(server, max_retries=3).score("q", ["a"])
        assert len(server.received) == 4
        server.received.clear()
        with pytest.raises(ScoringError, match="HTTP 503"):
            _remote(server, max_retries=0).score("q", ["a"])
        assert len(server.received) == 1

    def test_retry_after_is_heeded(self, serve: Callable[[str], Server]) -> None:
        """The next attempt comes no sooner than the server asked for."""
        server = serve("tei")
        server.script = [(429, {}, {"Retry-After": "0.3"})]
        start = time.monotonic()
        _remote(server, backoff_s=0.0).score("q", ["a"])
        assert time.monotonic() - start >= 0.3

    def test_a_server_that_asks_for_an_hour_is_given_up_on(self, serve: Callable[[str], Server]) -> None:
        """Nobody waits longer than `max_wait_s`."""
        server = serve("tei")
        server.script = [(429, {"error": "quota"}, {"Retry-After": "3600"})]
        with pytest.raises(ScoringError, match=r"HTTP 429: it takes no more calls at present.*quota"):
            _remote(server).score("q", ["a"])
        assert len(server.received) == 1

    def test_retry_after_is_a_number_or_a_date(self) -> None:
        """Both forms of RFC 9110, and nonsense counts as nothing."""
        assert retry_after_s("2.5") == 2.5 and retry_after_s("-1") == 0.0 and retry_after_s("nan") == 0.0
        assert retry_after_s(None) is None and retry_after_s("soon") is None
        later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
        assert 50 < (retry_after_s(later) or 0) <= 60
        assert retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
        assert retry_after_s("Wed, 21 Oct 2015 07:28:00 -0000") == 0.0


def _hang_up(handler: _Handler) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def _half_an_answer(handler: _Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'[{"index": 0, ')
    handler.close_connection = True


def _silence(handler: _Handler) -> None:
    handler.server.released.wait(20)


def _drip(handler: _Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    for _ in range(400):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        if handler.server.released.wait(0.05):
            break
    handler.close_connection = True


def _not_zipped(handler: _Handler) -> None:
    handler.reply(200, b"not zipped", {"Content-Encoding": "gzip"})


def _one(index: Any = 0, score: Any = 0.5) -> dict[str, Any]:
    return {"index": index, "score": score}


class TestFaults:
    @pytest.mark.parametrize(
        ("act", "message"),
        [
            (_hang_up, r"the connection broke off \(.*\): the server may have crashed"),
            (_half_an_answer, "the connection broke off"),
            (_not_zipped, "the answer's compression is damaged"),
            ((200, b"<html>Bad gateway</html>"), "the answer is no JSON: <html>Bad gateway</html>"),
            ((200, b""), "the answer is no JSON: it is empty"),
            ((200, b'[{"index": 0, "sco'), "the answer is no JSON"),
            ((200, b"[" * 100_000), "the answer is no JSON"),
            ((200, b"\xff\xfe\x00"), "the answer is no JSON"),
        ],
    )
    def test_broken_answers_are_tried_again_and_then_named(
        self, act: Any, message: str, serve: Callable[[str], Server]
    ) -> None:
        """Once is mended by the second attempt; always is an error that says what came."""
        server = serve("tei")
        server.script = [act]
        assert _remote(server).score("q", ["a"]).shape == (1,)
        server.script = [act] * 5
        with pytest.raises(ScoringError, match=message):
            _remote(server, max_retries=1).score("q", ["a"])

    @pytest.mark.parametrize("act", [_silence, _drip])
    def test_a_slow_server_runs_into_the_time_out(self, act: Any, serve: Callable[[str], Server]) -> None:
        """No answer at all, and one that never ends: both end after about `timeout_s`."""
        server = serve("tei")
        server.script = [act]
        start = time.monotonic()
        with pytest.raises(ScoringError, match=r"within 0.2 s: raise timeout_s"):
            _remote(server, timeout_s=0.2, max_retries=0).score("q", ["a"])
        assert time.monotonic() - start < 10

    @pytest.mark.parametrize(
        ("payload", "message"),
        [
            ([_one(0), _one(1), _one(1)], "scores document 1 twice"),
            ([_one(0), _one(3), _one(1)], "scores document 3, but there are 3, counted from 0"),
            ([_one(0), _one(-1), _one(1)], "scores document -1, but there are 3"),
            ([_one(0), _one(2)], "scores 2 of 3 documents; the first one missing is 1"),
            ([], "scores 0 of 3 documents"),
            ([_one(index) for index in range(4)], "scores document 3, but there are 3"),
            ([_one(0, float("nan")), _one(1), _one(2)], "gives document 0 the score nan"),
            ([_one(0, float("inf")), _one(1), _one(2)], "gives document 0 the score inf"),
            ([_one(0, 10**400), _one(1), _one(2)], "gives document 0 the score inf"),
            ([_one(0, None), _one(1), _one(2)], "no number under 'score': {'index': 0, 'score': None}"),
            ([_one(0, "0.5"), _one(1), _one(2)], "no number under 'score'"),
            ([_one(0, True), _one(1), _one(2)], "no number under 'score'"),
            ([_one("0"), _one(1), _one(2)], "no whole number under 'index'"),
            ([_one(True), _one(1), _one(2)], "no whole number under 'index'"),
            ([_one(0.0), _one(1), _one(2)], "no whole number under 'index'"),
            (["x" * 1000], "no whole number under 'index': 'xxx.*…"),
            ({"results": []}, r"no list \(its keys: 'results'\); is shape='tei' right\?"),
            (None, r"no list \(it is a JSON NoneType\)"),
            ([_one(0, 7.5), _one(1), _one(2)], "scores from 0.5 to 7.5 are no probabilities: pass scale='logit'"),
        ],
    )
    def test_wrong_scores_are_refused(self, payload: Any, message: str, serve: Callable[[str], Server]) -> None:
        """Missing, double, foreign and unusable results are errors that say which, and are not tried again."""
        server = serve("tei")
        server.script = [(200, payload)]
        with pytest.raises(ScoringError, match=f"{server.url}/rerank: .*{message}"):
            _remote(server).score("q", ["a", "b", "c"])
        assert len(server.received) == 1

    def test_another_shape_is_recognised(self, serve: Callable[[str], Server]) -> None:
        """A list under another key than the shape's is no guess: the keys are named."""
        server = serve("jina")
        server.script = [(200, {"object": "list", "data": []})]
        with pytest.raises(ScoringError, match=r"no list under 'results' \(its keys: 'object, data'\).*shape='jina'"):
            _remote(server).score("q", ["a"])

    def test_a_hair_above_one_is_one(self, serve: Callable[[str], Server]) -> None:
        """An activation in half precision may round up."""
        server = serve("tei")
        server.script = [(200, [_one(0, 1.0000004), _one(1, -1e-7)])]
        assert _remote(server).score("q", ["a", "b"]).tolist() == [1.0, 0.0]

    def test_an_endless_answer_is_cut_off(
        self, serve: Callable[[str], Server], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """More than any list of scores can be is not read to its end."""
        monkeypatch.setattr("secondpass.remote.transport._MAX_BYTES", 2**20)
        server = serve("tei")
        server.script = [(200, b" " * 2**22)]
        with pytest.raises(ScoringError, match="the answer is longer than 1 MiB"):
            _remote(server).score("q", ["a"])

    def test_a_wrong_path_hints_at_the_url(self, serve: Callable[[str], Server]) -> None:
        """404 names what to check."""
        server = serve("cohere")
        reranker = RemoteReranker(f"{server.url}/v1/chat", model="m", api_key=_KEY)
        with pytest.raises(ScoringError, match=r"/v1/chat: HTTP 404: .*check the path of the url, shape and model"):
            reranker.score("q", ["a"])

    def test_nobody_there(self) -> None:
        """A refused connection says which server, and what to check."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(ScoringError, match=rf"{url}/rerank: no connection .*is the server running.*\(attempt 2\)"):
            RemoteReranker(url, shape="tei", max_retries=1, backoff_s=0).score("q", ["a"])

    def test_no_such_host(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A name that does not resolve is a failed connection too."""

        def unknown(*_: Any, **__: Any) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        with pytest.raises(ScoringError, match=r"no-such-host\.invalid/rerank: no connection \(.*not known\)"):
            RemoteReranker("http://no-such-host.invalid", shape="tei", max_retries=0).score("q", ["a"])

    def test_https_to_a_plain_server(self, serve: Callable[[str], Server]) -> None:
        """No secure connection: not tried again, as the next handshake ends the same way."""
        url = serve("tei").url.replace("http:", "https:")
        with pytest.raises(ScoringError, match=r"no secure connection \(.*\): is it https at all"):
            RemoteReranker(url, shape="tei").score("q", ["a"])

    @pytest.mark.skipif(not shutil.which("openssl"), reason="makes a certificate with openssl")
    def test_a_certificate_that_nobody_vouches_for(self, serve: Callable[[str], Server], tmp_path: Path) -> None:
        """A self-signed certificate is refused, and the error says how to trust it; nothing was sent."""
        server = serve("tei")
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
        files = [str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")]
        subprocess.run([*command, "-keyout", files[0], "-out", files[1]], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files[1], files[0])
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with pytest.raises(ScoringError, match=r"no secure connection \(.*CERTIFICATE_VERIFY_FAILED.*SSL_CERT_FILE"):
            RemoteReranker(server.url.replace("http:", "https:"), shape="tei").score("q", ["a"])
        assert server.received == []

    def test_redirects_are_not_followed(self, serve: Callable[[str], Server]) -> None:
        """The key must not go where a server points to; the error says where that is."""
        target, server = serve("tei"), serve("tei")
        server.script = [(307, b"", {"Location": f"{target.url}/rerank?token=1"})]
        with pytest.raises(
            ScoringError, match=f"HTTP 307: it points to {target.url}/rerank; redirects are not followed"
        ):
            _remote(server).score("q", ["a"])
        assert target.received == []

    def test_closing_while_scoring_is_an_error_of_ours(self, serve: Callable[[str], Server]) -> None:
        """Who closes a shared reranker stops the others with an error that says so."""
        reranker = _remote(serve("tei"))
        reranker._transport().close()
        with pytest.raises(ScoringError, match="the reranker was closed while it was scoring"):
            reranker.score("q", ["a"])


class TestKeys:
    def test_the_key_is_shown_nowhere(self, serve: Callable[[str], Server], caplog: pytest.LogCaptureFixture) -> None:
        """Not in repr, configuration, pickle, log, or an error, even when the server repeats it."""
        server = serve("tei")
        reranker = _remote(server, api_key="wrong-secret-1")
        with caplog.at_level(logging.DEBUG), pytest.raises(ScoringError) as error:
            reranker.score("q", ["a"])
        assert "HTTP 401: it wants a key, or not this one: set REMOTE_TEST_KEY, or pass api_key" in str(error.value)
        assert "invalid key: Bearer ***" in str(error.value)
        server.script = [(503, {"error": "key wrong-secret-1"})]
        with caplog.at_level(logging.DEBUG), pytest.raises(ScoringError):
            reranker.score("q", ["a"])
        shown = [repr(reranker), json.dumps(reranker.to_config()), str(vars(reranker)), caplog.text, str(error.value)]
        assert not any("wrong-secret-1" in text for text in shown)
        assert b"wrong-secret-1" not in pickle.dumps(reranker)

    def test_a_key_that_is_none_is_not_shown_either(self) -> None:
        """What no header can hold is refused before it is sent, without being repeated."""
        for key in ("line\nbreak", "schlüssel"):
            with pytest.raises(ConfigError, match="holds characters that no HTTP header can") as error:
                RemoteReranker("http://127.0.0.1:9", shape="tei", api_key=key).score("q", ["a"])
            assert key not in str(error.value)

    def test_white_space_around_a_key_is_dropped(self, serve: Callable[[str], Server]) -> None:
        """A key that was read from a file ends in a line break."""
        assert _remote(serve("tei"), api_key=f"{_KEY}\n").score("q", ["a"]).shape == (1,)
        assert _remote(serve("tei"), api_key=Secret(_KEY)).score("q", ["a"]).shape == (1,)

    def test_a_providers_key_goes_to_the_provider_only(
        self, serve: Callable[[str], Server], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """CO_API_KEY belongs to cohere.com: another server of that shape does not get it unless told so."""
        monkeypatch.setenv("CO_API_KEY", "of-cohere")
        server = serve("cohere")
        with pytest.raises(ScoringError, match=r"HTTP 401: .*set api_key_variable, or pass api_key"):
            RemoteReranker(server.url, model="m").score("q", ["a"])
        assert "Authorization" not in server.received[0][1]
        own = RemoteReranker("https://api.cohere.com", model="rerank-v3.5")
        assert own.url == "https://api.cohere.com/v2/rerank" and own.api_key.reveal() == "of-cohere"
        for url in ("https://cohere.com.evil.example", "https://evilcohere.com"):
            assert RemoteReranker(url, model="m").api_key.reveal() is None

    @pytest.mark.parametrize(
        ("url", "shape", "variable"),
        [
            ("https://api.jina.ai", "jina", "JINA_API_KEY"),
            ("https://api.voyageai.com", "voyage", "VOYAGE_API_KEY"),
            ("http://gpu:8000", "vllm", "VLLM_API_KEY"),
            ("http://gpu:7997", "infinity", "INFINITY_API_KEY"),
            ("http://gpu:8080", "tei", "TEI_API_KEY"),
        ],
    )
    def test_each_provider_has_its_variable(
        self, url: str, shape: str, variable: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The key is read when it is used, so that it can be set later."""
        reranker = RemoteReranker(url, shape=shape, model="m")
        assert reranker.api_key.reveal() is None
        monkeypatch.setenv(variable, "k")
        assert reranker.api_key.reveal() == "k"


class TestSettings:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"url": "api.cohere.com"}, "url must be that of an endpoint"),
            ({"url": "ftp://host/x"}, "url must be that of an endpoint"),
            ({"url": "http://"}, "url must be that of an endpoint"),
            ({"url": "http://h:99999"}, "url must be that of an endpoint"),
            ({"url": "http://ho st/"}, "url must be that of an endpoint"),
            ({"url": None}, "url must be a str, not NoneType"),
            ({"url": "http://user:password@host"}, "url must hold no user and password.*pass api_key"),
            ({"shape": "openai"}, "shape must be one of cohere, jina, vllm, infinity, tei, voyage, not 'openai'"),
            ({"shape": []}, "shape must be one of"),
            ({"shape": "voyage"}, "'voyage' needs the name of a model"),
            ({"timeout_s": 0}, "timeout_s must be above 0"),
            ({"timeout_s": float("inf")}, "timeout_s must be a number of seconds"),
            ({"backoff_s": -1}, "backoff_s must be a number of seconds"),
            ({"max_wait_s": "1"}, "max_wait_s must be a number of seconds"),
            ({"max_retries": -1}, "max_retries must be a whole number of at least 0"),
            ({"max_retries": 1.5}, "max_retries must be a whole number"),
            ({"batch_size": 0}, "batch_size must be a whole number of at least 1"),
            ({"concurrency": True}, "concurrency must be a whole number"),
            ({"scale": "percent"}, "scale must be one of logit, probability, ordinal"),
            ({"extra_body": {"texts": []}}, "extra_body can't hold texts"),
            ({"extra_body": {"top_n": 3}}, "extra_body can't hold top_n"),
            ({"extra_body": {"f": print}}, "extra_body must be plain JSON data"),
            ({"extra_body": [1]}, "extra_body must be a mapping, not list"),
        ],
    )
    def test_bad_ones_are_refused(self, settings: dict[str, Any], message: str) -> None:
        """At construction, naming the setting; a password in a URL is not repeated."""
        with pytest.raises(ConfigError, match=message) as error:
            RemoteReranker(**({"url": "http://host", "shape": "tei"} | settings))
        assert "password@" not in str(error.value)

    def test_a_bare_server_gets_the_shapes_path(self) -> None:
        """Any other path is taken as it is; what comes after it is not shown."""
        assert RemoteReranker("http://h:1", shape="tei").url == "http://h:1/rerank"
        assert RemoteReranker("http://h:1/", shape="jina", model="m").url == "http://h:1/v1/rerank"
        azure = RemoteReranker("http://h/models/rerank?api-version=2#x", shape="tei")
        assert azure.url == "http://h/models/rerank?api-version=2"
        assert repr(azure) == "RemoteReranker('http://h/models/rerank', shape='tei')"
        assert repr(RemoteReranker("http://h", model="m")).endswith("shape='cohere', model='m')")

    def test_it_is_data(self) -> None:
        """By name and by configuration it is the same reranker; how it is called does not change what it says."""
        reranker = load("remote:http://h", shape="tei", scale="logit", extra_body={"a": [1]}, timeout_s=5)
        config = reranker.to_config()
        assert config["type"] == "remote" and config["api_key"] is None and config["scale"] == "logit"
        assert from_config(config).to_config() == config
        others = {"timeout_s": 9, "max_retries": 0, "batch_size": 1, "concurrency": 1, "backoff_s": 1, "max_wait_s": 1}
        assert from_config(config | others).fingerprint == reranker.fingerprint
        assert from_config(config | {"url": "http://other"}).fingerprint != reranker.fingerprint

    def test_the_default_limits_fit_the_servers(self) -> None:
        """TEI refuses more than 32 texts by default; a hundred documents are one search unit at Cohere."""
        assert RemoteReranker("http://h", shape="tei").batch_size == 32
        assert RemoteReranker("http://h", model="m").batch_size == 100

    def test_importing_the_class_loads_no_httpx(self) -> None:
        """Only constructing one does."""
        code = "import sys; import secondpass.rerankers.remote; assert 'httpx' not in sys.modules"
        subprocess.run([sys.executable, "-c", code], check=True)

    def test_without_httpx_the_extra_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The error holds the command that installs it."""
        monkeypatch.delitem(sys.modules, "secondpass.remote.settings", raising=False)
        monkeypatch.setitem(sys.modules, "httpx", None)
        with pytest.raises(sp.MissingExtraError, match=r'pip install "secondpass\[remote\]"'):
            RemoteReranker("http://h", shape="tei")
