"""Asks a server with an OpenAI-compatible API (``/chat/completions``) over HTTP."""

import json
import os
from collections.abc import Mapping
from typing import Any

from secondpass.errors import MissingExtraError
from secondpass.llm.openai_response import read_answer
from secondpass.llm.types import Answer, CompletionError, Prompt
from secondpass.network import Stop
from secondpass.secret import Secret

__all__ = ["OpenAICompletion"]

_OPENAI = "https://api.openai.com/v1"
_MAX_BYTES = 8 * 2**20  # no answer is that long, but a broken or hostile server's may be
_TOP_LOGPROBS = 20  # as many as OpenAI's API gives
_HINTS = {413: "the request is too large: lower max_document_chars, or window"}


class OpenAICompletion:
    """One chat completion for each `Prompt`, without retries: whoever calls decides about these.

    Args:
        model: the model's name at the server.
        base_url: the server, up to ``/v1``; ``OPENAI_BASE_URL``, or OpenAI, for None.
        api_key: the key; a server with a ``base_url`` may need none.
        temperature: None leaves it to the server, as models that take none need it.
        seed: likewise.
        structured: send the JSON schema of the answer, for servers that can force a model to keep it.
        extra_body: further members of each call's body, over those that are set here.

    Raises:
        MissingExtraError: httpx isn't installed.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: Secret,
        temperature: float | None = 0.0,
        seed: int | None = 0,
        structured: bool = True,
        extra_body: Mapping[str, Any] | None = None,
    ) -> None:
        self.model, self.base_url, self.api_key = model, base_url, api_key
        self.temperature, self.seed, self.structured = temperature, seed, structured
        self.extra_body = dict(extra_body or {})
        self._open()

    def _open(self) -> None:
        try:
            from secondpass.network.endpoint import Endpoint  # that httpx is missing should be known now
        except ImportError as exc:
            raise MissingExtraError.of("openai", "LLMReranker") from exc
        base = self.base_url or os.environ.get("OPENAI_BASE_URL") or _OPENAI
        path, mark, query = base.partition("?")
        url = f"{path.rstrip('/')}/chat/completions{mark}{query}"
        names = {"OPENAI_ORG_ID": "OpenAI-Organization", "OPENAI_PROJECT_ID": "OpenAI-Project"}
        own = {} if self.base_url else {header: os.environ.get(name, "") for name, header in names.items()}
        headers = {header: value for header, value in own.items() if value}
        self._endpoint = Endpoint(url, self.api_key, headers=headers, hints=_HINTS, error=CompletionError)

    def ask(self, prompt: Prompt, timeout_s: float, stop: Stop) -> Answer:
        """Ask once.

        Raises:
            CompletionError: the call failed; whether another attempt may help stands in the error.
            ConfigError: the key can't be sent.
            StoppedError: the stop was or became set.
        """
        if self.base_url is None and not self.api_key.reveal():
            raise CompletionError(
                f"there is no API key: set the environment variable {self.api_key.variable}, or pass api_key"
            )
        return read_answer(
            self._endpoint.post(self._body(prompt), timeout_s=timeout_s, stop=stop, max_bytes=_MAX_BYTES)
        )

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        messages = [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
        # OpenAI's newer models refuse the old name, other servers may not know the new one.
        limit = "max_completion_tokens" if self.base_url is None else "max_tokens"
        body: dict[str, Any] = {"model": self.model, "messages": messages, limit: prompt.max_tokens}
        if self.temperature is not None:
            body["temperature"] = self.temperature
        if self.seed is not None:
            body["seed"] = self.seed
        if prompt.logprobs:
            body |= {"logprobs": True, "top_logprobs": _TOP_LOGPROBS}
        if prompt.schema and self.structured:
            schema = {"name": "answer", "strict": True, "schema": json.loads(prompt.schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body | self.extra_body

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_endpoint"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()
