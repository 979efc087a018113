"""A real HTTP server that answers as each provider does, and fails as it is told to."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from secondpass.rerankers.remote import RemoteReranker
from secondpass.testing import FakeReranker

KEY = "sesame-42"
QUERY = "how do I copy a file in python"
DOCUMENTS = [f"file number {number} is about python" for number in range(70)]

Reply = tuple[int, Any] | tuple[int, Any, Mapping[str, str]]


class RefusedError(Exception):
    """What a server answers with an HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _fields(body: dict[str, Any], *, must: set[str], may: set[str]) -> None:
    if must - set(body) or set(body) - must - may:
        raise RefusedError(422, f"must hold {sorted(must)}, may hold {sorted(may)}, holds {sorted(body)}")


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
        raise RefusedError(400, "This model's maximum context length is 512 tokens")
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
        raise RefusedError(422, f"batch size {len(body['texts'])} > maximum allowed batch size 32")
    if not body.get("truncate") and any(len(text) > 5_000 for text in body["texts"]):
        raise RefusedError(413, "`inputs` must have less than 512 tokens")
    scale = "logit" if body.get("raw_scores") else "probability"
    return [{"index": index, "score": score} for index, score in _best_first(body["query"], body["texts"], scale)]


def _voyage(body: dict[str, Any]) -> Any:
    _fields(body, must={"model", "query", "documents"}, may={"top_k", "return_documents", "truncation"})
    found = _best_first(body["query"], body["documents"], "probability")
    data = [{"index": index, "relevance_score": score} for index, score in found]
    return {"object": "list", "data": data, "model": body["model"], "usage": {"total_tokens": 26}}


ANSWERS = {
    "cohere": ("/v2/rerank", _cohere),
    "jina": ("/v1/rerank", _jina),
    "vllm": ("/rerank", _vllm),
    "infinity": ("/rerank", _infinity),
    "tei": ("/rerank", _tei),
    "voyage": ("/v1/rerank", _voyage),
}


class Handler(BaseHTTPRequestHandler):
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
        super().__init__(("127.0.0.1", 0), Handler)
        self.shape = shape
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.script: list[Reply | Callable[[Handler], None]] = []
        self.received: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.lock, self.busy, self.most_busy = threading.Lock(), 0, 0
        self.delay_s = 0.0
        self.released = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that hung up is part of the tests

    def answer(self, path: str, headers: Mapping[str, str], body: dict[str, Any]) -> Reply:
        time.sleep(self.delay_s)
        right_path, score = ANSWERS[self.shape]
        if path != right_path:
            return 404, {"message": f"no {path}"}
        if headers.get("Authorization") != f"Bearer {KEY}":
            return 401, {"message": f"invalid key: {headers.get('Authorization')}"}
        try:
            return 200, score(body)
        except RefusedError as exc:
            return exc.status, {"error": str(exc), "error_type": "Validation"}


def remote(server: Server, **settings: Any) -> RemoteReranker:
    """Return a reranker on a server, with what it needs and settings of its own."""
    defaults = {"shape": server.shape, "model": "fake-1", "api_key_variable": "REMOTE_TEST_KEY", "backoff_s": 0.01}
    return RemoteReranker(server.url, **(defaults | settings))
