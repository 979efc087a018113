"""What is asked over a network or as a function: with its connections, its limits, and the answers that are kept."""

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

from secondpass.errors import ConfigError, MissingExtraError
from secondpass.forking import reset_after_fork
from secondpass.llm.budget import Budget
from secondpass.llm.types import CompletionError
from secondpass.network import OutOfTimeError, Retries, Slots, Stop, StoppedError, within

__all__ = ["A", "AskedModel", "Asking", "Q", "Told", "called"]

T = TypeVar("T")


class Asking(Hashable, Protocol):
    """A question, which equals another one with the same text."""

    @property
    def estimated_tokens(self) -> tuple[int, int]:
        """What it takes at most, about: tokens of the question and of the answer."""


class Told(Protocol):
    """What came back: usable or not, with what it took."""

    @property
    def prompt_tokens(self) -> int | None:
        """As the server counted them; None if it didn't."""

    @property
    def completion_tokens(self) -> int | None:
        """Likewise."""

    @property
    def refused(self) -> bool:
        """Whether the model refused to answer."""

    @property
    def cut(self) -> bool:
        """Whether the answer was cut off."""


Q = TypeVar("Q", bound=Asking)
A = TypeVar("A", bound=Told)


class AskedModel(ABC, Generic[Q, A]):
    """A model with the settings by which it is asked; see `secondpass.llm.CallSettings`.

    A pickle holds the settings; the rest begins anew.

    Args:
        model: its name.
        settings: all of them, checked.
    """

    def __init__(self, model: str, settings: dict[str, Any]) -> None:
        self.model, self.settings = model, settings
        self._open()

    def _open(self) -> None:
        settings = self.settings
        self.budget: Budget = settings["budget"]
        self.concurrency: int = settings["concurrency"]
        self.timeout_s: float = settings["timeout_s"]
        self.total_timeout_s: float = settings["total_timeout_s"]
        self.retries, self.slots = Retries(settings["max_retries"], settings["backoff_s"]), Slots(self.concurrency)
        self._kept, self._lock = OrderedDict[Q, A](), Lock()
        reset_after_fork(self, AskedModel._renew_lock)

    def _renew_lock(self) -> None:
        self._lock = Lock()

    def kept(self, question: Q) -> A | None:
        """Return the answer that was kept for a question, or None."""
        with self._lock:
            if question in self._kept:
                self._kept.move_to_end(question)
            return self._kept.get(question)

    def keep(self, question: Q, answer: A) -> None:
        """Keep an answer; the least recently used one is dropped when there are more than ``cache_size``."""
        with self._lock:
            self._kept[question] = answer
            while len(self._kept) > self.settings["cache_size"]:
                self._kept.popitem(last=False)

    @abstractmethod
    def ask(self, question: Q, timeout_s: float, stop: Stop) -> A:
        """Ask once, without retries.

        Raises:
            CompletionError: the call failed, did not end in time, or returned something else than an answer.
            ConfigError: the key can't be sent.
            StoppedError: the stop was or became set.
        """

    def __getstate__(self) -> dict[str, Any]:
        return {"model": self.model, "settings": self.settings}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()


def called(function: Callable[[Q, float], T], question: Q, timeout_s: float, stop: Stop, *, name: str) -> T:
    """Return what a function, which stands for a model, makes of a question.

    Args:
        function: from a question and a time limit in seconds to an answer.
        question: what it is asked.
        timeout_s: how long it may take; beyond that it goes on in its thread, unheeded.
        stop: what ends the wait before that.
        name: what it is called in errors.

    Raises:
        CompletionError: it failed, or did not end in time.
        ConfigError, MissingExtraError: it raised that.
        StoppedError: the stop was or became set.
    """
    try:
        return within(timeout_s, lambda: function(question, timeout_s), stop=stop)
    except (CompletionError, ConfigError, MissingExtraError, StoppedError):
        raise
    except OutOfTimeError:
        message = f"the {name} took longer than {timeout_s:.3g} s: raise timeout_s"
        raise CompletionError(message, retryable=True) from None
    except (TimeoutError, ConnectionError) as exc:
        raise CompletionError(f"{type(exc).__name__}: {exc}", retryable=True) from exc
    except Exception as exc:  # the function is the user's, or another library's
        raise CompletionError(f"the {name} failed: {type(exc).__name__}: {exc}") from exc
