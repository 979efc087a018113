"""Token and money budgets."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from secondpass.errors import ConfigError
from secondpass.llm import Budget, BudgetError
from tests.forks import exit_status_of_child, needs_fork


def test_a_reservation_becomes_what_was_used() -> None:
    """The estimate counts while the call runs, the truth after it, nothing if it failed."""
    budget = Budget(1000, prompt_price=1.0, completion_price=2.0)
    ledger = budget.ledger()
    reserved = ledger.reserve(100, 50)
    assert budget.spent_tokens == 150
    ledger.settle(reserved, 80, 10)
    assert budget.spent_tokens == 90 and budget.spent_cost == pytest.approx(100e-6)
    ledger.settle(ledger.reserve(500, 0), 0, 0)
    assert budget.spent_tokens == 90


@pytest.mark.parametrize(
    ("budget", "name"),
    [
        (Budget(10), "max_tokens"),
        (Budget(max_query_tokens=10), "max_query_tokens"),
        (Budget(max_cost=1e-5, prompt_price=1.0), "max_cost"),
        (Budget(max_query_cost=1e-5, prompt_price=1.0), "max_query_cost"),
    ],
)
def test_each_limit_is_named_and_nothing_is_spent(budget: Budget, name: str) -> None:
    """Up to the limit is fine, above is refused."""
    ledger = budget.ledger()
    ledger.reserve(10, 0)
    with pytest.raises(BudgetError, match=f"would take {name} to"):
        ledger.reserve(1, 0)
    assert budget.spent_tokens == 10


def test_a_query_has_its_own_limit() -> None:
    """The next query starts from nothing, the process goes on."""
    budget = Budget(25, max_query_tokens=10)
    budget.ledger().reserve(10, 0)
    budget.ledger().reserve(10, 0)
    with pytest.raises(BudgetError, match="max_tokens"):
        budget.ledger().reserve(10, 0)


def test_a_query_gets_back_what_a_call_did_not_take() -> None:
    """Its own account is settled as well as the budget's, in tokens and in money."""
    budget = Budget(max_query_tokens=100, max_query_cost=100e-6, prompt_price=1.0)
    ledger = budget.ledger()
    ledger.settle(ledger.reserve(80, 0), 10, 0)
    ledger.settle(ledger.reserve(90, 0), 90, 0)
    with pytest.raises(BudgetError, match="max_query_tokens"):
        ledger.reserve(1, 0)


def test_threads_cannot_overspend() -> None:
    """Of a hundred reservations side by side exactly as many succeed as there is budget for."""
    budget = Budget(500)

    def spend(_: int) -> bool:
        try:
            budget.ledger().reserve(10, 0)
        except BudgetError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(spend, range(100))) == 50
    assert budget.spent_tokens == 500


def test_it_is_data_and_can_be_pickled() -> None:
    """The configuration holds the limits, a pickle also what is spent."""
    budget = Budget(500, max_query_cost=1.0, prompt_price=0.5)
    budget.ledger().reserve(10, 0)
    assert Budget.of(budget.to_config()).to_config() == budget.to_config()
    assert Budget.of(budget.to_config()).spent_tokens == 0
    restored = pickle.loads(pickle.dumps(budget))
    assert restored.spent_tokens == 10 and restored.ledger().reserve(1, 1) == (1, 1)
    assert Budget.of(budget) is budget and Budget.of(None).max_tokens is None


@pytest.mark.parametrize("bad", [5, "1000", {"type": "cache"}, {"max_tokens": float("nan")}, {"max_cost": True}])
def test_what_is_no_budget_is_refused(bad: object) -> None:
    """Numbers alone, other kinds and impossible limits are."""
    with pytest.raises(ConfigError):
        Budget.of(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("price", ["prompt_price", "completion_price"])
def test_money_is_limited_by_either_price(price: str) -> None:
    """One of the two is enough; without any, a limit in money could never be reached."""
    for limit in ("max_cost", "max_query_cost"):
        with pytest.raises(ConfigError, match="a limit in money needs prompt_price and completion_price"):
            Budget(**{limit: 1.0})  # type: ignore[arg-type]
        assert Budget(**{limit: 1.0, price: 0.5}).priced  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match=price):
            Budget(**{price: -0.5})  # type: ignore[arg-type]
    assert not Budget(5).priced


@needs_fork
def test_a_child_forked_during_a_reservation_can_reserve() -> None:
    """The lock that another thread held is free there."""
    budget = Budget(100)
    with budget._lock:
        assert exit_status_of_child(lambda: budget.ledger().reserve(10, 0), limit_s=30) == 0
