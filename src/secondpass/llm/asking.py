"""What everything that asks a language model does with the settings that all of these have."""

from collections.abc import Mapping
from typing import Any

from secondpass.llm.asker import Asker
from secondpass.llm.budget import Budget
from secondpass.llm.client import OpenAICompletion
from secondpass.llm.types import Completion
from secondpass.secret import Secret

__all__ = ["Asking"]

_LIMITS = ("timeout_s", "total_timeout_s", "max_retries", "backoff_s", "concurrency", "cache_size", "on_error")


class Asking:
    """Keeps settings in attributes, and in ``_asker`` what is made of them, which is not pickled but made again.

    A subclass takes the settings in its constructor, by their names and with its own defaults, so that signatures
    and configurations show them, and then calls `_open`.
    """

    model: str
    base_url: str | None
    api_key: Secret
    completion: Completion | None
    temperature: float | None
    seed: int | None
    structured: bool
    extra_body: Mapping[str, Any] | None
    timeout_s: float
    total_timeout_s: float
    max_retries: int
    backoff_s: float
    concurrency: int
    budget: Budget
    cache_size: int
    on_error: str = "keep"
    _asker: Asker

    def _open(self) -> None:
        completion = self.completion or OpenAICompletion(
            self.model,
            base_url=self.base_url,
            api_key=self.api_key,
            temperature=self.temperature,
            seed=self.seed,
            structured=self.structured,
            extra_body=self.extra_body,
        )
        self._asker = Asker(completion, budget=self.budget, **{name: getattr(self, name) for name in _LIMITS})

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_asker"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()
