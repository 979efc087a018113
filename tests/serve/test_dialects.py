"""Each dialect's requests, answers and errors, after its documentation, and our own client of all of them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from secondpass.errors import ScoringError
from secondpass.remote.shapes import SHAPES
from secondpass.rerankers.remote import RemoteReranker
from secondpass.testing import FakeReranker

_QUERY = "copy a file"
_DOCUMENTS = ["delete a file", "copy a file", "sunny all week"]
_ORDER = [1, 0, 2]
_SCORES = sorted(FakeReranker().score(_QUERY, _DOCUMENTS).tolist(), reverse=True)


def _results(client: TestClient, path: str, body: dict[str, Any]) -> Any:
    response = client.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


def test_cohere(client: TestClient) -> None:
    """Version 2: results with index and relevance_score, best first, and what would be billed."""
    body = {"model": "default", "query": _QUERY, "documents": _DOCUMENTS, "top_n": 2, "max_tokens_per_doc": 4096}
    answer = _results(client, "/v2/rerank", body)
    assert answer["results"] == [
        {"index": index, "relevance_score": score} for index, score in zip(_ORDER[:2], _SCORES[:2], strict=True)
    ]
    assert answer["meta"]["billed_units"] == {"search_units": 1}
    assert answer["id"]


@pytest.mark.parametrize("path", ["/v1/rerank", "/rerank"])
def test_jina_and_vllm(client: TestClient, path: str) -> None:
    """Results with their documents, unless these are not wanted, and the tokens that were used."""
    documents = [_DOCUMENTS[0], {"text": _DOCUMENTS[1]}, _DOCUMENTS[2]]
    answer = _results(client, path, {"model": "default", "query": _QUERY, "documents": documents})
    assert [result["document"] for result in answer["results"]] == [{"text": _DOCUMENTS[at]} for at in _ORDER]
    assert [result["index"] for result in answer["results"]] == _ORDER
    assert (answer["model"], answer["object"]) == ("default", "rerank")
    assert answer["usage"] == {"prompt_tokens": 0, "total_tokens": 0}
    body = {"query": _QUERY, "documents": documents, "return_documents": False}
    assert _results(client, path, body)["results"][0] == {"index": 1, "relevance_score": _SCORES[0]}


def test_infinity(client: TestClient) -> None:
    """Documents come back as they are, and only if they are wanted."""
    body: dict[str, Any] = {"model": "default", "query": _QUERY, "documents": _DOCUMENTS, "return_documents": True}
    expected = {"index": 1, "relevance_score": _SCORES[0], "document": _DOCUMENTS[1]}
    assert _results(client, "/infinity/rerank", body)["results"][0] == expected
    assert _results(client, "/rerank", body | {"raw_scores": False})["results"][0] == expected
    answer = _results(client, "/infinity/rerank", {"query": _QUERY, "documents": _DOCUMENTS})
    assert answer["results"][0] == {"index": 1, "relevance_score": _SCORES[0]}


@pytest.mark.parametrize("field", [{"raw_scores": True}, {"use_activation": False}])
def test_raw_scores_are_the_models_own(client: TestClient, field: dict[str, bool]) -> None:
    """In Infinity's words and in vLLM's."""
    answer = _results(client, "/rerank", {"model": "logits", "query": _QUERY, "documents": _DOCUMENTS} | field)
    expected = FakeReranker(scale="logit").score(_QUERY, _DOCUMENTS)[_ORDER]
    assert [result["relevance_score"] for result in answer["results"]] == pytest.approx(expected)


def test_tei(client: TestClient) -> None:
    """A body with texts is answered by a list of scores, with the texts if they are wanted."""
    answer = _results(client, "/rerank", {"query": _QUERY, "texts": _DOCUMENTS})
    assert answer == [{"index": index, "score": score} for index, score in zip(_ORDER, _SCORES, strict=True)]
    answer = _results(client, "/rerank", {"query": _QUERY, "texts": _DOCUMENTS, "return_text": True})
    assert [result["text"] for result in answer] == [_DOCUMENTS[at] for at in _ORDER]


def test_voyage(client: TestClient) -> None:
    """A body with top_k or truncation is answered by a list under data."""
    body = {"model": "default", "query": _QUERY, "documents": _DOCUMENTS, "top_k": 1, "return_documents": True}
    answer = _results(client, "/v1/rerank", body)
    assert answer["data"] == [{"index": 1, "relevance_score": _SCORES[0], "document": _DOCUMENTS[1]}]
    assert answer["object"] == "list"
    answer = _results(client, "/v1/rerank", {"query": _QUERY, "documents": _DOCUMENTS, "truncation": True})
    assert [result["index"] for result in answer["data"]] == _ORDER


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/v2/rerank", {"documents": []}, {"message": "query: Field required"}),
        ("/rerank", {"texts": ["a"]}, {"error": "query: Field required", "error_type": "Validation"}),
        ("/v1/rerank", {"documents": [], "top_k": 1}, {"detail": "query: Field required"}),
        (
            "/v1/rerank",
            {"documents": []},
            {"error": {"message": "query: Field required", "type": "invalid_request_error", "code": 422}},
        ),
    ],
)
def test_errors_are_in_the_dialect_of_the_request(
    client: TestClient, path: str, body: dict[str, Any], expected: dict[str, Any]
) -> None:
    """So that its clients show the message."""
    response = client.post(path, json=body)
    assert (response.status_code, response.json()) == (422, expected)


def test_a_blank_query_is_refused_in_the_dialect_as_well(client: TestClient) -> None:
    """By the library, behind the dialect's own checks."""
    response = client.post("/rerank", json={"query": " ", "texts": ["a"]})
    assert response.status_code == 422
    assert "the query is empty" in response.json()["error"]


def test_a_model_that_is_not_there_is_named(client_of: Callable[..., TestClient]) -> None:
    """With those that are, aliases among them; an alias is as good as a name."""
    client = client_of(aliases={"rerank-v3.5": "logits"})
    body = {"query": _QUERY, "documents": _DOCUMENTS}
    response = client.post("/v2/rerank", json=body | {"model": "rerank-v4"})
    assert response.status_code == 404
    assert response.json() == {
        "message": "no reranker is called 'rerank-v4' here; there are: default, logits, rerank-v3.5"
    }
    assert client.post("/v2/rerank", json=body | {"model": "rerank-v3.5"}).status_code == 200


@pytest.mark.parametrize("shape", SHAPES)
def test_our_own_client_gets_the_scores_that_the_reranker_gives(address: str, shape: str) -> None:
    """In every dialect that `RemoteReranker` speaks."""
    remote = RemoteReranker(address, shape=shape, model="default", max_retries=0)  # type: ignore[arg-type]
    with remote:
        np.testing.assert_allclose(remote.score(_QUERY, _DOCUMENTS), FakeReranker().score(_QUERY, _DOCUMENTS))


@pytest.mark.parametrize("shape", ["vllm", "infinity"])
def test_our_own_client_gets_raw_scores(address: str, shape: str) -> None:
    """Of a model that gives logits."""
    remote = RemoteReranker(address, shape=shape, model="logits", raw_scores=True, max_retries=0)  # type: ignore[arg-type]
    with remote:
        expected = FakeReranker(scale="logit").score(_QUERY, _DOCUMENTS)
        np.testing.assert_allclose(remote.score(_QUERY, _DOCUMENTS), expected)


def test_our_own_client_tells_what_the_server_said(address: str) -> None:
    """An error of the server is one of the client's, with its message."""
    said = "no reranker is called 'other' here; there are: default, logits"
    remote = RemoteReranker(address, shape="cohere", model="other", max_retries=0)
    with remote, pytest.raises(ScoringError, match=said):
        remote.score(_QUERY, _DOCUMENTS)
