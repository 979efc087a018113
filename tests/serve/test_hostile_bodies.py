"""What comes from outside: whatever is sent, the answer is an error of the client's, and the server goes on."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from secondpass.serve import create_app
from tests.serve.conftest import FAKES

_PATHS = [
    *("/v2/rerank", "/v1/rerank", "/rerank", "/infinity/rerank"),
    *("/verify", "/classify", "/v1/decisions", "/v1/systemone"),
]
_JSON = {"content-type": "application/json"}
_VALID: dict[str, Any] = {"query": "copy a file", "documents": ["copy a file"], "texts": ["copy a file"]}

_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from([10**400, -1, 2**63, 1e308, "\ud800", "\x00", "", " ", "default"]),
)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
_NAMES = (
    "query documents texts model top_n top_k raw_scores return_documents truncate truncation use_activation "
    "instruction answer passages labels questions input state threshold"
)
_FIELDS = st.sampled_from(_NAMES.split())


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """Return a client of the fakes, which raises what the server would not have caught."""
    with TestClient(create_app(FAKES | {"max_bytes": 1_000_000})) as opened:
        yield opened


def _is_refused(response: httpx.Response) -> bool:
    said = response.json()
    return 400 <= response.status_code < 500 and bool(said.get("message") or said.get("error") or said.get("detail"))


@pytest.mark.parametrize("path", _PATHS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"query"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"query": 1e999, "documents": NaN}',
        b'{"query": "a", "documents": ["a"], "texts": ["a"], "top_n": ' + b"9" * 5_000 + b"}",
        b'{"query": "a", "documents": "a", "texts": {"a": "b"}}',
        b'{"query": ["a"], "documents": [1, null, true, [], {}], "texts": [1]}',
        b'{"query": "\\ud800", "documents": ["\\udc00"], "texts": ["\\udc00"], "model": "\\ud800"}',
    ],
    ids=lambda body: str(body[:24]),
)
def test_what_is_no_request(client: TestClient, path: str, body: bytes) -> None:
    """Broken, deep, huge and mistyped JSON is refused with a message."""
    assert _is_refused(client.post(path, content=body, headers=_JSON))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(_PATHS), changes=st.dictionaries(_FIELDS, _VALUES, max_size=4))
def test_a_request_with_other_values(client: TestClient, path: str, changes: dict[str, Any]) -> None:
    """Any value in any field is taken or refused; nothing breaks."""
    response = client.post(path, content=json.dumps(_VALID | changes), headers=_JSON)
    assert response.status_code == 200 or _is_refused(response)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(_PATHS), body=_VALUES)
def test_any_json(client: TestClient, path: str, body: Any) -> None:
    """Of whatever shape."""
    assert _is_refused(client.post(path, content=json.dumps(body), headers=_JSON))


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from([*_PATHS, "/", "/health", "/ready", "/metrics", "/v1/models", "/openapi.json"]),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]),
    name=st.sampled_from(["content-type", "content-length", "content-encoding", "authorization", "x-request-id"]),
    value=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
)
def test_any_header(client: TestClient, path: str, method: str, name: str, value: str) -> None:
    """Whatever stands in a header that is looked at."""
    assert client.request(method, path, headers={name: value}, content=b"{}").status_code < 500


@pytest.mark.parametrize("path", _PATHS)
def test_a_form_or_a_text_is_no_json(client: TestClient, path: str) -> None:
    """What a page of another site could send without asking."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a"):
        response = client.post(path, content=json.dumps(_VALID), headers={"content-type": kind})
        assert _is_refused(response) and "'Content-Type: application/json'" in response.text


def test_a_gzip_bomb_is_not_opened(address: str) -> None:
    """A gigabyte in a megabyte is refused as it is."""
    bomb = gzip.compress(bytes(200_000_000), 1)
    response = httpx.post(f"{address}/v2/rerank", content=bomb, headers=_JSON | {"content-encoding": "gzip"})
    assert response.status_code == 415
    assert httpx.get(f"{address}/health").status_code == 200


def test_fifty_megabytes_are_refused(address: str) -> None:
    """With a length or in parts; and the server goes on."""
    body = b'{"query": "a", "documents": ["' + b"a" * 50_000_000 + b'"]}'

    def in_parts() -> Iterator[bytes]:
        for start in range(0, len(body), 1_000_000):
            yield body[start : start + 1_000_000]

    for content in (body, in_parts()):
        response = httpx.post(f"{address}/v2/rerank", content=content, headers=_JSON, timeout=30)
        assert response.status_code == 413
    assert httpx.post(f"{address}/v2/rerank", json=_VALID).status_code == 200
