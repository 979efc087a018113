"""RemoteReranker's keys and settings."""

import json
import logging
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import secondpass as sp
from secondpass.errors import ConfigError, ScoringError
from secondpass.loading import from_config, load
from secondpass.rerankers.remote import RemoteReranker
from secondpass.secret import Secret
from tests.remote.server import KEY, Server, remote


class TestKeys:
    def test_the_key_is_shown_nowhere(self, serve: Callable[[str], Server], caplog: pytest.LogCaptureFixture) -> None:
        """Not in repr, configuration, pickle, log, or an error, even when the server repeats it."""
        server = serve("tei")
        reranker = remote(server, api_key="wrong-secret-1")
        with caplog.at_level(logging.DEBUG), pytest.raises(ScoringError) as error:
            reranker.score("q", ["a"])
        assert "rejects the one that it got: set REMOTE_TEST_KEY or pass api_key" in str(error.value)
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
            with pytest.raises(ConfigError, match="has characters that an HTTP header can't hold") as error:
                RemoteReranker("http://127.0.0.1:9", shape="tei", api_key=key).score("q", ["a"])
            assert key not in str(error.value)

    def test_white_space_around_a_key_is_dropped(self, serve: Callable[[str], Server]) -> None:
        """A key that was read from a file ends in a line break."""
        assert remote(serve("tei"), api_key=f"{KEY}\n").score("q", ["a"]).shape == (1,)
        assert remote(serve("tei"), api_key=Secret(KEY)).score("q", ["a"]).shape == (1,)

    def test_a_providers_key_goes_to_the_provider_only(
        self, serve: Callable[[str], Server], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """CO_API_KEY belongs to cohere.com: another server of that shape does not get it unless told so."""
        monkeypatch.setenv("CO_API_KEY", "of-cohere")
        server = serve("cohere")
        with pytest.raises(ScoringError, match=r"HTTP 401: .*set api_key_variable or pass api_key"):
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
            ({"url": "api.cohere.com"}, "url must be the URL of an endpoint"),
            ({"url": "ftp://host/x"}, "url must be the URL of an endpoint"),
            ({"url": "http://"}, "url must be the URL of an endpoint"),
            ({"url": "http://h:99999"}, "url must be the URL of an endpoint"),
            ({"url": "http://ho st/"}, "url must be the URL of an endpoint"),
            ({"url": None}, "url must be a str, not NoneType"),
            ({"url": "http://user:password@host"}, "url must not contain a user or a password.*pass api_key"),
            ({"shape": "openai"}, "shape must be 'cohere', 'jina', 'vllm', 'infinity', 'tei' or 'voyage'"),
            ({"shape": []}, "shape must be 'cohere'"),
            ({"model": 5}, "model must be a str that is not empty, or None, not 5"),
            ({"shape": "voyage"}, "shape='voyage' needs the name of a model"),
            ({"timeout_s": 0}, "timeout_s must be a number of seconds above 0"),
            ({"timeout_s": float("inf")}, "timeout_s must be a number of seconds"),
            ({"backoff_s": -1}, "backoff_s must be a number of seconds"),
            ({"max_wait_s": "1"}, "max_wait_s must be a number of seconds"),
            ({"max_retries": -1}, "max_retries must be a whole number of at least 0"),
            ({"max_retries": 1.5}, "max_retries must be a whole number"),
            ({"batch_size": 0}, "batch_size must be a whole number of at least 1"),
            ({"concurrency": True}, "concurrency must be a whole number"),
            ({"scale": "percent"}, "scale must be 'logit', 'probability' or 'ordinal'"),
            ({"extra_body": {"texts": []}}, "extra_body can't contain texts"),
            ({"extra_body": {"top_n": 3}}, "extra_body can't contain top_n"),
            ({"extra_body": {"f": print}}, "extra_body must be plain JSON data"),
            ({"extra_body": [1]}, "extra_body must be a mapping, or None"),
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
        """By name and by configuration it is the same reranker; how it is called does not change what it says.

        What goes to the server is no reranker's configuration, even where it has a ``type``.
        """
        reranker = load("remote:http://h", shape="tei", scale="logit", extra_body={"type": "x"}, timeout_s=5)
        config = reranker.to_config()
        assert config["type"] == "remote" and "api_key" not in config and config["scale"] == "logit"
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
        monkeypatch.delitem(sys.modules, "secondpass.network.endpoint", raising=False)
        monkeypatch.setitem(sys.modules, "httpx", None)
        with pytest.raises(sp.MissingExtraError, match=r'pip install "secondpass\[remote\]"'):
            RemoteReranker("http://h", shape="tei")
