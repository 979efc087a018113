"""What is asked of an OpenAI-compatible server, and where."""

import json
from typing import Any

import pytest

from secondpass.errors import ConfigError
from secondpass.llm.client import OpenAICompletion
from secondpass.llm.settings import completed
from secondpass.llm.types import CompletionError, Prompt
from secondpass.network import Stop
from secondpass.network.endpoint import Endpoint

_PROMPT = Prompt("system", "user", 8)
_OPENAI = "https://api.openai.com/v1"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return what is posted, in place of posting it."""
    posted: list[dict[str, Any]] = []

    def post(endpoint: Endpoint, body: dict[str, Any], **limits: Any) -> dict[str, Any]:
        posted.append({"url": endpoint.url, **limits, **body})
        return {"choices": [{"message": {"content": "yes"}}]}

    monkeypatch.setattr(Endpoint, "post", post)
    return posted


def _ask(prompt: Prompt = _PROMPT, **settings: Any) -> str:
    return OpenAICompletion("m", completed(settings, "test")).ask(prompt, 5.0, Stop()).text  # type: ignore[arg-type]


def test_a_question_has_two_messages_and_a_limit(sent: list[dict[str, Any]]) -> None:
    """The role and the question; nothing of log-probabilities or schemas, as none are asked for."""
    assert _ask(base_url="http://host/v1", api_key="k") == "yes"
    (body,) = sent
    assert body.pop("stop").__class__ is Stop
    assert body == {
        "url": "http://host/v1/chat/completions",
        "timeout_s": 5.0,
        "max_bytes": 8 * 2**20,
        "model": "m",
        "messages": [{"role": "system", "content": "system"}, {"role": "user", "content": "user"}],
        "max_tokens": 8,
        "temperature": 0.0,
        "seed": 0,
    }


def test_log_probabilities_and_a_schema_are_asked_for(sent: list[dict[str, Any]]) -> None:
    """Twenty candidates for each token; a schema that the answer must keep, unless the server has none."""
    prompt = Prompt("system", "user", 8, schema=json.dumps({"type": "object"}), logprobs=True)
    _ask(prompt, base_url="http://host/v1")
    _ask(prompt, base_url="http://host/v1", structured=False)
    structured, free = sent
    assert (structured["logprobs"], structured["top_logprobs"]) == (True, 20)
    assert structured["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": {"type": "object"}},
    }
    assert "response_format" not in free


@pytest.mark.parametrize("settings", [{}, {"base_url": _OPENAI}])
def test_openai_is_asked_by_the_new_name_and_with_a_key(
    settings: dict[str, Any], sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its newer models refuse the old name of the limit; without a key there is no call."""
    for variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(CompletionError, match="there is no API key: set the environment variable OPENAI_API_KEY"):
        _ask(**settings)
    assert sent == []
    _ask(**settings, api_key="k")
    assert (sent[0]["url"], sent[0]["max_completion_tokens"]) == (f"{_OPENAI}/chat/completions", 8)
    assert "max_tokens" not in sent[0]


def test_other_servers_need_no_key(sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor do they know the new name of the limit."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert _ask(base_url="http://host/v1/?version=2") == "yes"
    assert (sent[0]["url"], sent[0]["max_tokens"]) == ("http://host/v1/chat/completions?version=2", 8)


def test_organization_and_project_are_for_openai_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are read from the environment as its own client does, where they are set."""
    headers = []

    def endpoint(url: str, *args: Any, **settings: Any) -> None:
        headers.append(settings["headers"])

    monkeypatch.setattr("secondpass.network.endpoint.Endpoint", endpoint)
    monkeypatch.setenv("OPENAI_ORG_ID", "org")
    monkeypatch.delenv("OPENAI_PROJECT_ID", raising=False)
    for settings in ({"base_url": _OPENAI}, {"base_url": "http://host/v1"}):
        OpenAICompletion("m", completed(settings, "test"))  # type: ignore[arg-type]
    monkeypatch.setenv("OPENAI_BASE_URL", "http://host/v1")
    OpenAICompletion("m", completed({}, "test"))
    assert headers == [{"OpenAI-Organization": "org"}, {}, {}]


def test_an_address_of_the_environment_is_that_of_another_server(
    sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It needs no key, and knows the old name of the limit; what is not an address is said, without a password."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://host/v1")
    assert _ask() == "yes"
    assert (sent[0]["url"], sent[0]["max_tokens"]) == ("http://host/v1/chat/completions", 8)
    for value in ("localhost:8000/v1", "http://me:hunter2@host/v1"):
        monkeypatch.setenv("OPENAI_BASE_URL", value)
        with pytest.raises(ConfigError, match="OPENAI_BASE_URL must ") as caught:
            _ask()
        assert "hunter2" not in str(caught.value)
