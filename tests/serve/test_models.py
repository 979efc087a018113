"""The embedded models behind the server: scores, verdicts, labels and decisions, and its description by itself."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from starlette.testclient import TestClient

import secondpass as sp
from secondpass.serve import ServeSettings, create_app

pytestmark = pytest.mark.filterwarnings("ignore::secondpass.errors.SecondPassWarning")

_BI_ENCODER = "bi-encoder:bge-small-en-v1.5"
_ANSWER = "The tower is 330 metres tall. It was finished in 1887."
_PASSAGES = [{"id": "tower", "text": "The tower is 330 metres tall and was finished in 1889."}]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """Return a client of what is served without any settings."""
    with TestClient(create_app()) as opened:
        yield opened


def _posted(client: TestClient, path: str, body: dict[str, Any]) -> Any:
    response = client.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


def test_scores_are_calibrated_probabilities(client: TestClient, cross_encoder: sp.CrossEncoderReranker) -> None:
    """Those that come with the model; raw scores are its logits."""
    query, documents = "How do I copy a file?", ["os.remove deletes a file.", "shutil.copy copies a file."]
    ranking = cross_encoder.rerank(query, documents)
    expected = [(document.index, document.probability) for document in ranking]
    results = _posted(client, "/v2/rerank", {"query": query, "documents": documents})["results"]
    assert [(result["index"], pytest.approx(result["relevance_score"])) for result in results] == expected
    answer = _posted(client, "/rerank", {"query": query, "texts": documents, "raw_scores": True})
    assert [result["score"] for result in answer] == pytest.approx([document.score for document in ranking])


def test_verification(client: TestClient) -> None:
    """Claim by claim, with the evidence by the passage's own id."""
    answer = _posted(client, "/verify", {"answer": _ANSWER, "passages": _PASSAGES, "question": "How tall is it?"})
    assert [claim["verdict"] for claim in answer["claims"]] == ["supported", "contradicted"]
    assert answer["claims"][1]["evidence"][0]["id"] == "tower"
    assert (answer["passed"], answer["model"], answer["text"]) == (False, "default", _ANSWER)


def test_answers_that_come_together_get_their_own_verdicts(client: TestClient) -> None:
    """As they do when they come alone."""
    years = range(1885, 1893)
    bodies = [{"answer": f"The tower was finished in {year}.", "passages": _PASSAGES} for year in years]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: _posted(client, "/verify", body), bodies))
    assert [answer["passed"] for answer in answers] == [year == 1889 for year in years]


def test_an_answer_counts_without_passages_as_well(client: TestClient) -> None:
    """It is taken apart in any case."""
    response = client.post("/verify", json={"answer": "It is so. " * 200_000, "passages": []})
    assert (response.status_code, "tokens are more than 500000" in response.text) == (413, True)


def test_classification(client: TestClient) -> None:
    """One label of several for each text, or all that fit."""
    texts = ["Where is my parcel?", "Your invoice is wrong."]
    body = {"texts": texts, "labels": ["delivery", "billing"]}
    answer = _posted(client, "/classify", body)
    assert [result["label"] for result in answer["results"]] == ["delivery", "billing"]
    assert sum(answer["results"][0]["scores"].values()) == pytest.approx(1)
    several = _posted(client, "/classify", body | {"multi_label": True})
    assert several["results"][0]["multi_label"] is True
    alone = _posted(client, "/classify", body | {"texts": texts[0]})
    assert alone["results"][0]["scores"] == pytest.approx(answer["results"][0]["scores"], abs=1e-4)


def test_a_text_counts_for_each_label_that_it_is_read_with() -> None:
    """An NLI model reads each text with each label, and a bi-encoder both once."""
    classifiers = {name: {"type": "zero-shot", "model": name} for name in ("secondpass-nli-minilm", _BI_ENCODER)}
    texts = [f"Where is parcel {number}, which I have waited for since Monday?" for number in range(20)]
    body = {"texts": texts, "labels": [f"label number {number}" for number in range(20)]}
    with TestClient(create_app(ServeSettings(classifiers=classifiers, max_tokens=1000))) as client:
        assert client.post("/classify", json=body | {"model": _BI_ENCODER}).status_code == 200
        refused = client.post("/classify", json=body | {"model": "secondpass-nli-minilm"})
        few = body | {"model": "secondpass-nli-minilm", "labels": ["parcel", "bill"], "texts": texts[:3]}
        assert client.post("/classify", json=few).status_code == 200
        several = [f"{word} about {{}}." for word in ("It is", "This is", "That is", "Somebody speaks")] * 10
        again = client.post("/classify", json=few | {"template": several})
    assert refused.status_code == again.status_code == 413
    assert "tokens are more than 1000" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"labels": ["a"]}, "1 of at least 2 labels"),
        ({"labels": ["a", "a"]}, "the label 'a' occurs twice"),
        ({}, "there are no labels"),
        ({"labels": ["a", "b"], "template": "no place"}, "a template needs {} where the label stands"),
    ],
)
def test_labels_that_can_not_be_used(client: TestClient, body: dict[str, Any], said: str) -> None:
    """The library's own words come back."""
    response = client.post("/classify", json={"texts": ["x"]} | body)
    assert response.status_code == 422
    assert said in response.json()["error"]["message"]


def test_the_examples_of_the_description_work(client: TestClient) -> None:
    """Each request is described with one, and it is answered."""
    described = client.get("/openapi.json").json()
    n_examples = 0
    for path, methods in described["paths"].items():
        schema = methods.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        found = schema.get("schema", {})
        for reference in found.get("oneOf", [found]):
            name = reference.get("$ref", "").rpartition("/")[2]
            for example in described["components"]["schemas"].get(name, {}).get("examples", []):
                _posted(client, path, example)
                n_examples += 1
    assert n_examples == 11


def test_schemathesis_finds_no_fault(client: TestClient) -> None:
    """Requests made from the description get no 500, and what it promises: status, type and shape of the answer."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", client.app)
    promised = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]
    statuses: dict[str, set[int]] = {}
    for found in schema.get_all_operations():
        operation = found.ok()

        @hypothesis.settings(max_examples=6, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
        @hypothesis.given(case=operation.as_strategy())
        def conforms(case: Any) -> None:
            response = case.call()
            statuses.setdefault(case.operation.label, set()).add(response.status_code)
            case.validate_response(response, checks=promised)

        conforms()
    assert len(statuses) == 12
    assert all(200 in seen for seen in statuses.values())
