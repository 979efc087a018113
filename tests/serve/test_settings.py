"""What is served and how: settings, models that can't be loaded, and other settings without losing a request."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from secondpass.errors import ConfigError, RegistryError
from secondpass.monitor import read_events
from secondpass.serve import ServeSettings, create_app
from tests.serve.conftest import FAKES, PATIENCE_S, listening
from tests.serve.waiting import WaitingReranker

_BODY = {"query": "copy a file", "documents": ["delete a file", "copy a file"]}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"rerankers": {}}, "nothing is served: name a model under rerankers, verifiers, classifiers"),
        ({"rerankers": ["fake"]}, "rerankers must be a mapping from names, not"),
        ({"rerankers": {"a": 3}}, "rerankers['a'] must be a name or a configuration, not 3"),
        ({"rerankers": {"a": "fake"}, "aliases": {"b": "c"}}, "'b' stands for 'c', which is none of a"),
        ({"rerankers": {"a": "fake"}, "aliases": {"a": "a"}}, "'a' is the name of a model already"),
        (FAKES | {"max_documents": 0}, "max_documents must be a whole number of at least 1, not 0"),
        (FAKES | {"timeout_s": 0}, "timeout_s must be a number of seconds above 0"),
        (FAKES | {"experiment_unit_header": "X: Y"}, "experiment_unit_header must be the name of a header, such as"),
        (FAKES | {"sinks": "logging"}, "sinks must be a list of sinks, such as [\"logging\"], not 'logging'"),
        (FAKES | {"sinks": None}, "sinks must be a list of sinks"),
        (FAKES | {"api_keys": ["sesame"]}, "a key or a password must be a str, not of the type list"),
        (FAKES | {"api_keys": " , "}, "there is no key in api_keys"),
        (FAKES | {"api_keys": ""}, "there is no key in api_keys"),
        (FAKES | {"max_document": 1}, "has no setting 'max_document' (did you mean 'max_documents'?)"),
    ],
)
def test_settings_that_can_not_be_used(settings: dict[str, Any], said: str) -> None:
    """Each is named, with what it may be."""
    with pytest.raises(ConfigError) as caught:
        create_app(settings)
    assert said in str(caught.value)


def test_events_go_where_the_settings_say(tmp_path: Path) -> None:
    """All models share one file; no text is in it."""
    events = tmp_path / "events.jsonl"
    with TestClient(create_app(FAKES | {"sinks": [{"type": "jsonl", "path": str(events)}]})) as client:
        for model in ("default", "logits"):
            client.post("/v2/rerank", json=_BODY | {"model": model})
    warm_up, *read = [event.name for event in read_events(events)][1:]
    assert (warm_up, read) == ("logits", ["default", "logits"])
    assert "copy" not in events.read_text(encoding="utf-8")


def test_keys_are_in_no_configuration() -> None:
    """Neither written nor shown."""
    settings = ServeSettings(rerankers={"a": "fake"}, api_keys="sesame-42")
    assert settings.keys() == ("sesame-42",)
    assert "sesame" not in str(settings.to_config()) + repr(vars(settings))
    assert ServeSettings.from_config(settings.to_config()).rerankers == {"a": "fake"}


def test_a_model_that_can_not_be_loaded_is_named() -> None:
    """Before anything is served."""
    with pytest.raises(RegistryError, match="no 'nowhere'") as caught:
        create_app({"rerankers": {"good": "fake", "bad": {"type": "nowhere"}}})
    assert caught.value.__notes__ == ["while loading rerankers['bad']"]
    with pytest.raises(ConfigError, match="with its kind under 'type'"):
        create_app({"verifiers": {"bad": {"model": "x"}}})


def test_a_kind_that_is_not_served() -> None:
    """Is a 404 that says so."""
    with TestClient(create_app(FAKES)) as client:
        response = client.post("/verify", json={"answer": "a", "passages": ["a"]})
        assert (response.status_code, response.json()["error"]["message"]) == (404, "no verifier is served here")


def test_ordinal_scores_become_places() -> None:
    """And there are no raw ones."""
    ordinal = {"type": "lost-in-the-middle", "wrapped": {"type": "fake"}}
    with TestClient(create_app({"rerankers": {"default": ordinal}})) as client:
        results = client.post("/v2/rerank", json=_BODY | {"top_n": 1}).json()["results"]
        assert results == [{"index": 1, "relevance_score": 1.0}]
        results = client.post("/v2/rerank", json=_BODY).json()["results"]
        assert [result["relevance_score"] for result in results] == [1.0, 0.5]
        response = client.post("/v1/rerank", json=_BODY | {"raw_scores": True})
        assert response.status_code == 422
        assert "has no raw scores: it only gives an order" in response.text


def test_uncalibrated_logits_go_through_the_logistic_function() -> None:
    """As in text-embeddings-inference, whatever their size."""
    with TestClient(create_app(FAKES)) as client:
        body = {"model": "logits"} | _BODY
        raw = client.post("/v1/rerank", json=body | {"use_activation": False}).json()["results"]
        ours = client.post("/v1/rerank", json=body).json()["results"]
        for logit, share in zip(raw, ours, strict=True):
            assert share["relevance_score"] == pytest.approx(1 / (1 + 2.718281828459045 ** -logit["relevance_score"]))


def test_a_document_that_would_be_cut_is_refused_if_that_is_asked_for() -> None:
    """In the dialects that can ask: text-embeddings-inference, by default, and Voyage."""
    long = "copy " * 2000
    with TestClient(
        create_app({"rerankers": {"default": {"type": "cross-encoder", "long_documents": "truncate"}}})
    ) as client:
        with pytest.warns(UserWarning, match="were cut to fit"):
            response = client.post("/rerank", json={"query": "a", "texts": [long]})
        assert response.status_code == 422
        assert response.json()["error"] == "1 of the documents are too long for default, and must not be truncated"
        body = {"query": "a", "documents": [long]}
        assert client.post("/rerank", json={"query": "a", "texts": [long], "truncate": True}).status_code == 200
        assert client.post("/v1/rerank", json=body | {"truncation": False}).status_code == 422
        assert client.post("/v1/rerank", json=body | {"truncation": True}).status_code == 200


def test_other_settings_hold_without_losing_a_request() -> None:
    """A request that has begun is answered by the model that it began with, and later ones by the new one."""
    WaitingReranker.reset()
    app = create_app({"rerankers": {"old": {"type": "waiting-test"}}})
    service = app.state.service
    before = service.generations.current
    with listening(app) as url, ThreadPoolExecutor(1) as pool:
        body = {"query": "wait", "documents": ["a"]}
        begun = pool.submit(httpx.post, f"{url}/v1/rerank", json=body, timeout=PATIENCE_S)
        assert WaitingReranker.entered.acquire(timeout=PATIENCE_S)
        assert asyncio.run(service.reload(lambda: ServeSettings(rerankers={"new": "fake"}, max_documents=1)))
        later = httpx.post(f"{url}/v1/rerank", json={"query": "a", "documents": ["a"]})
        assert (later.status_code, later.json()["model"]) == (200, "new")
        assert httpx.post(f"{url}/v1/rerank", json=_BODY).status_code == 413
        WaitingReranker.released.set()
        assert (begun.result().status_code, begun.result().json()["model"]) == (200, "old")
    assert service.generations.current is not before


def test_settings_that_can_not_be_used_change_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The log says why, and the old ones go on."""
    app = create_app(FAKES)
    with TestClient(app) as client:
        assert not asyncio.run(app.state.service.reload(lambda: ServeSettings(rerankers={"a": "nowhere"})))
        assert client.post("/v2/rerank", json=_BODY | {"model": "default"}).status_code == 200
    assert "the settings stay as they were: RegistryError: 'nowhere' is neither a reranker nor" in caplog.text
    assert "while loading rerankers['a']" in caplog.text


def test_a_model_that_does_not_answer_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that is about to stop is not either; in between, answers show that it is."""
    app = create_app(FAKES)
    load, reranker = app.state.service.load, app.state.service.generations.current.rerankers["default"]
    with TestClient(app) as client:
        assert (client.get("/ready").status_code, client.get("/ready").json()) == (200, {"status": "ready"})
        load.answered_s = -PATIENCE_S
        monkeypatch.setattr(reranker.wrapped.wrapped, "pointwise", False)
        reranker.close()  # as if its thread had died
        response = client.get("/ready")
        assert (response.status_code, response.json()) == (503, {"status": "failing"})
        load.draining = True
        response = client.get("/ready")
        assert (response.status_code, response.json()) == (503, {"status": "stopping"})
        assert client.post("/v2/rerank", json=_BODY).headers["connection"] == "close"


def test_a_file_is_read(tmp_path: Path) -> None:
    """YAML, with compositions under names."""
    from secondpass.cli.reading import read_settings

    path = tmp_path / "serve.yaml"
    path.write_text(
        "rerankers:\n  small: {type: fake}\n  both:\n    type: ensemble\n    members: [{type: fake}, {type: fake}]\n"
        "aliases: {rerank-v3.5: both}\nmax_documents: 5\n",
        encoding="utf-8",
    )
    settings = ServeSettings.from_config(read_settings(path, ServeSettings))
    with TestClient(create_app(settings)) as client:
        assert client.post("/v2/rerank", json=_BODY | {"model": "rerank-v3.5"}).status_code == 200
