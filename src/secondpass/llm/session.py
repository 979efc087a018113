"""Asks on behalf of one query: retries, time-outs, budget, cache, and the counts that the trace shows."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

from secondpass.llm.asker import Asker
from secondpass.llm.budget import BudgetError, Ledger
from secondpass.llm.types import Answer, CompletionError, Prompt
from secondpass.network import CallError, Stop, side_by_side

__all__ = ["Session"]

T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass
class Session:
    """One query's questions.

    Attributes:
        stop: what ends all calls and waits, also those of other queries that were asked together with this one.
        counts: what happened, for the trace.
        failures: the messages of calls that failed for good, in order.
    """

    asker: Asker
    stop: Stop = field(default_factory=Stop)
    counts: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._deadline = time.monotonic() + self.asker.total_timeout_s
        self._ledger: Ledger = self.asker.budget.ledger()

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
                self.stop.set(exc)
                raise
            self._failed(exc)
            return None
        for name, happened in (("refusals", answer.refused), ("cut_answers", answer.cut)):
            if happened:
                self.count(name)
        try:
            parsed = None if answer.refused else parse(answer)
        except CompletionError as exc:
            self.stop.set(exc)  # the server can't do what is needed, so no more calls are made
            raise
        if parsed is None:
            self.count("unusable_answers")
        else:
            self.asker.keep(prompt, answer)  # what can't be used may come out otherwise the next time
        return parsed

    def ask_all(self, prompts: Sequence[Prompt], parse: Callable[[Answer], T | None]) -> list[T | None]:
        """Ask several prompts side by side, as `ask` does; equal ones are asked once."""
        distinct = list(dict.fromkeys(prompts))
        workers = self.asker.concurrency
        answers = side_by_side(lambda prompt: self.ask(prompt, parse), distinct, workers=workers, stop=self.stop)
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
        return self.asker.retries.call(
            lambda: self._one_call(prompt), stop=self.stop, on_retry=self._on_retry, left_s=self._left_s
        )

    def _on_retry(self, exc: CallError, wait_s: float) -> None:
        self.count("retries")
        _log.debug("trying again in %.2f s: %s", wait_s, exc)

    def _left_s(self) -> float:
        return self._deadline - time.monotonic()

    def _one_call(self, prompt: Prompt) -> Answer:
        try:
            with self.asker.slots.taken(self.stop, self._left_s()):
                answer, used = self._paid_call(prompt)
        except TimeoutError:
            answer, used = None, (0, 0)
        if answer is None:
            total = f"total_timeout_s={self.asker.total_timeout_s:g}"
            raise CompletionError(f"{total} was over before the call began: raise it, or concurrency")
        self._count_usage(answer, used)
        return answer

    def _paid_call(self, prompt: Prompt) -> tuple[Answer, tuple[int, int]]:
        """Return an answer, and the tokens of the prompt and the answer."""
        left_s = self._left_s()
        if left_s <= 0:
            raise TimeoutError
        # At 3 bytes a token the estimate is rather too high for most languages, with room for the template.
        estimate = 16 + len((prompt.system + prompt.user).encode()) // 3, prompt.max_tokens
        reserved = self._ledger.reserve(*estimate)
        used = 0, 0
        try:
            answer = self.asker.call(prompt, min(self.asker.timeout_s, left_s), self.stop)
            used = (
                estimate[0] if answer.prompt_tokens is None else answer.prompt_tokens,
                estimate[1] if answer.completion_tokens is None else answer.completion_tokens,
            )
        finally:
            self._ledger.settle(reserved, *used)
        return answer, used

    def _count_usage(self, answer: Answer, used: tuple[int, int]) -> None:
        self.count("calls")
        if answer.prompt_tokens is not None:
            self.count("prompt_tokens", answer.prompt_tokens)
            self.count("completion_tokens", answer.completion_tokens or 0)
            self.count("tokens", answer.prompt_tokens + (answer.completion_tokens or 0))
        if self.asker.budget.priced:
            self.count("cost_micros", round(1e6 * self.asker.budget.cost(*used)))
