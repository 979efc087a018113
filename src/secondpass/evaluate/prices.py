"""What a system costs in money: the user's prices, for what was counted while it was measured."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from secondpass.errors import ConfigError
from secondpass.types import Trace
from secondpass.validation import NOT_NEGATIVE, check, must_be

__all__ = ["Price", "checked_prices", "used"]

_UNITS = {
    "query": "query",
    "call": "call",
    "mtok": "million_tokens",
    "hour": "hour",
}
_COUNTED = ("calls", "tokens", "prompt_tokens", "completion_tokens", "cost_micros")


@dataclass(frozen=True, slots=True)
class Price:
    """Prices of a system, in one currency; what it costs is their sum over what it used.

    What a language model's `Budget` with prices counted is added by itself.

    Attributes:
        query: of a query.
        call: of a call to a server, those of members and stages included.
        million_tokens: of a million tokens that servers counted.
        hour: of an hour of the machine, for the time that queries take.

    Raises:
        ConfigError: one is negative or not a number.
    """

    query: float = 0.0
    call: float = 0.0
    million_tokens: float = 0.0
    hour: float = 0.0

    def __post_init__(self) -> None:
        check(self, query=NOT_NEGATIVE, call=NOT_NEGATIVE, million_tokens=NOT_NEGATIVE, hour=NOT_NEGATIVE)

    @classmethod
    def parse(cls, text: str) -> "Price":
        """Read "0.002/call", "0.1/Mtok", "0.40/hour", "0.001/query", or several of them with a + between.

        Raises:
            ConfigError: it is something else.
        """
        prices: dict[str, float] = {}
        for part in text.split("+"):
            amount, _, unit = part.strip().partition("/")
            name = _UNITS.get(unit.strip().casefold())
            try:
                prices[name or ""] = float(amount)
            except ValueError:
                name = None
            if name is None:
                takes = "an amount and its unit: 0.002/call, 0.1/Mtok, 0.40/hour or 0.001/query"
                raise ConfigError(must_be("a price", takes, text))
        return cls(**prices)

    def of(self, usage: Mapping[str, int], n_queries: int, seconds: float) -> float:
        """Return what queries cost: `used` of all of them, their number, and the time of all together."""
        return (
            self.query * n_queries
            + self.call * usage.get("calls", 0)
            + self.million_tokens * usage.get("tokens", 0) / 1e6
            + self.hour * seconds / 3600
            + usage.get("cost_micros", 0) / 1e6
        )


def checked_prices(prices: object, names: list[str]) -> dict[str, Price]:
    """Return prices by system.

    Raises:
        ConfigError: it is not a mapping of systems to prices, or there is no such system.
    """
    if not isinstance(prices, Mapping):
        raise ConfigError(must_be("prices", "a mapping of systems to prices: {'cohere': Price(call=0.002)}", prices))
    found = {}
    for name, price in prices.items():
        if name not in names:
            raise ConfigError(f"prices has {name!r}, which is not one of the systems: {', '.join(names)}")
        if not isinstance(price, Price | str):
            raise ConfigError(must_be(f"the price of {name!r}", "a Price, or a text such as '0.002/call'", price))
        found[name] = Price.parse(price) if isinstance(price, str) else price
    return found


def used(trace: Trace | None) -> Counter[str]:
    """Return what servers counted while a query was answered: calls, tokens, and what a priced budget spent.

    Tokens of models on this machine, which call no server, are not among them.
    """
    found: Counter[str] = Counter()
    if trace is not None:
        if "calls" in trace.counts:
            found.update({name: trace.counts[name] for name in _COUNTED if name in trace.counts})
        for stage in trace.stages:
            found += used(stage)
    return found
