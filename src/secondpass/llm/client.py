"""Asks a server with an OpenAI-compatible API, through the ``openai`` client. Nothing else here imports it."""

import json
import time
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from secondpass.errors import MissingExtraError
from secondpass.llm.openai_response import read_answer
from secondpass.llm.types import Answer, CompletionError, Prompt
from secondpass.secret import Secret, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import openai

__all__ = ["OpenAICompletion"]

_RETRYABLE = {408, 409, 425, 429}
_MAX_BYTES = 8 * 2**20  # no answer is that long, but a broken or hostile server's may be
_TOP_LOGPROBS = 20  # as many as OpenAI's API gives


class OpenAICompletion:
    """One chat completion for each `Prompt`, without retries: whoever calls decides about these.

    Args:
        model: the model's name at the server.
        base_url: the server, up to ``/v1``; OpenAI (or ``OPENAI_BASE_URL``) for None.
        api_key: the key; a server with a ``base_url`` may need none.
        temperature: None leaves it to the server, as models that take none need it.
        seed: likewise.
        structured: send the JSON schema of the answer, for servers that can force a model to keep it.
        extra_body: further members of each call's body, over those that are set here.

    Raises:
        MissingExtraError: the ``openai`` package isn't installed.
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
        extra_body: "Mapping[str, Any] | None" = None,
    ) -> None:
        try:
            import openai  # that it's missing should be known now, not at the first query
        except ImportError as exc:
            raise MissingExtraError.of("openai", "LLMReranker") from exc
        self.model, self.base_url, self.api_key = model, base_url, api_key
        self.temperature, self.seed, self.structured = temperature, seed, structured
        self.extra_body = dict(extra_body or {})
        self._client: openai.OpenAI | None = None
        self._lock = Lock()

    def __call__(self, prompt: Prompt, timeout_s: float) -> Answer:
        """Ask once.

        Raises:
            CompletionError: it failed; whether trying again may help stands in the error.
            ConfigError: the key can't be sent.
        """
        deadline = time.monotonic() + timeout_s
        create = self._opened().chat.completions.with_streaming_response.create
        try:
            # The body is read here, and not by the client, whose time-out starts anew with each byte.
            with create(**self._arguments(prompt), timeout=timeout_s) as response:
                body = _read(response.iter_bytes(), deadline)
        except CompletionError:
            raise
        except Exception as exc:  # while a body is read, the HTTP library's own errors come through
            said = f"{exc} {exc.__cause__}"
            # A traceback shows the causes too, which must not repeat the key either.
            raise self._failure(exc, timeout_s) from (exc if self.api_key.hidden_in(said) == said else None)
        return read_answer(body)

    def _failure(self, exc: Exception, timeout_s: float) -> CompletionError:
        import openai

        if isinstance(exc, openai.APITimeoutError):
            return CompletionError(f"no answer within {timeout_s:.3g} s", retryable=True)
        if isinstance(exc, openai.APIStatusError):
            return _of_status(exc, self.api_key.hidden_in(str(exc.message)))
        if isinstance(exc, openai.APIConnectionError):
            reason = self.api_key.hidden_in(str(exc.__cause__ or exc))
            return CompletionError(f"no connection to {self._where()}: {reason}", retryable=True)
        reason = self.api_key.hidden_in(f"{type(exc).__name__}: {exc}")
        return CompletionError(f"the connection to {self._where()} broke: {reason}", retryable=True)

    def _arguments(self, prompt: Prompt) -> dict[str, Any]:
        messages = [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
        # OpenAI's newer models refuse the old name, other servers may not know the new one.
        limit = "max_completion_tokens" if self.base_url is None else "max_tokens"
        arguments: dict[str, Any] = {"model": self.model, "messages": messages, limit: prompt.max_tokens}
        if self.temperature is not None:
            arguments["temperature"] = self.temperature
        if self.seed is not None:
            arguments["seed"] = self.seed
        if prompt.logprobs:
            arguments |= {"logprobs": True, "top_logprobs": _TOP_LOGPROBS}
        if prompt.schema and self.structured:
            schema = {"name": "answer", "strict": True, "schema": json.loads(prompt.schema)}
            arguments["response_format"] = {"type": "json_schema", "json_schema": schema}
        if self.extra_body:
            arguments["extra_body"] = self.extra_body
        return arguments

    def _opened(self) -> "openai.OpenAI":
        import openai

        with self._lock:
            if self._client is None:
                key = self.api_key.for_header(self._where())
                if not key and self.base_url is None:
                    raise CompletionError(
                        f"no API key: set the environment variable {self.api_key.variable}, or pass api_key"
                    )
                # A server of one's own often takes none, but the client insists.
                self._client = openai.OpenAI(api_key=key or "none", base_url=self.base_url, max_retries=0)
            return self._client

    def _where(self) -> str:
        return shown(self.base_url) if self.base_url else "OpenAI"

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key not in ("_client", "_lock")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._client, self._lock = None, Lock()


def _read(chunks: "Iterable[bytes]", deadline: float) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if time.monotonic() > deadline:
            raise CompletionError("the answer was still coming in when its time was over", retryable=True)
        if len(body) > _MAX_BYTES:
            raise CompletionError(f"the answer is larger than {_MAX_BYTES} bytes")
    return bytes(body)


def _of_status(exc: "openai.APIStatusError", said: str) -> CompletionError:
    status, headers = exc.status_code, exc.response.headers
    # An empty purse is a 429 as well, and waiting doesn't fill it.
    retryable = (status in _RETRYABLE or status >= 500) and exc.code != "insufficient_quota"
    message = f"the server answered {status}: {said[:300]}"
    return CompletionError(message, retryable=retryable, retry_after_s=_retry_after_s(headers))


def _retry_after_s(headers: "Mapping[str, str]") -> float | None:
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            return max(0.0, float(value) / unit)
        except ValueError:
            pass
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
        except (ValueError, OverflowError):
            continue
    return None
