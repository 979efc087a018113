"""Alerts: rules over the last events, which fire once and are over once."""

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any, ClassVar, Literal

from secondpass.counts import counted
from secondpass.errors import ConfigError
from secondpass.forking import reset_after_fork
from secondpass.monitor.event import Event
from secondpass.monitor.rules import Rule, as_rule
from secondpass.monitor.sink import Sink
from secondpass.validation import Function, Whole, check, must_be

__all__ = ["Alert", "AlertSink"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule has begun to fire, or is over.

    Attributes:
        rule: the name of the rule.
        state: ``firing`` or ``resolved``.
        value: what was measured.
        limit: the rule's.
        n_events: over how many events it was measured.
        time_s: when the last of these began, in seconds since 1970.
        name: what that event calls what was called.
        message: all of it, in a sentence.
    """

    rule: str
    state: Literal["firing", "resolved"]
    value: float
    limit: float
    n_events: int
    time_s: float
    name: str
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return asdict(self)


def log_alert(alert: Alert) -> None:
    """Log an alert, one that fires as a warning, with the alert as ``record.alert``."""
    level = logging.WARNING if alert.state == "firing" else logging.INFO
    _log.log(level, "%s", alert.message, extra={"alert": alert})


class AlertSink(Sink):
    """Measures the last events by rules, and says so once when one fires, and once when it is over.

    Args:
        rules: `Rule`s, or their configurations (``{"type": "latency", "limit": 0.5}``).
        notify: a function of an `Alert`; by default it is logged. It is called in the thread of the call that the alert
            comes with.
        check_every: after how many events the rules are measured again: some hundred microseconds for each.

    Raises:
        ConfigError: there are no rules, or one of them can't be used.
    """

    registry_name: ClassVar[str] = "alerts"

    def __init__(
        self,
        rules: Sequence[Rule | Mapping[str, Any]],
        *,
        notify: Callable[[Alert], object] = log_alert,
        check_every: int = 10,
    ) -> None:
        if isinstance(rules, str | Mapping) or not isinstance(rules, Sequence) or not rules:
            raise ConfigError(must_be("AlertSink: rules", "a list of at least one rule", rules))
        self.rules = [as_rule(rule) for rule in rules]
        self.notify, self.check_every = notify, check_every
        check(self, notify=Function("of an Alert"), check_every=Whole(at_least=1, unit="events"))
        self._watches = [_Watch(rule) for rule in self.rules]
        self._events: deque[Event] = deque(maxlen=max(rule.window for rule in self.rules))
        self._unchecked = 0
        self._renew_lock()
        reset_after_fork(self, AlertSink._renew_lock)

    def _renew_lock(self) -> None:
        self._lock = Lock()

    def __call__(self, event: Event) -> None:
        """Take the event, and measure if it is time to."""
        with self._lock:
            self._events.append(event)
            self._unchecked += 1
            if self._unchecked < self.check_every:
                return
            self._unchecked = 0
            events = list(self._events)
            alerts = [watch.look(events[-watch.rule.window :]) for watch in self._watches]
        with ExitStack() as stack:  # which goes on where one notification fails
            for alert in reversed(alerts):
                if alert is not None:
                    stack.callback(self.notify, alert)

    def firing(self) -> list[Alert]:
        """Return the alerts that are not over, as they were when they began."""
        with self._lock:
            return [watch.alert for watch in self._watches if watch.alert is not None]

    def __repr__(self) -> str:
        return f"AlertSink({self.rules!r})"


class _Watch:
    """A rule with what it has seen."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.alert: Alert | None = None
        self._in_a_row = 0

    def look(self, events: Sequence[Event]) -> Alert | None:
        """Measure, and return an alert if it begins or is over."""
        value = self.rule.value(events)
        if value is None:
            return None
        changes = self.rule.is_beyond(value) if self.alert is None else self.rule.is_clear(value)
        self._in_a_row = self._in_a_row + 1 if changes else 0
        if self._in_a_row < self.rule.patience:
            return None
        self._in_a_row = 0
        if self.alert is None:
            self.alert = self._alert("firing", value, events)
            return self.alert
        self.alert = None
        return self._alert("resolved", value, events)

    def _alert(self, state: Literal["firing", "resolved"], value: float, events: Sequence[Event]) -> Alert:
        rule, last = self.rule, events[-1]
        side = "below" if rule.fires_below else "above"
        what = f"{value:.4g}{rule.unit} over the last {counted(len(events), 'call')} of {last.name}"
        said = f", {side} the limit of {rule.limit:g}{rule.unit}" if state == "firing" else ", which is all right again"
        message = f"{rule.name}: {what}{said}"
        return Alert(rule.name, state, value, rule.limit, len(events), last.time_s, last.name, message)
