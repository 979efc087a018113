"""Chat completions of servers with an OpenAI-compatible API."""

import json
import os
from collections.abc import Mapping
from typing import Any

from secondpass.errors import MissingExtraError
from secondpass.llm.openai_response import read_answer
from secondpass.llm.types import Answer, CompletionError, Prompt
from secondpass.network import Stop
from secondpass.secret import Secret, split_url

__all__ = ["OpenAICompletion"]

_OPENAI = "https://api.openai.com/v1"
_MAX_BYTES = 8 * 2**20  # only a broken or hostile server's answer is longer
_TOP_LOGPROBS = 20  # as many as OpenAI's API gives
_HINTS = {413: "the request is too large: lower max_document_chars, or window"}


class OpenAICompletion:
    """Asks a server for one chat completion at a time, without retries.

    Args:
        model: the model's name at the server.
        settings: all of `LLMSettings`, checked.

    Raises:
        ConfigError: ``OPENAI_BASE_URL`` is asked for the address and has none.
        MissingExtraError: httpx isn't installed.
    """

    def __init__(self, model: str, settings: Mapping[str, Any]) -> None:
        self.model, self._settings = model, settings
        self._key: Secret = settings["api_key"]
        try:
            from secondpass.network.endpoint import Endpoint  # that httpx is missing should be known now
        except ImportError as exc:
            raise MissingExtraError.of("openai", "LLMReranker") from exc
        asked = os.environ.get("OPENAI_BASE_URL", "").strip()
        if asked and not settings["base_url"]:
            split_url(asked, "OPENAI_BASE_URL")
        base = settings["base_url"] or asked or _OPENAI
        self._is_openai = base.rstrip("/") == _OPENAI
        path, mark, query = base.partition("?")
        url = f"{path.rstrip('/')}/chat/completions{mark}{query}"
        named = {"OPENAI_ORG_ID": "OpenAI-Organization", "OPENAI_PROJECT_ID": "OpenAI-Project"}
        own = {header: os.environ.get(variable, "") for variable, header in named.items() if self._is_openai}
        headers = {header: value for header, value in own.items() if value}
        self._endpoint = Endpoint(url, self._key, headers=headers, hints=_HINTS, error=CompletionError)

    def ask(self, prompt: Prompt, timeout_s: float, stop: Stop) -> Answer:
        """Ask once.

        Raises:
            CompletionError: the call failed; whether another attempt may help stands in the error.
            ConfigError: the key can't be sent.
            StoppedError: the stop was or became set.
        """
        if self._is_openai and not self._key.reveal():
            raise CompletionError(
                f"there is no API key: set the environment variable {self._key.variable}, or pass api_key"
            )
        return read_answer(
            self._endpoint.post(self._body(prompt), timeout_s=timeout_s, stop=stop, max_bytes=_MAX_BYTES)
        )

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        messages = [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
        # OpenAI's newer models refuse the old name, other servers may not know the new one.
        limit = "max_completion_tokens" if self._is_openai else "max_tokens"
        body: dict[str, Any] = {"model": self.model, "messages": messages, limit: prompt.max_tokens}
        body |= {name: self._settings[name] for name in ("temperature", "seed") if self._settings[name] is not None}
        if prompt.logprobs:
            body |= {"logprobs": True, "top_logprobs": _TOP_LOGPROBS}
        if prompt.schema and self._settings["structured"]:
            schema = {"name": "answer", "strict": True, "schema": json.loads(prompt.schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body | dict(self._settings["extra_body"] or {})
