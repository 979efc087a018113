"""Asks on behalf of one query: retries, time-outs, budget, cache, and the counts that the trace shows."""

import logging
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

from secondpass.llm.asker import Asker
from secondpass.llm.budget import BudgetError, Ledger
from secondpass.llm.types import Answer, CompletionError, Prompt

__all__ = ["Session"]

T = TypeVar("T")
_log = logging.getLogger(__name__)
_MAX_BACKOFF_S = 20.0


@dataclass
class Session:
    """One query's questions.

    Attributes:
        counts: what happened, for the trace.
        failures: the messages of calls that failed for good, in order.
    """

    asker: Asker
    counts: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._deadline = time.monotonic() + self.asker.total_timeout_s
        self._ledger: Ledger = self.asker.budget.ledger()
        self._error: Exception | None = None

    def count(self, name: str, times: int = 1) -> None:
        """Add to a count."""
        with self._lock:
            self.counts[name] = self.counts.get(name, 0) + times

    def ask(self, prompt: Prompt, parse: Callable[[Answer], T | None]) -> T | None:
        """Ask, and return what ``parse`` makes of the answer.

        Returns:
            None if the answer can't be used, or, where errors are not to be raised, if there is none.

        Raises:
            CompletionError: the call failed for good.
            BudgetError: there is no money for it.
        """
        try:
            answer = self._answer(prompt)
        except (CompletionError, BudgetError) as exc:
            if self.asker.on_error == "raise":
                with self._lock:
                    first = self._error = self._error or exc
                if first is exc:
                    raise
                raise first from first.__cause__  # calls that were waiting stop for the reason of the first
            self._failed(exc)
            return None
        for name, happened in (("refusals", answer.refused), ("cut_answers", answer.cut)):
            if happened:
                self.count(name)
        try:
            parsed = None if answer.refused else parse(answer)
        except CompletionError as exc:
            self._error = self._error or exc  # the server can't do what is needed, so no more calls are made
            raise
        if parsed is None:
            self.count("unusable_answers")
        else:
            self.asker.keep(prompt, answer)  # what can't be used may come out otherwise the next time
        return parsed

    def ask_all(self, prompts: Sequence[Prompt], parse: Callable[[Answer], T | None]) -> list[T | None]:
        """Do as `ask` for several prompts side by side; equal ones are asked once."""
        distinct = list(dict.fromkeys(prompts))
        if len(distinct) == 1:
            answers = [self.ask(distinct[0], parse)]
        else:
            workers = min(self.asker.concurrency, len(distinct))
            with ThreadPoolExecutor(workers, thread_name_prefix="secondpass-llm") as pool:
                answers = list(pool.map(lambda prompt: self.ask(prompt, parse), distinct))
        by_prompt = dict(zip(distinct, answers, strict=True))
        return [by_prompt[prompt] for prompt in prompts]

    def _failed(self, exc: Exception) -> None:
        self.count("failed_calls")
        with self._lock:
            self.failures.append(str(exc))
            first = len(self.failures) == 1
        # One line for a query: a server that is down fails every call.
        _log.log(logging.WARNING if first else logging.DEBUG, "a call to the language model failed: %s", exc)

    def _answer(self, prompt: Prompt) -> Answer:
        kept = self.asker.cached(prompt)
        if kept is not None:
            self.count("cache_hits")
            return kept
        for attempt in range(self.asker.max_retries + 1):
            try:
                answer = self._one_call(prompt)
            except CompletionError as exc:
                if not exc.retryable or attempt == self.asker.max_retries:
                    raise
                self._wait(attempt, exc)
                self.count("retries")
            else:
                return answer
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _wait(self, attempt: int, exc: CompletionError) -> None:
        longest = min(_MAX_BACKOFF_S, self.asker.backoff_s * 2**attempt)
        # Jitter on top of what the server asks for, so that those who wait don't all come back at once.
        wait_s = (exc.retry_after_s or 0.0) + random.uniform(0, longest)  # noqa: S311  # nothing secret
        if wait_s >= self._left_s():
            raise CompletionError(
                f"{exc}; trying again would exceed total_timeout_s={self.asker.total_timeout_s:g}"
            ) from exc
        _log.debug("trying again in %.2f s: %s", wait_s, exc)
        time.sleep(wait_s)

    def _left_s(self) -> float:
        return self._deadline - time.monotonic()

    def _one_call(self, prompt: Prompt) -> Answer:
        late = CompletionError(f"total_timeout_s={self.asker.total_timeout_s:g} is over")
        if not self.asker.slots.acquire(timeout=max(0.0, self._left_s())):
            raise late
        try:
            if self._error is not None:
                raise CompletionError("another call of the same query failed")
            left_s = self._left_s()
            if left_s <= 0:
                raise late
            # At 3 bytes a token the estimate is rather too high for most languages, with room for the template.
            estimate = 16 + len((prompt.system + prompt.user).encode()) // 3, prompt.max_tokens
            reserved = self._ledger.reserve(*estimate)
            used = 0, 0
            try:
                answer = self.asker.call(prompt, min(self.asker.timeout_s, left_s))
                used = (
                    estimate[0] if answer.prompt_tokens is None else answer.prompt_tokens,
                    estimate[1] if answer.completion_tokens is None else answer.completion_tokens,
                )
            finally:
                self._ledger.settle(reserved, *used)
        finally:
            self.asker.slots.release()
        self._count_usage(answer, used)
        return answer

    def _count_usage(self, answer: Answer, used: tuple[int, int]) -> None:
        self.count("calls")
        if answer.prompt_tokens is not None:
            self.count("prompt_tokens", answer.prompt_tokens)
            self.count("completion_tokens", answer.completion_tokens or 0)
            self.count("tokens", answer.prompt_tokens + (answer.completion_tokens or 0))
        if self.asker.budget.priced:
            self.count("cost_micros", round(1e6 * self.asker.budget.cost(*used)))
