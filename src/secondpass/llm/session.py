"""The questions of one query, and the model that they are put to."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeAlias, TypeVar

from secondpass.counts import counted
from secondpass.errors import ConfigError
from secondpass.llm.asked import A, AskedModel, Q, called
from secondpass.llm.budget import BudgetError, Ledger
from secondpass.llm.client import OpenAICompletion
from secondpass.llm.settings import LLMSettings, completed
from secondpass.llm.types import Answer, CompletionError, Prompt
from secondpass.network import CallError, Stop, side_by_side
from secondpass.validation import Text

__all__ = ["LLMSession", "LanguageModel", "Session"]

T = TypeVar("T")
_log = logging.getLogger(__name__)


class LanguageModel(AskedModel[Prompt, Answer]):
    """A language model with the settings by which it is asked.

    Args:
        model: its name at the server; None for that of ``llm``.
        settings: those that are not to have their defaults.
        owner: whose they are, for errors.

    Attributes:
        settings: all of them.

    Raises:
        ConfigError: a setting is unknown or out of range.
        MissingExtraError: httpx isn't installed, and there is no ``completion``.
    """

    def __init__(self, model: str | None, settings: LLMSettings, *, owner: str) -> None:
        every = completed(settings, owner)
        llm = every["llm"]
        if model is None and llm is None:
            raise ConfigError(f"{owner} needs model, the model's name at its server, or llm, a framework's model")
        super().__init__(Text().checked(llm.name if model is None else model, f"{owner}: model"), every)

    def _open(self) -> None:
        settings = self.settings
        self._completion = settings["completion"] or settings["llm"] or OpenAICompletion(self.model, settings)
        super()._open()

    def ask(self, question: Prompt, timeout_s: float, stop: Stop) -> Answer:
        """Ask once, without retries; see `AskedModel.ask`."""
        completion = self._completion
        if isinstance(completion, OpenAICompletion):
            return completion.ask(question, timeout_s, stop)
        answer = called(completion, question, timeout_s, stop, name="completion function")
        if isinstance(answer, str):
            return Answer(answer)
        if not isinstance(answer, Answer):
            raise CompletionError(f"the completion function returned a {type(answer).__name__}, not an Answer or a str")
        return answer


@dataclass
class Session(Generic[Q, A]):
    """One query's questions, or those of one answer's claims: they share a time limit and a budget.

    Attributes:
        llm: who is asked.
        stop: what ends all calls and waits, also those of other queries that were asked together with this one.
        raises: whether a call that failed for good is an error, or only counted and logged.
        counts: what happened, for the trace.
        failures: the messages of calls that failed for good, in order.
    """

    llm: AskedModel[Q, A]
    stop: Stop = field(default_factory=Stop)
    raises: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._deadline = time.monotonic() + self.llm.total_timeout_s
        self._ledger: Ledger = self.llm.budget.ledger()

    def count(self, name: str, times: int = 1) -> None:
        """Add to a count."""
        with self._lock:
            self.counts[name] = self.counts.get(name, 0) + times

    def ask(self, prompt: Q, parse: Callable[[A], T | None]) -> T | None:
        """Ask, and return the parsed answer.

        Returns:
            None if the answer can't be used; or if the call failed and errors are not raised.

        Raises:
            CompletionError: the call failed for good.
            BudgetError: the budget does not allow the call.
        """
        try:
            answer = self._answer(prompt)
        except (CompletionError, BudgetError) as exc:
            if self.raises:
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
            self.llm.keep(prompt, answer)  # an unusable answer is asked for again next time
        return parsed

    def ask_all(self, prompts: Sequence[Q], parse: Callable[[A], T | None]) -> list[T | None]:
        """Ask several prompts side by side, as `ask` does; equal ones are asked once."""
        distinct = list(dict.fromkeys(prompts))
        workers = self.llm.concurrency
        answers = side_by_side(lambda prompt: self.ask(prompt, parse), distinct, workers=workers, stop=self.stop)
        by_prompt = dict(zip(distinct, answers, strict=True))
        return [by_prompt[prompt] for prompt in prompts]

    def notes(self) -> list[str]:
        """Return a sentence about the calls that failed, if there are any."""
        n = len(self.failures)
        return [f"{counted(n, 'call')} failed, first because: {self.failures[0][:300]}"] if n else []

    def _failed(self, exc: Exception) -> None:
        self.count("failed_calls")
        with self._lock:
            self.failures.append(str(exc))
            first = len(self.failures) == 1
        # One warning for each query: if a server is down, all of its calls fail.
        _log.log(logging.WARNING if first else logging.DEBUG, "a call to the model failed: %s", exc)

    def _answer(self, prompt: Q) -> A:
        kept = self.llm.kept(prompt)
        if kept is not None:
            self.count("cache_hits")
            return kept
        return self.llm.retries.call(
            lambda: self._one_call(prompt), stop=self.stop, on_retry=self._on_retry, left_s=self._left_s
        )

    def _on_retry(self, exc: CallError, wait_s: float) -> None:
        self.count("retries")
        _log.debug("trying again in %.2f s: %s", wait_s, exc)

    def _left_s(self) -> float:
        return self._deadline - time.monotonic()

    def _one_call(self, prompt: Q) -> A:
        try:
            with self.llm.slots.taken(self.stop, self._left_s()):
                answer, used = self._paid_call(prompt)
        except TimeoutError:
            total = f"total_timeout_s={self.llm.total_timeout_s:g}"
            raise CompletionError(f"{total} passed before the call could begin: raise it, or concurrency") from None
        self._count_usage(answer, used)
        return answer

    def _paid_call(self, prompt: Q) -> tuple[A, tuple[int, int]]:
        """Return an answer, and the tokens of the prompt and the answer."""
        left_s = self._left_s()
        if left_s <= 0:
            raise TimeoutError
        estimate = prompt.estimated_tokens
        reserved = self._ledger.reserve(*estimate)
        used = 0, 0
        try:
            answer = self.llm.ask(prompt, min(self.llm.timeout_s, left_s), self.stop)
            used = (
                estimate[0] if answer.prompt_tokens is None else answer.prompt_tokens,
                estimate[1] if answer.completion_tokens is None else answer.completion_tokens,
            )
        finally:
            self._ledger.settle(reserved, *used)
        return answer, used

    def _count_usage(self, answer: A, used: tuple[int, int]) -> None:
        self.count("calls")
        if answer.prompt_tokens is not None:
            self.count("prompt_tokens", answer.prompt_tokens)
            self.count("completion_tokens", answer.completion_tokens or 0)
            self.count("tokens", answer.prompt_tokens + (answer.completion_tokens or 0))
        if self.llm.budget.priced:
            self.count("cost_micros", round(1e6 * self.llm.budget.cost(*used)))


LLMSession: TypeAlias = Session[Prompt, Answer]
"""Questions to a language model."""
