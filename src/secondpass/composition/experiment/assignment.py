"""Which arm a unit (a user, a session, a tenant) belongs to: by a hash, so that it stays there without a memory."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from secondpass.errors import ConfigError, InputError
from secondpass.types import Request
from secondpass.validation import Number, must_be

__all__ = [
    "Allocation",
    "checked_unit",
    "checked_weights",
    "current_unit",
    "experiment_unit",
    "of_units",
    "unit_hash",
]

_WEIGHT = Number(at_least=0, at_most=100)
_SLACK = 1e-6  # thirds don't add up to 100 exactly

_unit: ContextVar[str | None] = ContextVar("secondpass_experiment_unit", default=None)


@contextmanager
def experiment_unit(unit: str) -> Iterator[None]:
    """Let the calls within the block be those of a unit: a user, a session, a tenant.

    It holds for this thread or task, and for what these start with their context, as `Reranker.arerank` and the
    adapters do; a `CoalescingReranker`, whose thread serves many units, hands on that of each call. Calls of several
    units at once have it in their requests instead: ``Request(query, documents, unit="user-42")``.

    Raises:
        InputError: it is not a text, or it is empty.
    """
    token = _unit.set(checked_unit(unit))
    try:
        yield
    finally:
        _unit.reset(token)


def current_unit() -> str | None:
    """Return the unit of the block around the call; None outside of one."""
    return _unit.get()


def of_units(requests: Sequence[Request]) -> Sequence[Request]:
    """Return requests that have their unit with them: their own, or that of the block around the call."""
    unit = current_unit()
    if unit is None:
        return requests
    return [request if request.unit is not None else replace(request, unit=unit) for request in requests]


def checked_unit(unit: object) -> str:
    """Return a unit's id.

    Raises:
        InputError: it is not a text, or it is empty.
    """
    if not isinstance(unit, str) or not unit:
        raise InputError(f"a unit is a text that names a user, a session or the like, not {unit!r:.80}")
    return unit


@lru_cache(maxsize=4096)
def unit_hash(experiment: str, unit: str) -> str:
    """Return 16 hexadecimal digits: the same for a unit in one experiment, unrelated to those in another one."""
    data = f"{experiment}\0{unit}".encode(errors="replace")
    return blake2b(data, digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Allocation:
    """The share of units of each arm.

    Attributes:
        weights: in percent, by arm, the control first; they sum to 100.
        rollback: whether all units get the control, whatever the weights.
    """

    weights: Mapping[str, float]
    rollback: bool = False

    @property
    def key(self) -> str:
        """A text that is the same for the same shares: only what was seen under them can be compared."""
        return "rollback" if self.rollback else ", ".join(f"{arm} {weight:g}" for arm, weight in self.weights.items())

    def arm_of(self, hashed: str) -> str:
        """Return the arm of a unit, by its hash.

        The shares lie side by side, the control's first: where it shrinks, units move to a treatment, and no other one
        changes its arm if there are two.
        """
        control, *_ = self.weights
        if self.rollback:
            return control
        left, arm = int(hashed, 16) / 2**64 * 100, control
        for name, weight in self.weights.items():
            if weight > 0:
                arm = name
                if left < weight:
                    break
            left -= weight
        return arm


def checked_weights(weights: Any, arms: Mapping[str, Any], owner: str) -> dict[str, float]:
    """Return the weight of each arm, in the order of the arms.

    Raises:
        ConfigError: it is not a mapping from the arms to percents that sum to 100.
    """
    if not isinstance(weights, Mapping) or set(weights) != set(arms):
        takes = f"a mapping with a weight for each of the arms: {', '.join(arms)}"
        raise ConfigError(must_be(f"{owner}: weights", takes, weights))
    checked = {arm: _WEIGHT.checked(weights[arm], f"{owner}: the weight of {arm!r}") for arm in arms}
    if abs(sum(checked.values()) - 100) > _SLACK:
        raise ConfigError(f"{owner}: weights must sum to 100, and {checked} sum to {sum(checked.values()):g}")
    return checked
