"""Settings of language models: a client of the openai package in place of an address and a key."""

import json
from typing import Any

import openai
import pytest

from secondpass.errors import ConfigError
from secondpass.llm import CompletionError
from secondpass.rerankers.llm import LLMReranker
from secondpass.verify.judge import LLMJudge

_URL = "http://127.0.0.1:1/v1"


@pytest.mark.parametrize("kind", [openai.OpenAI, openai.AsyncOpenAI])
def test_a_client_brings_its_address_and_key(kind: Any) -> None:
    """Both are read from it; it is not kept, and a configuration has the address without the key."""
    reranker = LLMReranker("m", client=kind(base_url=_URL, api_key="sk-hidden"), max_retries=0)
    assert (reranker.settings["base_url"], reranker.settings["api_key"].reveal()) == (_URL, "sk-hidden")
    assert reranker.to_config() == LLMReranker("m", base_url=_URL, max_retries=0).to_config()
    assert "hidden" not in json.dumps(reranker.to_config()) + repr(vars(reranker))
    with pytest.raises(CompletionError, match=r"127\.0\.0\.1:1/v1/chat/completions: no connection"):
        reranker.rerank("q", ["a", "b"])
    assert LLMJudge("m", client=kind(base_url=_URL, api_key="k")).settings["base_url"] == _URL


def test_a_client_of_openai_is_asked_as_openai_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key not at all, and at its own address, whatever the environment says."""
    monkeypatch.setenv("OPENAI_BASE_URL", _URL)
    client = openai.OpenAI(base_url="https://api.openai.com/v1", api_key="k")
    client.api_key = ""
    reranker = LLMReranker("m", client=client)
    assert reranker.settings["base_url"] == "https://api.openai.com/v1"
    with pytest.raises(CompletionError, match="there is no API key"):
        reranker.rerank("q", ["a", "b"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"client": "sk-hidden"}, "LLMReranker: client must be an openai.OpenAI or AsyncOpenAI, not str"),
        (
            {"client": openai.OpenAI(base_url=_URL, api_key="k"), "base_url": _URL},
            "client has its own base_url and api_key, so base_url can't be set as well",
        ),
        (
            {"client": openai.AzureOpenAI(azure_endpoint=_URL, api_version="1", api_key="k")},
            "client can't be an AzureOpenAI: pass an OpenAI with base_url='https://RESOURCE",
        ),
    ],
)
def test_what_cannot_be_a_client_is_refused(settings: dict[str, Any], message: str) -> None:
    """Another object, a second address, and Azure's client, which puts addresses and keys in other places."""
    with pytest.raises(ConfigError, match=message) as caught:
        LLMReranker("m", **settings)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"base_url": "ftp://host"}, "LLMReranker: base_url"),
        ({"extra_body": [1]}, "LLMReranker: extra_body must be a mapping, or None"),
        ({"timeout": 3}, "LLMReranker has no setting 'timeout'"),
        ({"structured": 1}, "LLMReranker: structured"),
        ({"concurrency": 0}, "LLMReranker: concurrency"),
        ({"max_retries": -1}, "LLMReranker: max_retries"),
        ({"timeout_s": 0}, "LLMReranker: timeout_s"),
        ({"temperature": -0.1}, "LLMReranker: temperature"),
    ],
)
def test_a_setting_out_of_range_is_named(settings: dict[str, Any], message: str) -> None:
    """With whose it is; when the reranker is built, not when it is asked."""
    with pytest.raises(ConfigError, match=message):
        LLMReranker("m", **settings)


@pytest.mark.parametrize("settings", [{"concurrency": 1}, {"max_retries": 0}, {"temperature": 0}, {"cache_size": 0}])
def test_a_setting_may_be_the_least_that_there_is(settings: dict[str, Any]) -> None:
    """One call at a time, no second attempt, no temperature and no answer that is kept are choices."""
    assert LLMReranker("m", base_url=_URL, **settings).settings.items() >= settings.items()
