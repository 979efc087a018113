"""What all queries of one reranker share when they ask a language model."""

from collections import OrderedDict
from threading import Lock

from secondpass.errors import ConfigError, MissingExtraError
from secondpass.forking import reset_after_fork
from secondpass.llm.budget import Budget
from secondpass.llm.client import OpenAICompletion
from secondpass.llm.types import Answer, Completion, CompletionError, Prompt
from secondpass.network import OutOfTimeError, Retries, Slots, Stop, StoppedError, within

__all__ = ["Asker"]


class Asker:
    """What all queries of a reranker share: the function that asks, its limits, and the answers kept."""

    def __init__(
        self,
        completion: OpenAICompletion | Completion,
        *,
        budget: Budget,
        timeout_s: float,
        total_timeout_s: float,
        max_retries: int,
        backoff_s: float,
        concurrency: int,
        cache_size: int,
        on_error: str,
    ) -> None:
        self.completion, self.budget, self.on_error = completion, budget, on_error
        self.timeout_s, self.total_timeout_s = timeout_s, total_timeout_s
        self.retries, self.concurrency, self.slots = Retries(max_retries, backoff_s), concurrency, Slots(concurrency)
        self._cache_size, self._cache, self._lock = cache_size, OrderedDict[Prompt, Answer](), Lock()
        reset_after_fork(self, Asker._renew_lock)

    def _renew_lock(self) -> None:
        self._lock = Lock()

    def cached(self, prompt: Prompt) -> Answer | None:
        """Return a kept answer."""
        with self._lock:
            if prompt in self._cache:
                self._cache.move_to_end(prompt)
            return self._cache.get(prompt)

    def keep(self, prompt: Prompt, answer: Answer) -> None:
        """Keep an answer; the one not asked for the longest goes when there are too many."""
        with self._lock:
            if self._cache_size:
                self._cache[prompt] = answer
                while len(self._cache) > self._cache_size:
                    self._cache.popitem(last=False)

    def call(self, prompt: Prompt, timeout_s: float, stop: Stop) -> Answer:
        """Ask once, and wrap whatever the function raises.

        Raises:
            CompletionError: it failed, did not end in time, or returned something else than an answer.
            ConfigError: the key can't be sent.
            StoppedError: the stop was or became set.
        """
        completion = self.completion
        if isinstance(completion, OpenAICompletion):
            return completion.ask(prompt, timeout_s, stop)
        try:
            answer = within(timeout_s, lambda: completion(prompt, timeout_s), stop=stop)
        except (CompletionError, ConfigError, MissingExtraError, StoppedError):
            raise
        except OutOfTimeError:
            message = f"the completion function took longer than {timeout_s:.3g} s: raise timeout_s"
            raise CompletionError(message, retryable=True) from None
        except (TimeoutError, ConnectionError) as exc:
            raise CompletionError(f"{type(exc).__name__}: {exc}", retryable=True) from exc
        except Exception as exc:  # the function is the user's, or another library's
            raise CompletionError(f"the completion function failed: {type(exc).__name__}: {exc}") from exc
        if isinstance(answer, str):
            return Answer(answer)
        if not isinstance(answer, Answer):
            raise CompletionError(f"the completion function returned a {type(answer).__name__}, not an Answer or a str")
        return answer
