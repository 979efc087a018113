"""Keys, limits, deadlines, overload, request ids, metrics and logs."""

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from secondpass.errors import ConfigError
from secondpass.serve import create_app
from secondpass.serve.logs import JSONFormatter
from tests.serve.conftest import PATIENCE_S, listening
from tests.serve.waiting import WaitingReranker

_BODY = {"query": "copy a file", "documents": ["delete a file", "copy a file"]}
_WAIT = {"query": "wait", "documents": ["a"]}


@pytest.fixture
def waiting() -> Iterator[type[WaitingReranker]]:
    """Return the class of the reranker that waits; nobody is held up after the test."""
    WaitingReranker.reset()
    yield WaitingReranker
    WaitingReranker.released.set()


def _slow(**settings: Any) -> dict[str, Any]:
    return {"rerankers": {"default": {"type": "waiting-test"}}} | settings


class TestKeys:
    """Bearer tokens."""

    def test_without_the_key_nothing_is_answered(self, client_of: Callable[..., TestClient]) -> None:
        """Neither a request to a model, nor the metrics, nor what is served; with any of the keys all is."""
        client = client_of(api_keys="first, second\nthird")
        for token in ({}, {"authorization": "Bearer other"}, {"authorization": "second"}, {"authorization": "Bearer"}):
            response = client.post("/v2/rerank", json=_BODY, headers=token)
            assert response.status_code == 401
            assert response.headers["www-authenticate"] == "Bearer"
            assert "send it as 'Authorization: Bearer KEY'" in response.json()["message"]
            assert {client.get(path, headers=token).status_code for path in ("/metrics", "/v1/models")} == {401}
        for key in ("first", "second", "third"):
            headers = {"authorization": f"Bearer {key}"}
            assert client.post("/v2/rerank", json=_BODY, headers=headers).status_code == 200
            assert client.get("/metrics", headers=headers).status_code == 200

    def test_health_needs_none(self, client_of: Callable[..., TestClient]) -> None:
        """A probe has no key."""
        client = client_of(api_keys="sesame")
        assert client.get("/health").json() == {"status": "ok"}
        assert client.get("/ready").json() == {"status": "ready"}

    def test_they_come_from_the_environment(
        self, client_of: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As they are at the time of the request, so that they can be exchanged."""
        client = client_of()
        assert client.post("/v2/rerank", json=_BODY).status_code == 200
        monkeypatch.setenv("SECONDPASS_API_KEYS", "sesame")
        assert client.post("/v2/rerank", json=_BODY).status_code == 401
        assert client.post("/v2/rerank", json=_BODY, headers={"authorization": "Bearer sesame"}).status_code == 200

    def test_they_may_have_any_letters(self, client_of: Callable[..., TestClient]) -> None:
        """A client sends them as UTF-8."""
        client = client_of(api_keys="schlüssel")
        headers = {"authorization": "Bearer schlüssel".encode()}
        assert client.post("/v2/rerank", json=_BODY, headers=headers).status_code == 200

    def test_a_variable_without_a_key_opens_no_server(
        self, client_of: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One that is empty is like none."""
        monkeypatch.setenv("SECONDPASS_API_KEYS", " ,")
        with pytest.raises(ConfigError, match="there is no key in api_keys or SECONDPASS_API_KEYS"):
            client_of()
        monkeypatch.setenv("SECONDPASS_API_KEYS", "")
        assert client_of().post("/v2/rerank", json=_BODY).status_code == 200


class TestLimits:
    """What is too much is refused with 413, whatever the dialect."""

    def test_documents(self, client_of: Callable[..., TestClient]) -> None:
        """More than max_documents."""
        client = client_of(max_documents=2)
        response = client.post("/rerank", json={"query": "a", "texts": ["a", "b", "c"]})
        assert (response.status_code, response.json()["error"]) == (413, "3 documents are more than 2")

    def test_bytes(self, client_of: Callable[..., TestClient]) -> None:
        """More than max_bytes, said beforehand or not."""
        client = client_of(max_bytes=1000)
        body = json.dumps(_BODY | {"query": "a" * 1000}).encode()
        headers = {"content-type": "application/json"}

        def in_parts() -> Iterator[bytes]:
            yield body[:100]
            yield body[100:]

        for content in (body, in_parts()):
            response = client.post("/v2/rerank", content=content, headers=headers)
            assert response.status_code == 413
            assert "more than the 1000 bytes" in response.json()["message"]

    def test_tokens(self, client_of: Callable[..., TestClient]) -> None:
        """More than max_tokens, where the query counts beside each document; long texts of few tokens are fine."""
        client = client_of(max_tokens=100)
        few = {"query": "a", "documents": [" " * 200 + "a"]}
        assert client.post("/v2/rerank", json=few).status_code == 200
        response = client.post("/v2/rerank", json={"query": "a " * 26, "documents": ["b " * 25] * 2})
        assert (response.status_code, response.json()["message"]) == (413, "about 102 tokens are more than 100")

    def test_compressed_bodies(self, client: TestClient) -> None:
        """They are not taken, so that none can unfold to gigabytes."""
        response = client.post("/v2/rerank", json=_BODY, headers={"content-encoding": "gzip"})
        assert response.status_code == 415
        assert "not in the coding 'gzip'" in response.json()["message"]


class TestLoad:
    """Overload, deadlines, and clients that go away."""

    def test_too_many_requests_are_refused_at_once(self, waiting: type[WaitingReranker]) -> None:
        """With 503 and a time to come again; those that were taken are answered, and then there is room again."""
        with listening(create_app(_slow(max_requests=2))) as url, ThreadPoolExecutor(2) as pool:
            first = pool.submit(httpx.post, f"{url}/v2/rerank", json=_WAIT, timeout=PATIENCE_S)
            assert waiting.entered.acquire(timeout=PATIENCE_S)
            second = pool.submit(httpx.post, f"{url}/v2/rerank", json=_BODY, timeout=PATIENCE_S)
            while "secondpass_http_in_flight 2.0" not in httpx.get(f"{url}/metrics").text:
                pass
            third = httpx.post(f"{url}/v2/rerank", json=_BODY)
            assert third.status_code == 503
            assert third.headers["retry-after"] == "1"
            assert "2 requests are under way" in third.json()["message"]
            assert httpx.get(f"{url}/health").status_code == 200
            waiting.released.set()
            assert [first.result().status_code, second.result().status_code] == [200, 200]
            assert httpx.post(f"{url}/v2/rerank", json=_BODY).status_code == 200

    def test_a_deadline_that_passes_is_a_503(self, waiting: type[WaitingReranker]) -> None:
        """And what waited in the queue is not scored any more."""
        with listening(create_app(_slow(timeout_s=0.3))) as url, ThreadPoolExecutor(2) as pool:
            first = pool.submit(httpx.post, f"{url}/rerank", json=_WAIT, timeout=PATIENCE_S)
            assert waiting.entered.acquire(timeout=PATIENCE_S)
            second = pool.submit(httpx.post, f"{url}/rerank", json=_BODY | {"query": "late"}, timeout=PATIENCE_S)
            for response in (first.result(), second.result()):
                assert response.status_code == 503
                assert response.headers["retry-after"] == "1"
                assert response.json()["error"]["message"] == "there was no answer within 0.3 s"
            waiting.released.set()
            assert httpx.post(f"{url}/rerank", json=_BODY).status_code == 200
        assert "late" not in waiting.seen

    def test_what_nobody_waits_for_is_not_scored(
        self, waiting: type[WaitingReranker], caplog: pytest.LogCaptureFixture
    ) -> None:
        """A client that hangs up takes its request out of the queue."""
        caplog.set_level(logging.INFO, "secondpass.serve")
        with listening(create_app(_slow())) as url, ThreadPoolExecutor(1) as pool:
            first = pool.submit(httpx.post, f"{url}/rerank", json=_WAIT, timeout=PATIENCE_S)
            assert waiting.entered.acquire(timeout=PATIENCE_S)
            with pytest.raises(httpx.ReadTimeout):
                httpx.post(f"{url}/rerank", json=_BODY | {"query": "hung up"}, timeout=0.3)
            while 'status="499"' not in httpx.get(f"{url}/metrics").text:
                pass
            waiting.released.set()
            assert first.result().status_code == 200
        assert "hung up" not in waiting.seen

    def test_a_batch_is_shared_and_one_failure_is_not(self, waiting: type[WaitingReranker]) -> None:
        """Requests that wait together are scored together; one that fails does not take the others with it."""
        with listening(create_app(_slow())) as url, ThreadPoolExecutor(5) as pool:

            def post(query: str) -> Any:
                return httpx.post(f"{url}/rerank", json=_BODY | {"query": query}, timeout=PATIENCE_S)

            first = pool.submit(post, "wait")
            assert waiting.entered.acquire(timeout=PATIENCE_S)
            others = [pool.submit(post, query) for query in ("one", "fail", "two")]
            while "secondpass_http_in_flight 4.0" not in httpx.get(f"{url}/metrics").text:
                pass
            waiting.released.set()
            assert first.result().status_code == 200
            assert [other.result().status_code for other in others] == [200, 500, 200]


class TestWhatIsSaid:
    """Request ids, the log, metrics, and errors that nobody foresaw."""

    def test_request_ids(self, client: TestClient) -> None:
        """The client's own, unless it is not fit for a log; errors have one too."""
        assert client.get("/health", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
        for unfit in ("a b", "x" * 129, 'a"b'):
            given = client.get("/health", headers={"x-request-id": unfit}).headers["x-request-id"]
            assert len(given) == 32 and given != unfit
        assert client.post("/v2/rerank", json={}).headers["x-request-id"]
        assert client.get("/nowhere").headers["x-request-id"]

    def test_the_log_has_a_line_for_a_request_without_texts(
        self, client: TestClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        """As JSON: which model, how many documents, how long it took."""
        with caplog.at_level(logging.INFO, "secondpass.serve"):
            client.post("/v2/rerank", json=_BODY, headers={"x-request-id": "abc-1"})
        (line,) = [JSONFormatter().format(each) for each in caplog.records if each.name == "secondpass.serve"]
        fields = json.loads(line)
        assert fields["ms"] > 0 and fields["time"].endswith("+00:00")
        expected = {"request_id": "abc-1", "method": "POST", "path": "/v2/rerank", "status": 200, "model": "default"}
        assert expected | {"documents": 2, "tokens": 0, "coalesced": 0, "level": "info"} == {
            name: value for name, value in fields.items() if name not in ("time", "ms", "logger", "message")
        }
        assert "copy" not in line

    def test_a_failing_batch_is_logged_without_what_it_says(
        self, waiting: type[WaitingReranker], caplog: pytest.LogCaptureFixture
    ) -> None:
        """Only which kind of error it was."""
        with listening(create_app(_slow())) as url, ThreadPoolExecutor(3) as pool:

            def post(query: str) -> Any:
                return httpx.post(f"{url}/rerank", json=_BODY | {"query": query}, timeout=PATIENCE_S)

            first = pool.submit(post, "wait")
            assert waiting.entered.acquire(timeout=PATIENCE_S)
            others = [pool.submit(post, query) for query in ("one", "fail")]
            while "secondpass_http_in_flight 3.0" not in httpx.get(f"{url}/metrics").text:
                pass
            waiting.released.set()
            assert [each.result().status_code for each in (first, *others)] == [200, 200, 500]
        assert "a batch of 2 calls failed (ValueError)" in caplog.text
        assert "secret" not in "".join(JSONFormatter().format(record) for record in caplog.records)

    @pytest.mark.usefixtures("waiting")
    def test_an_error_tells_the_client_nothing_but_where_to_look(self, caplog: pytest.LogCaptureFixture) -> None:
        """And the log has its class and its place, without what it says, which may be a text."""
        with TestClient(create_app(_slow())) as client, caplog.at_level(logging.WARNING, "secondpass.serve"):
            response = client.post("/v1/rerank", json=_BODY | {"query": "fail"}, headers={"x-request-id": "abc-1"})
        assert response.status_code == 500
        assert response.json()["error"]["message"] == "something went wrong here; the log says more under abc-1"
        (record,) = [each for each in caplog.records if each.name == "secondpass.serve"]
        fields = json.loads(JSONFormatter().format(record))
        assert (fields["error"], fields["request_id"]) == ("ValueError", "abc-1")
        assert any("waiting.py" in place for place in fields["at"])
        assert "secret" not in JSONFormatter().format(record)

    def test_metrics(self, client: TestClient) -> None:
        """Requests by path and status, and the calls of the models; unknown paths share a label."""
        client.post("/v2/rerank", json=_BODY)
        client.post("/v2/rerank", json={})
        client.get("/nowhere/1")
        client.get("/nowhere/2")
        text = client.get("/metrics").text
        assert 'secondpass_http_requests_total{path="/v2/rerank",status="200"} 1.0' in text
        assert 'secondpass_http_requests_total{path="/v2/rerank",status="422"} 1.0' in text
        assert 'secondpass_http_requests_total{path="unknown",status="404"} 2.0' in text
        assert 'secondpass_candidates_total{kind="rerank",name="default"} 3.0' in text  # with the warm-up

    def test_what_is_served(self, client_of: Callable[..., TestClient]) -> None:
        """By name and alias."""
        listed = client_of(aliases={"rerank-v3.5": "default"}).get("/v1/models").json()["data"]
        assert [(each["id"], each["kind"]) for each in listed] == [
            ("default", "reranker"),
            ("logits", "reranker"),
            ("rerank-v3.5", "reranker"),
        ]
