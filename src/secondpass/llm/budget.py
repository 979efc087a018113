"""Limits on what language models cost, per query and per process."""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, ClassVar

from secondpass.config import Configured
from secondpass.errors import ConfigError, ScoringError
from secondpass.forking import reset_after_fork
from secondpass.validation import NOT_NEGATIVE, check, must_be

__all__ = ["Budget", "BudgetError", "Ledger"]


class BudgetError(ScoringError):
    """A call would exceed a token or money budget, so it was not made."""


@dataclass(slots=True)
class _Account:
    tokens: float = 0
    cost: float = 0.0

    def add(self, tokens: float, cost: float) -> None:
        self.tokens += tokens
        self.cost += cost


class Budget(Configured):
    """Limits on tokens and money for all calls that share this object, such as those of several rerankers.

    Before a call is made, it reserves an estimate (one token for 3 bytes of the prompt, and the longest possible
    answer), so that simultaneous calls can't spend the same remainder; afterwards the server's own count replaces it.
    A limit is therefore exceeded only by as much as an estimate was too low. If the server counts nothing, the
    estimate stands. A failed call counts as free.

    Args:
        max_tokens: of prompts and answers together, over the life of this object; None for no limit.
        max_cost: money over the life of this object, in the currency of the prices.
        max_query_tokens: tokens for one query with its documents.
        max_query_cost: money for one query with its documents.
        prompt_price: the price of a million prompt tokens.
        completion_price: the price of a million answer tokens.

    Raises:
        ConfigError: a limit or price is negative or not a number, or money is limited without a price.
    """

    registry_name: ClassVar[str] = "budget"

    def __init__(
        self,
        max_tokens: int | None = None,
        *,
        max_cost: float | None = None,
        max_query_tokens: int | None = None,
        max_query_cost: float | None = None,
        prompt_price: float = 0.0,
        completion_price: float = 0.0,
    ) -> None:
        self.max_tokens, self.max_cost = max_tokens, max_cost
        self.max_query_tokens, self.max_query_cost = max_query_tokens, max_query_cost
        self.prompt_price, self.completion_price = prompt_price, completion_price
        limit = NOT_NEGATIVE | None
        check(self, max_tokens=limit, max_cost=limit, max_query_tokens=limit, max_query_cost=limit)
        check(self, prompt_price=NOT_NEGATIVE, completion_price=NOT_NEGATIVE)
        if (max_cost is not None or max_query_cost is not None) and not self.priced:
            raise ConfigError("Budget: a limit in money needs prompt_price and completion_price (per million tokens)")
        self._spent = _Account()
        self._renew_lock()

    @classmethod
    def of(cls, budget: "Budget | Mapping[str, Any] | None") -> "Budget":
        """Return a budget from what a constructor was given: one, its configuration, or None for no limits."""
        if isinstance(budget, Budget):
            return budget
        if budget is None:
            return cls()
        if not isinstance(budget, Mapping):
            raise ConfigError(must_be("budget", "a Budget, the settings of one, or None", budget))
        return cls.from_config(budget)

    @property
    def priced(self) -> bool:
        """Whether there are prices, so that costs are known."""
        return self.prompt_price > 0 or self.completion_price > 0

    @property
    def spent_tokens(self) -> int:
        """Tokens of all calls so far, including the estimates of calls in flight."""
        return round(self._spent.tokens)

    @property
    def spent_cost(self) -> float:
        """Cost of all calls so far, including the estimates of calls in flight."""
        return self._spent.cost

    def cost(self, prompt_tokens: float, completion_tokens: float) -> float:
        """Return the price of a call."""
        return (prompt_tokens * self.prompt_price + completion_tokens * self.completion_price) / 1e6

    def ledger(self) -> "Ledger":
        """Return the account of one query."""
        return Ledger(self)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._renew_lock()

    def _renew_lock(self) -> None:
        self._lock = Lock()
        reset_after_fork(self, Budget._renew_lock)


class Ledger:
    """The account of one query, whose spending counts against its own limits and those of the budget."""

    def __init__(self, budget: Budget) -> None:
        self._budget, self._spent = budget, _Account()

    def reserve(self, prompt_tokens: int, completion_tokens: int) -> tuple[int, int]:
        """Reserve what a call will take, and return it for `settle`.

        Raises:
            BudgetError: it would exceed a limit; the message says which.
        """
        budget = self._budget
        tokens, cost = prompt_tokens + completion_tokens, budget.cost(prompt_tokens, completion_tokens)
        with budget._lock:
            for name, limit, total in (
                ("max_query_tokens", budget.max_query_tokens, self._spent.tokens + tokens),
                ("max_query_cost", budget.max_query_cost, self._spent.cost + cost),
                ("max_tokens", budget.max_tokens, budget._spent.tokens + tokens),
                ("max_cost", budget.max_cost, budget._spent.cost + cost),
            ):
                if limit is not None and total > limit:
                    raise BudgetError(f"the budget is used up: this call would take {name} to {total:g} of {limit:g}")
            self._spent.add(tokens, cost)
            budget._spent.add(tokens, cost)
        return prompt_tokens, completion_tokens

    def settle(self, reserved: tuple[int, int], prompt_tokens: int, completion_tokens: int) -> None:
        """Replace a reservation by what the call took: zeros if it failed."""
        tokens = prompt_tokens + completion_tokens - sum(reserved)
        cost = self._budget.cost(prompt_tokens, completion_tokens) - self._budget.cost(*reserved)
        with self._budget._lock:
            self._spent.add(tokens, cost)
            self._budget._spent.add(tokens, cost)
