"""What is worth an alert: rules, each one measure of the last events with a limit."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypedDict, Unpack

import numpy as np

from secondpass.config import Configured
from secondpass.errors import ConfigError
from secondpass.monitor.event import Event
from secondpass.registry import Registry
from secondpass.types import Scale
from secondpass.validation import NOT_NEGATIVE, OPEN_SHARE, SHARE, THRESHOLD, Text, Whole, check, check_names, must_be

__all__ = [
    "ErrorRateRule",
    "EscalationRateRule",
    "LatencyRule",
    "LowConfidenceRule",
    "LowVarianceRule",
    "Rule",
    "SupportRateRule",
    "TruncationRateRule",
    "UnreadRateRule",
    "WatchSettings",
    "alert_rules",
    "as_rule",
]

alert_rules = Registry(
    "secondpass.alert_rules",
    {
        "error-rate": "secondpass.monitor.rules:ErrorRateRule",
        "escalation-rate": "secondpass.monitor.rules:EscalationRateRule",
        "latency": "secondpass.monitor.rules:LatencyRule",
        "low-confidence": "secondpass.monitor.rules:LowConfidenceRule",
        "low-variance": "secondpass.monitor.rules:LowVarianceRule",
        "memory": "secondpass.monitor.memory:MemoryRule",
        "score-drift": "secondpass.monitor.drift:ScoreDriftRule",
        "support-rate": "secondpass.monitor.rules:SupportRateRule",
        "truncation-rate": "secondpass.monitor.rules:TruncationRateRule",
        "unread-rate": "secondpass.monitor.rules:UnreadRateRule",
    },
)
"""The rules by name: ours, and others from entry points of other packages or ``alert_rules.register``."""

_SLACK = 0.2


class WatchSettings(TypedDict, total=False):
    """When a rule looks, and how sure it wants to be.

    Attributes:
        window: how many of the last events it measures (200).
        min_events: with fewer events it says nothing (20).
        patience: how many times in a row the limit must be passed before it fires, and the way back before it is over
            (2).
        clear: what must be reached before it is over; by default a fifth away from the limit, or half of the way to the
            highest measure there is.
    """

    window: int
    min_events: int
    patience: int
    clear: float | None


class Rule(Configured, ABC):
    """One measure of the last events, and its limit. A subclass writes `measure`.

    It fires once the measure is beyond the limit ``patience`` times in a row, and is over once it is back at
    ``clear`` as many times. Between the two it stays what it was, so that a measure that hovers about the limit does
    not fire again and again.

    Args:
        limit: the highest measure that is all right; the lowest where ``fires_below`` is set.
        watch: see `WatchSettings`.

    Attributes:
        fires_below: whether low measures are what it fires at.
        highest: the highest measure there is, for those that fire below.
        unit: of the measure, for messages.
        usual_window: the default of ``window``.
        usual_min_events: the default of ``min_events``.

    Raises:
        ConfigError: a setting is unknown or out of range, or ``clear`` lies beyond the limit.
    """

    fires_below: ClassVar[bool] = False
    highest: ClassVar[float] = math.inf
    unit: ClassVar[str] = ""
    usual_window: ClassVar[int] = 200
    usual_min_events: ClassVar[int] = 20

    def __init__(self, limit: float, **watch: Unpack[WatchSettings]) -> None:
        owner = type(self).__name__
        check_names(watch, WatchSettings.__annotations__, owner)
        self.limit, self.watch = limit, watch
        check(self, limit=NOT_NEGATIVE)
        window = watch.get("window", self.usual_window)
        self._window = Whole(at_least=1, unit="events").checked(window, f"{owner}: window")
        least = watch.get("min_events", min(self.usual_min_events, self._window))
        self._min_events = Whole(at_least=1, unit="events").checked(least, f"{owner}: min_events")
        self._patience = Whole(at_least=1).checked(watch.get("patience", 2), f"{owner}: patience")
        self._clear = (NOT_NEGATIVE | None).checked(watch.get("clear"), f"{owner}: clear")
        if self._min_events > self._window:
            raise ConfigError(must_be(f"{owner}: min_events", f"at most the window, {self._window}", self._min_events))
        if self._clear is None:
            # Below the highest measure there is, or an alert would never be over.
            above = min(self.limit * (1 + _SLACK), (self.limit + self.highest) / 2)
            self._clear = above if self.fires_below else self.limit * (1 - _SLACK)
        elif self.is_beyond(self._clear):
            side = "least" if self.fires_below else "most"
            raise ConfigError(must_be(f"{owner}: clear", f"at {side} the limit, {self.limit}", self._clear))

    @property
    def name(self) -> str:
        """What alerts call it."""
        return self.registry_name

    @property
    def window(self) -> int:
        """How many of the last events it measures."""
        return self._window

    @property
    def patience(self) -> int:
        """How many times in a row it wants to see the same."""
        return self._patience

    @abstractmethod
    def measure(self, events: Sequence[Event]) -> float | None:
        """Return what is compared with the limit; None if these events say nothing about it."""

    def value(self, events: Sequence[Event]) -> float | None:
        """Return the measure; None if there are too few events, or if they say nothing about it."""
        return self.measure(events) if len(events) >= self._min_events else None

    def is_beyond(self, value: float) -> bool:
        """Return whether a measure is beyond the limit."""
        return value < self.limit if self.fires_below else value > self.limit

    def is_clear(self, value: float) -> bool:
        """Return whether a measure is so far from the limit that an alert is over."""
        assert self._clear is not None
        return value >= self._clear if self.fires_below else value <= self._clear

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.limit})"


def as_rule(rule: Rule | Mapping[str, Any]) -> Rule:
    """Return a rule, given one or its configuration (``{"type": "latency", "limit": 0.5}``).

    Raises:
        ConfigError: it is not one of these, or a setting is unknown or out of range.
    """
    if isinstance(rule, Rule):
        return rule
    if not isinstance(rule, Mapping) or not isinstance(rule.get("type"), str):
        raise ConfigError(must_be("a rule", 'a Rule, or a mapping with a name under "type"', rule))
    try:
        found = alert_rules.get(rule["type"])
    except LookupError as exc:
        raise ConfigError(str(exc)) from exc
    if not (isinstance(found, type) and issubclass(found, Rule)):
        raise ConfigError(f"the name {rule['type']!r} is registered as {found!r}, which is not a Rule")
    return found.from_config(rule)


class LatencyRule(Rule):
    """Fires when calls, or one stage of them, take too long.

    Args:
        limit: seconds.
        quantile: of the latencies of the window; 0.95 is what one call in twenty exceeds.
        stage: the path of a stage ("EnsembleReranker/CrossEncoderReranker#2", see `Event.stages`), to watch it rather
            than the whole call: a slow member, say.
        watch: see `WatchSettings`.
    """

    registry_name: ClassVar[str] = "latency"
    unit: ClassVar[str] = " s"

    def __init__(
        self, limit: float, *, quantile: float = 0.95, stage: str | None = None, **watch: Unpack[WatchSettings]
    ) -> None:
        super().__init__(limit, **watch)
        self.quantile, self.stage = quantile, stage
        check(self, quantile=OPEN_SHARE, stage=Text() | None)

    @property
    def name(self) -> str:
        """What alerts call it; with its stage, if it has one."""
        return self.registry_name if self.stage is None else f"{self.registry_name} of {self.stage}"

    def measure(self, events: Sequence[Event]) -> float | None:
        """Return a quantile of the seconds."""
        if self.stage is None:
            times = [event.latency_s for event in events]
        else:
            times = [event.stages[self.stage] for event in events if self.stage in event.stages]
        return float(np.quantile(times, self.quantile)) if times else None


class LowConfidenceRule(Rule):
    """Fires when too many calls find nothing that fits.

    Args:
        limit: the share of calls, in [0, 1].
        threshold: the best score, of a verifier the lowest, below which a call counts: see `Event.is_confident`.
        watch: see `WatchSettings`.
    """

    registry_name: ClassVar[str] = "low-confidence"

    def __init__(self, limit: float = 0.5, *, threshold: float | None = None, **watch: Unpack[WatchSettings]) -> None:
        super().__init__(limit, **watch)
        self.threshold = threshold
        check(self, limit=SHARE, threshold=THRESHOLD)

    def measure(self, events: Sequence[Event]) -> float | None:
        """Return the share of calls of low confidence."""
        confident = [event.is_confident(self.threshold) for event in events]
        return _share([not each for each in confident if each is not None])


class LowVarianceRule(Rule):
    """Fires when scores hardly differ within a call, as if the model no longer told documents apart.

    Args:
        limit: the lowest standard deviation of a call's scores that is all right, on their scale; the median over the
            calls with at least three scores counts.
        watch: see `WatchSettings`.
    """

    registry_name: ClassVar[str] = "low-variance"
    fires_below: ClassVar[bool] = True

    def __init__(self, limit: float = 0.02, **watch: Unpack[WatchSettings]) -> None:
        super().__init__(limit, **watch)

    def measure(self, events: Sequence[Event]) -> float | None:
        """Return the median of the standard deviations."""
        scored = [event.scores for event in events if event.scores is not None and event.scale is not Scale.ORDINAL]
        spreads = [scores.std for scores in scored if scores.n > 2]
        return float(np.median(spreads)) if spreads else None


class ErrorRateRule(Rule):
    """Fires when too many calls fail.

    Args:
        limit: the share of calls, in [0, 1].
        watch: see `WatchSettings`.
    """

    registry_name: ClassVar[str] = "error-rate"

    def __init__(self, limit: float = 0.05, **watch: Unpack[WatchSettings]) -> None:
        super().__init__(limit, **watch)
        check(self, limit=SHARE)

    def measure(self, events: Sequence[Event]) -> float | None:
        """Return the share of calls that failed."""
        return _share([event.failed for event in events])


class EscalationRateRule(Rule):
    """Fires when too many calls ask the stronger judge, which costs.

    Args:
        limit: the share of calls, in [0, 1].
        watch: see `WatchSettings`.
    """

    registry_name: ClassVar[str] = "escalation-rate"

    def __init__(self, limit: float = 0.5, **watch: Unpack[WatchSettings]) -> None:
        super().__init__(limit, **watch)
        check(self, limit=SHARE)

    def measure(self, events: Sequence[Event]) -> float | None:
        """Return the share of calls with an escalation."""
        return _share([event.escalated > 0 for event in events])


class SupportRateRule(Rule):
    """Fires when too few claims of answers are supported: other passages, another prompt, or another model.

    Args:
        limit: the lowest share of checkable claims that is all right, in [0, 1].
        watch: see `WatchSettings`.
    """

    registry_name: ClassVar[str] = "support-rate"
    fires_below: ClassVar[bool] = True
    highest: ClassVar[float] = 1.0

    def __init__(self, limit: float = 0.7, **watch: Unpack[WatchSettings]) -> None:
        super().__init__(limit, **watch)
        check(self, limit=SHARE)

    def measure(self, events: Sequence[Event]) -> float | None:
        """Return the share of checkable claims that are supported."""
        answers = [event.counts for event in events if event.kind == "verify"]
        checkable = sum(counts.get("claims", 0) - counts.get("not_checkable", 0) for counts in answers)
        return sum(counts.get("supported", 0) for counts in answers) / checkable if checkable else None


class TruncationRateRule(Rule):
    """Fires when models see only the beginning of too many documents.

    Args:
        limit: the share of candidates, in [0, 1].
        watch: see `WatchSettings`.
    """

    registry_name: ClassVar[str] = "truncation-rate"

    def __init__(self, limit: float = 0.1, **watch: Unpack[WatchSettings]) -> None:
        super().__init__(limit, **watch)
        check(self, limit=SHARE)

    def measure(self, events: Sequence[Event]) -> float | None:
        """Return the share of candidates that were truncated."""
        candidates = sum(event.candidates for event in events)
        return sum(event.truncated for event in events) / candidates if candidates else None


class UnreadRateRule(Rule):
    """Fires when too many calls are in a language that the model does not read.

    Args:
        limit: the share of calls, in [0, 1].
        watch: see `WatchSettings`.
    """

    registry_name: ClassVar[str] = "unread-rate"

    def __init__(self, limit: float = 0.1, **watch: Unpack[WatchSettings]) -> None:
        super().__init__(limit, **watch)
        check(self, limit=SHARE)

    def measure(self, events: Sequence[Event]) -> float | None:
        """Return the share of calls whose documents were not read."""
        return _share([event.counts.get("unread", 0) > 0 for event in events])


def _share(happened: Sequence[bool]) -> float | None:
    return sum(happened) / len(happened) if happened else None
